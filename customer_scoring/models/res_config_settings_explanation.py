from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'  # pylint: disable=consider-merging-classes-inherited

    scoring_legal_basis = fields.Selection(related='company_id.scoring_legal_basis', readonly=False)
