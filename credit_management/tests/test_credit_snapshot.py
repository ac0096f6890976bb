from collections import defaultdict
from datetime import date
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.credit_management.models import credit_day_run, credit_snapshot_run
from odoo.addons.credit_management.models.credit_snapshot import CreditSnapshot
from odoo.addons.credit_management.models.credit_snapshot_run import CreditSnapshotRun

from .common import CreditCommon

ORDER_SIDE = ('exposure_draft_invoice', 'exposure_delivered', 'exposure_ordered', 'exposure')


class Killed(BaseException):
    """The worker is gone: nothing of ours can catch it."""


class SnapshotCommon(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Nobody writes snapshots; the job is the system's.
        cls.Snapshot = cls.env['credit.snapshot'].sudo()
        cls.Run = cls.env['credit.snapshot.run'].sudo()

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref('credit_management.ir_cron_take_snapshots').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def _rows(self, partner=None, **values):
        domain = [('partner_id', '=', (partner or self.customer).id)]
        domain += [(name, '=', value) for name, value in values.items()]
        return self.Snapshot.search(domain, order='date')

    def _run_of(self, day=None, company=None, kind='daily'):
        domain = [('company_id', '=', (company or self.company).id), ('kind', '=', kind)]
        return self.Run.search(domain + ([('date', '=', day)] if day else []))

    def _book_payment(self, invoice, day, amount=None, **values):
        """Pay an invoice through Odoo's own wizard, on a day."""
        wizard = self.env['account.payment.register'].with_context(active_model='account.move', active_ids=invoice.ids)
        values = {'payment_date': day, **({'amount': amount} if amount else {}), **values}
        return wizard.create(values)._create_payments()

    def _match(self, *documents):
        moves = (item.move_id if item._name == 'account.payment' else item for item in documents)
        lines = self.env['account.move.line'].union(*(move.line_ids for move in moves))
        lines.filtered(lambda line: line.account_type == 'asset_receivable' and not line.reconciled).reconcile()


@tagged('post_install', '-at_install')
class TestCreditSnapshotJob(SnapshotCommon):
    @freeze_time('2026-03-10 12:00:00')
    def test_row_of_today_says_what_the_account_says(self):
        self._limit_policy(customer_floor=0)
        self._invoice(100, due='2026-03-01')
        self._invoice(200, due='2026-02-01')
        self._invoice(300, due='2025-12-30')
        self._invoice(400, due='2025-10-01')
        self._invoice(50, due='2026-04-01')
        self._invoice(70, post=False)
        self._order_of(30, confirm=True)
        account = self._account(limit=1000)

        self._run_job()

        row = self._rows(date='2026-03-10')
        self.assertRecordValues(
            row,
            [
                {
                    'account_id': account.id,
                    'company_id': self.company.id,
                    'currency_id': self.currency.id,
                    'order_side_known': True,
                    'status': 'normal',
                    'limit_kind': 'amount',
                    'unlimited': False,
                    'effective_limit': 1000,
                    'exposure_open_item': 1050,
                    'exposure_in_clearing': 0,
                    'exposure_draft_invoice': 70,
                    'exposure_delivered': 0,
                    'exposure_ordered': 30,
                    'exposure': 1150,
                    'available': -150,
                    'overdue_amount': 1000,
                    'overdue_1_30': 100,
                    'overdue_31_60': 200,
                    'overdue_61_90': 300,
                    'overdue_91': 400,
                    'not_due_amount': 50,
                    'unallocated_credit': 0,
                    'days_overdue': 160,
                    'month_last': True,
                }
            ],
        )
        self.assertAlmostEqual(row.utilisation, 115, 1)
        for name in ('exposure', 'available', 'overdue_amount', 'effective_limit', 'days_overdue'):
            self.assertEqual(row[name], account[name], name)

    @freeze_time('2026-03-10 12:00:00')
    def test_second_run_of_a_day_replaces_its_row(self):
        invoice = self._invoice(100)
        self._run_job()
        self._invoice(20)

        self._run_job()
        self.assertEqual(self._rows().mapped('exposure'), [100], "the day is done, the hourly job leaves it")

        self._run_of('2026-03-10').action_retry()
        self._run_job()
        self.assertEqual(self._rows().mapped('exposure'), [120])

        self._match(invoice, self._pay(100))
        self._match(self._invoice(0.01), self._pay(20.01))
        self._run_of('2026-03-10').action_retry()
        self._run_job()
        self.assertEqual(self._rows().mapped('exposure'), [0], "settled in the course of the day")

    @freeze_time('2026-03-10 12:00:00')
    def test_job_opens_accounts_of_customers_with_anything_open(self):
        other = self.env['res.partner'].create({'name': "No trade", 'is_company': True})
        self._invoice(100, partner=self.contact)
        self.assertFalse(self.Account.search([('partner_id', 'in', (self.customer + other).ids)]))

        self._run_job()

        account = self.Account.search([('partner_id', 'in', (self.customer + other).ids)])
        self.assertEqual(account.partner_id, self.customer)
        self.assertEqual(self._rows().account_id, account)

    def test_idle_account_has_no_row_but_a_last_one_when_it_becomes_idle(self):
        account = self._account()
        with freeze_time('2026-03-10 12:00:00'):
            self._run_job()
            self.assertFalse(self._rows())
            invoice = self._invoice(100)
        with freeze_time('2026-03-11 12:00:00'):
            self._run_job()
        with freeze_time('2026-03-12 12:00:00'):
            self._match(invoice, self._pay(100))
            self._run_job()
        with freeze_time('2026-03-13 12:00:00'):
            self._run_job()

        self.assertEqual(
            self._rows().mapped(lambda row: (str(row.date), row.exposure, row.month_last)),
            [('2026-03-11', 100, False), ('2026-03-12', 0, True)],
        )
        # A day without a row is neither unknown nor what was before.
        for day, expected in (('2026-03-10', 0), ('2026-03-11', 100), ('2026-03-13', 0)):
            figures = self.Snapshot._as_of(account, fields.Date.to_date(day))[account]
            self.assertEqual((str(figures['date']), figures['exposure']), (day, expected))
            self.assertTrue(figures['order_side_known'])

    @freeze_time('2026-03-10 12:00:00')
    def test_limit_or_status_alone_is_worth_a_row(self):
        self._account(limit=500)
        watched = self.env['res.partner'].create({'name': "Watched", 'is_company': True})
        self._account(watched, status='watch')
        self._run_job()
        self.assertEqual(self._rows().mapped('effective_limit'), [500])
        self.assertEqual(self._rows(watched).mapped('status'), ['watch'])

    @freeze_time('2026-03-10 12:00:00')
    def test_killed_run_goes_on_where_it_was(self):
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(5)])
        for partner in partners:
            self._invoice(100, partner=partner)
        known = self.Account.search_count([('company_id', '=', self.company.id)])
        self.assertEqual(known, 0)
        step, taken, killed = CreditSnapshotRun._step, [], False

        def dying_step(run):
            if run.kind == 'daily' and run.company_id == self.company and run.position:
                raise Killed
            return step(run)

        def watched_take(snapshot, company, day, partner_ids):
            if company == self.company:
                taken.extend(partner_ids)
            return take(snapshot, company, day, partner_ids)

        take = CreditSnapshot._take
        with patch.object(credit_snapshot_run, 'BATCH', 2), patch.object(CreditSnapshot, '_take', watched_take):
            # Not assertRaises, which would roll back what the job has committed.
            with patch.object(CreditSnapshotRun, '_step', dying_step):
                try:
                    self._run_job()
                except Killed:
                    killed = True
            self.assertTrue(killed)
            self.env.invalidate_all()
            self.assertEqual(self._run_of('2026-03-10').state, 'todo')
            self.assertEqual(self.Snapshot.search_count([('partner_id', 'in', partners.ids)]), 2)

            self._run_job()

        self.assertEqual(self._run_of('2026-03-10').state, 'done')
        self.assertEqual(self._run_of('2026-03-10').row_count, 5)
        self.assertEqual(self.Snapshot.search_count([('partner_id', 'in', partners.ids)]), 5)
        self.assertEqual(sorted(taken), sorted(partners.ids), "nobody is taken twice")

    def test_day_that_passed_before_the_job_was_through_is_incomplete(self):
        with freeze_time('2026-03-10 12:00:00'):
            self.Run._open(self.company)
        with freeze_time('2026-03-11 12:00:00'):
            self._run_job()
        self.assertEqual(self._run_of('2026-03-10').state, 'incomplete')
        self.assertEqual(self._run_of('2026-03-11').state, 'done')
        with freeze_time('2026-03-11 12:00:00'), self.assertRaisesRegex(UserError, "can't be known any more"):
            self._run_of('2026-03-10').action_retry()

    @freeze_time('2026-03-10 11:30:00')
    def test_each_company_has_its_own_today(self):
        other = self.setup_other_company()['company']
        self.company.partner_id.tz = 'Pacific/Kiritimati'
        other.partner_id.tz = 'Pacific/Pago_Pago'
        self._invoice(100, due='2026-03-10')
        order = self._order_of(50, company_id=other.id, user_id=False)
        order.action_confirm()

        self._run_job()

        self.assertEqual(
            self._rows(order_side_known=True).mapped(lambda row: (row.company_id, str(row.date), row.exposure)),
            [(other, '2026-03-10', 50), (self.company, '2026-03-11', 100)],
        )

    @freeze_time('2026-03-10 12:00:00')
    def test_branch_documents_count_for_the_main_company_once(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.env.user.company_ids += branch
        order = self._order_of(100, company_id=branch.id, user_id=False)
        order.action_confirm()
        self._invoice(40)

        self._run_job()

        self.assertEqual(self._rows().mapped(lambda row: (row.company_id, row.exposure)), [(self.company, 140)])
        self.assertFalse(self._run_of(company=branch))

    @freeze_time('2026-03-10 12:00:00')
    def test_failing_company_stops_nobody_and_is_reported_until_it_is_mended(self):
        other = self.setup_other_company()['company']
        self._invoice(100)
        self._order_of(50, company_id=other.id, user_id=False).action_confirm()
        take = CreditSnapshot._take

        def failing_take(snapshot, company, *args):
            if company == self.company:
                raise ValueError("secret of Hengda Trading")
            return take(snapshot, company, *args)

        for _again in range(2):
            with patch.object(CreditSnapshot, '_take', failing_take), mute_logger(credit_day_run.__name__):
                self._run_job()

        run = self._run_of('2026-03-10')
        self.assertRecordValues(run, [{'state': 'failed', 'error': 'ValueError', 'row_count': 0}])
        self.assertEqual(self._rows().company_id, other)
        self.assertEqual(self._run_of('2026-03-10', other).state, 'done')
        self.assertIn(self.manager, run.activity_ids.user_id)
        self.assertEqual(len(run.activity_ids), len(run.activity_ids.user_id), "one each, however often it fails")
        self.assertNotIn("Hengda", f"{run.activity_ids.mapped('note')}{run.error}")

        self._run_job()

        self.assertEqual(run.state, 'done')
        self.assertFalse(run.activity_ids)
        self.assertEqual(self._rows().mapped('exposure'), [50, 100])

    @freeze_time('2026-03-10 12:00:00')
    def test_snapshot_of_1_and_of_50_accounts_costs_one_statement(self):
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(50)])
        for partner in partners[:5]:
            self._invoice(100, partner=partner)
        self.Account._for_partners(partners, self.company)
        self.env.flush_all()
        day = fields.Date.to_date('2026-03-10')
        self.Snapshot._take(self.company, day, partners[:1].ids)
        for chosen in (partners[:1], partners):
            with self.assertQueryCount(1):
                self.Snapshot._take(self.company, day, chosen.ids)
        self.assertEqual(self.Snapshot.search_count([('partner_id', 'in', partners.ids)]), 5)
        accounts = self.Account.search([('partner_id', 'in', partners.ids)])
        for chosen in (accounts[:1], accounts):
            chosen.mapped('partner_id.name')
            with self.assertQueryCount(2):
                self.assertEqual(len(self.Snapshot._as_of(chosen, day)), len(chosen))
        self.assertEqual(len(accounts), 50)

    # --------------------------------------------------------------- retention

    def _store_days(self, *days):
        """Write a row and a finished run for each day."""
        account = self._account()
        for day in days:
            day = fields.Date.to_date(day)
            with freeze_time(f'{day} 12:00:00'):
                self._invoice(100, due=day)
                self.Snapshot._take(self.company, day, self.customer.ids)
                self.Run.create({'company_id': self.company.id, 'date': day, 'kind': 'daily', 'state': 'done'})
        return account

    def test_after_90_days_only_the_last_day_of_each_month_is_kept(self):
        account = self._store_days('2026-01-05', '2026-01-20', '2026-02-03', '2026-02-27', '2026-03-02', '2026-03-31')
        self.assertEqual(self.company.credit_snapshot_days, 90)

        with freeze_time('2026-05-10 12:00:00'):
            with patch.object(credit_snapshot_run, 'THIN_BATCH', 1):
                self._run_job()

        kept = ['2026-01-20', '2026-02-27', '2026-03-02', '2026-03-31', '2026-05-10']
        self.assertEqual([str(day) for day in self._rows(order_side_known=True).mapped('date')], kept)
        self.assertEqual([str(day) for day in self._run_of().sorted('date').mapped('date')], kept)
        # The days in between are told as what they are: those of the day before that was kept.
        figures = self.Snapshot._as_of(account, date(2026, 2, 10))[account]
        self.assertEqual((str(figures['date']), figures['exposure']), ('2026-01-20', 200))

    def test_retention_is_the_companys(self):
        self.company.credit_snapshot_days = 10
        self._store_days('2026-03-02', '2026-03-03', '2026-03-20')
        with freeze_time('2026-03-25 12:00:00'):
            self._run_job()
        self.assertEqual(
            [str(day) for day in self._rows(order_side_known=True).mapped('date')], ['2026-03-20', '2026-03-25']
        )
        with self.assertRaises(ValidationError):
            self.company.credit_snapshot_days = 0


