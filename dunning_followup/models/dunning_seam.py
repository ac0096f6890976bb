from odoo import api, models


class DunningSeam(models.AbstractModel):
    """What runs ask others for: what is not chased, whom one may contact when, which claims come on top.

    One place where add-ons can add reasons, rules and claims of their own.
    """

    _name = 'dunning.seam'
    _description = "Questions of a Reminder Run"

    @api.model
    def _excluded(self, items, company, date):
        """Return {journal item id: (code, text, amount, or None for all of it)} of what is not chased."""
        return self.env['dunning.exclusion']._excluded(items, company, date)

    @api.model
    def _gate(self, partners, channel, moment):
        """Return {partner id: (allowed, next moment, reason)} of a contact; who is not in it may be contacted."""
        return self.env['dunning.contact.rule']._gate(partners, channel, moment, self.env.company)

    @api.model
    def _claims(self, items, company, date):
        """Return {partner id: [{kind, move_line_id, amount, currency_id, text}]} of what comes on top of the items."""
        return self.env['dunning.claim']._for_notice(items, company, date)

    @api.model
    def _book_step(self, notices):
        """Tell that these notices were sent: fees are claimed, interest is kept, contacts are noted."""
        self.env['dunning.claim']._book_step(notices)
