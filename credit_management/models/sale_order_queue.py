from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import SQL

from .sale_order import STAFF


class DeciderField(fields.Many2one):
    """Who decides next: not stored, and grouped by all the same, see `_read_group_groupby`."""

    def _description_groupable(self, env):
        # Told without asking who decides about each held order.
        return True


class SaleOrder(models.Model):
    """By what the queue of held orders is filtered and grouped."""

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    credit_main_kind = fields.Selection(related='credit_check_id.main_kind', string="Main Reason", groups=STAFF)
    credit_hold_age = fields.Selection(
        [('1', "Today"), ('7', "Last 7 days"), ('9', "Older")],
        string="On Hold For",
        compute='_compute_credit_hold_age',
        search='_search_credit_hold_age',
        groups=STAFF,
        help="How long the order has been on hold, in days of the user's time zone.",
    )
    credit_controller_id = DeciderField(search='_search_credit_controller_id')

    def _credit_age_bounds(self):
        """Return when today and the last seven days begin, as the database has times."""
        zone = pytz.timezone(self.env.user.tz or 'UTC')
        today = datetime.combine(fields.Date.context_today(self), time())
        return [
            zone.localize(day).astimezone(pytz.utc).replace(tzinfo=None) for day in (today, today - timedelta(days=6))
        ]

    @api.depends('credit_hold_date')
    @api.depends_context('uid', 'tz')
    def _compute_credit_hold_age(self):
        today, week = self._credit_age_bounds()
        for order in self:
            since = order.credit_hold_date
            order.credit_hold_age = since and ('1' if since >= today else '7' if since >= week else '9')

    def _search_credit_hold_age(self, operator, value):
        if operator != 'in':
            return NotImplemented
        today, week = self._credit_age_bounds()
        domains = {
            '1': [('credit_hold_date', '>=', today)],
            '7': [('credit_hold_date', '<', today), ('credit_hold_date', '>=', week)],
            '9': [('credit_hold_date', '<', week)],
            False: [('credit_hold_date', '=', False)],
        }
        return fields.Domain.OR(domains[age] for age in value if age in domains)

    def _credit_hold_deciders(self):
        """Return {user: accounts} of all orders on hold: who decides about them next."""
        # Who decides is no secret of the customers that the user may not read.
        groups = self.env['sale.order'].sudo()._read_group([('credit_state', '=', 'on_hold')], ['credit_account_id'])
        accounts = self.env['credit.account'].sudo().union(*(account for [account] in groups))
        deciders = {}
        for account, user in accounts._controllers().items():
            deciders[user] = deciders.get(user, accounts.browse()) | account
        return deciders

    def _search_credit_controller_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        deciders = self._credit_hold_deciders()
        users = self.env['res.users'].union(*deciders)
        if operator == 'any':
            users = users.filtered_domain(value) if isinstance(value, fields.Domain) else users & users.browse(value)
            wanted = set(users.ids)
        else:
            wanted = set(value)
        accounts = [account.id for user, group in deciders.items() if user.id in wanted for account in group]
        return [('credit_account_id', 'in', accounts)]

    def _read_group_groupby(self, alias, groupby_spec, query):
        # EXTENDS base: by what is not stored, in the words of the database
        if groupby_spec in ('credit_main_kind', 'credit_hold_age', 'credit_controller_id'):
            # A customer in the portal reads his orders, but nothing of this.
            self._check_field_access(self._fields[groupby_spec], 'read')
        if groupby_spec == 'credit_hold_age':
            today, week = self._credit_age_bounds()
            since = self._field_to_sql(alias, 'credit_hold_date', query)
            return SQL(
                "CASE WHEN %(since)s >= %(today)s THEN '1' WHEN %(since)s >= %(week)s THEN '7'"
                " WHEN %(since)s IS NOT NULL THEN '9' END",
                since=since,
                today=today,
                week=week,
            )
        if groupby_spec == 'credit_controller_id':
            account = self._field_to_sql(alias, 'credit_account_id', query)
            whens = [
                SQL("WHEN %s = ANY(%s) THEN %s", account, accounts.ids, user.id)
                for user, accounts in self._credit_hold_deciders().items()
                if user
            ]
            return SQL("CASE %s END", SQL(" ").join(whens)) if whens else SQL("NULL::int")
        return super()._read_group_groupby(alias, groupby_spec, query)
