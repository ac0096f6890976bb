from odoo import api, fields, models
from odoo.exceptions import ValidationError

PRODUCTS = {
    'interest': 'dunning_followup.product_late_interest',
    'compensation': 'dunning_followup.product_late_compensation',
    'fee': 'dunning_followup.product_reminder_fee',
}
# What is set for a main company and all its branches.
SETTINGS = (
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
    _inherit = 'res.company'  # pylint: disable=consider-merging-classes-inherited

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
        # EXTENDS base: branches claim as their main company does
        return [*super()._get_company_root_delegated_field_names(), *SETTINGS]

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

    def _dunning_managers(self):
        """Return the managers of collections who work in this company, the last made first."""
        self.ensure_one()
        managers = self.env.ref('dunning_followup.group_collections_manager').sudo().all_user_ids
        return managers.filtered(lambda user: user.active and not user.share and self in user.company_ids).sorted(
            'id', reverse=True
        )
