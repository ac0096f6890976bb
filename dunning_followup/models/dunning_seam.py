from odoo import api, models


class DunningSeam(models.AbstractModel):
    """What runs ask others for: what is not chased, whom one may contact when, which claims come on top.

    Each answer has a neutral value, so that a plan works where nothing of it is set up.
    """

    _name = 'dunning.seam'
    _description = "Questions of a Reminder Run"

    @api.model
    def _excluded(self, items, company, date):
        """Return {journal item id: (code, text, amount, or None for all of it)} of what is not chased."""
        if 'dunning.exclusion' in self.env:
            return self.env['dunning.exclusion']._excluded(items, company, date)
        return {}

    @api.model
    def _gate(self, partners, channel, moment):
        """Return {partner id: (allowed, next moment, reason)} of a contact; who is not in it may be contacted."""
        if 'dunning.contact.rule' in self.env:
            return self.env['dunning.contact.rule']._gate(partners, channel, moment)
        return {}

    @api.model
    def _claims(self, items, company, date):
        """Return {partner id: [{kind, move_line_id, amount, currency_id, text}]} of what comes on top of the items."""
        if 'dunning.claim' in self.env:
            return self.env['dunning.claim']._for_notice(items, company, date)
        return {}

    @api.model
    def _book_step(self, notices):
        """Tell that these notices were sent, so that the fees of their steps are claimed."""
        if 'dunning.claim' in self.env:
            self.env['dunning.claim']._book_step(notices)
