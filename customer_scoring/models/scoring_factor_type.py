import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..engine.attribute import forbidden_word


class ScoringFactorType(models.Model):
    """A kind of outside fact that scores may count: its code, what its values are, how long they hold."""

    _name = 'scoring.factor.type'
    _inherit = ['scoring.shared']
    _description = "Outside Factor"
    _order = 'sequence, name, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    code = fields.Char(
        string="Technical Code",
        required=True,
        help="By which scorecards and programs know it: small letters, digits and _. It stays as it is.",
    )
    kind = fields.Selection(
        [('number', "Number"), ('grade', "Grade"), ('bool', "Yes or No"), ('date', "Date, counted in years since")],
        required=True,
        default='number',
        help="What its values are. It stays as it is.",
    )
    unit = fields.Char(translate=True, help="Of the number, for example % or days.")
    option_ids = fields.One2many('scoring.factor.option', 'type_id', string="Grades", copy=True)
    higher_is_better = fields.Boolean(default=True)
    natural_forbidden = fields.Boolean(
        string="Not for Natural Persons",
        default=True,
        help="Can't be entered for natural persons, and their scores don't count it. Clear it only for what may be "
        "held for or against a person by law: never for gender, age, origin, belief, health and the like.",
    )
    validity_months = fields.Integer(
        string="Valid for (Months)", default=12, help="After that scores don't count it any more. 0: without end."
    )
    description = fields.Text(translate=True)

    _code_unique = models.UniqueIndex('(code)', "Another outside factor has this technical code.")
    _validity_positive = models.Constraint('CHECK (validity_months >= 0)', "Validity can't be less than 0 months.")

    @api.constrains('code')
    def _check_code(self):
        for each in self:
            if not re.fullmatch('[a-z][a-z0-9_]*', each.code or ''):
                raise ValidationError(
                    self.env._("A technical code has small letters, digits and _ only, and begins with a letter.")
                )

    @api.constrains('name', 'code', 'natural_forbidden', 'option_ids')
    def _check_natural_forbidden(self):
        for each in self:
            if not each.natural_forbidden and (word := each._forbidden_word()):
                raise ValidationError(
                    self.env._(
                        "%(factor)s: “%(word)s” is an attribute of a person, and no score of a natural person may rest "
                        "on it. Let it be not for natural persons, or give it another name if it means something else.",
                        factor=each.name,
                        word=word,
                    )
                )

    def _forbidden_word(self):
        """Return the word in the code, or the names in any language, that stands for a forbidden attribute, or None."""
        self.ensure_one()
        langs = [code for code, _name in self.env['res.lang'].get_installed()]
        translated = [self.with_context(lang=lang) for lang in langs]
        names = [name for each in translated for name in (each.name, *each.option_ids.mapped('name'))]
        return forbidden_word(self.code, *names)

    @api.constrains('kind', 'option_ids')
    def _check_options(self):
        for each in self:
            if each.kind == 'grade' and not each.option_ids:
                raise ValidationError(self.env._("List the grades of %(factor)s with their values.", factor=each.name))

    def write(self, vals):
        for name in ('code', 'kind'):
            if name in vals and any(each[name] != vals[name] for each in self) and self._is_used():
                raise UserError(
                    self.env._("Values have been entered, so the code and the kind stay. Make another outside factor.")
                )
        return super().write(vals)

    def copy_data(self, default=None):
        # EXTENDS base: the code is the original's
        vals_list = super().copy_data(default)
        return [
            {**vals, 'code': f'{each.code}_2', **(default or {})} for each, vals in zip(self, vals_list, strict=True)
        ]

    def _is_used(self):
        Factor = self.env['scoring.factor'].sudo().with_context(active_test=False)
        return bool(Factor.search_count([('type_id', 'in', self.ids)], limit=1))


class ScoringFactorOption(models.Model):
    """A grade of an outside factor and the number for which it stands in scorecards."""

    _name = 'scoring.factor.option'
    _description = "Grade of an Outside Factor"
    _order = 'type_id, value desc, id'

    type_id = fields.Many2one('scoring.factor.type', required=True, index=True, ondelete='cascade')
    name = fields.Char(string="Grade", required=True, translate=True)
    value = fields.Float(digits=(16, 2), aggregator=None, help="What scorecards see.")

    @api.constrains('name')
    def _check_name(self):
        self.type_id._check_natural_forbidden()
