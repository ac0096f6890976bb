from collections import defaultdict

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date, format_list, formatLang

from ..engine.warning import Facts, Payment, warnings
from .scoring_score import READERS

KIND_LABELS = [
    ('score_drop', "Score Dropped"),
    ('grade_down', "Grade Worse"),
    ('slower', "Pays Slower Than Usual"),
    ('overdue_trend', "Overdue Debt Grows"),
    ('irregular', "Irregular Payments"),
    ('stopped_buying', "Stopped Buying, Still Owes"),
    ('ratios', "Ratios Worse Than Last Year"),
    ('industry_risk', "Industry Risk Raised"),
    ('country_risk', "Country Risk Raised"),
    ('statement_old', "Financial Statement Out of Date"),
]
# Of these only analysts, managers and auditors see more than that there is one.
SECRET = {'score_drop', 'ratios'}
# With what the score and the grade of today are compared.
MONTHS_BEFORE = 3
# So many of a customer's payments are looked at, those of the last two years.
PAYMENTS = 12
PAYMENT_MONTHS = 24
# Customers per round.
BATCH = 2000
RATIOS = ('altman_z', 'equity_ratio', 'current_ratio', 'cash_flow_ratio', 'interest_cover', 'return_on_sales')
# {fact: (model of the dated table, field of the customer)}
RISKS = {
    'industry_risk': ('scoring.industry.risk', 'industry_id'),
    'country_risk': ('scoring.country.risk', 'country_id'),
}


