from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date, formatLang

from .scoring_field import EnteredFloat


class ScoringFactor(models.Model):
    """One value of an outside factor: a number, grade, yes or no, or date of a customer, as of a day."""

    _name = 'scoring.factor'
    _inherit = ['scoring.fact']
    _description = "Value of an Outside Factor"
    _order = 'date desc, id desc'
    _event_key = 'factor_id'
    _event_kinds = {'entered': 'factor_entered', 'changed': 'factor_changed', 'withdrawn': 'factor_withdrawn'}
    _content_fields = ('type_id', 'date', 'number', 'option_id', 'yes', 'day', 'source', 'purpose', 'legal_basis')

    current_id = fields.Many2one('scoring.factor', readonly=True, copy=False, index='btree_not_null')
    type_id = fields.Many2one(
        'scoring.factor.type',
        string="Outside Factor",
        required=True,
        index=True,
        ondelete='restrict',
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
    )
    kind = fields.Selection(related='type_id.kind')
    unit = fields.Char(related='type_id.unit')
    date = fields.Date(string="As Of", required=True, index=True, default=lambda self: self.env.company._credit_today())
    number = EnteredFloat(digits=(16, 4), aggregator=None)
    option_id = fields.Many2one(
        'scoring.factor.option', string="Grade", ondelete='restrict', domain="[('type_id', '=', type_id)]"
    )
    yes = fields.Boolean()
    day = fields.Date()
    value = EnteredFloat(
        digits=(16, 4),
        compute='_compute_value',
        store=True,
        aggregator='avg',
        help="What scorecards see: of a grade its value, of yes 1 and of no 0. Of a date, the years since count.",
    )
    value_text = fields.Char(string="Shown As", compute='_compute_value_text')
    last_day = fields.Date(
        compute='_compute_last_day', store=True, help="The last day on which scores count this value."
    )
    source = fields.Char(help="Where it comes from: a register, a court list, a bank.")
    note = fields.Text()

    @api.depends('type_id', 'number', 'option_id', 'yes')
    def _compute_value(self):
        for factor in self:
            match factor.kind:
                case 'number':
                    factor.value = factor.number
                case 'grade':
                    factor.value = factor.option_id and factor.option_id.value
                case 'bool':
                    factor.value = float(factor.yes)
                case _:
                    factor.value = False

    @api.depends('type_id', 'number', 'option_id', 'yes', 'day', 'unit')
    @api.depends_context('lang')
    def _compute_value_text(self):
        for factor in self:
            match factor.kind:
                case 'number':
                    number = formatLang(self.env, factor.number, digits=4) if factor.number is not False else ''
                    point = self.env['res.lang']._get_data(code=self.env.lang).decimal_point or '.'
                    number = number.rstrip('0').rstrip(point) if point in number else number
                    factor.value_text = f"{number} {factor.unit or ''}".strip()
                case 'grade':
                    factor.value_text = factor.option_id.name
                case 'bool':
                    factor.value_text = self.env._("Yes") if factor.yes else self.env._("No")
                case _:
                    factor.value_text = format_date(self.env, factor.day) if factor.day else False

    @api.depends('date', 'type_id')
    def _compute_last_day(self):
        for factor in self:
            months = factor.type_id.validity_months
            factor.last_day = factor.date + relativedelta(months=months) if factor.date and months else False

    @api.depends('type_id', 'partner_id', 'date')
    def _compute_display_name(self):
        for factor in self:
            parts = [factor.partner_id.name, factor.type_id.name, factor.date and fields.Date.to_string(factor.date)]
            factor.display_name = ' · '.join(filter(None, parts)) if factor.partner_id else self.env._("New Value")

    @api.constrains('type_id', 'number', 'option_id', 'day', 'company_id')
    def _check_value(self):
        for factor in self:
            factor.type_id._check_serves(factor.company_id)
            if (
                (factor.kind == 'number' and factor.number is False)
                or (factor.kind == 'grade' and not factor.option_id)
                or (factor.kind == 'date' and not factor.day)
            ):
                raise ValidationError(self.env._("State the value of %(factor)s.", factor=factor.type_id.name))
            if factor.kind == 'grade' and factor.option_id.type_id != factor.type_id:
                raise ValidationError(
                    self.env._(
                        "“%(grade)s” is no grade of %(factor)s.",
                        grade=factor.option_id.name,
                        factor=factor.type_id.name,
                    )
                )

    @api.constrains('type_id', 'partner_id')
    def _check_natural_person(self):
        for factor in self:
            if factor.type_id.natural_forbidden and factor.partner_id._scoring_natural_person():
                raise ValidationError(
                    self.env._(
                        "%(factor)s must not be kept of natural persons, and %(customer)s is one.",
                        factor=factor.type_id.name,
                        customer=factor.partner_id.display_name,
                    )
                )

    @api.constrains('date', 'company_id')
    def _check_date(self):
        for factor in self:
            if factor.date > factor.company_id.sudo()._credit_today():
                raise ValidationError(self.env._("A value can't be of a day to come. Correct its date."))

    @api.model_create_multi
    def create(self, vals_list):
        default = self.default_get(['type_id'])
        if any(not (default | vals).get('type_id') for vals in vals_list):
            # Said before the database does: a file may name a factor that there is not.
            raise ValidationError(self.env._("State which outside factor it is."))
        return super().create(vals_list)

    def _event_payload(self):
        # EXTENDS customer_scoring
        value = {'date_to': self.day} if self.kind == 'date' else {'value': self.value}
        return {'type_id': self.type_id.id, 'date_from': self.date, **value}

    @api.model
    def get_import_templates(self):
        """Return the file that the import dialog offers to begin with."""
        return [
            {
                'label': self.env._("Import Template for Outside Factors"),
                'template': '/customer_scoring/static/xls/scoring_factor.xlsx',
            }
        ]
