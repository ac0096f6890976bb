"""Random decisions about limits, after which each day is compared with a slow reading of what was decided."""

import os
from datetime import date, timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from .common import CreditCommon

START = date(2027, 1, 1)
GRACE = 5
# CREDIT_ORACLE=nightly looks for new failures; without it the same histories are played each time.
NIGHTLY = 'CREDIT_ORACLE' in os.environ
PROFILE = settings(
    max_examples=300 if NIGHTLY else 25,
    derandomize=not NIGHTLY,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # making a history shorter takes minutes
)

place = st.integers(0, 7)
propose = st.tuples(
    st.just('propose'),
    st.sampled_from(['base', 'base', 'base', 'temporary']),
    st.integers(-1, 6),  # first day from now
    st.sampled_from([None, 0, 1, 3, 8]),  # days until the last
)
step = st.one_of(
    propose,
    propose,
    st.tuples(st.sampled_from(['approve', 'approve', 'approve', 'reject', 'end']), place),
    st.tuples(st.sampled_from(['wait']), st.integers(1, 9)),
)


class Reading:
    """What was decided, kept as one entry per kind and day: the last word about each day that is still to come."""

    def __init__(self):
        self.days = {'base': {}, 'temporary': {}}

    def approve(self, limit, kind, today, start, end, horizon, following):
        """A decision holds from its first day on; with an end, a base limit has its grace until another one begins."""
        first = max(start, today)
        last = end or horizon
        if end and kind == 'base':
            last = min(end + timedelta(days=GRACE), (following - timedelta(days=1)) if following else horizon)
        days = self.days[kind]
        for day in [day for day in days if day >= first]:
            # What was to hold later than this one, and was decided for later, stays.
            if not (following and day >= following):
                del days[day]
        day = first
        while day <= last:
            days[day] = limit
            day += timedelta(days=1)

    def end(self, limit, today):
        days = self.days['temporary']
        for day in [day for day, of in days.items() if of == limit and day >= today]:
            del days[day]

    def on(self, day):
        return self.days['base'].get(day), self.days['temporary'].get(day)


@tagged('post_install', '-at_install')
class TestLimitHistory(CreditCommon):
    """At each date one base limit, or none, is in force, whatever the order of decisions; the past never changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._policy(('limit_expired', 'warn', {}), expiry_grace_days=GRACE)
        cls.horizon = START + timedelta(days=90)

    @PROFILE
    @given(st.lists(step, min_size=4, max_size=10))
    def _play(self, steps):
        savepoint = self.cr.savepoint()
        try:
            self._history(steps)
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def _history(self, steps):
        account = self._account()
        today, reading, seen, limits = START, Reading(), {}, []
        for name, *args in steps:
            if name == 'wait':
                today += timedelta(days=args[0])
            # Freezing the clock for each step takes longer than the step.
            with patch.object(type(self.company), '_credit_today', lambda company, today=today: today):
                if name == 'propose':
                    limits += self._propose(account, len(limits), today, *args)
                elif name != 'wait' and limits:
                    self._decide(name, limits[args[0] % len(limits)], today, reading)
                self.env['credit.limit']._close_ended(self.company)
                self._compare(account, today, reading, seen)

    def _propose(self, account, number, today, kind, start, length):
        if kind == 'temporary' and length is None:
            length = 4
        first = today + timedelta(days=start)
        limit = self.env['credit.limit'].create(
            {
                'account_id': account.id,
                'amount': 100 + number,
                'currency_id': account.currency_id.id,
                'kind': kind,
                'date_from': first,
                'date_to': first + timedelta(days=length) if length is not None else False,
            }
        )
        try:
            with self.env.cr.savepoint():
                limit.sudo().action_submit()
        except UserError:
            return []
        return [limit]

    def _decide(self, name, limit, today, reading):
        start, end, kind = limit.date_from, limit.date_to, limit.kind
        following = min(
            (
                other.date_from
                for other in limit.account_id.limit_ids
                if other.kind == kind and other.state == 'approved' and other.date_from > (end or self.horizon)
            ),
            default=None,
        )
        try:
            with self.env.cr.savepoint():
                if name == 'approve':
                    limit.sudo().action_approve()
                elif name == 'reject':
                    limit.sudo()._reject("no")
                else:
                    limit.sudo().action_end()
        except UserError:
            return
        if name == 'approve':
            reading.approve(limit, kind, today, start, end, self.horizon, following)
        elif name == 'end':
            reading.end(limit, today)

    def _compare(self, account, today, reading, seen):
        for day, figures in self._in_force(account).items():
            base, temporary = reading.on(day)
            counts = temporary or base
            self.assertEqual(figures, (counts.amount if counts else None, base.amount if base else None), day)
            if day < today:
                # What was in force on a day that has passed never changes.
                self.assertEqual(seen.setdefault(day, figures), figures)
        account.limit_ids.invalidate_recordset(['in_force'])  # another day
        in_force = account.limit_ids.filtered('in_force')
        expected = [limit for limit in reading.on(today) if limit]
        self.assertEqual(set(in_force), set(expected))

    def _in_force(self, account):
        """Return {day: amounts that the SQL says: of what counts, and of the base limit; None for none}."""
        self.env['credit.account']._flush_accounts()
        Limit = self.env['credit.limit']
        day = SQL("calendar.day::date")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT calendar.day::date, decided.amount, base.amount, together.amount
                  FROM generate_series(%(start)s::date, %(end)s::date, '1 day') AS calendar(day)
            CROSS JOIN credit_account account
             LEFT JOIN LATERAL (%(decided)s) AS decided ON TRUE
             LEFT JOIN LATERAL (%(base)s) AS base ON TRUE
             LEFT JOIN LATERAL (%(together)s) AS together ON together.account_id = account.id
                 WHERE account.id = %(account)s
                """,
                start=START,
                end=self.horizon,
                decided=Limit._in_force_sql(self.company, day),
                base=Limit._in_force_sql(self.company, day, ['base']),
                together=Limit._in_force_sql(self.company, day, everybody=True),
                account=account.id,
            )
        )
        for _day, decided, _base, together in rows:
            self.assertEqual(together, decided, "read for all accounts at once it is the same")
        return {
            day: tuple(None if amount is None else float(amount) for amount in amounts) for day, *amounts, _all in rows
        }

    def test_at_each_date_one_base_limit_or_none_is_in_force_and_the_decisions_explain_it(self):
        self._play()
