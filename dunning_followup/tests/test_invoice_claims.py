from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .common_claims import DUE, ClaimsCommon


@tagged('post_install', '-at_install')
class TestTaxInvoiceNumber(ClaimsCommon):
    def numbers(self, *numbers, invoice=None):
        invoice = invoice or self._invoice(100)
        invoice.dunning_tax_number_ids = [Command.create({'number': number}) for number in numbers]
        return invoice._tax_invoice_numbers()

    def test_several_per_invoice_of_8_or_20_digits(self):
        self.assertEqual(self.numbers('12345678', '24312000000012345678'), ['12345678', '24312000000012345678'])

    def test_blanks_are_dropped(self):
        self.assertEqual(self.numbers(' 1234 5678 '), ['12345678'])

    def test_other_lengths_and_letters_are_refused(self):
        for wrong in ('1234567', '123456789', 'A2345678', '2431200000001234567'):
            with self.assertRaisesRegex(ValidationError, "8 or 20 digits"):
                self.numbers(wrong)

    def test_invoice_without_any(self):
        self.assertEqual(self.numbers(), [])

    def test_number_of_the_chinese_localisation_comes_first(self):
        if 'fapiao' not in self.env['account.move']._fields:
            self.skipTest("without l10n_cn")
        invoice = self._invoice(100)
        invoice.fapiao = '87654321'
        self.assertEqual(self.numbers('12345678', '87654321', invoice=invoice), ['12345678', '87654321'])

    def test_one_tax_invoice_for_two_invoices(self):
        self.assertEqual(self.numbers('12345678'), self.numbers('12345678'))


