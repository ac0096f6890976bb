from odoo import api, fields, models


class CreditPartnerName(models.Model):
    """A name or registration code that a customer with a credit account had before.

    In a table of its own, beside the credit file, which holds ids only: so a
    person's data can be erased and the file stays as it is.
    """

    _name = 'credit.partner.name'
    _description = "Former Name"
    _order = 'date_to desc, id desc'
    _rec_name = 'value'

    partner_id = fields.Many2one(
        'res.partner', string="Customer", required=True, readonly=True, index=True, ondelete='cascade'
    )
    kind = fields.Selection(
        [('name', "Name"), ('vat', "Tax ID"), ('company_registry', "Company ID")], required=True, readonly=True
    )
    value = fields.Char(string="Former Name or Code", required=True, readonly=True, index='trigram')
    date_from = fields.Datetime(string="From", readonly=True)
    date_to = fields.Datetime(string="To", required=True, readonly=True)
    user_id = fields.Many2one('res.users', string="Changed By", readonly=True, ondelete='set null')

    @api.model
    def _record(self, entries):
        """Keep what customers were called until now; called with sudo, whoever renames them.

        :param entries: list of (res.partner, kind, former value)
        """
        if not entries:
            return self.browse()
        partner_ids = [partner.id for partner, _kind, _value in entries]
        latest = {
            (partner.id, kind): date
            for partner, kind, date in self._read_group(
                [('partner_id', 'in', partner_ids)], ['partner_id', 'kind'], ['date_to:max']
            )
        }
        now = fields.Datetime.now()
        return self.create(
            [
                {
                    'partner_id': partner.id,
                    'kind': kind,
                    'value': value,
                    'date_from': latest.get((partner.id, kind)) or partner.create_date,
                    'date_to': now,
                    'user_id': self.env.uid,
                }
                for partner, kind, value in entries
            ]
        )
