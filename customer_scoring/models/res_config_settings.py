from odoo import api, fields, models
from odoo.tools import format_list


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    scoring_legal_basis = fields.Selection(related='company_id.scoring_legal_basis', readonly=False)
    scoring_tolerance_days = fields.Integer(related='company_id.scoring_tolerance_days', readonly=False)
    scoring_bill_settlement = fields.Selection(related='company_id.scoring_bill_settlement', readonly=False)
    scoring_warn_score_drop = fields.Float(related='company_id.scoring_warn_score_drop', readonly=False)
    scoring_warn_slower_days = fields.Float(related='company_id.scoring_warn_slower_days', readonly=False)
    scoring_warn_silent_days = fields.Integer(related='company_id.scoring_warn_silent_days', readonly=False)
    scoring_warn_round_amount = fields.Monetary(related='company_id.scoring_warn_round_amount', readonly=False)
    scoring_statement_months = fields.Integer(related='company_id.scoring_statement_months', readonly=False)
    scoring_report_rhythm = fields.Selection(related='company_id.scoring_report_rhythm', readonly=False)
    scoring_report_weekday = fields.Selection(related='company_id.scoring_report_weekday', readonly=False)
    scoring_report_day = fields.Integer(related='company_id.scoring_report_day', readonly=False)
    scoring_report_user_ids = fields.Many2many(related='company_id.scoring_report_user_ids', readonly=False)
    scoring_report_text = fields.Char(string="Who Gets It", compute='_compute_scoring_report_text')

    @api.depends('company_id', 'scoring_report_rhythm', 'scoring_report_user_ids')
    def _compute_scoring_report_text(self):
        for settings in self:
            company = settings.company_id.root_id
            readers = company._scoring_report_readers(settings.scoring_report_user_ids._origin)
            names = {
                'names': format_list(self.env, readers.filtered('email').mapped('name')),
                'without': format_list(self.env, readers.filtered(lambda user: not user.email).mapped('name')),
            }
            if settings.scoring_report_rhythm == 'never':
                settings.scoring_report_text = self.env._("Nobody gets it by mail.")
            elif not names['names']:
                settings.scoring_report_text = self.env._("Nobody gets it: none of them has an email address.")
            elif names['without']:
                settings.scoring_report_text = self.env._(
                    "Goes to %(names)s. Without an email address: %(without)s.", **names
                )
            else:
                settings.scoring_report_text = self.env._("Goes to %(names)s.", **names)
