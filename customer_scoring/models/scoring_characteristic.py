from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine import score as engine
from ..engine.metric import FACTOR, METRICS, PAY, Metric

UNITS = {'days': "days", 'percent': "%", 'months': "months", 'points': "points"}
# Having paid late long ago makes a trend better: no order of its points is the right one.
UNORDERED = {'days_late_trend'}


class ScoringCharacteristic(models.Model):
    """One thing that a scorecard looks at, and the points for what it finds."""

    _name = 'scoring.characteristic'
    _description = "Characteristic of a Scorecard"
    _order = 'card_id, sequence, id'

    card_id = fields.Many2one('scoring.card', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='card_id.company_id', store=True)
    state = fields.Selection(related='card_id.state')
    sequence = fields.Integer(default=10)
    metric = fields.Selection(
        selection='_selection_metric',
        required=True,
        help="What is measured. Attributes of a person are not in this list and can't be scored.",
    )
    metric_help = fields.Text(string="What Is Measured", compute='_compute_metric_help')
    unit = fields.Char(compute='_compute_metric_help')
    stake = fields.Boolean(
        string="Amount at Stake",
        compute='_compute_metric_help',
        help="Goes into the score of the amount at stake, not into that of the way of paying.",
    )
    weight = fields.Float(
        required=True,
        default=1.0,
        digits=(16, 2),
        help="The points are multiplied by it. At twice the weight of another it counts twice as much.",
    )
    kind = fields.Selection(
        [('range', "Ranges"), ('value', "Values")],
        string="Points By",
        required=True,
        default='range',
        help="Ranges: each row holds from its number up to the next one, the first row also for all below.\n"
        "Values: each row holds for exactly its number.",
    )
    missing = fields.Selection(
        [('skip', "Leave it out"), ('points', "Give points")],
        string="Without a Value",
        required=True,
        default='skip',
        help="Left out, the other characteristics count the more; what rests on invoices is then taken from the "
        "segment's average.",
    )
    missing_points = fields.Float(string="Points Without a Value", digits=(16, 1))
    bin_ids = fields.One2many('scoring.bin', 'characteristic_id', string="Points", copy=True)
    summary = fields.Char(string="Points in Short", compute='_compute_summary')

    _metric_unique = models.Constraint('UNIQUE (card_id, metric)', "A card looks at each metric once.")
    _weight_positive = models.Constraint('CHECK (weight > 0)', "The weight has to be above 0.")
    _missing_positive = models.Constraint('CHECK (missing_points >= 0)', "Points can't be negative.")

    @api.model
    def _selection_metric(self):
        """Return the metrics as (code, label), also outside factors of types that were set up."""
        options = [(code, self.env._(metric.label)) for code, metric in METRICS.items()]
        return options + [(code, metric.label) for code, metric in self._factors().items()]

    @api.model
    def _factors(self):
        """Return {code: Metric} of the outside factors, see `scoring.factor.type`."""
        if 'scoring.factor.type' not in self.env:
            return {}
        # Which factors there are is configuration that every card may name.
        return {
            FACTOR + type_.code: Metric(
                FACTOR + type_.code, type_.name, type_.unit or 'points', 'entered', type_.higher_is_better
            )
            for type_ in self.env['scoring.factor.type'].sudo().search([])
        }

    def _fit_for_persons(self):
        """Tell whether scores of natural persons may rest on this.

        Not what credit managers have not cleared for it, nor where a person lives: that comes close to its origin.
        """
        self.ensure_one()
        if self.metric == 'country_risk':
            return False
        # A day of foundation is as good as a birthday where there is nothing that was founded.
        code = 'founded' if self.metric == 'years_in_business' else (self.metric or '').removeprefix(FACTOR)
        if code == self.metric:
            return True
        # Which factors are for natural persons is configuration that holds for every card.
        factor = self.env['scoring.factor.type'].sudo().with_context(active_test=False).search([('code', '=', code)])
        return not factor.natural_forbidden and not (factor and factor._forbidden_word())

    def _metric(self):
        """Return the engine's Metric of this characteristic."""
        self.ensure_one()
        return (
            METRICS.get(self.metric)
            or self._factors().get(self.metric)
            or Metric(self.metric or '', self.metric or '', 'points', 'entered', True)
        )

    @api.depends('metric')
    def _compute_display_name(self):
        for item in self:
            item.display_name = item._label()

    @api.depends('metric')
    @api.depends_context('lang')
    def _compute_metric_help(self):
        for item in self:
            metric = item._metric()
            item.metric_help = self.env._(metric.help) if metric.help else False
            item.unit = item._unit_label(metric)
            item.stake = metric.stake

    @api.depends('bin_ids.low', 'bin_ids.points', 'kind')
    def _compute_summary(self):
        for item in self:
            item.summary = ' · '.join(f'{row.range_text}: {row.points:g}' for row in item.bin_ids.sorted('low'))

    def _label(self):
        """Return the metric's name in the reader's language."""
        metric = self._metric()
        return self.env._(metric.label) if metric.code in METRICS else metric.label

    @api.model
    def _unit_label(self, metric):
        units = {
            'days': self.env._("days"),
            'percent': '%',
            'months': self.env._("months"),
            'points': self.env._("points"),
        }
        return units.get(metric.unit, '')

    @api.constrains('metric', 'kind', 'bin_ids')
    def _check_points(self):
        known = METRICS.keys() | self._factors().keys()
        for item in self:
            # The ORM doesn't check a selection that is computed.
            if item.metric not in known:
                raise ValidationError(
                    self.env._("“%(metric)s” can't be scored: there is no such metric.", metric=item.metric)
                )
            rows = item.bin_ids.sorted('low')
            if len(set(rows.mapped('low'))) < len(rows):
                raise ValidationError(
                    self.env._(
                        "“%(characteristic)s” has two rows of the same number.", characteristic=item.display_name
                    )
                )
            metric = item._metric()
            if (metric.by_invoice or metric.improved_by == PAY) and metric.code not in UNORDERED:
                points = rows.mapped('points')
                if points != sorted(points, reverse=not metric.higher_is_better):
                    raise ValidationError(
                        self.env._(
                            "“%(characteristic)s”: whoever pays later would get more points. Put the points in order.",
                            characteristic=item.display_name,
                        )
                    )

    @api.model_create_multi
    def create(self, vals_list):
        self.env['scoring.card'].browse({vals['card_id'] for vals in vals_list if vals.get('card_id')})._check_draft()
        return super().create(vals_list)

    def write(self, vals):
        self.card_id._check_draft()
        result = super().write(vals)
        self.card_id._check_draft()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self.card_id._check_draft()

    def _to_engine(self):
        """Return this characteristic as the engine's frozen value."""
        self.ensure_one()
        return engine.Characteristic(
            metric=self._metric(),
            weight=self.weight,
            bins=tuple(engine.Bin(row.low, row.points, row.id, row.range_text) for row in self.bin_ids.sorted('low')),
            missing=self.missing_points if self.missing == 'points' else None,
            exact=self.kind == 'value',
            id=self.id,
        )
