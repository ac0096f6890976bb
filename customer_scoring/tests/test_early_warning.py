from dateutil.relativedelta import relativedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.credit_management.tests.common import CreditCommon


@tagged('post_install', '-at_install')
class TestEarlyWarning(CreditCommon):
    """From the documents to the alert, its owner and its end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._limit_policy(default_limit_kind='unlimited')
        cls.Alert = cls.env['credit.alert'].sudo()
        cls.today = cls.company._credit_today()
        cls.account = cls._account(controller_id=cls.analyst.id)

    def update(self):
        self.Alert._update_company(self.company.sudo())
        return self.Alert.search([('account_id', '=', self.account.id), ('state', '=', 'open')])

    def kinds(self):
        return set(self.update().mapped('kind'))

    def paid_invoice(self, days_ago, late, amount=100.0, **payment):
        """Leave an invoice that was due some days ago and was paid so many days later."""
        due = self.today - relativedelta(days=days_ago)
        move = self._invoice(amount, due=due)
        self.env['account.payment.register'].with_context(active_model='account.move', active_ids=move.ids).create(
            {'payment_date': due + relativedelta(days=late), **payment}
        )._create_payments()

    def test_nothing_to_worry_about(self):
        self.paid_invoice(10, 0)
        self.assertFalse(self.update())

    def test_slower_than_the_own_habit(self):
        for days_ago in range(300, 120, -30):
            self.paid_invoice(days_ago, 0)
        for days_ago in (90, 60, 40):
            self.paid_invoice(days_ago, 20)
        alert = self.update()
        self.assertEqual(alert.kind, 'slower')
        self.assertEqual(alert.figures, {'before': 0.0, 'now': 20.0})
        self.assertIn("20", alert.detail)
        self.assertEqual(alert.user_id, self.analyst)

    def test_raised_once_and_ended_by_itself(self):
        for days_ago in range(300, 120, -30):
            self.paid_invoice(days_ago, 0)
        for days_ago in (90, 60, 40):
            self.paid_invoice(days_ago, 20)
        alert = self.update()
        self.assertEqual(self.update(), alert)
        for days_ago in (30, 20, 10):
            self.paid_invoice(days_ago, 0)
        self.assertFalse(self.update())
        self.assertEqual(alert.state, 'ended')

    def test_stopped_buying_while_owing(self):
        for days_ago in range(360, 100, -20):
            self.paid_invoice(days_ago, 0)
        self.assertEqual(self.kinds(), set())  # silent, but owes nothing
        self._invoice(500.0, due=self.today + relativedelta(days=1), invoice_date=self.today - relativedelta(days=100))
        self.assertEqual(self.kinds(), {'stopped_buying'})

    def test_who_buys_each_quarter_is_missed_too_and_after_more_than_a_year(self):
        for days_ago in (670, 580, 490):
            self.paid_invoice(days_ago, 0)
        self._invoice(500.0, due=self.today + relativedelta(days=1), invoice_date=self.today - relativedelta(days=400))
        alert = self.update()
        self.assertEqual(alert.kind, 'stopped_buying')
        self.assertEqual((alert.figures['days'], alert.figures['usual']), (400, 90.0))

    def booked(self, account, amount):
        """Take an amount off the customer's debt by an entry in the miscellaneous journal."""
        lines = ((account, amount), (self.company_data['default_account_receivable'], -amount))
        entry = self.env['account.move'].create(
            {
                'move_type': 'entry',
                'date': self.today,
                'journal_id': self.company_data['default_journal_misc'].id,
                'line_ids': [
                    Command.create({'account_id': each.id, 'partner_id': self.customer.id, 'balance': balance})
                    for each, balance in lines
                ],
            }
        )
        entry.action_post()

    def test_payments_come_through_a_bank_or_by_bill_and_what_is_written_off_is_none(self):
        bills = self.env['account.account'].create(
            {'name': "Bills receivable", 'code': 'BILL1', 'account_type': 'asset_current', 'reconcile': False}
        )
        self.env['credit.ledger.account'].create(
            {'company_id': self.company.id, 'account_id': bills.id, 'role': 'clearing'}
        )
        self.paid_invoice(50, 0)
        self.booked(bills, 70.0)
        self.booked(self.company_data['default_account_expense'], 30.0)
        made = self.Alert._payments(self.customer.ids, self.company, self.today)[self.customer.id]
        self.assertEqual([(payment.amount, payment.is_bill) for payment in made], [(100.0, False), (70.0, True)])

    def test_somebody_else_pays(self):
        journal = self.company_data['default_journal_cash']
        for days_ago in range(300, 120, -30):
            self.paid_invoice(days_ago, 0)
        for days_ago in (90, 60, 40):
            self.paid_invoice(days_ago, 0, journal_id=journal.id)
        alert = self.update()
        self.assertEqual((alert.kind, alert.figures), ('irregular', {'signs': ['method']}))

    def test_overdue_that_grows_month_by_month(self):
        self.env['credit.snapshot.run'].sudo().search([('company_id', '=', self.company.id)]).unlink()
        first = self.today - relativedelta(months=3)
        self.env['credit.snapshot.run'].sudo().create(
            {'company_id': self.company.id, 'date': first, 'kind': 'daily', 'state': 'done'}
        )
        self.env.flush_all()
        for months, amount in ((3, 100), (2, 200), (1, 300), (0, 400)):
            self.env.cr.execute(
                """
                INSERT INTO credit_snapshot
                       (account_id, partner_id, company_id, currency_id, date, overdue_amount, days_overdue)
                VALUES (%s, %s, %s, %s, %s, %s, 30)
                """,
                [
                    self.account.id,
                    self.customer.id,
                    self.company.id,
                    self.currency.id,
                    self.today - relativedelta(months=months),
                    amount,
                ],
            )
        alert = self.update()
        self.assertEqual((alert.kind, alert.figures), ('overdue_trend', {'before': 100.0, 'now': 400.0}))

    def statement(self, years_ago, **lines):
        return self.env['scoring.statement'].create(
            {
                'partner_id': self.customer.id,
                'company_id': self.company.id,
                'period_end': self.today - relativedelta(years=years_ago, months=1),
                **lines,
            }
        )

    def test_ratios_worse_than_last_year(self):
        self.statement(1, current_assets=300.0, current_liabilities=100.0)
        self.statement(0, current_assets=150.0, current_liabilities=100.0)
        alert = self.update()
        self.assertEqual((alert.kind, alert.figures), ('ratios', {'ratios': {'current_ratio': [3.0, 1.5]}}))

    def test_statement_out_of_date(self):
        self.statement(2, current_assets=300.0, current_liabilities=100.0)
        self.assertEqual(self.kinds(), {'statement_old'})
        self.company.scoring_statement_months = 0
        self.assertEqual(self.kinds(), set())

    def scores(self, *rows):
        """Leave scores of (days ago, score, grade, card: 0 for the old one, 1 for the new)."""
        cards = self.env['scoring.card'].sudo().search([], order='id', limit=2)
        self.env.flush_all()
        for days, score, grade, card in rows:
            self.env.cr.execute(
                "INSERT INTO scoring_score (account_id, company_id, card_id, date, score, grade_id)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    self.account.id,
                    self.company.id,
                    cards[card].id,
                    self.today - relativedelta(days=days),
                    score,
                    grade and grade.id,
                ],
            )
        self.env.invalidate_all()

    def test_score_dropped(self):
        self.scores((130, 80, None, 0), (0, 60, None, 0))
        alert = self.update()
        since = fields.Date.to_string(self.today - relativedelta(days=130))
        self.assertEqual(
            (alert.kind, alert.figures), ('score_drop', {'before': 80.0, 'now': 60.0, 'since': since, 'first': False})
        )
        # Sales learn that there is something, not the score.
        self.assertIn("80", alert.with_user(self.analyst).detail)
        self.assertFalse(alert.with_user(self.sales_user).detail)
        with self.assertRaises(AccessError):
            alert.with_user(self.sales_user).read(['figures'])
        activities = self.env['mail.activity'].search(
            [('res_model', '=', 'credit.account'), ('res_id', '=', self.account.id)]
        )
        self.assertTrue(activities)
        self.assertFalse([text for text in activities.mapped('summary') if '80' in text])

    def test_score_is_compared_with_the_last_one_of_three_months_ago(self):
        self.scores((200, 95, None, 0), (130, 65, None, 0), (120, 65, None, 0), (50, 90, None, 0), (0, 60, None, 0))
        self.assertFalse(self.update())

    def test_score_of_another_card_is_no_drop(self):
        self.scores((130, 80, None, 0), (0, 60, None, 1))
        self.assertFalse(self.update())

    def test_new_version_of_a_card_is_compared_with_its_first_score(self):
        better, worse = self.env['credit.grade'].create(
            [{'code': "V1", 'name': "Better", 'sequence': 1}, {'code': "V2", 'name': "Worse", 'sequence': 2}]
        )
        # 40 was the last score by the old version, 80 the first by the new one.
        self.scores((130, 40, better, 0), (20, 80, better, 1), (10, 75, better, 1))
        self.assertFalse(self.update())
        self.scores((0, 60, worse, 1))
        alerts = self.update().grouped('kind')
        self.assertEqual(set(alerts), {'score_drop', 'grade_down'})
        since = fields.Date.to_string(self.today - relativedelta(days=20))
        self.assertEqual(alerts['score_drop'].figures, {'before': 80.0, 'now': 60.0, 'since': since, 'first': True})
        for alert in alerts.values():
            self.assertIn("the first score by this version of the card", alert.with_user(self.analyst).detail)
        self.assertNotIn("80", alerts['grade_down'].detail)

    def test_statements_do_not_grow_with_the_customers(self):
        partners = self.env['res.partner'].create([{'name': f"C{i}", 'is_company': True} for i in range(20)])
        accounts = self.Account._for_partners(partners, self.company)
        company = self.company.sudo()

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.Alert._warning_facts(some, company, self.today)
            return self.env.cr.sql_log_count - start

        count(accounts)
        self.assertEqual(count(accounts), count(accounts[:1]))
