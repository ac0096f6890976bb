from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..engine import scale


class ScoringRatingProvider(models.Model):
    """Who rates customers, on which scale, and how the ratings come in.

    Another add-on brings a provider with a `selection_add` on `code` and a method
    `_fetch_<code>(partners, company)`.
    """

    _name = 'scoring.rating.provider'
    _inherit = ['scoring.shared']
    _description = "Rating Provider"
    _order = 'sequence, name, id'

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    code = fields.Selection(
        [('file', "File (CSV or Excel)")],
        string="Comes From",
        required=True,
        default='file',
        help="File: ratings are imported, or entered by hand.",
    )
    scale = fields.Selection(
        [('number', "Numbers"), ('grade', "Grades")],
        required=True,
        default='number',
        help="Numbers: an index between a worst and a best value. Grades: letters or words, each with its place from 0 "
        "to 100.",
    )
    worst = fields.Float(string="Worst Value", default=0.0, help="Counts as 0. May be the larger one.")
    best = fields.Float(string="Best Value", default=100.0, help="Counts as 100. May be the smaller one.")
    grade_ids = fields.One2many('scoring.rating.grade', 'provider_id', string="Grades", copy=True)
    weight = fields.Float(
        default=1.0,
        help="Where several providers rate a customer, the score counts their mean by these weights. 0: shown only.",
    )
    validity_months = fields.Integer(
        string="Valid for (Months)", default=12, help="Unless a rating has a last day of its own. 0: without end."
    )
    rating_count = fields.Integer(compute='_compute_rating_count')

    _weight_positive = models.Constraint('CHECK (weight >= 0)', "A provider can't weigh less than nothing.")
    _validity_positive = models.Constraint('CHECK (validity_months >= 0)', "Validity can't be less than 0 months.")

    def _compute_rating_count(self):
        counts = dict(
            self.env['scoring.rating']._read_group([('provider_id', 'in', self.ids)], ['provider_id'], ['__count'])
        )
        for provider in self:
            provider.rating_count = counts.get(provider, 0)

    @api.constrains('scale', 'worst', 'best', 'grade_ids')
    def _check_scale(self):
        for provider in self:
            if provider.scale == 'number' and provider.worst == provider.best:
                raise ValidationError(self.env._("State different worst and best values of the scale."))
            if provider.scale == 'grade' and not provider.grade_ids:
                raise ValidationError(self.env._("List the grades of the scale, each with its place from 0 to 100."))

    @api.model
    def _clean_grade(self, text):
        """Return a grade as it is compared: without blanks, in small letters."""
        return ''.join(str(text).split()).casefold()

    def _score(self, value=None, grade=None):
        """Return the place of a rating on 0–100, more is better.

        :param value: a number, on a scale of numbers
        :param grade: a text, on a scale of grades
        :raise UserError: if it is off the scale
        """
        self.ensure_one()
        if self.scale == 'number':
            try:
                return scale.normalise(value, self.worst, self.best)
            except ValueError:
                raise UserError(
                    self.env._(
                        "%(value)s is not on the scale of %(provider)s, which goes from %(worst)s to %(best)s.",
                        value=f'{value:g}',
                        provider=self.name,
                        worst=f'{self.worst:g}',
                        best=f'{self.best:g}',
                    )
                ) from None
        wanted = self._clean_grade(grade or '')
        for each in self.grade_ids:
            if self._clean_grade(each.name) == wanted:
                return each.score
        raise UserError(
            self.env._(
                "%(provider)s has no grade “%(grade)s”. Add it to the provider's scale, or correct the rating.",
                provider=self.name,
                grade=grade or '',
            )
        )

    def _fetch(self, partners, company):
        """Ask the provider for the ratings of some customers.

        :returns: list of values for `scoring.rating`: `partner_id`, `date`, and
            `value` or `grade`; maybe `date_until`, `note`
        :raise UserError: if nothing can be fetched from this provider
        """
        self.ensure_one()
        fetch = getattr(self, f'_fetch_{self.code}', None)
        if not fetch:
            raise UserError(
                self.env._("Ratings of %(provider)s come as a file. Import them.", provider=self.display_name)
            )
        return fetch(partners, company)

    def action_import(self):
        """Open the import of a file of this provider."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('customer_scoring.scoring_rating_upload_action')
        return action | {'context': {'default_provider_id': self.id, 'dialog_size': 'extra-large'}}

    def action_view_ratings(self):
        """Open the ratings of this provider."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('customer_scoring.scoring_rating_action')
        return action | {'domain': [('provider_id', '=', self.id)], 'context': {'default_provider_id': self.id}}


class ScoringRatingGrade(models.Model):
    """A grade of a provider's scale, and where it stands between 0 and 100."""

    _name = 'scoring.rating.grade'
    _description = "Grade of a Rating Scale"
    _order = 'provider_id, score desc, id'

    provider_id = fields.Many2one('scoring.rating.provider', required=True, index=True, ondelete='cascade')
    name = fields.Char(string="Grade", required=True)
    score = fields.Float(string="Place (0–100)", required=True, digits=(16, 1), aggregator=None, help="100 is best.")

    _score_range = models.Constraint('CHECK (score BETWEEN 0 AND 100)', "A grade stands between 0 and 100.")
    _name_unique = models.UniqueIndex('(provider_id, lower(name))', "Each grade stands once in a scale.")