class CreditAlert(models.Model):
    """Early warnings: what has changed for the worse with a customer."""

    _inherit = 'credit.alert'

    kind = fields.Selection(
        selection_add=KIND_LABELS, ondelete=dict.fromkeys((kind for kind, _label in KIND_LABELS), 'cascade')
    )
    figures = fields.Json(readonly=True, groups=READERS, help="The figures behind an early warning.")
    detail = fields.Char(compute='_compute_detail', compute_sudo=True, help="What was found, in words.")

    @api.depends('kind', 'figures')
    @api.depends_context('lang', 'uid')
    def _compute_detail(self):
        # Scores and statements are not for sales.
        analyst = any(self.env.user.has_group(group) for group in READERS.split(','))
        for alert in self:
            alert.detail = alert._describe() if analyst or alert.kind not in SECRET else False

    def _describe(self):
        """Return what an early warning has found, in words; False if there is nothing to add."""
        self.ensure_one()
        describe = getattr(self, f'_describe_{self.kind}', None)
        return describe(self.figures or {}) if describe else False

    # -------------------------------------------------------------------------
    # Job
    # -------------------------------------------------------------------------

    @api.model
    def _crossings(self, company, today):
        # EXTENDS credit_management
        found = super()._crossings(company, today)
        accounts = self.env['credit.account'].search([('company_id', '=', company.id)])
        thresholds = company._scoring_thresholds()
        for start in range(0, len(accounts), BATCH):
            batch = accounts[start : start + BATCH]
            for account, facts in self._warning_facts(batch, company, today).items():
                for warning in warnings(facts, thresholds):
                    found[account.id, warning.kind, False] = {'figures': warning.figures}
        return found

    @api.model
    def _warning_facts(self, accounts, company, today):
        """Return {account: Facts} of one root company; a constant number of statements."""
        partner_ids = accounts.partner_id.ids
        values = defaultdict(dict)  # {account: {name of a fact: value}}
        for account_id, facts in self._score_facts(accounts, today).items():
            values[account_id].update(facts)
        ledger = self.env['scoring.score']._ledger_customers(partner_ids, company, today, ())
        payments = self._payments(partner_ids, company, today)
        overdue = self._overdue_series(accounts, company, today)
        entered = self._entered_facts(accounts, company, today)
        for account in accounts:
            partner_id = account.partner_id.id
            customer = ledger[partner_id]
            trade = customer.others
            facts = values[account.id]
            facts |= entered.get(partner_id, {})
            facts['days_late'] = customer.history.in_order
            facts['payments'] = payments.get(partner_id, ())
            facts['overdue'] = overdue.get(account.id, ())
            facts['owing'] = max(0.0, trade.get('open_amount', 0.0))
            if 'months_since_invoice' in trade:
                facts['days_since_invoice'] = round(trade['months_since_invoice'] * 365.25 / 12)
            facts['usual_gap'] = trade.get('usual_gap')
        return {account: Facts(**values[account.id]) for account in accounts}

    @api.model
    def _score_facts(self, accounts, today):
        """Return {account id: score and grade now and some months ago, by the same card}, in one statement.

        A version of a card that has not scored for so long yet is compared with its first score.
        """
        self.env['scoring.score'].flush_model()
        self.env['credit.grade'].flush_model(['sequence'])
        start = today - relativedelta(months=MONTHS_BEFORE)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account.id, now.score, before.score, now_grade.sequence, before_grade.sequence, before.date
                  FROM unnest(%(accounts)s) AS account(id)
            CROSS JOIN LATERAL (SELECT id, card_id, score, grade_id FROM scoring_score
                                 WHERE account_id = account.id ORDER BY date DESC, id DESC LIMIT 1) AS now
            -- Another card is another measure: with it all customers would change at once.
            CROSS JOIN LATERAL (SELECT id, score, grade_id, date FROM scoring_score
                                 WHERE account_id = account.id AND card_id = now.card_id
                              ORDER BY date <= %(start)s DESC,
                                       CASE WHEN date <= %(start)s THEN %(start)s - date ELSE date - %(start)s END,
                                       CASE WHEN date <= %(start)s THEN -id ELSE id END
                                 LIMIT 1) AS before
             LEFT JOIN credit_grade now_grade ON now_grade.id = now.grade_id
             LEFT JOIN credit_grade before_grade ON before_grade.id = before.grade_id
                 WHERE before.id != now.id
                """,
                accounts=accounts.ids,
                start=start,
            )
        )
        return {
            account_id: {
                'score': score,
                'score_before': score_before,
                'score_since': fields.Date.to_string(since),
                'score_first': since > start,
                'grade_rank': rank,
                'grade_rank_before': rank_before,
            }
            for account_id, score, score_before, rank, rank_before, since in rows
        }

    @api.model
    def _overdue_series(self, accounts, company, today):
        """Return {account id: overdue amounts, a month apart, the last of them the newest}, from the snapshots."""
        self.env['credit.snapshot'].flush_model(['account_id', 'date', 'overdue_amount'])
        self.env['credit.snapshot.run'].flush_model(['company_id', 'date', 'kind', 'state'])
        count = company._scoring_thresholds().overdue_periods + 1
        days = [today - relativedelta(months=months) for months in reversed(range(count))]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account.id, array_agg(COALESCE(snapshot.overdue_amount, 0) ORDER BY period.day)
                  FROM unnest(%(accounts)s) AS account(id)
            CROSS JOIN unnest(%(days)s::date[]) AS period(day)
             LEFT JOIN LATERAL (SELECT overdue_amount FROM credit_snapshot
                                 WHERE account_id = account.id AND date <= period.day
                              ORDER BY date DESC LIMIT 1) AS snapshot ON TRUE
                 -- Before the first snapshot nothing is known.
                 WHERE (SELECT MIN(date) FROM credit_snapshot_run
                         WHERE company_id = %(company)s AND kind = 'daily' AND state = 'done') <= %(first)s
              GROUP BY account.id
                HAVING bool_or(snapshot.overdue_amount > 0)
                """,
                accounts=accounts.ids,
                days=days,
                company=company.id,
                first=days[0],
            )
        )
        return {account_id: tuple(map(float, amounts)) for account_id, amounts in rows}

    @api.model
    def _payments(self, partner_ids, company, today):
        """Return {partner id: the last payments, the newest last}, in one statement.

        A payment is what came in on the accounts that count, through a bank or
        cash journal or a bill. Its payer is the bank account that it came from
        where the bank statement names one, else whom it was booked for.
        """
        self.env['account.move.line'].flush_model(
            ['account_id', 'balance', 'company_id', 'date', 'move_id', 'parent_state', 'partner_id']
        )
        self.env['account.move'].flush_model(['journal_id', 'move_type', 'statement_line_id'])
        self.env['account.journal'].flush_model(['type'])
        self.env['account.bank.statement.line'].flush_model(['account_number'])
        self.env['account.partial.reconcile'].flush_model(['amount', 'credit_move_id', 'debit_move_id'])
        self.env['res.partner'].flush_model(['commercial_partner_id'])
        common = {'partner_ids': list(partner_ids)}
        Ledger = self.env['credit.ledger.account']
        roles = Ledger._roles(company.id)
        clearing = [*roles.get(('clearing', True), ()), *roles.get(('clearing', False), ())]
        rows = self.env.execute_query(
            SQL(
                """
                WITH %(contacts)s,
                payment AS (
                    SELECT aml.id, contact.partner_id, aml.date, -aml.balance AS amount, move.journal_id,
                           COALESCE(bank.account_number, aml.partner_id::text) AS payer, bill.is_bill,
                           row_number() OVER (PARTITION BY contact.partner_id
                                                  ORDER BY aml.date DESC, aml.id DESC) AS place
                      FROM contact
                      JOIN account_move_line aml ON aml.partner_id = contact.id
                      JOIN account_move move ON move.id = aml.move_id
                      JOIN account_journal journal ON journal.id = move.journal_id
                 LEFT JOIN account_bank_statement_line bank ON bank.id = move.statement_line_id
                CROSS JOIN LATERAL (
                    SELECT EXISTS (SELECT FROM account_move_line other
                                    WHERE other.move_id = move.id AND other.account_id = ANY(%(clearing)s)
                                      AND other.balance > 0) AS is_bill
                  ) AS bill
                     WHERE aml.parent_state = 'posted' AND aml.balance < 0 AND move.move_type = 'entry'
                       AND aml.account_id = ANY(%(accounts)s) AND aml.company_id = ANY(%(branches)s)
                       AND aml.date <= %(today)s AND aml.date > %(start)s
                       -- No write-off, no difference of rates, no set-off.
                       AND (journal.type IN ('bank', 'cash', 'credit') OR bill.is_bill)
                )
                SELECT payment.partner_id, payment.payer, payment.journal_id, payment.amount, payment.is_bill,
                       EXISTS (SELECT 1 FROM account_partial_reconcile match
                                 JOIN account_move_line item ON item.id = match.debit_move_id
                                WHERE match.credit_move_id = payment.id AND match.amount < item.balance)
                  FROM payment
                 WHERE payment.place <= %(count)s
              ORDER BY payment.partner_id, payment.place DESC
                """,
                contacts=self.env['credit.exposure']._contact_sql(common),
                accounts=Ledger._item_account_ids(company),
                clearing=clearing,
                branches=list(company._credit_branch_ids()),
                today=today,
                start=today - relativedelta(months=PAYMENT_MONTHS),
                count=PAYMENTS,
            )
        )
        payments = defaultdict(list)
        for partner_id, payer, journal_id, amount, is_bill, is_part in rows:
            payments[partner_id].append(Payment(payer, str(journal_id), float(amount), is_bill, is_part))
        return {partner_id: tuple(made) for partner_id, made in payments.items()}

    @api.model
    def _entered_facts(self, accounts, company, today):
        """Return {partner id: ratios this year and last, risks now and a year ago}, where anything was entered."""
        partner_ids = accounts.partner_id.ids
        facts = defaultdict(dict)
        for latest in self.env['scoring.statement']._latest(partner_ids, company):
            age = relativedelta(today, latest.period_end)
            facts[latest.partner_id.id] = {
                'statement_months': age.years * 12 + age.months,
                'ratios': {name: latest[name] for name in RATIOS if latest[name] is not False},
                'ratios_before': {
                    name: latest.previous_id[name]
                    for name in RATIOS
                    if latest.previous_id and latest.previous_id[name] is not False
                },
            }
        Entered = self.env['scoring.entered']
        for fact, (model, field) in RISKS.items():
            for name, day in ((fact, today), (f'{fact}_before', today - relativedelta(years=1))):
                for partner_id, risk in Entered._risk_facts(model, field, partner_ids, company, day).items():
                    facts[partner_id][name] = risk.value
        return facts

    # -------------------------------------------------------------------------
    # In words
    # -------------------------------------------------------------------------

    def _headline(self):
        # EXTENDS credit_management
        headline = super()._headline()
        detail = False if self.kind in SECRET else self._describe()  # salespeople are told too
        return f'{headline}: {detail}' if detail else headline

    def _number(self, value, digits=1):
        return formatLang(self.env, value, digits=digits)

    def _describe_score_drop(self, figures):
        drop = self.env._(
            "from %(before)s to %(now)s",
            before=self._number(figures['before']),
            now=self._number(figures['now']),
        )
        since = self._describe_grade_down(figures)
        return self.env._("%(drop)s %(since)s", drop=drop, since=since) if since else drop

    def _describe_grade_down(self, figures):
        """Return since when; also with what it was compared where that is not the score of some months ago."""
        if not figures.get('since'):
            return False
        day = format_date(self.env, figures['since'])
        if figures.get('first'):
            return self.env._("since %(day)s, the first score by this version of the card", day=day)
        return self.env._("since %(day)s", day=day)

    def _describe_slower(self, figures):
        return self.env._(
            "%(now)s days beyond terms lately, %(before)s before",
            now=self._number(figures['now']),
            before=self._number(figures['before']),
        )

    def _describe_overdue_trend(self, figures):
        return self.env._(
            "from %(before)s to %(now)s",
            before=formatLang(self.env, figures['before'], currency_obj=self.currency_id),
            now=formatLang(self.env, figures['now'], currency_obj=self.currency_id),
        )

    def _describe_irregular(self, figures):
        labels = {
            'payer': self.env._("somebody else pays"),
            'bills': self.env._("bills instead of cash"),
            'method': self.env._("another way of paying"),
            'round': self.env._("round part payments"),
        }
        return format_list(self.env, [labels[sign] for sign in figures['signs']])

    def _describe_stopped_buying(self, figures):
        return self.env._(
            "no invoice for %(days)s days, usually every %(usual)s; owes %(owing)s",
            days=figures['days'],
            usual=self._number(figures['usual'], 0),
            owing=formatLang(self.env, figures['owing'], currency_obj=self.currency_id),
        )

    def _describe_ratios(self, figures):
        labels = self.env['scoring.statement'].fields_get(list(figures['ratios']), ['string'])
        return format_list(
            self.env,
            [
                self.env._(
                    "%(ratio)s from %(before)s to %(now)s",
                    ratio=labels[name]['string'],
                    before=self._number(before, 2),
                    now=self._number(now, 2),
                )
                for name, (before, now) in figures['ratios'].items()
            ],
        )

    def _describe_industry_risk(self, figures):
        return self.env._(
            "from %(before)s to %(now)s",
            before=self._number(figures['before'], 0),
            now=self._number(figures['now'], 0),
        )

    _describe_country_risk = _describe_industry_risk

    def _describe_statement_old(self, figures):
        return self.env._("%(months)s months since its end", months=figures['months'])
