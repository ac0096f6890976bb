from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestLedgerAccount(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.advances = cls._ledger('2203', "Advances From Customers", 'liability_current')
        cls.bills = cls._ledger('1121', "Notes Receivable", 'asset_current')
        cls.deposits = cls._ledger('1221', "Other Receivables", 'asset_current')
        cls.bank = cls.company_data['default_account_assets'].copy({'name': "Money"})

    @classmethod
    def _ledger(cls, code, name, account_type, **values):
        return cls.env['account.account'].create(
            {'code': code, 'name': name, 'account_type': account_type, 'reconcile': False, **values}
        )

    @classmethod
    def _counts(cls, account, role, **values):
        return cls.env['credit.ledger.account'].create({'account_id': account.id, 'role': role, **values})

    @classmethod
    def _entry(cls, debit, credit, amount, partner=None, **values):
        """Book an amount from one account to another, the customer on both lines."""
        partner = cls.customer if partner is None else partner
        move = cls.env['account.move'].create(
            {
                'move_type': 'entry',
                'line_ids': [
                    Command.create({'account_id': debit.id, 'partner_id': partner.id, 'debit': amount}),
                    Command.create({'account_id': credit.id, 'partner_id': partner.id, 'credit': amount}),
                ],
                **values,
            }
        )
        move.action_post()
        return move

    def test_accounts_that_nobody_chose_count_nothing(self):
        self._entry(self.bank, self.advances, 100)
        self._entry(self.bills, self.bank, 100)
        self.assertExposure()

    def test_advance_of_100_by_balance_reduces_at_once(self):
        self._counts(self.advances, 'advance')
        self._invoice(300)
        self._entry(self.bank, self.advances, 150, partner=self.contact)
        self._entry(self.advances, self.bank, 50)
        self.assertExposure(open_item=200)
        row = self.figures()
        self.assertEqual((row['ledger_receivable'], row['ledger_advance'], row['ledger_other']), (300, -100, 0))

    def test_advance_pays_the_oldest_item_virtually(self):
        self._counts(self.advances, 'advance')
        long_ago = date_add(fields.Date.today(), days=-40)
        self._invoice(100, due=long_ago)
        self._invoice(100, due=date_add(fields.Date.today(), days=-10))
        self._entry(self.bank, self.advances, 100)
        row = self.figures()
        self.assertEqual((row['unallocated_credit'], row['overdue_amount'], row['days_overdue']), (100, 100, 10))

    def test_matched_advance_by_item_counts_no_more(self):
        advances = self._ledger('2204', "Contract Liabilities", 'liability_current', reconcile=True)
        self._counts(advances, 'advance')
        received = self._entry(self.bank, advances, 100)
        self.assertExposure(open_item=-100)
        used = self._entry(advances, self.bank, 60)
        (received + used).line_ids.filtered(lambda line: line.account_id == advances).reconcile()
        self.assertExposure(open_item=-40)

    def test_bill_in_clearing_counts_until_its_money_comes(self):
        self._counts(self.bills, 'clearing')
        receivable = self.company_data['default_account_receivable']
        invoice = self._invoice(100)
        paid = self._entry(self.bills, receivable, 100)
        (invoice + paid).line_ids.filtered(lambda line: line.account_id == receivable).reconcile()
        self.assertExposure(in_clearing=100)
        self._entry(self.bank, self.bills, 100)
        self.assertExposure()

    def test_other_receivable_by_balance_is_never_overdue(self):
        self._counts(self.deposits, 'other')
        self._entry(self.deposits, self.bank, 500, date=date_add(fields.Date.today(), months=-6))
        self.assertExposure(open_item=500)
        self.assertEqual(self.figures()['overdue_amount'], 0)
        self.assertEqual(self.figures()['ledger_other'], 500)

    def test_other_receivable_by_item_is_overdue(self):
        deposits = self._ledger('1222', "Deposits Paid", 'asset_current', reconcile=True)
        self._counts(deposits, 'other')
        self._entry(deposits, self.bank, 500, date=date_add(fields.Date.today(), days=-60))
        self.assertExposure(open_item=500)
        self.assertEqual(self.figures()['days_overdue'], 60)

    def test_ignored_receivable_counts_nowhere(self):
        pos = self._ledger('112201', "Receivable (PoS)", 'asset_receivable', reconcile=True)
        self._entry(pos, self.bank, 70)
        self.assertExposure(open_item=70)
        self._counts(pos, 'ignored')
        self.assertExposure()

    def test_receivable_account_of_bills_moves_to_clearing(self):
        bills = self._ledger('413', "Bills", 'asset_receivable', reconcile=True)
        self._counts(bills, 'clearing')
        self._entry(bills, self.bank, 80)
        self.assertExposure(in_clearing=80)

    def test_draft_entries_and_other_companies_count_nothing(self):
        self._counts(self.advances, 'advance')
        self._entry(self.bank, self.advances, 100).button_draft()
        self.assertExposure()
        other = self.setup_other_company()['company']
        self.assertEqual(self.figures(company=other)['exposure'], 0)

    def test_branch_entries_count_at_the_root(self):
        self._counts(self.advances, 'advance')
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.env.user.company_ids += branch
        journal = self.company_data['default_journal_misc']
        self._entry(self.bank, self.advances, 100, company_id=branch.id, journal_id=journal.id)
        self.assertExposure(open_item=-100)

    def test_down_payment_booked_as_advance_is_not_taken_off_twice(self):
        self._counts(self.advances, 'advance')
        order = self._order_of(1000, confirm=True)
        down = self._down_payment(order, 300)
        down.line_ids.filtered(lambda line: line.display_type == 'product').account_id = self.advances
        down.action_post()
        # 300 on the invoice, 700 left to invoice; nothing is paid yet.
        self.assertExposure(open_item=300, ordered=700)
        order._action_cancel()
        # Now it is the customer's money and nothing else takes it off.
        self.assertExposure(open_item=0)

    def _down_payment(self, order, amount):
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'fixed', 'fixed_amount': amount})
        )
        wizard.create_invoices()
        return order.invoice_ids

    def test_rows_add_up_to_the_figures_and_open_their_entries(self):
        self._counts(self.advances, 'advance')
        self._invoice(300)
        entry = self._entry(self.bank, self.advances, 100, partner=self.contact)
        account = self._account()
        rows = self.env['credit.exposure'].search([('account_id', '=', account.id)])
        self.assertEqual(sum(rows.mapped('amount')), account.exposure)
        row = rows.filtered(lambda row: row.ledger_role == 'advance')
        self.assertEqual((row.amount, row.ledger_account_id, row.date_due), (-100, self.advances, False))
        action = row.action_open_document()
        lines = self.env[action['res_model']].search(action['domain'])
        self.assertEqual(lines, entry.line_ids.filtered(lambda line: line.account_id == self.advances))

    def test_open_items_show_what_can_be_matched(self):
        deposits = self._ledger('1222', "Deposits Paid", 'asset_current', reconcile=True)
        self._counts(deposits, 'other')
        self._counts(self.advances, 'advance')
        entry = self._entry(deposits, self.bank, 500)
        self._entry(self.bank, self.advances, 100)
        lines = self.env['account.move.line'].search(self._account()._open_items_domain())
        self.assertEqual(lines, entry.line_ids.filtered(lambda line: line.account_id == deposits))

    def test_reconcile_switched_on_later_counts_by_item(self):
        self._counts(self.deposits, 'other')
        self._entry(self.deposits, self.bank, 100)
        self.assertExposure(open_item=100)
        self.deposits.reconcile = True
        self.assertExposure(open_item=100)

    # ------------------------------------------------------------------ set-up

    def test_wrong_roles_are_explained(self):
        receivable = self.company_data['default_account_receivable']
        for account, role, text in (
            (receivable, 'advance', "counts already"),
            (receivable, 'other', "counts already"),
            (self.bills, 'advance', "choose a liability account"),
            (self.company_data['default_account_payable'], 'advance', "choose a liability account"),
            (self.advances, 'clearing', "can't raise"),
            (self.company_data['default_account_revenue'], 'other', "can't raise"),
            (self.bills, 'ignored', "does not count anyway"),
        ):
            with self.subTest(role=role, account=account.name):
                with self.assertRaises(ValidationError) as caught:
                    self._counts(account, role)
                self.assertIn(text, str(caught.exception))

    def test_branch_is_refused(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        with self.assertRaises(ValidationError) as caught:
            self._counts(self.advances, 'advance', company_id=branch.id)
        self.assertIn("is a branch", str(caught.exception))

    def test_entries_without_customer_are_pointed_out(self):
        counting = self._counts(self.advances, 'advance')
        self._entry(self.bank, self.advances, 40)
        self.assertFalse(counting.warning)
        self._entry(self.bank, self.advances, 60, partner=self.env['res.partner'])
        counting.invalidate_recordset()
        self.assertEqual((counting.balance, counting.balance_unassigned), (-40, -60))
        self.assertIn("has no customer", counting.warning)

    def test_advances_in_debit_are_pointed_out(self):
        counting = self._counts(self.advances, 'advance')
        self._entry(self.advances, self.bank, 60)
        counting.invalidate_recordset()
        self.assertIn("debit", counting.warning)

    def test_chinese_chart_suggests_its_accounts_once(self):
        wrong_type = self._ledger('2205', "Something Else", 'income')
        self.bills.code = '112100'
        with patch.object(type(self.company), 'chart_template', 'cn_large_bis'):
            added = self.env['credit.ledger.account']._suggest(self.company)
            again = self.env['credit.ledger.account']._suggest(self.company)
        self.assertEqual(
            {counting.account_id: counting.role for counting in added},
            {self.advances: 'advance', self.bills: 'clearing', self.deposits: 'other'},
        )
        self.assertNotIn(wrong_type, added.account_id)
        self.assertFalse(again)

    def test_generic_chart_suggests_nothing(self):
        # As the button of the list calls it: with the selected records, of which there are none.
        answer = call_kw(self.env['credit.ledger.account'], 'action_suggest', [[]], {})
        self.assertIn("suggests nothing more", answer['params']['message'])

    def test_only_managers_choose(self):
        LedgerAccount = self.env['credit.ledger.account']
        with self.assertRaises(AccessError):
            LedgerAccount.with_user(self.analyst).create({'account_id': self.advances.id, 'role': 'advance'})
        with self.assertRaises(AccessError):
            LedgerAccount.with_user(self.analyst).action_suggest()
        with self.assertRaises(AccessError):
            LedgerAccount.with_user(self.sales_user).search([])
        self.assertTrue(
            LedgerAccount.with_user(self.manager).create({'account_id': self.advances.id, 'role': 'advance'})
        )

    def test_a_change_reaches_checks_under_way(self):
        policy = self._limit_policy()
        self._account()
        version = policy.version
        self.env.cr.precommit.data.pop('credit_management.tightened', None)
        self._counts(self.deposits, 'other')
        self.assertGreater(policy.version, version)
