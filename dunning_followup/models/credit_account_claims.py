from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from .res_partner_claims import COLLECTION_GROUPS

# What a merged account leaves to the other: with the first of these, the rest.
TAKEN_OVER = (
    ('insolvency_date', 'insolvency_note'),
    ('dunning_represented', 'dunning_lawyer_id'),
    ('dunning_interest', 'dunning_rate_table_id'),
    ('dunning_plan_id',),
    ('dunning_contact_id',),
    ('collector_id',),
)


class CreditAccount(models.Model):
    """Insolvency and interest of a customer in one company."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    insolvency_date = fields.Date(
        string="Insolvent Since",
        readonly=True,
        copy=False,
        tracking=True,
        help="From then on nothing is chased: the claim is filed with the administrator.",
    )
    insolvency_note = fields.Char(string="Court and File", readonly=True, copy=False)
    dunning_represented = fields.Boolean(
        string="Represented by a Lawyer",
        tracking=True,
        help="The customer is not contacted himself: messages go to the lawyer. Without one, nothing is sent.",
    )
    dunning_lawyer_id = fields.Many2one('res.partner', string="Lawyer", ondelete='set null', tracking=True)
    # Not required: accounts are made by SQL that knows nothing of this add-on.
    dunning_interest = fields.Selection(
        [('own', "By rates of its own"), ('none', "None")],
        string="Late Payment Interest",
        tracking=True,
        help="Empty: as the settings of the company say.",
    )
    dunning_rate_table_id = fields.Many2one(
        'dunning.rate.table',
        string="Rates",
        ondelete='set null',
        tracking=True,
        help="What was agreed with this customer.",
    )

    dunning_not_chased = fields.Html(
        string="Why Not Chased",
        compute='_compute_dunning_not_chased',
        compute_sudo=True,
        sanitize=False,
        groups=COLLECTION_GROUPS,
    )

    @api.depends_context('lang')
    def _compute_dunning_not_chased(self):
        told = {}
        for company, accounts in self.grouped('company_id').items():
            if company:
                found = accounts.partner_id._dunning_reasons(company)
                told |= {(customer_id, company.id): reasons for customer_id, reasons in found.items()}
        for account in self:
            account.dunning_not_chased = told.get((account.partner_id.id, account.company_id.id), False)

    @api.constrains('dunning_interest', 'dunning_rate_table_id')
    def _check_rates(self):
        if any(account.dunning_interest == 'own' and not account.dunning_rate_table_id for account in self):
            raise ValidationError(self.env._("Choose the customer's rates."))

    @api.model
    def _insolvent(self, customers, company):
        """Return {commercial partner id: since when} of those who are insolvent."""
        accounts = self.search(
            [
                ('partner_id', 'in', customers.ids),
                ('company_id', '=', company.root_id.id),
                ('insolvency_date', '!=', False),
            ]
        )
        return {account.partner_id.id: account.insolvency_date for account in accounts}

    @api.model
    def _represented(self, customers, company):
        """Return {commercial partner id: lawyer, empty if none is known} of those who are not contacted themselves."""
        accounts = self.search(
            [
                ('partner_id', 'in', customers.ids),
                ('company_id', '=', company.root_id.id),
                ('dunning_represented', '=', True),
            ]
        )
        return {account.partner_id.id: account.dunning_lawyer_id.filtered('active') for account in accounts}

    def action_dunning_insolvency(self):
        """Open the dialog that notes the insolvency of the customer, or its end.

        :raise AccessError: if the user is neither collector nor credit analyst
        """
        self.ensure_one()
        self._check_may_note_insolvency()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Insolvency Ended") if self.insolvency_date else self.env._("Insolvency"),
            'res_model': 'dunning.insolvency',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_account_id': self.id, 'default_insolvent': bool(self.insolvency_date)},
        }

    def _write_insolvency(self, date, note):
        self._check_may_note_insolvency()
        # A collector keeps no credit accounts, but is often the first to hear of it.
        self.sudo().write({'insolvency_date': date, 'insolvency_note': note})
        payload = {'date_from': fields.Date.to_string(date)} if date else {}
        kind = 'insolvent' if date else 'insolvency_ended'
        self.env['credit.event']._record([(account, kind, payload) for account in self])

    def _check_may_note_insolvency(self):
        self.check_access('read')
        groups = 'dunning_followup.group_collections_collector,credit_management.group_credit_analyst'
        if not self.env.su and not self.env.user.has_groups(groups):
            raise AccessError(self.env._("Only collectors and credit analysts note an insolvency."))

    def write(self, vals):
        # EXTENDS credit_management: insolvency is noted with its dialog, which tells the credit file
        if not self.env.su and vals.keys() & {'insolvency_date', 'insolvency_note'}:
            raise AccessError(self.env._("Note an insolvency with the button Insolvency, which tells the credit file."))
        before = {account: account.dunning_represented for account in self} if 'dunning_represented' in vals else {}
        result = super().write(vals)
        if changed := [account for account, old in before.items() if account.dunning_represented != old]:
            self.env['credit.event']._record(
                [
                    (account, 'represented' if account.dunning_represented else 'representation_ended', {})
                    for account in changed
                ]
            )
        return result

    def _absorb(self, sources):
        # EXTENDS credit_management: who is insolvent or has a lawyer stays so under another name; what was agreed
        # with the one goes on where nothing was agreed with the other
        vals = {}
        for names in TAKEN_OVER:
            source = sources.filtered(names[0])[:1]
            if source and not self[names[0]]:
                vals |= {name: self._fields[name].convert_to_write(source[name], source) for name in names}
        if vals:
            self.sudo().write(vals)
        return super()._absorb(sources)

    @api.model
    def _merge_partners(self, sources, destination):
        # EXTENDS credit_management: notices of one run become those of one customer; core's SQL knows no way out
        customer = super()._merge_partners(sources, destination)
        partners = (sources | destination) - customer
        self.env['dunning.notice'].sudo().search(
            [('partner_id', 'in', partners.ids), ('run_id', '!=', False)]
        ).merged = True
        return customer

    @api.model
    def _follow_merge(self, destination, customer):
        # EXTENDS credit_management
        super()._follow_merge(destination, customer)
        if customer == destination:
            return
        for table in ('dunning_claim', 'dunning_limitation_event', 'dunning_notice', 'dunning_pause'):
            self.env.execute_query(
                SQL(
                    "UPDATE %s SET partner_id = %s WHERE partner_id = %s RETURNING id",
                    SQL.identifier(table),
                    customer.id,
                    destination.id,
                )
            )
        self.env.invalidate_all(flush=False)
