from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_plan_id = fields.Many2one(related='company_id.dunning_plan_id', readonly=False)
    dunning_mode = fields.Selection(related='company_id.dunning_mode', readonly=False)
    dunning_hour = fields.Integer(related='company_id.dunning_hour', readonly=False)
    dunning_workdays = fields.Boolean(related='company_id.dunning_workdays', readonly=False)
    dunning_user_id = fields.Many2one(related='company_id.dunning_user_id', readonly=False)
    dunning_rate_table_id = fields.Many2one(related='company_id.dunning_rate_table_id', readonly=False)
    dunning_rate_table_consumer_id = fields.Many2one(
        related='company_id.dunning_rate_table_consumer_id', readonly=False
    )
    dunning_rate_warning = fields.Char(compute='_compute_dunning_rate_warning')
    dunning_interest_on_disputed = fields.Boolean(related='company_id.dunning_interest_on_disputed', readonly=False)
    dunning_product_interest_id = fields.Many2one(related='company_id.dunning_product_interest_id', readonly=False)
    dunning_product_compensation_id = fields.Many2one(
        related='company_id.dunning_product_compensation_id', readonly=False
    )
    dunning_product_fee_id = fields.Many2one(related='company_id.dunning_product_fee_id', readonly=False)
    dunning_claim_account_id = fields.Many2one(related='company_id.dunning_claim_account_id', readonly=False)
    dunning_claim_tax_ids = fields.Many2many(related='company_id.dunning_claim_tax_ids', readonly=False)

    @api.depends('dunning_rate_table_id', 'dunning_rate_table_consumer_id', 'company_id')
    def _compute_dunning_rate_warning(self):
        for settings in self:
            # Whoever sets up the company need not read the rates otherwise.
            tables = (settings.dunning_rate_table_id | settings.dunning_rate_table_consumer_id).sudo()
            empty = tables._without_rate(settings.company_id._credit_today())
            settings.dunning_rate_warning = bool(empty) and self.env._(
                "No rate for today in %(rates)s: enter it, else these days cost nothing.",
                rates=", ".join(f"“{table.name}”" for table in empty),
            )