@tagged('post_install', '-at_install')
class TestCreditSnapshotPast(SnapshotCommon):
    """The ledger side of days in the past."""

    def _trial_balance(self, day, company=None):
        """Return {commercial partner: balance of the receivable accounts} the slow and obvious way."""
        lines = (
            self.env['account.move.line']
            .sudo()
            .search(
                [
                    ('account_id.account_type', '=', 'asset_receivable'),
                    ('parent_state', '=', 'posted'),
                    ('date', '<=', day),
                    ('company_id', 'child_of', (company or self.company).id),
                    ('partner_id', '!=', False),
                ]
            )
        )
        balances = defaultdict(float)
        for line in lines:
            balances[line.partner_id.commercial_partner_id.id] += line.balance
        return {partner: round(balance, 2) for partner, balance in balances.items() if round(balance, 2)}

    def _as_of_rows(self, day, company=None, partners=None):
        exposure = self.env['credit.exposure']
        exposure._flush_as_of_sources()
        query = exposure._open_items_as_of_sql(
            company or self.company, fields.Date.to_date(day), partners and partners.ids
        )
        return self.env.execute_query_dict(query)

    def assertBalances(self, *days, company=None):
        """Check that the open items of some days are what the trial balance says."""
        for day in days:
            sums = defaultdict(float)
            for row in self._as_of_rows(day, company):
                sums[row['partner_id']] += row['amount']
            found = {partner: round(amount, 2) for partner, amount in sums.items() if round(amount, 2)}
            self.assertEqual(found, self._trial_balance(day, company), day)
            one = self._as_of_rows(day, company, self.customer)
            self.assertEqual(
                round(sum(row['amount'] for row in one), 2), found.get(self.customer.id, 0), f"{day}, one customer"
            )

    def assertOpen(self, expected):
        """Check {day: the amounts open at its end, in the order of size}."""
        for day, amounts in expected.items():
            rows = self._as_of_rows(day, partners=self.customer)
            self.assertEqual(sorted(round(row['amount'], 2) for row in rows), amounts, day)
        self.assertBalances(*expected)

    def test_part_payment_counts_from_its_day_on(self):
        invoice = self._invoice(100, due='2026-01-10')
        self._book_payment(invoice, '2026-02-10', 40)
        self._book_payment(invoice, '2026-03-10', 60)
        self.assertOpen(
            {
                '2026-01-09': [],
                '2026-01-31': [100],
                '2026-02-09': [100],
                '2026-02-10': [60],
                '2026-03-09': [60],
                '2026-03-10': [],
            }
        )

    def test_payment_on_account_matched_later_is_open_on_its_own_days(self):
        payment = self._pay(100, date='2026-01-05')
        invoice = self._invoice(100, due='2026-02-10')
        self._match(invoice, payment)
        self.assertOpen({'2026-01-31': [-100], '2026-02-09': [-100], '2026-02-10': []})

    def test_unreconciled_and_rematched_payment_is_as_the_ledger_has_it(self):
        invoice = self._invoice(100, due='2026-01-10')
        payment = self._book_payment(invoice, '2026-02-10')
        payment.move_id.line_ids.remove_move_reconcile()
        self.assertOpen({'2026-01-31': [100], '2026-02-28': [-100, 100]})

        later = self._invoice(80, due='2026-03-05')
        self._match(later, payment)
        self.assertOpen({'2026-01-31': [100], '2026-02-28': [-100, 100], '2026-03-31': [-20, 100]})

    def test_cancelled_payment_reopens_the_invoice(self):
        invoice = self._invoice(100, due='2026-01-10')
        payment = self._book_payment(invoice, '2026-02-10')
        self.assertOpen({'2026-02-28': []})
        payment.action_draft()
        payment.action_cancel()
        self.assertOpen({'2026-01-31': [100], '2026-02-28': [100]})

    def test_invoice_put_back_to_draft_leaves_its_payment_open(self):
        invoice = self._invoice(100, due='2026-01-10')
        self._book_payment(invoice, '2026-02-10')
        invoice.button_draft()
        self.assertOpen({'2026-01-31': [], '2026-02-28': [-100]})

    def test_credit_note_reduces_from_its_day_on(self):
        invoice = self._invoice(100, due='2026-01-10')
        refund = self._invoice(30, due='2026-02-10', move_type='out_refund')
        self._match(invoice, refund)
        rest = self._invoice(20, due='2026-02-20', move_type='out_refund')
        self.assertTrue(rest)
        self.assertOpen({'2026-01-31': [100], '2026-02-15': [70], '2026-02-28': [-20, 70]})

    def test_instalments_are_open_one_by_one(self):
        term = self.env['account.payment.term'].create(
            {
                'name': "30 % now, rest in 60 days",
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': 30, 'nb_days': 0}),
                    Command.create({'value': 'percent', 'value_amount': 70, 'nb_days': 60}),
                ],
            }
        )
        invoice = self._invoice(
            100, due='2026-01-10', invoice_payment_term_id=term.id, invoice_date_due=False, post=False
        )
        invoice.action_post()
        self._match_first(invoice, self._pay(30, date='2026-02-10'))
        self.assertOpen({'2026-01-31': [30, 70], '2026-02-28': [70]})

    def _match_first(self, invoice, payment):
        receivable = (invoice.line_ids + payment.move_id.line_ids).filtered(
            lambda line: line.account_type == 'asset_receivable'
        )
        first = receivable.filtered(lambda line: line.move_id == invoice).sorted('date_maturity')[0]
        (first + receivable.filtered(lambda line: line.move_id == payment.move_id)).reconcile()

    def test_foreign_currency_stays_at_booked_amounts_and_takes_the_exchange_difference_on_its_day(self):
        currency = self.setup_other_currency(
            'EUR', rates=[('2020-01-01', 2.0), ('2026-02-01', 4.0), ('2026-03-01', 1.0)]
        )
        invoice = self._invoice(100, due='2026-01-10', currency_id=currency.id)
        self._book_payment(invoice, '2026-02-10', 40, currency_id=currency.id)
        self._book_payment(invoice, '2026-03-10', 60, currency_id=currency.id)
        self.assertEqual(invoice.payment_state, 'paid')

        days = ('2026-01-31', '2026-02-10', '2026-02-28', '2026-03-09', '2026-03-10', '2026-03-31', '2026-04-30')
        self.assertBalances(*days)
        [row] = self._as_of_rows('2026-01-31', partners=self.customer)
        self.assertEqual(row['amount'], 50)

    def test_branch_and_contact_count_for_company_and_customer(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.env.user.company_ids += branch
        self.cr.precommit.run()  # gives the branch its chart of accounts
        self._invoice(100, due='2026-01-10', partner=self.contact)
        self._invoice(50, due='2026-02-10', company_id=branch.id)
        self.assertOpen({'2026-01-31': [100], '2026-02-28': [50, 100]})

    def test_other_company_is_apart(self):
        other = self.setup_other_company()['company']
        self._invoice(100, due='2026-01-10')
        self.assertBalances('2026-01-31')
        self.assertBalances('2026-01-31', company=other)
        self.assertFalse(self._as_of_rows('2026-01-31', other, self.customer))

    def test_today_is_what_the_open_items_say(self):
        invoice = self._invoice(100, due='2026-01-10')
        self._book_payment(invoice, '2026-02-10', 40)
        self._pay(25, date='2026-02-11')
        exposure = self.env['credit.exposure']
        exposure._flush_as_of_sources()
        common = exposure._common(self.company, fields.Date.today(), self.customer.ids)
        now = self.env.execute_query_dict(
            SQL(
                "WITH %s SELECT * FROM (%s) AS item ORDER BY id",
                exposure._contact_sql(common),
                exposure._open_items_sql(common),
            )
        )
        then = sorted(self._as_of_rows('2099-12-31', partners=self.customer), key=lambda row: row['id'])
        self.assertEqual(then, now)

    # --------------------------------------------------------------- back-fill

    def _trade_of_winter(self):
        invoice = self._invoice(100, due='2025-12-10')
        self._book_payment(invoice, '2026-01-15', 40)
        self._invoice(500, due='2026-01-20')
        self._pay(200, date='2026-02-05')
        other = self.env['res.partner'].create({'name': "Gone since", 'is_company': True})
        self._book_payment(self._invoice(70, due='2025-12-01', partner=other), '2026-01-10')
        return other

    def test_first_run_fills_the_last_12_month_ends_with_the_trial_balance(self):
        gone = self._trade_of_winter()
        with freeze_time('2026-03-10 12:00:00'):
            self._run_job()

        runs = self._run_of(kind='backfill').sorted('date')
        self.assertEqual(len(runs), 12)
        self.assertEqual((str(runs[0].date), str(runs[-1].date)), ('2025-03-31', '2026-02-28'))
        self.assertEqual(set(runs.mapped('state')), {'done'})
        for run in runs:
            rows = self.Snapshot.search([('company_id', '=', self.company.id), ('date', '=', run.date)])
            found = {row.partner_id.id: row.exposure_open_item for row in rows if row.exposure_open_item}
            self.assertEqual(found, self._trial_balance(run.date), run.date)
        self.assertEqual(
            self._rows(gone).mapped(lambda row: (str(row.date), row.exposure_open_item)),
            [('2025-12-31', 70), ('2026-01-31', 0)],
        )

    def test_back_filled_row_knows_the_ledger_and_not_the_orders(self):
        self._limit_policy(customer_floor=0)
        self._trade_of_winter()
        with freeze_time('2026-03-10 12:00:00'):
            self._order_of(1000, confirm=True)
            self._run_job()

        row = self._rows(date='2026-02-28')
        self.assertRecordValues(
            row,
            [
                {
                    'order_side_known': False,
                    'exposure_open_item': 360,
                    'exposure_in_clearing': 0,
                    # 200 on account pay the 60 left of December first, then 140 of January.
                    'overdue_amount': 360,
                    'overdue_1_30': 0,
                    'overdue_31_60': 360,
                    'unallocated_credit': 200,
                    'days_overdue': 39,
                    'not_due_amount': 0,
                    'status': False,
                    'limit_kind': False,
                }
            ],
        )
        unknown = (*ORDER_SIDE, 'available', 'utilisation', 'effective_limit')
        for name in unknown:
            self.assertIs(row[name], False, name)
        self.assertEqual(row.read(list(unknown))[0], {'id': row.id, **dict.fromkeys(unknown, False)})
        self.assertEqual(row.export_data(['exposure'])['datas'], [['']])
        [[exposure, ordered]] = self.env.execute_query(
            SQL("SELECT exposure, exposure_ordered FROM credit_snapshot WHERE id = %s", row.id)
        )
        self.assertEqual((exposure, ordered), (None, None))
        # Sums over days that are not known are not 0 either.
        groups = self.Snapshot.formatted_read_group(
            [('partner_id', '=', self.customer.id)], ['date:month'], ['exposure:sum', 'exposure_open_item:sum']
        )
        sums = {group['date:month'][0]: (group['exposure:sum'], group['exposure_open_item:sum']) for group in groups}
        self.assertEqual(sums['2026-02-01'], (False, 360))
        self.assertEqual(sums['2026-03-01'], (1360, 360))
        self.assertEqual(self._rows(date='2026-03-10').exposure, 1360)

    def test_amounts_of_several_days_are_not_summed(self):
        partners = self.customer + self.env['res.partner'].create({'name': "Second", 'is_company': True})
        for day, amount in (('2026-03-10', 100), ('2026-03-12', 50), ('2026-04-01', 25)):
            with freeze_time(f'{day} 12:00:00'):
                for partner in partners:
                    self._invoice(amount, due='2026-12-31', partner=partner)
                self._run_job()

        def sums(domain, groupby):
            groups = self.Snapshot.formatted_read_group(
                [('partner_id', 'in', partners.ids), *domain], groupby, ['exposure:sum', 'exposure:sum_currency']
            )
            self.assertTrue(all(group['exposure:sum'] == group['exposure:sum_currency'] for group in groups))
            return [group['exposure:sum'] for group in groups]

        self.assertEqual(sums([], ['date:day']), [200, 300, 350])
        self.assertEqual(sums([], ['date:month']), [False, 350])
        self.assertEqual(sums([('month_last', '=', True)], ['date:month']), [300, 350])
        self.assertEqual(sums([('month_last', '=', True)], []), [False])
        self.assertEqual(sums([], ['partner_id']), [False, False])
        self.assertEqual(sums([('date', '=', '2026-03-10')], []), [200])

    def test_limit_decided_then_is_in_the_back_filled_row(self):
        self._invoice(100, due='2026-01-10')
        with freeze_time('2026-01-20 12:00:00'):
            self._account(limit=900)
        with freeze_time('2026-03-10 12:00:00'):
            self._run_job()
        self.assertEqual(self._rows(date='2026-01-31').effective_limit, 900)
        self.assertIs(self._rows(date='2026-01-31').available, False)

    def test_back_fill_again_follows_late_bookings_and_leaves_what_was_taken(self):
        self._invoice(100, due='2026-01-10')
        with freeze_time('2026-03-10 12:00:00'):
            self._run_job()
            self._invoice(11, due='2026-01-11')
            wizard = self.env['credit.snapshot.backfill'].with_user(self.manager).create({'months': 24})
            wizard.action_backfill()
            self.assertEqual(len(self._run_of(kind='backfill')), 24)
            self._run_job()

        self.assertEqual(self._rows(date='2026-01-31').exposure_open_item, 111)
        self.assertEqual(self._rows(date='2026-03-10').exposure, 100)
        # Not even where both are of the same day.
        self.Snapshot._take_past(self.company, date(2026, 3, 10))
        self.assertRecordValues(self._rows(date='2026-03-10'), [{'exposure': 100, 'order_side_known': True}])

    def test_back_fill_is_for_managers_and_for_1_to_120_months(self):
        with self.assertRaises(AccessError):
            self.env['credit.snapshot.backfill'].with_user(self.analyst).create({})
        with self.assertRaises(ValidationError):
            self.env['credit.snapshot.backfill'].with_user(self.manager).create({'months': 0})
        wizard = Form(self.env['credit.snapshot.backfill'].with_user(self.manager)).save()
        self.assertEqual((wizard.months, wizard.company_id), (12, self.company))

    # --------------------------------------------------------------- as of

    def test_as_of_reads_the_day_or_the_nearest_before_and_tells_which(self):
        with freeze_time('2026-03-01 12:00:00'):
            account = self._account(limit=1000)
        self._invoice(100, due='2026-03-01')
        for day in ('2026-03-10', '2026-03-12'):
            with freeze_time(f'{day} 12:00:00'):
                self._run_job()
                self._order_of(50, confirm=True)
        for day, taken, exposure in (('2026-03-10', '2026-03-10', 100), ('2026-03-11', '2026-03-10', 100),
                                     ('2026-03-12', '2026-03-12', 150), ('2026-04-01', '2026-03-12', 150)):  # fmt: skip
            figures = self.Snapshot._as_of(account, fields.Date.to_date(day))[account]
            self.assertEqual((str(figures['date']), figures['exposure']), (taken, exposure), day)
            self.assertEqual(figures['effective_limit'], 1000)

    def test_as_of_a_day_before_the_first_snapshot_knows_the_ledger_of_that_very_day(self):
        account = self._account()
        self._invoice(100, due='2026-01-10')
        self._invoice(30, due='2026-02-10')
        with freeze_time('2026-03-10 12:00:00'):
            self._order_of(50, confirm=True)
            self._run_job()

        figures = self.Snapshot._as_of(account, date(2026, 2, 15))[account]

        self.assertEqual(str(figures['date']), '2026-02-15')
        self.assertFalse(figures['order_side_known'])
        self.assertEqual(figures['exposure_open_item'], 130)
        self.assertEqual(figures['overdue_31_60'], 100)
        for name in (*ORDER_SIDE, 'available', 'utilisation', 'status', 'limit_kind'):
            self.assertIsNone(figures[name], name)

    def test_as_of_for_two_companies_at_once(self):
        other = self.setup_other_company()['company']
        accounts = self._account() + self._account(company=other)
        self._invoice(100, due='2026-01-10')
        result = self.Snapshot._as_of(accounts, date(2026, 1, 31))
        self.assertEqual([result[account]['exposure_open_item'] for account in accounts], [100, 0])
        self.assertEqual(self.Snapshot._as_of(self.Account, date(2026, 1, 31)), {})


@tagged('post_install', '-at_install')
class TestCreditSnapshotRights(SnapshotCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.env['res.partner'].create({'name': "A colleague's", 'is_company': True})
        for partner in (cls.customer, cls.foreign):
            cls._invoice(100, partner=partner)
            cls._account(partner)
        day = cls.company._credit_today()
        cls.Snapshot._take(cls.company, day, (cls.customer + cls.foreign).ids)
        cls.day_run = cls.Run.create({'company_id': cls.company.id, 'date': day, 'kind': 'daily', 'state': 'done'})
        cls.accountant = cls._new_user('credit_accountant', 'account.group_account_invoice')
        cls.auditor = cls._new_user('credit_auditor', 'credit_management.group_credit_auditor')

    def _seen_by(self, user):
        domain = [('partner_id', 'in', (self.customer + self.foreign).ids)]
        return self.env['credit.snapshot'].with_user(user).search(domain).partner_id

    def test_sales_see_their_own_customers_everybody_else_all(self):
        self.assertEqual(self._seen_by(self.sales_user), self.customer)
        for user in (self.accountant, self.auditor, self.analyst, self.manager):
            self.assertEqual(self._seen_by(user), self.customer + self.foreign, user.login)
        nobody = self._new_user('credit_nobody', 'base.group_user')
        with self.assertRaises(AccessError):
            self._seen_by(nobody)

    def test_nobody_writes_makes_or_deletes_snapshots_and_runs(self):
        for user in (self.sales_user, self.accountant, self.auditor, self.analyst, self.manager):
            for record in (self._rows(), self.day_run):
                for operation in ('write', 'create', 'unlink'):
                    self.assertFalse(record.with_user(user).has_access(operation), (user.login, record, operation))
        with self.assertRaises(AccessError):
            self.day_run.with_user(self.sales_user).read(['state'])

    def test_other_companys_snapshots_are_not_seen(self):
        other = self.setup_other_company()['company']
        stranger = self._new_user('credit_stranger', 'credit_management.group_credit_manager')
        stranger.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        self.assertFalse(self._seen_by(stranger))
        self.assertFalse(self.env['credit.snapshot.run'].with_user(stranger).search([('id', '=', self.day_run.id)]))
        with self.assertRaises(AccessError):
            self.day_run.with_user(stranger).action_retry()

    def test_only_managers_take_a_day_again(self):
        with self.assertRaisesRegex(AccessError, "Only credit managers"):
            self.day_run.with_user(self.analyst).action_retry()
        self.day_run.with_user(self.manager).action_retry()
        self.assertEqual(self.day_run.state, 'todo')


@tagged('post_install', '-at_install')
class TestCreditTrend(SnapshotCommon):
    def test_trend_has_a_point_per_day_taken_and_gaps_for_what_is_not_known(self):
        account = self._account()
        self.assertEqual(account.trend['points'], [])
        with freeze_time('2026-02-10 12:00:00'):
            invoice = self._invoice(100, due='2026-02-10')
        for day in ('2026-03-10', '2026-03-11', '2026-03-12'):
            with freeze_time(f'{day} 12:00:00'):
                if day == '2026-03-11':
                    self._limit(account, 500)
                    self._match(invoice, self._pay(100))
                self._run_job()
        account.invalidate_recordset(['trend'])

        points = account.with_user(self.sales_user).trend['points']

        self.assertEqual(
            [(point['date'], point['known'], point['ledger'], point['exposure'], point['limit']) for point in points],
            [
                ('2026-02-28', False, 100, None, None),
                ('2026-03-10', True, 100, 100, None),
                ('2026-03-11', True, 0, 0, 500),
                ('2026-03-12', True, 0, 0, 500),
            ],
        )

    def test_trend_of_an_idle_account_falls_to_0_and_stays_there(self):
        account = self._account()
        with freeze_time('2026-03-10 12:00:00'):
            invoice = self._invoice(100)
            self._run_job()
        with freeze_time('2026-03-11 12:00:00'):
            self._match(invoice, self._pay(100))
            self._run_job()
        with freeze_time('2026-03-12 12:00:00'):
            self._run_job()
        account.invalidate_recordset(['trend'])
        self.assertEqual([point['exposure'] for point in account.trend['points']], [100, 0, 0])

    def test_trend_button_opens_this_accounts_snapshots(self):
        account = self._account()
        action = account.action_view_trend()
        self.assertEqual((action['res_model'], action['context']['active_id']), ('credit.snapshot', account.id))
