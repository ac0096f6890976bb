from datetime import date, timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date, format_list, formatLang

from ..engine.outlook import Day, Side, first_day
from ..engine.verdict import STOPPING, needs_team_limits
from .sale_order import STAFF

# So many of the days on which something changes are looked at for one order.
DAYS = 6


class Outlook(NamedTuple):
    """When an order would pass by itself, and what that rests on."""

    date: date
    causes: list  # what happens on that day, in words
    promised: float  # what has to have come by then, in company currency; 0 where it is certain


class SaleOrder(models.Model):
    """On which day an order on hold would pass by itself, as far as is decided today."""

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    credit_pass_date = fields.Date(
        string="Would Pass On",
        compute='_compute_credit_pass_date',
        groups=STAFF,
        help="First day on which an order on hold would pass by itself if nothing else changes: from limits that begin "
        "or end, the end of a blacklisting, and payments that are promised. Empty: no such day is known.",
    )

    @api.depends('credit_state', 'amount_total', 'partner_invoice_id', 'currency_id')
    def _compute_credit_pass_date(self):
        held = self.filtered(lambda order: order.credit_state == 'on_hold' and order.state in ('draft', 'sent'))
        # All of them at once: the list asks for a page of orders, not for one. Of figures that the user may not
        # read only the day comes back.
        results = held.sudo()._credit_check(record=False, together=False) if held else {}
        outlooks = {order.id: outlook for order, outlook in held.sudo()._credit_outlooks(results).items()}
        for order in self:
            outlook = outlooks.get(order.id)
            order.credit_pass_date = outlook and outlook.date

    def _credit_outlooks(self, results):
        """Return {order: Outlook} of those that a check stops and that would pass on a later day, by what is known.

        In a constant number of statements per company tree.

        :param results: of `_credit_check`
        """
        found = {}
        stopped = self.filtered(lambda order: order in results and results[order]['outcome'] in STOPPING)
        for company, orders in stopped.grouped(lambda order: order.company_id.root_id).items():
            sides = {
                order: [
                    (profile, facts)
                    for profile, facts, _decision in results[order]['decisions']
                    if profile['enforcing']
                ]
                for order in orders
            }
            found |= self._credit_outlooks_of(sides, company)
        return found

    @api.model
    def _credit_outlooks_of(self, sides, company):
        """Return {order: Outlook} of the orders of one company tree.

        :param sides: {order: [(profile, facts)] of the customers that it concerns}
        """
        Account, Check = self.env['credit.account'].sudo(), self.env['credit.check'].sudo()
        profiles = [profile for group in sides.values() for profile, _facts in group]
        # Together, so that they are read together.
        accounts = Account.browse({profile['account_id'] for profile in profiles if profile['account_id']}).grouped(
            'id'
        )
        partners = self.env['res.partner'].browse({profile['partner_id'] for profile in profiles})
        changes = Account._coming_changes(partners, company)
        promised = Account._promised_payments(partners, company)
        last = self._credit_last_known_day(profiles, company)
        today = company._credit_today()
        dates, wanted = {}, {}
        for order, group in sides.items():
            ids = {profile['partner_id'] for profile, _facts in group}
            coming = {day for partner_id in ids for day, _what in [*changes[partner_id], *promised[partner_id]]}
            dates[order] = sorted(day for day in coming if day > today and (not last or day < last))[:DAYS]
            for day in dates[order]:
                wanted.setdefault(day, set()).update(ids)
        if not wanted:
            return {}
        graces = Check._graces(profiles)
        rows = Account._figures_on(company, wanted, graces)

        def known(day, profile, facts):
            """Return the engine's Facts of one customer on a later day; the document is what it is today."""
            account = accounts.get(profile['account_id'])
            return Check._facts(
                rows[day, profile['partner_id']],
                graces,
                company,
                today=day,
                status=account._status_on(day) if account else facts.status,
                document_total=facts.document_total,
                document_paid=facts.document_paid,
                document_amount=facts.document_amount,
                missing_rate=facts.missing_rate,
                team_limits=facts.team_limits,
            )

        found = {}
        for order, group in sides.items():
            days = [
                Day(
                    when,
                    tuple(
                        Side(
                            known(when, profile, facts),
                            profile['rules'],
                            sum(amount for due, amount in promised[profile['partner_id']] if due <= when),
                        )
                        for profile, facts in group
                    ),
                )
                for when in dates[order]
            ]
            day, on_promise = first_day(days)
            if day:
                ids = {profile['partner_id'] for profile, _facts in group}
                causes = [what for one in sorted(ids) for when, what in changes[one] if when == day.date]
                found[order] = Outlook(
                    day.date, list(dict.fromkeys(causes)), sum(side.promised for side in day.sides) if on_promise else 0
                )
        return found

    @api.model
    def _credit_last_known_day(self, profiles, company):
        """Return the day from which on another limit of a salesperson or team may count; None for no such day."""
        if not any(needs_team_limits(profile['rules']) for profile in profiles):
            return None
        today = company._credit_today()
        limits = (
            self.env['credit.team.limit']
            .sudo()
            .search(
                Domain('company_id', '=', company.id)
                & (Domain('date_from', '>', today) | Domain('date_to', '>=', today))
            )
        )
        return min(
            (limit.date_from if limit.date_from > today else limit.date_to + timedelta(days=1) for limit in limits),
            default=None,
        )

    def _prepare_dated_ways(self, result):
        """Return the sentence on when this order would pass by itself, in a list; none if no day is known.

        :param result: of `_credit_check`, for this order
        """
        self.ensure_one()
        outlook = self._credit_outlooks({self: result}).get(self)
        if not outlook:
            return []
        values = {
            'date': format_date(self.env, outlook.date),
            'what': format_list(self.env, outlook.causes) if outlook.causes else '',
            'amount': formatLang(self.env, outlook.promised, currency_obj=self.company_id.root_id.currency_id),
        }
        if not outlook.promised:
            return [
                self.env._("It would pass by itself on %(date)s, when %(what)s, if nothing else changes.", **values)
            ]
        if not outlook.causes:
            return [
                self.env._(
                    "It would pass by itself on %(date)s, if what is promised until then (%(amount)s) has been paid "
                    "and nothing else changes.",
                    **values,
                )
            ]
        return [
            self.env._(
                "It would pass by itself on %(date)s, when %(what)s, if what is promised until then (%(amount)s) has "
                "been paid and nothing else changes.",
                **values,
            )
        ]
