from odoo import api, fields, models
from odoo.exceptions import AccessError


class CreditLimit(models.Model):
    """Limits that were recommended."""

    _inherit = 'credit.limit'

    origin = fields.Selection(
        selection_add=[('recommended', "Recommendation")], ondelete={'recommended': lambda self: self._forget_origin()}
    )
    recommendation_id = fields.Many2one(
        'scoring.recommendation', readonly=True, copy=False, index='btree_not_null', help="How the amount came about."
    )

    @api.model_create_multi
    def create(self, vals_list):
        # Explicit, so that no default from a client's context gets in.
        return super().create([{**vals, 'recommendation_id': False} for vals in vals_list])

    def write(self, vals):
        if 'recommendation_id' in vals:
            raise AccessError(self.env._("Which recommendation a limit follows can't be changed."))
        return super().write(vals)

    def _forget_origin(self):
        """Keep the limits when scoring is uninstalled: they are decisions, whoever proposed them."""
        self._write_flow({'origin': 'manual'})

    def _follow_recommendation(self, recommendation):
        """Note where this proposal comes from."""
        self._write_flow({'origin': 'recommended', 'recommendation_id': recommendation.id})
