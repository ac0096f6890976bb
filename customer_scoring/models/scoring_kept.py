from odoo import api, models
from odoo.exceptions import UserError


class ScoringKept(models.AbstractModel):
    """What scoring writes by SQL, and nobody else enters, changes or deletes."""

    _name = 'scoring.kept'
    _description = "Kept Score"

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise UserError(self.env._("Scores are computed; none can be entered. Override the grade instead."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Scores are kept as they were and can't be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Scores are kept as they were and can't be deleted."))
