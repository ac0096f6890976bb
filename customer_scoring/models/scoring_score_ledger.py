from datetime import datetime, time, timezone

import pytz

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.date_utils import add

from ..engine.history import HALF_LIFE_DAYS, LOST_DAYS, WINDOW_MONTHS, History
from ..engine.metric import METRICS
from ..engine.score import Customer

# What is left of an item or a customer below these is a residue, where no policy says otherwise.
ITEM_FLOOR_PERCENT = 1.0
CUSTOMER_FLOOR = 50.0
# Metrics that count events of the credit file.
EVENT_KINDS = {
    'promises_broken': ('promise_broken',),
    'payments_returned': ('payment_returned',),
    'disputes': ('dispute_opened',),
    'credit_events': ('held', 'condition_broken', 'blacklisted'),
}
# An average of the time before, and of now, of fewer invoices than this is none.
TREND_INVOICES = 3
TREND_DAYS = 180


class ScoringScore(models.Model):
    """What the ledger says of customers as of a date."""

    _inherit = 'scoring.score'

    @api.model
    def _ledger_values(self, partner_ids, company, date, codes=None):
        """Return {metric: {commercial partner id: value}} as of the end of a day, without what is not known.

        :param company: the root company
        :param codes: the metrics that are wanted, all of the ledger by default
        """
        values = {code: {} for code, metric in METRICS.items() if metric.source == 'ledger'}
        values = {code: values[code] for code in values if codes is None or code in codes}
        for partner_id, customer in self._ledger_customers(partner_ids, company, date, codes).items():
            for code in values:
                if (value := customer.value(code)) is not None:
                    values[code][partner_id] = value
        return values

    @api.model
    def _ledger_customers(self, partner_ids, company, date, codes=None):
        """Return {commercial partner id: the engine's Customer} with all that the ledger knows as of a date.

        One statement for the way of paying and the trade, one for the credit
        file, one for limits and one for the receivables of the company, each
        only where `codes` asks for it.
        """
        wanted = set(METRICS if codes is None else codes)
        customers = {partner_id: Customer() for partner_id in partner_ids}
        company = company.sudo()
        if not partner_ids:
            return customers
        self._flush_ledger(partner_ids)
        rows = self.env.execute_query_dict(self._histories_sql(company, date, list(partner_ids)))
        tolerance = company.scoring_tolerance_days
        for row in rows:
            customers[row['partner_id']] = Customer(self._history(row, tolerance), self._trade(row, date))
        if wanted & EVENT_KINDS.keys():
            for partner_id, counts in self._event_counts(partner_ids, company, date).items():
                customers[partner_id].others.update(counts)
            for customer in customers.values():
                # No such event is a value, for customers with whom there was any trade.
                if customer.others or customer.history.count:
                    customer.others.update({code: customer.others.get(code, 0) for code in EVENT_KINDS})
        if 'utilisation' in wanted:
            for partner_id, amount in self._limits(partner_ids, company, date).items():
                owed = max(0.0, customers[partner_id].others.get('open_amount', 0.0))
                if amount or owed:
                    customers[partner_id].others['utilisation'] = (
                        min(1000.0, 100.0 * owed / amount) if amount else 1000.0
                    )
        if 'concentration' in wanted and (total := self._receivables(company, date)) > 0:
            for customer in customers.values():
                if 'open_amount' in customer.others:
                    customer.others['concentration'] = 100.0 * max(0.0, customer.others['open_amount']) / total
        return customers

    @api.model
    def _flush_ledger(self, partner_ids):
        self.env['credit.exposure']._flush_as_of_sources(partner_ids)
        self.env['account.move.line'].flush_model(['amount_currency', 'date_maturity', 'journal_id'])
        self.env['account.move'].flush_model(['journal_id', 'move_type'])
        self.env['account.journal'].flush_model(['type'])
        # PostgreSQL would compile a statement that looks so dear, which takes longer than to run it.
        self.env.cr.execute("SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")

    @api.model
    def _history(self, row, tolerance):
        """Return the engine's History of a row of `_histories_sql`."""
        days = tuple(row['days'] or ())
        return History(
            days=days,
            in_order=tuple(row['in_order'] or ()),
            amount=float(row['amount'] or 0.0),
            amount_days=float(row['amount_days'] or 0.0),
            weight=row['weight'] or 0.0,
            weight_days=row['weight_days'] or 0.0,
            days_now=float(row['days_now']) if row['count_now'] >= TREND_INVOICES else None,
            days_before=float(row['days_before']) if row['count_before'] >= TREND_INVOICES else None,
            count_now=row['count_now'],
            due_amount=float(row['due_amount'] or 0.0),
            lost_amount=float(row['lost_amount'] or 0.0),
            weekday_count=row['weekday_count'] or 0,
            weekday_late=row['weekday_late'] or 0,
            overdue=tuple(zip(row['overdue_ages'] or (), map(float, row['overdue_amounts'] or ()), strict=True)),
            billed_year=max(0.0, float(row['billed_year'] or 0.0)),
            tolerance=tolerance,
        )

    @api.model
    def _trade(self, row, date):
        """Return the metrics of the trade, without those that are not known."""
        values = {'open_amount': float(row['open_amount'] or 0.0)}
        if not row['first_date']:
            return values
        months = (date - row['first_date']).days * 12 / 365.25
        year, before = float(row['billed_year'] or 0.0), float(row['billed_before'] or 0.0)
        values |= {
            'customer_months': months,
            'months_since_invoice': (date - row['last_date']).days * 12 / 365.25,
            # Of a customer of three months the average of three months.
            'invoice_frequency': row['count_year'] / min(12.0, max(1.0, months)),
        }
        if row['gap_days'] >= TREND_INVOICES:
            # No metric, but for warnings: how often the customer bought in the year up to its last invoice.
            values['usual_gap'] = (row['last_date'] - row['gaps_from']).days / (row['gap_days'] - 1)
        if months >= 12 and row['count_earlier']:
            values['frequency_change'] = 100.0 * (row['count_half'] / row['count_earlier'] - 1)
        if months >= 24 and before > 0:
            values['turnover_growth'] = 100.0 * (year / before - 1)
        if row['count_year'] >= 3 and row['average_amount']:
            values['amount_variation'] = 100.0 * float(row['amount_deviation'] or 0.0) / float(row['average_amount'])
        if year > 0:
            values['open_months'] = max(0.0, values['open_amount']) / (year / min(12.0, max(1.0, months)))
        return values

    # -------------------------------------------------------------------------
    # SQL
    # -------------------------------------------------------------------------

    @api.model
    def _end_of_day(self, company, date):
        """Return the end of a company's day as a UTC datetime."""
        zone = pytz.timezone(company._credit_timezone())
        return zone.localize(datetime.combine(date, time.max)).astimezone(timezone.utc).replace(tzinfo=None)

    @api.model
    def _histories_sql(self, company, date, partner_ids):
        """Return the SELECT of one row per customer that has anything on the accounts that count.

        Instalments of posted invoices, each with the day on which what is left of
        it fell below the floor: the day of the paying entry, whenever it was
        reconciled. What credit notes settle counts as never invoiced, so an
        invoice that was cancelled and made anew leaves no trace. Amounts in the
        currency of the invoice, so that rates pay nothing. Payments that were not
        matched at the date pay the oldest items, in the order of their days.

        Nothing that came after the date is used: no entry, no reconciliation. A
        reconciliation of older entries made later is left out too; where the
        entries themselves were entered later (an imported ledger), their dates are
        all that is known, and it counts.
        """
        Exposure = self.env['credit.exposure']
        common = Exposure._common(company, date, partner_ids)
        policy = company.credit_policy_id
        return SQL(
            """
            WITH %(contacts)s,
            entry AS MATERIALIZED (
                -- Customer by customer: for a batch the planner would read the whole ledger.
                SELECT line.*, contact.partner_id, move.move_type
                  FROM contact
            CROSS JOIN LATERAL (
                SELECT aml.id, aml.move_id, aml.date, COALESCE(aml.date_maturity, aml.date) AS due, aml.balance,
                       aml.amount_currency, aml.create_date
                  FROM account_move_line aml
                 WHERE aml.partner_id = contact.id
                   AND aml.parent_state = 'posted'
                   AND aml.account_id = ANY(%(accounts)s)
                   AND aml.company_id = ANY(%(branches)s)
                   AND aml.date <= %(date)s
                   AND aml.balance <> 0 AND aml.amount_currency <> 0
                   AND %(counts)s
                OFFSET 0
              ) AS line
            CROSS JOIN LATERAL (SELECT move_type FROM account_move WHERE id = line.move_id OFFSET 0) AS move
            ),
            taken AS (%(taken)s),
            so_far AS (
                SELECT id, day, kind, SUM(amount) FILTER (WHERE kind <> 'credit') OVER (
                           PARTITION BY id ORDER BY day, match_id) AS paid,
                       SUM(amount) FILTER (WHERE kind = 'credit') OVER (PARTITION BY id) AS credited
                  FROM taken
            ),
            settled AS (
                -- The day on which the payments fall short of the invoice by no more than the floor.
                SELECT entry.id, MAX(so_far.paid) AS paid, MAX(so_far.credited) AS credited,
                       MIN(so_far.day) FILTER (
                           WHERE so_far.kind <> 'credit'
                             AND so_far.paid >= entry.amount_currency * %(kept)s - COALESCE(so_far.credited, 0)) AS day,
                       bool_or(so_far.kind = 'loss') AS lost
                  FROM so_far
                  JOIN entry ON entry.id = so_far.id
              GROUP BY entry.id
            ),
            lost AS (
                SELECT id, SUM(amount) AS amount FROM taken WHERE kind = 'loss' GROUP BY id
            ),
            item AS MATERIALIZED (
                SELECT entry.*, settled.day, entry.move_type IN ('out_invoice', 'out_receipt') AS invoice,
                       entry.amount_currency * %(kept)s <= COALESCE(settled.credited, 0) AS void,
                       COALESCE(lost.amount, 0) > entry.amount_currency * %(floor)s AS written_off,
                       entry.balance * COALESCE(lost.amount, 0) / entry.amount_currency AS lost_amount,
                       entry.balance * GREATEST(0, entry.amount_currency - COALESCE(settled.credited, 0))
                           / entry.amount_currency AS amount,
                       CASE WHEN entry.amount_currency - COALESCE(settled.credited, 0) - COALESCE(settled.paid, 0)
                                 > entry.amount_currency * %(floor)s
                            THEN entry.balance
                                 * (entry.amount_currency - COALESCE(settled.credited, 0) - COALESCE(settled.paid, 0))
                                 / entry.amount_currency
                            ELSE 0 END AS left_over
                  FROM entry
             LEFT JOIN settled ON settled.id = entry.id
             LEFT JOIN lost ON lost.id = entry.id
                 WHERE entry.balance > 0
            ),
            credit AS MATERIALIZED (
                SELECT partner_id, day, refund, amount,
                       SUM(amount) OVER (PARTITION BY partner_id ORDER BY NOT refund, day, id) AS so_far
                  FROM (
                    SELECT entry.id, entry.partner_id, entry.date AS day, entry.move_type = 'out_refund' AS refund,
                           -entry.balance * (1 - COALESCE(used.amount, 0) / -entry.amount_currency) AS amount
                      FROM entry
                 LEFT JOIN (%(used)s) AS used ON used.id = entry.id
                     WHERE entry.balance < 0
                 UNION ALL
                    SELECT balance.id, balance.partner_id, '-infinity'::date, FALSE, -balance.amount
                      FROM (%(balances)s) AS balance(id, partner_id, category, ledger_role, date_due, amount, booked)
                     WHERE balance.category = 'open_item' AND balance.amount < 0
                  ) AS unmatched
                 WHERE amount > 0.005
            ),
            pool AS (
                SELECT partner_id, SUM(amount) AS amount, SUM(amount) FILTER (WHERE refund) AS refunds
                  FROM credit
              GROUP BY partner_id
            ),
            due AS (
                SELECT id, partner_id, due, left_over, balance,
                       SUM(left_over) OVER (PARTITION BY partner_id ORDER BY due, id) AS so_far
                  FROM item
                 WHERE left_over > 0
            ),
            covered AS (
                -- Of the days of the credits that reach this far, the first: they come in the order of their days.
                SELECT id, MIN(day) OVER (
                           PARTITION BY partner_id ORDER BY position DESC, id IS NOT NULL, id
                           ROWS UNBOUNDED PRECEDING) AS day
                  FROM (
                    SELECT id, partner_id, so_far - balance * %(floor)s AS position, NULL::date AS day FROM due
                 UNION ALL
                    SELECT NULL, partner_id, so_far, CASE WHEN refund THEN '-infinity' ELSE day END FROM credit
                  ) AS stretch
            ),
            open_item AS (
                SELECT due.id, due.partner_id, due.due, covered.day,
                       due.so_far - due.balance * %(floor)s <= COALESCE(pool.refunds, 0) AS void,
                       LEAST(due.left_over, due.so_far - COALESCE(pool.amount, 0)) AS left_over
                  FROM due
                  JOIN covered ON covered.id = due.id
             LEFT JOIN pool ON pool.partner_id = due.partner_id
            ),
            overdue AS (
                SELECT partner_id, array_agg(%(date)s::date - due ORDER BY due, id) AS ages,
                       array_agg(left_over ORDER BY due, id) AS amounts
                  FROM open_item
                 WHERE day IS NULL AND due < %(date)s AND left_over > 0
              GROUP BY partner_id
                HAVING SUM(left_over) > %(customer_floor)s
            ),
            experience AS (
                SELECT item.partner_id, item.due, item.amount,
                       CASE WHEN item.written_off THEN GREATEST(%(lost_days)s, known.days) ELSE known.days END AS days
                  FROM item
             LEFT JOIN open_item ON open_item.id = item.id
             LEFT JOIN overdue ON overdue.partner_id = item.partner_id
            CROSS JOIN LATERAL (
                SELECT CASE WHEN item.left_over = 0 AND item.day <= %(date)s THEN item.day - item.due
                            WHEN open_item.day IS NOT NULL AND NOT open_item.void
                            THEN GREATEST(open_item.day, item.date) - item.due
                            WHEN item.due < %(date)s AND open_item.void IS NOT TRUE
                                 AND (item.left_over = 0 OR overdue.partner_id IS NOT NULL)
                            THEN %(date)s::date - item.due END AS days
              ) AS known
                 WHERE item.invoice AND NOT item.void AND known.days IS NOT NULL
                   AND (item.due > %(window)s OR (item.left_over > 0 AND open_item.day IS NULL))
            ),
            weekday AS (
                SELECT DISTINCT partner_id, EXTRACT(isodow FROM due)::int AS weekday
                  FROM open_item
                 WHERE day IS NULL AND due >= %(date)s
            ),
            paying AS (
                SELECT experience.partner_id, array_agg(days ORDER BY days) AS days,
                       array_agg(days ORDER BY due, days) AS in_order, SUM(amount) AS amount,
                       SUM(amount * days) AS amount_days, SUM(weight) AS weight, SUM(weight * days) AS weight_days,
                       COUNT(*) FILTER (WHERE due > %(trend)s) AS count_now,
                       COUNT(*) FILTER (WHERE due <= %(trend)s) AS count_before,
                       AVG(days) FILTER (WHERE due > %(trend)s) AS days_now,
                       AVG(days) FILTER (WHERE due <= %(trend)s) AS days_before,
                       COUNT(weekday.weekday) AS weekday_count,
                       COUNT(weekday.weekday) FILTER (WHERE days > %(tolerance)s) AS weekday_late
                  FROM (
                    SELECT experience.*,
                           -- At most a century: a mistyped year would be too small a number for the database.
                           POWER(0.5, LEAST(36500, GREATEST(0, %(date)s::date - due)) / %(half_life)s::float8)
                           AS weight
                      FROM experience
                  ) AS experience
             LEFT JOIN weekday ON weekday.partner_id = experience.partner_id
                   AND weekday.weekday = EXTRACT(isodow FROM experience.due)::int
              GROUP BY experience.partner_id
            ),
            invoice AS (
                SELECT partner_id, move_id, MIN(date) AS date, SUM(balance) AS amount,
                       MAX(MIN(date)) OVER (PARTITION BY partner_id) - INTERVAL '1 year' AS year_to_last
                  FROM item
                 WHERE invoice AND NOT void
              GROUP BY partner_id, move_id
            ),
            trade AS (
                SELECT partner_id, MIN(date) AS first_date, MAX(date) AS last_date,
                       COUNT(*) FILTER (WHERE date > %(year)s) AS count_year,
                       COUNT(*) FILTER (WHERE date > %(half)s) AS count_half,
                       COUNT(*) FILTER (WHERE date > %(year)s AND date <= %(half)s) AS count_earlier,
                       AVG(amount) FILTER (WHERE date > %(year)s) AS average_amount,
                       STDDEV_POP(amount) FILTER (WHERE date > %(year)s) AS amount_deviation,
                       MIN(date) FILTER (WHERE date > year_to_last) AS gaps_from,
                       COUNT(DISTINCT date) FILTER (WHERE date > year_to_last) AS gap_days
                  FROM invoice
              GROUP BY partner_id
            ),
            billed AS (
                SELECT partner_id, SUM(balance) FILTER (WHERE date > %(year)s) AS year,
                       SUM(balance) FILTER (WHERE date <= %(year)s AND date > %(window)s) AS before
                  FROM entry
                 WHERE move_type IN ('out_invoice', 'out_receipt', 'out_refund') AND date > %(window)s
              GROUP BY partner_id
            ),
            owed AS (
                SELECT partner_id, SUM(left_over) AS amount,
                       SUM(amount) FILTER (WHERE invoice AND NOT void AND due > %(window)s) AS due_amount,
                       SUM(lost_amount) FILTER (WHERE invoice AND NOT void AND due > %(window)s) AS lost_amount
                  FROM item
              GROUP BY partner_id
            )
            SELECT customer.partner_id, paying.days, paying.in_order, paying.amount, paying.amount_days, paying.weight,
                   paying.weight_days, COALESCE(paying.count_now, 0) AS count_now,
                   COALESCE(paying.count_before, 0) AS count_before, paying.days_now, paying.days_before,
                   paying.weekday_count, paying.weekday_late, overdue.ages AS overdue_ages,
                   overdue.amounts AS overdue_amounts, trade.first_date, trade.last_date,
                   COALESCE(trade.count_year, 0) AS count_year, COALESCE(trade.count_half, 0) AS count_half,
                   COALESCE(trade.count_earlier, 0) AS count_earlier, trade.average_amount, trade.amount_deviation,
                   trade.gaps_from, trade.gap_days,
                   billed.year AS billed_year, billed.before AS billed_before,
                   COALESCE(owed.amount, 0) - COALESCE(pool.amount, 0) AS open_amount, owed.due_amount,
                   owed.lost_amount
              FROM (SELECT DISTINCT partner_id FROM entry) AS customer
         LEFT JOIN paying ON paying.partner_id = customer.partner_id
         LEFT JOIN overdue ON overdue.partner_id = customer.partner_id
         LEFT JOIN trade ON trade.partner_id = customer.partner_id
         LEFT JOIN billed ON billed.partner_id = customer.partner_id
         LEFT JOIN owed ON owed.partner_id = customer.partner_id
         LEFT JOIN pool ON pool.partner_id = customer.partner_id
            """,
            contacts=Exposure._contact_sql(common),
            accounts=self.env['credit.ledger.account']._item_account_ids(company),
            branches=common['branches'],
            counts=Exposure._counts_once_sql(company, by_item=True),
            taken=self._taken_sql(company, date),
            used=self._used_sql(company, date),
            balances=Exposure._balances_sql(common, date),
            floor=(policy.item_floor_percent if policy else ITEM_FLOOR_PERCENT) / 100.0,
            kept=1 - (policy.item_floor_percent if policy else ITEM_FLOOR_PERCENT) / 100.0,
            customer_floor=policy.customer_floor if policy else CUSTOMER_FLOOR,
            lost_days=LOST_DAYS,
            half_life=HALF_LIFE_DAYS,
            tolerance=company.scoring_tolerance_days,
            trend=add(date, days=-TREND_DAYS),
            half=add(date, months=-6),
            year=add(date, months=-12),
            window=add(date, months=-WINDOW_MONTHS),
            date=date,
        )

    @api.model
    def _known_sql(self, company, date, other):
        """Return the condition that a reconciliation of `entry` with another item was known at a date."""
        return SQL(
            "partial.max_date <= %(date)s AND %(other)s.parent_state = 'posted'"
            " AND (partial.create_date <= %(end)s OR entry.create_date > %(end)s OR %(other)s.create_date > %(end)s)",
            date=date,
            end=self._end_of_day(company, date),
            other=SQL.identifier(other),
        )

    @api.model
    def _taken_sql(self, company, date):
        """Return (id, match_id, day, amount in the item's currency, kind) of what was matched with the debits.

        kind: `credit` by a credit note, `loss` by an entry that books an expense,
        `paid` by anything else. A bill pays when it is handed in, or at its
        maturity, as the company has chosen for its kind.
        """
        day = SQL("GREATEST(entry.date, other.date)")
        if bills := self.env['credit.ledger.account']._settled_at_maturity(company):
            day = SQL(
                "GREATEST(entry.date, other.date, (SELECT MAX(bill.date_maturity) FROM account_move_line bill"
                " WHERE bill.move_id = other.move_id AND bill.account_id = ANY(%s) AND bill.debit > 0))",
                bills,
            )
        return SQL(
            """
            SELECT entry.id, partial.id AS match_id, %(day)s AS day, partial.debit_amount_currency AS amount,
                   CASE WHEN move.move_type = 'out_refund' THEN 'credit'
                        WHEN move.move_type = 'entry' AND journal.type = 'general'
                             AND move.journal_id IS DISTINCT FROM %(exchange)s
                             -- Not EXISTS: of that the planner may make a scan of all items.
                             AND (SELECT TRUE
                                    FROM account_move_line loss
                                    JOIN account_account account ON account.id = loss.account_id
                                   WHERE loss.move_id = move.id AND account.account_type LIKE 'expense%%'
                                   LIMIT 1)
                        THEN 'loss'
                        ELSE 'paid' END AS kind
              FROM entry
        CROSS JOIN LATERAL (
            SELECT * FROM account_partial_reconcile WHERE debit_move_id = entry.id OFFSET 0
          ) AS partial
        CROSS JOIN LATERAL (
            SELECT move_id, date, parent_state, create_date
              FROM account_move_line
             WHERE id = partial.credit_move_id
            OFFSET 0
          ) AS other
        CROSS JOIN LATERAL (SELECT * FROM account_move WHERE id = other.move_id OFFSET 0) AS move
              JOIN account_journal journal ON journal.id = move.journal_id
             WHERE entry.balance > 0 AND partial.debit_amount_currency <> 0 AND %(known)s
            """,
            day=day,
            exchange=company.currency_exchange_journal_id.id or None,
            known=self._known_sql(company, date, 'other'),
        )

    @api.model
    def _used_sql(self, company, date):
        """Return (id, amount in the item's currency) of what was matched of the credits."""
        return SQL(
            """
            SELECT entry.id, SUM(partial.credit_amount_currency) AS amount
              FROM entry
        CROSS JOIN LATERAL (
            SELECT * FROM account_partial_reconcile WHERE credit_move_id = entry.id OFFSET 0
          ) AS partial
        CROSS JOIN LATERAL (
            SELECT parent_state, create_date FROM account_move_line WHERE id = partial.debit_move_id OFFSET 0
          ) AS other
             WHERE entry.balance < 0 AND %(known)s
          GROUP BY entry.id
            """,
            known=self._known_sql(company, date, 'other'),
        )

    @api.model
    def _event_counts(self, partner_ids, company, date):
        """Return {partner id: {metric: number of events of the last 12 months}}, of those that have any.

        A dispute in which the customer was found to be right by then is none.
        """
        end = self._end_of_day(company, date)
        self.env['credit.account'].flush_model(['company_id', 'partner_id'])
        # Also those of accounts that were merged into the customer's: merging makes nobody better.
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account.partner_id, event.kind, COUNT(*)
                  FROM credit_account account
                  JOIN credit_event event ON event.account_id = account.id
                 WHERE account.company_id = %s AND account.partner_id = ANY(%s)
                   AND event.kind = ANY(%s) AND event.date > %s AND event.date <= %s
                   AND NOT (event.kind = 'dispute_opened'
                            AND EXISTS (SELECT 1
                                          FROM credit_event solved
                                          JOIN credit_account same ON same.id = solved.account_id
                                         -- It may have been solved after its account was merged into this one.
                                         WHERE same.partner_id = account.partner_id
                                           AND same.company_id = account.company_id
                                           AND solved.kind = 'dispute_solved' AND solved.date <= %s
                                           AND solved.payload::jsonb ->> 'outcome' = 'customer'
                                           AND solved.payload::jsonb -> 'dispute_id'
                                             = event.payload::jsonb -> 'dispute_id'))
              GROUP BY account.partner_id, event.kind
                """,
                company.id,
                list(partner_ids),
                [kind for kinds in EVENT_KINDS.values() for kind in kinds],
                self._end_of_day(company, add(date, months=-12)),
                end,
                end,
            )
        )
        counts = {}
        for partner_id, kind, number in rows:
            of_partner = counts.setdefault(partner_id, {})
            for code, kinds in EVENT_KINDS.items():
                if kind in kinds:
                    of_partner[code] = of_partner.get(code, 0) + number
        return counts

    @api.model
    def _limits(self, partner_ids, company, date):
        """Return {partner id: the amount of the limit in force at a date}, of those with an amount decided."""
        self.env['credit.account']._flush_accounts()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account.partner_id, decided.amount
                  FROM credit_account account
            CROSS JOIN LATERAL (%s) AS decided
                 WHERE account.company_id = %s AND account.active AND account.partner_id = ANY(%s)
                   AND decided.limit_kind = 'amount'
                """,
                self.env['credit.limit']._in_force_sql(company, date),
                company.id,
                list(partner_ids),
            )
        )
        return {partner_id: float(amount or 0.0) for partner_id, amount in rows}

    @api.model
    def _receivables(self, company, date):
        """Return the sum of what all customers owe as of a date; who has a credit is left out."""
        [[total]] = self.env.execute_query(
            SQL(
                "SELECT SUM(amount) FROM (SELECT SUM(amount) AS amount FROM (%s) AS item"
                " WHERE category = 'open_item' GROUP BY partner_id) AS customer WHERE amount > 0",
                self.env['credit.exposure']._open_items_as_of_sql(company, date),
            )
        )
        return float(total or 0.0)
