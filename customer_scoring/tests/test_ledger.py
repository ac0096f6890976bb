from datetime import date, timedelta

from odoo import Command, fields
from odoo.tests import tagged
from odoo.tools import SQL
from odoo.tools.date_utils import add

from odoo.addons.credit_management.tests.common import CreditCommon

TODAY = date(2025, 6, 30)


class ScoringCommon(CreditCommon):
    """Trade at given dates, and what the ledger says of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Scores = cls.env['scoring.score']

    @classmethod
    def _sell(cls, amount=1000.0, due=-10, partner=None, **values):
        """Post an invoice due on a day counted from TODAY, dated 30 days before."""
        day = TODAY + timedelta(days=due)
        return cls._invoice(amount, partner, due=day, invoice_date=day - timedelta(days=30), **values)

    @classmethod
    def _paid(cls, invoice, late=0, amount=None, match=True):
        """Pay an invoice so many days after its due date."""
        payment = cls._pay(
            invoice.amount_total if amount is None else amount,
            invoice.commercial_partner_id,
            date=invoice.invoice_date_due + timedelta(days=late),
            currency_id=invoice.currency_id.id,
        )
        if match:
            cls._match(invoice, payment.move_id)
        return payment

    @classmethod
    def _match(cls, *moves):
        lines = cls.env['account.move.line'].browse()
        for move in moves:
            lines += move.line_ids.filtered(lambda line: line.account_id.account_type == 'asset_receivable')
        lines.reconcile()

    def history(self, day=TODAY, partner=None, company=None):
        partner = partner or self.customer
        company = company or self.company
        return self.Scores._ledger_customers(partner.ids, company, day)[partner.id].history

    def values(self, day=TODAY, partner=None, company=None):
        partner = partner or self.customer
        values = self.Scores._ledger_values(partner.ids, company or self.company, day)
        return {code: of[partner.id] for code, of in values.items() if partner.id in of}


@tagged('post_install', '-at_install')
class TestLateness(ScoringCommon):
    def days(self, **values):
        return list(self.history(**values).days)

    def test_days_beyond_terms_are_from_the_due_date_to_the_paying_entry(self):
        self._paid(self._sell(due=-100), late=12)
        self._paid(self._sell(due=-60), late=-5)
        self.assertEqual(self.days(), [-5, 12])

    def test_open_item_counts_once_it_is_past_due(self):
        self._sell(due=-7)
        self._sell(due=5)
        self.assertEqual(self.days(), [7])

    def test_partial_payments_settle_when_the_rest_falls_below_the_floor(self):
        invoice = self._sell(due=-90)
        self._paid(invoice, late=0, amount=500.0)
        self._paid(invoice, late=20, amount=495.0)
        self.assertEqual(self.days(), [20])
        self.assertFalse(self.history().overdue)

    def test_bank_charge_kept_by_the_payer_is_no_lateness(self):
        self._paid(self._sell(due=-90), late=3, amount=993.0)
        self.assertEqual(self.days(), [3])

    def test_each_instalment_is_an_experience(self):
        term = self.env['account.payment.term'].create(
            {
                'name': "Half now, half in 30 days",
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': 50, 'nb_days': 0}),
                    Command.create({'value': 'percent', 'value_amount': 50, 'nb_days': 30}),
                ],
            }
        )
        start = TODAY - timedelta(days=100)
        invoice = self._invoice(
            1000.0, due=False, invoice_date=start, invoice_date_due=False, invoice_payment_term_id=term.id
        )
        payment = self._pay(1000.0, date=start + timedelta(days=40))
        self._match(invoice, payment.move_id)
        self.assertEqual(self.days(), [10, 40])

    def test_what_a_credit_note_settles_is_not_late(self):
        invoice = self._sell(due=-90)
        self._paid(invoice, late=0, amount=900.0)
        refund = self._refund(100.0, TODAY - timedelta(days=30))
        self._match(invoice, refund)
        self.assertEqual(self.days(), [0])

    def test_invoice_cancelled_by_a_credit_note_and_made_anew_leaves_no_trace(self):
        wrong = self._sell(due=-90)
        refund = self._refund(1000.0, TODAY - timedelta(days=20))
        self._match(wrong, refund)
        self._paid(self._sell(due=-10), late=2)
        self.assertEqual(self.days(), [2])

    def _refund(self, amount, day):
        return self._invoice(amount, due=day, move_type='out_refund', invoice_date=day)

    def test_cancelled_invoice_is_none(self):
        invoice = self._sell(due=-90)
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(self.days(), [])

    def test_refund_paid_out_is_no_lateness(self):
        refund = self._refund(300.0, TODAY - timedelta(days=90))
        payment = self._pay(300.0, payment_type='outbound', date=TODAY - timedelta(days=80))
        self._match(refund, payment.move_id)
        self._paid(self._sell(due=-50), late=1)
        self.assertEqual(self.days(), [1])

    def test_amounts_of_another_currency_settle_in_it_whatever_the_rate(self):
        euro = self.setup_other_currency('EUR', rates=[('2024-01-01', 1.0), ('2025-05-01', 2.0)])
        self._paid(self._sell(due=-90, currency_id=euro.id), late=65)
        self.assertEqual(self.days(), [65])
        self.assertFalse(self.history().overdue)

    def test_written_off_counts_as_very_late(self):
        invoice = self._sell(due=-90)
        loss = self._entry(
            (self.company_data['default_account_expense'], 1000.0),
            (self.company_data['default_account_receivable'], -1000.0),
            day=TODAY - timedelta(days=60),
        )
        self._match(invoice, loss)
        self.assertEqual(self.days(), [120])
        self.assertEqual(self.values()['written_off_share'], 100)

    def _entry(self, *lines, day):
        move = self.env['account.move'].create(
            {
                'move_type': 'entry',
                'date': day,
                'journal_id': self.company_data['default_journal_misc'].id,
                'line_ids': [
                    Command.create(
                        {
                            'account_id': account.id,
                            'partner_id': self.customer.id,
                            'balance': balance,
                            **(values[0] if values else {}),
                        }
                    )
                    for account, balance, *values in lines
                ],
            }
        )
        move.action_post()
        return move

    def test_bill_pays_when_handed_in_or_at_maturity_as_the_company_chose(self):
        bills = self.env['account.account'].create(
            {'name': "Bills receivable", 'code': 'BILL1', 'account_type': 'asset_current', 'reconcile': False}
        )
        kind = self.env['credit.ledger.account'].create(
            {'company_id': self.company.id, 'account_id': bills.id, 'role': 'clearing'}
        )
        invoice = self._sell(due=-90)
        bill = self._entry(
            (bills, 1000.0, {'date_maturity': TODAY - timedelta(days=10)}),
            (self.company_data['default_account_receivable'], -1000.0),
            day=TODAY - timedelta(days=95),
        )
        self._match(invoice, bill)
        self.assertEqual(self.days(), [-5])
        self.company.scoring_bill_settlement = 'maturity'
        self.assertEqual(self.days(), [80])
        # Before its maturity the bill has not paid, but it is handed in: nothing is overdue.
        self.assertEqual(self.days(day=TODAY - timedelta(days=20)), [70])
        self.assertFalse(self.history(day=TODAY - timedelta(days=20)).overdue)
        # Bills that a bank guarantees may pay at once, where others don't, and the other way round.
        kind.scoring_settlement = 'hand_in'
        self.assertEqual(self.days(), [-5])
        self.company.scoring_bill_settlement = 'hand_in'
        kind.scoring_settlement = 'maturity'
        self.assertEqual(self.days(), [80])

    def test_payments_not_matched_pay_the_oldest_items(self):
        self._sell(1000.0, due=-90)
        self._sell(1000.0, due=-60)
        self._sell(1000.0, due=-30)
        self._pay(1500.0, date=TODAY - timedelta(days=80))
        self._pay(500.0, date=TODAY - timedelta(days=40))
        # The first was covered after 10 days, the second by both payments after 20, the third is open.
        self.assertEqual(self.days(), [10, 20, 30])
        self.assertEqual(self.history().overdue, ((30, 1000.0),))

    def test_matching_a_payment_later_does_not_make_it_late(self):
        invoice = self._sell(due=-90)
        self._paid(invoice, late=4, match=False)
        self.assertEqual(self.days(), [4])
        self._match(invoice, self.env['account.payment'].search([('partner_id', '=', self.customer.id)]).move_id)
        self.assertEqual(self.days(), [4])

    def test_contact_pays_for_its_company(self):
        self._paid(self._sell(due=-90, partner=self.contact), late=9)
        self.assertEqual(self.days(), [9])

    def test_branch_counts_and_another_company_does_not(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.env.user.company_ids += branch
        self._paid(self._sell(due=-90), late=9)
        other = self.setup_other_company(name="Elsewhere")['company']
        self.assertEqual(self.days(company=other), [])
        self.env.flush_all()
        self.env.cr.execute(
            SQL("UPDATE account_move_line SET company_id = %s WHERE partner_id = %s", branch.id, self.customer.id)
        )
        self.env.registry.clear_cache()
        self.assertEqual(self.days(), [9])

    def test_invoices_due_more_than_24_months_ago_drop_out_unless_they_are_open(self):
        self._paid(self._sell(due=-800), late=50)
        self.assertEqual(self.days(), [])
        self._sell(due=-800)
        self.assertEqual(self.days(), [800])

    def test_mistyped_year_of_a_due_date_stops_nobody(self):
        invoice = self._sell(due=-30)
        line = invoice.line_ids.filtered('date_maturity')
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_move_line SET date_maturity = '0025-06-01' WHERE id = %s", [line.id])
        self.assertEqual(len(self.days()), 1)
        self.assertGreater(self.days()[0], 700_000)

    def test_small_residue_of_a_customer_is_not_overdue(self):
        self._sell(40.0, due=-60)
        self.assertEqual((self.days(), self.history().overdue), ([], ()))


@tagged('post_install', '-at_install')
class TestAsOf(ScoringCommon):
    def _entered(self, day):
        """Let all entries have been entered on a day, as those of a ledger that is kept from day to day."""
        self.env.flush_all()
        for table in ('account_move_line', 'account_partial_reconcile', 'account_move'):
            self.env.cr.execute(SQL("UPDATE %s SET create_date = %s", SQL.identifier(table), day))
        self.env.invalidate_all()

    def test_payments_after_the_date_are_not_known(self):
        invoice = self._sell(due=-50)
        self._paid(invoice, late=30)
        self.assertEqual(list(self.history(day=TODAY - timedelta(days=40)).days), [10])
        self.assertEqual(list(self.history(day=TODAY - timedelta(days=60)).days), [])
        self.assertEqual(list(self.history().days), [30])

    def test_invoices_after_the_date_are_not_known(self):
        self._sell(due=20)
        self.assertFalse(self.values(day=TODAY - timedelta(days=20)))

    def test_reconciliation_after_the_date_is_not_known(self):
        old, new = self._sell(due=-90), self._sell(due=-60)
        payment = self._pay(1000.0, date=TODAY - timedelta(days=58))
        self._entered('2025-01-01')
        day = TODAY - timedelta(days=30)
        before = self.values(day=day)
        # The payment paid the oldest item, for all that was known.
        self.assertEqual(list(self.history(day=day).days), [30, 32])
        self._match(new, payment.move_id)
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_partial_reconcile SET create_date = '2025-06-29'")
        self.assertEqual(self.values(day=day), before)
        self.assertEqual(list(self.history().days), [2, 90])
        self.assertTrue(old)

    def test_imported_ledger_counts_its_reconciliations_by_their_dates(self):
        old, new = self._sell(due=-90), self._sell(due=-60)
        payment = self._pay(1000.0, date=TODAY - timedelta(days=58))
        self._match(new, payment.move_id)
        self.assertEqual(list(self.history(day=TODAY - timedelta(days=30)).days), [2, 60])
        self.assertTrue(old)

    def test_events_count_by_their_day(self):
        account = self._account()
        self._paid(self._sell(due=-30))
        self.env['credit.event']._record([(account, 'promise_broken', {}), (account, 'payment_returned', {})])
        today = self.company._credit_today()
        values = self.values(day=today)
        self.assertEqual((values['promises_broken'], values['payments_returned'], values['disputes']), (1, 1, 0))
        # Kinds of other add-ons are read by their names alone.
        self.env['credit.event']._record([(account, 'dispute_opened', {}), (account, 'dispute_solved', {})])
        self.assertEqual(self.values(day=today)['disputes'], 1)
        # A dispute that the customer was right about is none, once that is known.
        for number, outcome in ((7, 'customer'), (8, 'company')):
            self.env['credit.event']._record(
                [
                    (account, 'dispute_opened', {'dispute_id': number}),
                    (account, 'dispute_solved', {'dispute_id': number, 'outcome': outcome}),
                ]
            )
        self.assertEqual(self.values(day=today)['disputes'], 2)
        self.assertEqual(self.values(day=add(today, days=-1))['promises_broken'], 0)
        self.assertEqual(self.values(day=add(today, months=13))['promises_broken'], 0)


@tagged('post_install', '-at_install')
class TestTrade(ScoringCommon):
    def test_trade_is_counted_in_months(self):
        for due in (-700, -300, -40, -20, 0):
            self._paid(self._sell(due=due))
        values = self.values()
        self.assertAlmostEqual(values['customer_months'], 24, 1)
        self.assertEqual(values['invoice_frequency'], 4 / 12)
        self.assertEqual(values['frequency_change'], 200)
        self.assertAlmostEqual(values['months_since_invoice'], 30 / 30.4375, 2)

    def test_turnover_growth_compares_two_years_less_credit_notes(self):
        self._sell(1000.0, due=-720)
        self._sell(1000.0, due=-400)
        self._sell(1500.0, due=-100)
        self._sell(500.0, due=-90, move_type='out_refund')
        # The one of 750 days ago is before the two years.
        self.assertNotIn('turnover_growth', self.values(day=TODAY - timedelta(days=100)))
        self.assertEqual(self.values()['turnover_growth'], 0)

    def test_use_of_the_limit_is_what_was_decided_and_in_force(self):
        account = self._account()
        self.assertNotIn('utilisation', self.values())
        self._limit(account, 4000.0)
        self._sell(1000.0, due=10)
        today = self.company._credit_today()
        self.assertEqual(self.values(day=today)['utilisation'], 25)
        self.assertNotIn('utilisation', self.values(day=add(today, days=-1)))

    def test_concentration_is_the_share_of_all_receivables(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self._sell(3000.0, due=10)
        self._sell(1000.0, due=10, partner=other)
        self.assertEqual(self.values()['concentration'], 75)
        self.assertEqual(self.values(partner=other)['concentration'], 25)

    def test_open_items_in_months_of_turnover(self):
        self._paid(self._sell(11000.0, due=-330))
        self._sell(1000.0, due=5)
        self.assertAlmostEqual(self.values()['open_months'], 1.0, 1)

    def test_steady_amounts_vary_by_nothing(self):
        for due in (-100, -70, -40):
            self._sell(1000.0, due=due)
        self.assertEqual(self.values()['amount_variation'], 0)

    def test_nobody_without_trade_has_values(self):
        partner = self.env['res.partner'].create({'name': "New"})
        self.assertFalse(self.values(partner=partner))

    def test_number_of_statements_does_not_depend_on_the_number_of_customers(self):
        partners = self.env['res.partner'].create([{'name': f"Customer {number}"} for number in range(5)])
        for partner in partners:
            self._sell(due=-10, partner=partner)
        day = fields.Date.to_date(TODAY)
        codes = {'payment_index', 'overdue_share', 'promises_broken', 'utilisation'}
        self.Scores._ledger_values(partners.ids, self.company, day, codes)
        self.env.flush_all()
        # The ledger with its settings, the credit file, the limits.
        with self.assertQueryCount(4):
            self.Scores._ledger_values(partners.ids, self.company, day, codes)
        with self.assertQueryCount(4):
            self.Scores._ledger_values(partners[:1].ids, self.company, day, codes)
