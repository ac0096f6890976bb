from odoo import api, fields, models
from odoo.exceptions import ValidationError

MANAGER = 'dunning_followup.group_collections_manager'
PRODUCTS = {
    'interest': 'dunning_followup.product_late_interest',
    'compensation': 'dunning_followup.product_late_compensation',
    'fee': 'dunning_followup.product_reminder_fee',
}
# What is set for a main company and all its branches.
SETTINGS = (
    'dunning_plan_id',
    'dunning_mode',
    'dunning_hour',
    'dunning_workdays',
    'dunning_user_id',
    'dunning_rate_table_id',
    'dunning_rate_table_consumer_id',
    'dunning_interest_on_disputed',
    'dunning_product_interest_id',
    'dunning_product_compensation_id',
    'dunning_product_fee_id',
    'dunning_claim_account_id',
    'dunning_claim_tax_ids',
)


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_plan_id = fields.Many2one(
        'dunning.plan',
        string="Default Reminder Plan",
        ondelete='restrict',
        help="Holds for customers whose credit account names no plan and who are in no plan's segment.",
    )
    dunning_mode = fields.Selection(
        [('off', "No"), ('propose', "Make a run to be reviewed"), ('send', "Make a run and send it")],
        string="Reminders by Themselves",
        required=True,
        default='off',
    )
    dunning_hour = fields.Integer(
        string="From Hour", default=7, help="In the company's time zone: when the day's run is made."
    )
    dunning_workdays = fields.Boolean(string="Monday to Friday Only", default=True)
    dunning_user_id = fields.Many2one(
        'res.users',
        string="Default Collector",
        domain="[('share', '=', False)]",
        help="Gets calls, visits and reports.",
    )
    dunning_rate_table_id = fields.Many2one(
        'dunning.rate.table',
        string="Rates for Businesses",
        ondelete='set null',
        domain="[('customer_kind', 'in', ('business', False)), ('company_id', 'in', (False, id))]",
        help="What late businesses owe. Empty: no interest.",
    )
    dunning_rate_table_consumer_id = fields.Many2one(
        'dunning.rate.table',
        string="Rates for Consumers",
        ondelete='set null',
        domain="[('customer_kind', 'in', ('consumer', False)), ('company_id', 'in', (False, id))]",
        help="What late consumers owe. Empty: no interest.",
    )
    dunning_interest_on_disputed = fields.Boolean(
        string="Interest on Disputed Amounts", help="Else none accrues while a part is disputed."
    )
    dunning_product_interest_id = fields.Many2one('product.product', string="Product for Interest", ondelete='set null')
    dunning_product_compensation_id = fields.Many2one(
        'product.product', string="Product for Compensation", ondelete='set null'
    )
    dunning_product_fee_id = fields.Many2one('product.product', string="Product for Fees", ondelete='set null')
    dunning_claim_account_id = fields.Many2one(
        'account.account',
        string="Account of Claims",
        ondelete='set null',
        check_company=True,
        help="Empty: the income account of the product.",
    )
    dunning_claim_tax_ids = fields.Many2many(
        'account.tax',
        'dunning_claim_tax_rel',
        string="Taxes of Claims",
        check_company=True,
        domain="[('type_tax_use', '=', 'sale')]",
        help="Empty: those of the product. Late payment interest is as a rule outside the scope of VAT.",
    )

    @api.model
    def _get_company_root_delegated_field_names(self):
        # EXTENDS base: a branch reminds and claims as its main company
        return [*super()._get_company_root_delegated_field_names(), *SETTINGS]

    @api.constrains('dunning_hour')
    def _check_dunning_hour(self):
        if any(not 0 <= company.dunning_hour <= 23 for company in self):
            raise ValidationError(self.env._("The hour of the reminders is one from 0 to 23."))

    @api.constrains('dunning_plan_id')
    def _check_dunning_plan(self):
        for company in self:
            plan = company.dunning_plan_id
            if plan and (plan.company_id != company.root_id or not plan.active):
                raise ValidationError(
                    self.env._(
                        "The reminder plan %(plan)s belongs to another company or is archived. Choose another.",
                        plan=plan.name,
                    )
                )

    @api.constrains('dunning_rate_table_id', 'dunning_rate_table_consumer_id')
    def _check_rate_tables(self):
        for company in self:
            pairs = ((company.dunning_rate_table_id, 'business'), (company.dunning_rate_table_consumer_id, 'consumer'))
            for table, kind in pairs:
                if table.customer_kind not in (kind, False):
                    raise ValidationError(
                        self.env._("The rates %(rates)s are for other customers. Choose others.", rates=table.name)
                    )

    def _dunning_claim_product(self, kind):
        """Return the product that claims of a kind are invoiced with."""
        self.ensure_one()
        return self[f'dunning_product_{kind}_id'] or self.env.ref(PRODUCTS[kind])

    def _dunning_responsible(self):
        """Return who is told what goes wrong with reminders: the collector, else the managers."""
        self.ensure_one()
        collector = self.dunning_user_id.filtered('active')
        return collector or self._collections_managers() or self._credit_managers()

    def _collections_managers(self):
        """Return the collections managers who work in this company, the last made first."""
        self.ensure_one()
        managers = self.env.ref(MANAGER).sudo().all_user_ids
        return managers.filtered(lambda user: user.active and not user.share and self in user.company_ids).sorted(
            'id', reverse=True
        )
