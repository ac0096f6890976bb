from odoo import api, fields, models


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    credit_responsible_id = fields.Many2one(
        'res.users',
        string="Responsible",
        compute='_compute_credit_responsible_id',
        compute_sudo=True,
        help="Who answers for this debt: the salesperson, or the former one for what was due before the hand-over.",
    )

    @api.depends('partner_id', 'date_maturity')
    def _compute_credit_responsible_id(self):
        responsibles = self.env['credit.debt.duty']._responsibles(self)
        for line in self:
            line.credit_responsible_id = responsibles[line]