@tagged('post_install', '-at_install')
class TestReissuedInvoice(ClaimsCommon):
    def test_inherits_due_date_and_chain(self):
        first = self._invoice(1000, due=DUE)
        second = self._reverse(first, modify=True)
        self.assertEqual((second.dunning_origin_id, second.invoice_date_due), (first, DUE))
        second.action_post()
        self.assertEqual(self._items(second).date_maturity, DUE)
        third = self._reverse(second, modify=True)
        self.assertEqual((third + first)._dunning_origins(), {third.id: second + first, first.id: first.browse()})

    def test_interest_counts_from_the_first_due_date_and_once(self):
        first = self._invoice(1000, due=DUE)
        self.Claim._update(self._items(first), DUE + timedelta(days=10))
        second = self._reverse(first, modify=True)
        second.action_post()
        self.Claim._update(self._items(first, second), DUE + timedelta(days=20))
        claims = self.Claim.search([('move_id', 'in', (first + second).ids), ('state', '=', 'open')])
        self.assertEqual(sorted(claims.mapped('amount')), [20.0, 70.0])
        self.assertEqual(claims.move_id, second)

    def test_what_was_charged_on_the_replaced_invoice_is_not_charged_again(self):
        first = self._invoice(1000, due=DUE)
        self.Claim._update(self._items(first), DUE + timedelta(days=10))
        self.Claim.search([('move_id', '=', first.id)]).sudo().invoice_id = self._invoice(80)
        second = self._reverse(first, modify=True)
        second.action_post()
        self.Claim._update(self._items(second), DUE + timedelta(days=25))
        self.Claim._update(self._items(second), DUE + timedelta(days=30))
        claim = self.Claim.search([('move_id', '=', second.id)])
        self.assertEqual((claim.kind, claim.amount), ('interest', 20.0))
        self.assertEqual(claim.date_from, DUE + timedelta(days=11))

    def instalments(self):
        """Make an invoice of two instalments, due on the day DUE and a month later."""
        term = self.env['account.payment.term'].create(
            {
                'name': "Two",
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': 50, 'nb_days': days}) for days in (0, 30)
                ],
            }
        )
        return self._invoice(1000, due=DUE, invoice_payment_term_id=term.id)

    def test_instalments_keep_their_term_and_due_dates(self):
        first = self.instalments()
        dues = [DUE, DUE + timedelta(days=30)]
        self.assertEqual(self._items(first).sorted('date_maturity').mapped('date_maturity'), dues)
        second = self._reverse(first, modify=True)
        self.assertEqual(
            (second.invoice_payment_term_id, second.dunning_origin_id), (first.invoice_payment_term_id, first)
        )
        self.assertEqual(second.invoice_date_due, dues[1])
        second.action_post()
        self.assertEqual(self._items(second).sorted('date_maturity').mapped('date_maturity'), dues)
        self.assertEqual(self._items(second).mapped('amount_residual'), [500.0, 500.0])
        self.assertFalse(second.dunning_due_change_ids)

    def test_instalments_whose_due_dates_became_one_keep_it(self):
        first = self.instalments()
        self._items(first).sudo().date_maturity = DUE
        second = self._reverse(first, modify=True)
        second.action_post()
        self.assertEqual((self._items(second).mapped('date_maturity'), second.amount_total), ([DUE], 1000.0))

    def test_another_term_counts_from_the_new_invoice(self):
        second = self._reverse(self.instalments(), modify=True)
        second.invoice_payment_term_id = self.env.ref('account.account_payment_term_30days')
        second.action_post()
        self.assertEqual(self._items(second).date_maturity, second.invoice_date + timedelta(days=30))

    def test_pause_and_do_not_remind_go_on(self):
        first = self._invoice(1000, due=DUE)
        self.env['dunning.pause'].create(
            {'move_id': first.id, 'kind': 'never', 'date_until': False, 'reason': "Asked the director"}
        )
        second = self._reverse(first, modify=True)
        second.action_post()
        third = self._reverse(second, modify=True)
        third.action_post()
        reasons = self.env['dunning.exclusion']._excluded(self._items(third), self.company, self.today)
        self.assertEqual([reason[0] for reason in reasons.values()], ['do_not_remind'])
        self.assertIn("Asked the director", third.dunning_not_chased)

    def test_open_dispute_goes_on_and_costs_no_interest(self):
        first = self._invoice(1000, due=DUE)
        dispute = self.env['dunning.dispute'].create(
            {'move_id': first.id, 'amount': 400, 'reason': "Broken", 'date_open': DUE + timedelta(days=1)}
        )
        second = self._reverse(first, modify=True)
        second.action_post()
        item = self._items(second)
        reasons = self.env['dunning.exclusion']._excluded(item, self.company, self.today)
        self.assertEqual(reasons[item.id][::2], ('disputed', 400.0))
        self.Claim._update(item, DUE + timedelta(days=10))
        self.assertEqual(self.claims(second, kind='interest'), [('interest', 6.0)])
        dispute._solve('company')
        self.assertFalse(self.env['dunning.exclusion']._excluded(item, self.company, self.today))

    def test_what_restarted_the_limitation_goes_on(self):
        self.env['dunning.limitation.rule'].search([]).active = False
        self.env['dunning.limitation.rule'].create({'years': 3, 'restart_promise': True})
        first = self._invoice(1000, due=DUE)
        self.env['dunning.limitation.event'].create(
            {
                'kind': 'promise',
                'date': DUE + timedelta(days=20),
                'partner_id': self.customer.id,
                'company_id': self.company.id,
                'move_ids': [Command.set(first.ids)],
            }
        )
        end = DUE + timedelta(days=20)
        for _again in range(2):
            first = self._reverse(first, modify=True)
            first.action_post()
            self.assertEqual(first.dunning_limitation_date, end.replace(year=end.year + 3))

    def test_plain_credit_note_replaces_nothing(self):
        self.assertFalse(self._reverse(self._invoice(1000)).dunning_origin_id)

    def test_copy_replaces_nothing(self):
        second = self._reverse(self._invoice(1000, due=DUE), modify=True)
        self.assertFalse(second.copy().dunning_origin_id)


