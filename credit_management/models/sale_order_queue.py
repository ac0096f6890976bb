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
    credit_decider_id = DeciderField(
        'res.users',
        string="Who Decides",
        compute='_compute_credit_decider_id',
        search='_search_credit_decider_id',
        groups=STAFF,
        help="Who is asked for a decision; where nobody is asked yet, the customer's controller.",
    )

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

    @api.depends('credit_controller_id', 'credit_release_id.approval_id.user_id')
    def _compute_credit_decider_id(self):
        for order in self:
            # Who is asked is no secret of a release that the user may not read.
            order.credit_decider_id = order.sudo().credit_release_id.approval_id.user_id or order.credit_controller_id

    def _credit_hold_asked(self):
        """Return {user: releases} of all orders on hold on which somebody is asked to decide."""
        # As below.
        releases = self.env['credit.release'].sudo().search([('approval_id.user_id', '!=', False)])
        return releases.grouped('approval_user_id')

    def _credit_hold_deciders(self):
        """Return {user: accounts} of all orders on hold: who controls them."""
        # Who decides is no secret of the customers that the user may not read.
        groups = self.env['sale.order'].sudo()._read_group([('credit_state', '=', 'on_hold')], ['credit_account_id'])
        accounts = self.env['credit.account'].sudo().union(*(account for [account] in groups))
        deciders = {}
        for account, user in accounts._controllers().items():
            deciders[user] = deciders.get(user, accounts.browse()) | account
        return deciders

    @staticmethod
    def _credit_of_users(groups, operator, value):
        """Return the ids of the records in {user: records} of the users that a search means."""
        if operator == 'any':
            users = next(iter(groups), None)
            users = users.union(*groups) if groups else ()
            if users:
                users = users.filtered_domain(value) if isinstance(value, fields.Domain) else users.browse(value)
            wanted = set(users and users.ids)
        else:
            wanted = set(value)
        return [record.id for user, records in groups.items() if user.id in wanted for record in records]

    def _search_credit_controller_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        return [('credit_account_id', 'in', self._credit_of_users(self._credit_hold_deciders(), operator, value))]

    def _search_credit_decider_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        asked = self._credit_hold_asked()
        every = [release.id for releases in asked.values() for release in releases]
        return fields.Domain('credit_release_id', 'in', self._credit_of_users(asked, operator, value)) | (
            fields.Domain('credit_release_id', 'not in', every)
            & fields.Domain(self._search_credit_controller_id(operator, value))
        )

    def _read_group_groupby(self, alias, groupby_spec, query):
        # EXTENDS base: by what is not stored, in the words of the database
        if groupby_spec in ('credit_main_kind', 'credit_hold_age', 'credit_controller_id', 'credit_decider_id'):
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
        if groupby_spec in ('credit_controller_id', 'credit_decider_id'):
            groups = [('credit_account_id', self._credit_hold_deciders())]
            if groupby_spec == 'credit_decider_id':
                groups.insert(0, ('credit_release_id', self._credit_hold_asked()))
            whens = [
                SQL("WHEN %s = ANY(%s) THEN %s", self._field_to_sql(alias, name, query), records.ids, user.id)
                for name, found in groups
                for user, records in found.items()
                if user
            ]
            return SQL("CASE %s END", SQL(" ").join(whens)) if whens else SQL("NULL::int")
        return super()._read_group_groupby(alias, groupby_spec, query)
