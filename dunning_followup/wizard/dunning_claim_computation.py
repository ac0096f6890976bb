from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class DunningClaimComputation(models.TransientModel):
    """Asks for whom and up to which day interest and compensation are computed."""

    _name = 'dunning.claim.computation'
    _inherit = ['credit.dialog']
    _description = "Compute Interest"

    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company)
    date = fields.Date(
        string="Up To",
        required=True,
        default=lambda self: self.env.company._credit_today(),
        help="Last day that counts.",
    )
    paid_from = fields.Date(
        string="Paid Late Since",
        default=lambda self: self.env.company._credit_today() - relativedelta(years=1),
        help="What was due, and paid late from this day on, is claimed too. Empty: of what is paid, only claims that "
        "were made before are brought up to date.",
    )
    partner_ids = fields.Many2many(
        'res.partner', string="Customers", help="Empty: all customers with something overdue or paid late."
    )

    @api.model
    def _items(self, company, partners, date, paid_from=None):
        """Return the overdue items, and the paid ones whose claims are still open, of these customers or of all.

        :param paid_from: also what was paid after its due date, from this day on
        """
        Line = self.env['account.move.line']
        if partners:
            overdue = Line._dunning_overdue(partners.commercial_partner_id, company, date)
        else:
            branches = self.env['res.company'].sudo().browse(company.root_id._credit_branch_ids())
            overdue = Line.search([*Line._dunning_open_domain(branches), ('date_maturity', '<', date)])
        # On behalf of the system, which looks after the claims of the company.
        claims = (
            self.env['dunning.claim']
            .sudo()
            .search(
                [
                    ('state', '=', 'open'),
                    ('kind', '!=', 'fee'),
                    ('company_id', 'in', company.root_id._credit_branch_ids()),
                    *([('partner_id', 'in', partners.commercial_partner_id.ids)] if partners else []),
                ]
            )
        )
        items = overdue | claims.move_line_id.sudo(False)
        return items | Line._dunning_paid_late(partners, company, paid_from, date) if paid_from else items

    def action_compute(self):
        """Compute the claims and show them; days without a rate are told.

        :raise UserError: if there are no rates to compute with, or the day is to come
        :raise AccessError: if the user is no collector
        """
        self.ensure_one()
        Claim = self.env['dunning.claim']
        Claim._check_group(
            'dunning_followup.group_collections_collector', self.env._("Only collectors compute claims.")
        )
        if self.date > self.company_id._credit_today():
            raise UserError(self.env._("Interest of days to come is not owed yet: choose a day up to today."))
        computed = Claim._computed(self._items(self.company_id, self.partner_ids, self.date, self.paid_from), self.date)
        unrated = "\n".join(Claim._unrated_texts(computed))
        claims = Claim._keep(computed)
        if not claims and unrated:
            raise UserError(unrated)
        if not claims:
            raise UserError(
                self.env._(
                    "There is nothing to claim. Either nothing is overdue or was paid late, or no rates are chosen: "
                    "see the settings of Invoicing, and the customer's credit account."
                )
            )
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_claim_action')
        action |= {'domain': [('id', 'in', claims.ids)], 'context': {}}
        if not unrated:
            return action
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {'type': 'warning', 'message': unrated, 'sticky': True, 'next': action},
        }
