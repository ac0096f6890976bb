from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..engine.interest import Rate

CUSTOMER_KINDS = [('business', "Businesses"), ('consumer', "Consumers")]


class DunningRateTable(models.Model):
    """What a late customer owes by law or contract: dated rates and a flat compensation.

    Rates are data with a source, never code: laws and reference rates change.
    """

    _name = 'dunning.rate.table'
    _description = "Late Payment Rates"
    _order = 'sequence, name, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one('res.company', index=True, help="Empty: may be used by all companies.")
    country_ids = fields.Many2many('res.country', string="Countries", help="Whose law it is; for information.")
    customer_kind = fields.Selection(
        CUSTOMER_KINDS, string="Owed By", help="Empty: by both. A table for businesses is never used for consumers."
    )
    basis = fields.Selection(
        [
            ('365', "Percent per year of 365 days"),
            ('360', "Percent per year of 360 days"),
            ('day', "Percent per day"),
        ],
        required=True,
        default='365',
        help="What the percents of the lines mean. Interest is simple, days are counted as they are.",
    )
    rate_stays = fields.Boolean(
        string="First Rate Stays",
        help="The rate of the first day of delay, the day after the due date, holds for the whole of it, as in the "
        "United Kingdom. Otherwise each rate holds for its own days.",
    )
    source = fields.Text(help="Where the figures are from, and what is to be verified.")
    source_date = fields.Date(string="Figures As Of")
    rate_ids = fields.One2many('dunning.rate', 'table_id', string="Rates", copy=True)
    compensation_ids = fields.One2many('dunning.compensation', 'table_id', string="Flat Compensation", copy=True)
    current_percent = fields.Float(string="Rate Today (%)", compute='_compute_current_percent', digits=(16, 4))

    @api.depends('rate_ids.date_from', 'rate_ids.percent')
    @api.depends_context('company')
    def _compute_current_percent(self):
        today = self.env.company._credit_today()
        for table in self:
            past = table.rate_ids.filtered(lambda rate: rate.date_from and rate.date_from <= today)
            table.current_percent = past.sorted('date_from')[-1:].percent

    def _without_rate(self, date):
        """Return those of these tables that hold no rate for a day."""
        return self.filtered(lambda table: not any(rate.date_from <= date for rate in table.rate_ids))

    def _engine_rates(self):
        """Return the rates as the engine takes them."""
        self.ensure_one()
        return tuple(Rate(rate.date_from, Decimal(str(rate.percent))) for rate in self.rate_ids)

    def _bands(self, date):
        """Return {currency: [(from which sum on, compensation)]} that hold on a day."""
        self.ensure_one()
        result = {}
        for currency, lines in self.compensation_ids.grouped('currency_id').items():
            past = lines.filtered(lambda line: line.date_from <= date)
            newest = max(past.mapped('date_from'), default=None)
            bands = past.filtered(lambda line, newest=newest: line.date_from == newest)
            if bands:
                result[currency] = [(Decimal(str(line.amount_from)), Decimal(str(line.amount))) for line in bands]
        return result

    @api.model
    def _for_partners(self, partners, company):
        """Return {commercial partner id: table}: the credit account's, else the company's for the customer's kind.

        Empty for whoever is to pay no interest, and where the table is not for customers of this kind.
        """
        root = company.root_id.sudo()
        # Whoever sends reminders need not read credit accounts.
        accounts = (
            self.env['credit.account'].sudo().search([('partner_id', 'in', partners.ids), ('company_id', '=', root.id)])
        )
        own = {account.partner_id.id: account for account in accounts}
        result = {}
        for partner_id, kind in partners._dunning_kinds().items():
            account = own.get(partner_id)
            table = root.dunning_rate_table_id if kind == 'business' else root.dunning_rate_table_consumer_id
            if account and account.dunning_interest == 'none':
                table = table.browse()
            elif account and account.dunning_interest == 'own':
                table = account.dunning_rate_table_id
            result[partner_id] = table if table.customer_kind in (kind, False) else table.browse()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # Whoever keeps the rates need not see who uses them.
        users = (('dunning.claim', 'rate_table_id'), ('credit.account', 'dunning_rate_table_id'))
        companies = (('res.company', name) for name in ('dunning_rate_table_id', 'dunning_rate_table_consumer_id'))
        for model, name in (*users, *companies):
            if self.env[model].sudo().with_context(active_test=False).search_count([(name, 'in', self.ids)], limit=1):
                raise UserError(self.env._("These rates are used. Archive them instead."))

    @api.constrains('customer_kind')
    def _check_defaults(self):
        for name, kind in (('dunning_rate_table_id', 'business'), ('dunning_rate_table_consumer_id', 'consumer')):
            tables = self.filtered(lambda table, kind=kind: table.customer_kind not in (kind, False))
            company = self.env['res.company'].sudo().search([(name, 'in', tables.ids)], limit=1)
            if company:
                raise ValidationError(
                    self.env._(
                        "%(company)s uses these rates for other customers by default. Choose others there first.",
                        company=company.name,
                    )
                )
