from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ScoringBand(models.Model):
    """From which score on a card gives which grade."""

    _name = 'scoring.band'
    _description = "Grade of a Scorecard"
    _order = 'card_id, minimum desc'
    _rec_name = 'grade_id'

    card_id = fields.Many2one('scoring.card', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='card_id.company_id', store=True)
    minimum = fields.Float(
        string="Score From",
        required=True,
        digits=(16, 1),
        help="The lowest score that has this grade. The last grade also holds for all below.",
    )
    grade_id = fields.Many2one(
        'credit.grade', required=True, ondelete='restrict', domain="[('company_id', 'in', [company_id, False])]"
    )

    _minimum_unique = models.Constraint('UNIQUE (card_id, minimum)', "Two grades begin at the same score.")
    _grade_unique = models.Constraint('UNIQUE (card_id, grade_id)', "A card gives each grade once.")
    _minimum_range = models.Constraint('CHECK (minimum >= 0 AND minimum <= 100)', "Scores are from 0 to 100.")

    @api.constrains('minimum', 'grade_id', 'card_id')
    def _check_order(self):
        for card in self.card_id:
            bands = card.band_ids.sorted('minimum', reverse=True)
            ranks = bands.mapped('grade_id.sequence')
            if ranks != sorted(ranks):
                raise ValidationError(
                    self.env._("%(card)s: a better grade needs a higher score.", card=card.display_name)
                )
        for band in self:
            if band.grade_id.company_id and band.grade_id.company_id != band.company_id:
                raise ValidationError(
                    self.env._(
                        "The grade %(grade)s is one of %(company)s. Choose another for this card.",
                        grade=band.grade_id.display_name,
                        company=band.grade_id.company_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        bands = super().create(vals_list)
        bands.card_id._check_draft()
        return bands

    def write(self, vals):
        self.card_id._check_draft()
        result = super().write(vals)
        self.card_id._check_draft()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self.card_id._check_draft()
