from odoo import api, fields, models
from odoo.exceptions import ValidationError

RISK_LABELS = [
    ('1', "1 · Very low"),
    ('2', "2 · Low"),
    ('3', "3 · Medium"),
    ('4', "4 · High"),
    ('5', "5 · Very high"),
]


class ScoringRisk(models.AbstractModel):
    """The risk of an industry or country as seen on a day; the latest that was known counts."""

    _name = 'scoring.risk'
    _inherit = ['scoring.dated']
    _description = "Risk Table"

    date = fields.Date(string="As Of", required=True, index=True, default=lambda self: self.env.company._credit_today())
    risk = fields.Selection(RISK_LABELS, required=True, help="1 is the lowest risk.")
    source = fields.Char(help="Who says so: an insurer, a bank, a ministry, the own judgement.")
    note = fields.Char()

    @api.constrains('date', 'company_id')
    def _check_date(self):
        for record in self:
            if record.date > record.company_id.sudo()._credit_today():
                raise ValidationError(self.env._("A risk can't be of a day to come. Correct its date."))


class ScoringIndustryRisk(models.Model):
    """The risk of an industry of customers, see the contact's *Industry*."""

    _name = 'scoring.industry.risk'
    _inherit = ['scoring.risk']
    _description = "Industry Risk"
    _order = 'date desc, id desc'
    _rec_name = 'industry_id'
    _content_fields = ('industry_id', 'date', 'risk', 'source')

    current_id = fields.Many2one('scoring.industry.risk', readonly=True, copy=False, index='btree_not_null')
    industry_id = fields.Many2one('res.partner.industry', required=True, index=True, ondelete='restrict')
    customer_count = fields.Integer(
        string="Customers", compute='_compute_customer_count', help="Contacts in this industry that you may read."
    )

    def _compute_customer_count(self):
        counts = dict(
            self.env['res.partner']._read_group(
                [('industry_id', 'in', self.industry_id.ids)], ['industry_id'], ['__count']
            )
        )
        for record in self:
            record.customer_count = counts.get(record.industry_id, 0)


class ScoringCountryRisk(models.Model):
    """The risk of a country of customers, see the contact's address."""

    _name = 'scoring.country.risk'
    _inherit = ['scoring.risk']
    _description = "Country Risk"
    _order = 'date desc, id desc'
    _rec_name = 'country_id'
    _content_fields = ('country_id', 'date', 'risk', 'source')

    current_id = fields.Many2one('scoring.country.risk', readonly=True, copy=False, index='btree_not_null')
    country_id = fields.Many2one('res.country', required=True, index=True, ondelete='restrict')
