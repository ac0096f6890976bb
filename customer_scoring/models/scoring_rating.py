from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .scoring_field import EnteredFloat, known


class ScoringRating(models.Model):
    """What an outside provider thinks of a customer, as of a day."""

    _name = 'scoring.rating'
    _inherit = ['scoring.fact']
    _description = "External Rating"
    _order = 'date desc, id desc'
    _event_key = 'rating_id'
    _event_kinds = {'entered': 'rating_entered', 'changed': 'rating_changed', 'withdrawn': 'rating_withdrawn'}
    _content_fields = ('provider_id', 'date', 'date_until', 'value', 'grade', 'purpose', 'legal_basis')

    current_id = fields.Many2one('scoring.rating', readonly=True, copy=False, index='btree_not_null')
    provider_id = fields.Many2one(
        'scoring.rating.provider',
        required=True,
        index=True,
        ondelete='restrict',
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
    )
    scale = fields.Selection(related='provider_id.scale')
    date = fields.Date(string="As Of", required=True, index=True, default=lambda self: self.env.company._credit_today())
    date_until = fields.Date(string="Valid Until", help="Last day. Empty: as long as the provider's ratings are valid.")
    value = EnteredFloat(digits=(16, 2), aggregator=None, help="On the provider's scale.")
    grade = fields.Char(help="Of the provider's scale.")
    score = fields.Float(
        string="Rating (0–100)",
        digits=(16, 1),
        compute='_compute_score',
        store=True,
        aggregator='avg',
        help="The provider's scale brought to 0 to 100, more is better, as the scale was on the day of the entry.",
    )
    last_day = fields.Date(
        compute='_compute_last_day', store=True, help="The last day on which scores count this rating."
    )
    import_id = fields.Many2one(
        'scoring.rating.import', string="Imported With", readonly=True, copy=True, index='btree_not_null'
    )
    note = fields.Char()

    @api.depends('provider_id', 'value', 'grade')
    def _compute_score(self):
        for rating in self:
            # Kept as it is when the provider's scale changes: scores were made with it.
            provider = rating.provider_id
            complete = known(rating.value) is not None if provider.scale == 'number' else rating.grade
            try:
                rating.score = provider._score(known(rating.value), rating.grade) if provider and complete else 0.0
            except UserError:  # while a form is filled in; `_check_value` says so when it is saved
                rating.score = 0.0

    @api.depends('date', 'date_until', 'provider_id')
    def _compute_last_day(self):
        for rating in self:
            months = rating.provider_id.validity_months
            end = rating.date and months and rating.date + relativedelta(months=months)
            rating.last_day = rating.date_until or end or False

    @api.depends('provider_id', 'partner_id', 'date')
    def _compute_display_name(self):
        for rating in self:
            parts = [
                rating.partner_id.name,
                rating.provider_id.name,
                rating.date and fields.Date.to_string(rating.date),
            ]
            rating.display_name = ' · '.join(filter(None, parts)) if rating.partner_id else self.env._("New Rating")

    @api.constrains('provider_id', 'value', 'grade', 'company_id')
    def _check_value(self):
        for rating in self.filtered('active'):
            provider = rating.provider_id
            provider._check_serves(rating.company_id)
            if provider.scale == 'number' and rating.value is False:
                raise ValidationError(
                    self.env._("State the value on the scale of %(provider)s.", provider=provider.name)
                )
            provider._score(known(rating.value), rating.grade)

    @api.constrains('date', 'date_until', 'company_id')
    def _check_dates(self):
        for rating in self:
            if rating.date > rating.company_id.sudo()._credit_today():
                raise ValidationError(self.env._("A rating can't be of a day to come. Correct its date."))
            if rating.date_until and rating.date_until < rating.date:
                raise ValidationError(self.env._("The rating ends before its day. Correct its dates."))

    def _event_payload(self):
        # EXTENDS customer_scoring
        return {'provider_id': self.provider_id.id, 'date_from': self.date, 'rating': self.score}