@tagged('post_install', '-at_install')
class TestDueDateChange(ClaimsCommon):
    def setUp(self):
        super().setUp()
        self.later = DUE + timedelta(days=30)

    def change(self, invoice, day=None, user=None, **values):
        user = user or self.collector
        action = invoice.with_user(user).action_dunning_change_due()
        wizard = self.env[action['res_model']].with_user(user).with_context(**action['context'])
        wizard.create({'date_after': day or self.later, 'reason': "Agreed", **values}).action_apply()

    def test_posted_invoice_needs_a_reason(self):
        invoice = self._invoice(1000, due=DUE)
        with self.assertRaisesRegex(UserError, "Change Due Date"):
            invoice.with_user(self.collector).invoice_date_due = self.later
        with self.assertRaisesRegex(UserError, "State a reason"):
            self.change(invoice, reason=" ")

    def test_draft_needs_none(self):
        invoice = self._invoice(1000, due=DUE, post=False)
        invoice.with_user(self.collector).invoice_date_due = self.later
        self.assertEqual(invoice.invoice_date_due, self.later)

    def test_change_with_a_reason_is_kept_and_in_the_credit_file(self):
        invoice = self._invoice(1000, due=DUE)
        self.change(invoice)
        self.assertEqual((invoice.invoice_date_due, self._items(invoice).date_maturity), (self.later, self.later))
        self.assertRecordValues(
            invoice.dunning_due_change_ids,
            [{'date_before': DUE, 'date_after': self.later, 'reason': "Agreed", 'user_id': self.collector.id}],
        )
        [text] = self.events('due_date_changed')
        self.assertIn(invoice.name, text)

    def test_invoice_with_a_term(self):
        term = self.env.ref('account.account_payment_term_30days')
        invoice = self._invoice(1000, due=DUE, invoice_payment_term_id=term.id)
        day = DUE + timedelta(days=60)
        self.change(invoice, day)
        self.assertEqual(self._items(invoice).date_maturity, day)

    def test_change_in_the_journal_items_is_kept_too(self):
        invoice = self._invoice(1000, due=DUE)
        with self.assertRaisesRegex(UserError, "Change Due Date"):
            self._items(invoice).with_user(self.collector).date_maturity = self.later
        # What other add-ons do on behalf of the system is never stopped.
        self._items(invoice).sudo().date_maturity = self.later
        self.assertRecordValues(invoice.dunning_due_change_ids, [{'date_before': DUE, 'date_after': self.later}])
        self.assertIn("no reason", invoice.dunning_due_change_ids.reason)
        self.assertTrue(self.events('due_date_changed'))

    def again(self, invoice, **values):
        """Reset an invoice to draft, change it and post it again, as an accountant does."""
        invoice = invoice.with_user(self.collector)
        invoice.button_draft()
        invoice.write(values)
        differs = invoice.dunning_due_differs
        invoice.action_post()
        return differs

    def test_change_while_reset_to_draft_is_kept_with_its_reason(self):
        invoice = self._invoice(1000, due=DUE)
        self.assertTrue(self.again(invoice, invoice_date_due=self.later, dunning_due_reason="Agreed"))
        self.assertRecordValues(
            invoice.dunning_due_change_ids,
            [{'date_before': DUE, 'date_after': self.later, 'reason': "Agreed", 'user_id': self.collector.id}],
        )
        self.assertEqual(len(self.events('due_date_changed')), 1)
        self.assertFalse(invoice.dunning_due_reason or invoice.dunning_dues)

    def test_change_while_reset_to_draft_without_a_reason_is_kept_too(self):
        invoice = self._invoice(1000, due=DUE)
        self.again(invoice, invoice_date_due=self.later)
        self.assertIn("Reset to draft", invoice.dunning_due_change_ids.reason)
        self.assertEqual(len(self.events('due_date_changed')), 1)

    def test_reset_to_draft_that_changes_nothing_is_no_change(self):
        invoice = self._invoice(1000, due=DUE)
        self.assertFalse(self.again(invoice, ref="PO 7"))
        self.assertFalse(invoice.dunning_due_change_ids)
        self.assertFalse(self._invoice(1000, due=DUE, post=False).dunning_due_differs)

    def test_other_term_while_reset_to_draft(self):
        term = self.env.ref('account.account_payment_term_30days')
        invoice = self._invoice(1000, due=DUE, invoice_payment_term_id=term.id)
        self.assertTrue(self.again(invoice, invoice_payment_term_id=False, invoice_date_due=DUE))
        self.assertRecordValues(
            invoice.dunning_due_change_ids, [{'date_before': DUE + timedelta(days=30), 'date_after': DUE}]
        )

    def test_invoice_form_asks_for_the_reason_once_the_date_differs(self):
        invoice = self._invoice(1000, due=DUE)
        invoice.button_draft()
        with Form(invoice) as form:
            self.assertFalse(form.dunning_due_differs)
            form.invoice_date_due = self.later
            self.assertTrue(form.dunning_due_differs)
            form.dunning_due_reason = "Agreed"
        self.assertEqual(self._items(invoice).date_maturity, self.later)

    def test_paid_and_draft_invoices_are_refused(self):
        invoice = self._invoice(1000, due=DUE)
        self._settle(invoice, 1000, DUE)
        with self.assertRaisesRegex(UserError, "still open"):
            invoice.action_dunning_change_due()

    def test_salesman_may_not(self):
        invoice = self._invoice(1000, due=DUE, invoice_user_id=self.sales_user.id)
        with self.assertRaises(AccessError):
            self.change(invoice, user=self.sales_user)

    def test_reason_cannot_be_forged(self):
        with self.assertRaises(AccessError):
            self.env['dunning.due.change'].with_user(self.head).create(
                {'move_id': self._invoice(1000).id, 'date_after': self.later}
            )
