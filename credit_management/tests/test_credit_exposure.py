from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestCreditExposure(CreditCommon):
    # ------------------------------------------------------------------ ledger

    def test_match_tells_how_much_was_matched(self):
        account = self._account()
        self._invoice(100)
        self._pay(70)
        self.assertIn("70.00", account.action_match()['params']['message'])
        self.assertEqual((account.exposure_open_item, account.unallocated_credit), (30, 0))
        with self.assertRaisesRegex(UserError, "nothing to match"):
            account.action_match()

    def test_posted_invoice_of_100_is_open_item_100(self):
        self._invoice(100)
        self.assertExposure(open_item=100)

    def test_draft_invoice_of_100_is_draft_invoice_100(self):
        self._invoice(100, post=False)
        self.assertExposure(draft_invoice=100)

    def test_cancelled_draft_counts_nothing(self):
        self._invoice(100, post=False).button_cancel()
        self.assertExposure()

    def test_draft_credit_note_of_30_counts_nowhere(self):
        self._invoice(100)
        self._invoice(30, post=False, move_type='out_refund')
        self.assertExposure(open_item=100)

    def test_posted_credit_note_of_30_reduces_100_to_70_at_once(self):
        self._invoice(100)
        self._invoice(30, move_type='out_refund')
        self.assertExposure(open_item=70)

    def test_advance_payment_of_250_without_any_document_is_minus_250(self):
        self._pay(250)
        self.assertExposure(open_item=-250)

    def test_payment_of_40_not_matched_reduces_100_to_60(self):
        self._invoice(100)
        self._pay(40)
        self.assertExposure(open_item=60)

    def test_partial_payment_of_40_matched_leaves_60(self):
        invoice = self._invoice(100)
        self._register_payment(invoice, amount=40)
        self.assertExposure(open_item=60)

    def _register_payment(self, invoice, **values):
        return (
            self.env['account.payment.register']
            .with_context(active_model='account.move', active_ids=invoice.ids)
            .create(values)
            ._create_payments()
        )

    def test_bridge_begins_with_the_balance_of_the_receivable_accounts(self):
        self._invoice(100, partner=self.contact)
        self._invoice(50)
        self._pay(30, partner=self.contact)

        lines = self.env['account.move.line'].search(
            [
                ('partner_id', 'child_of', self.customer.id),
                ('account_id.account_type', '=', 'asset_receivable'),
                ('parent_state', '=', 'posted'),
            ]
        )

        self.assertEqual(sum(lines.mapped('balance')), 120)
        self.assertExposure(open_item=120)

    # ------------------------------------------------------------------ orders

    def test_quotation_of_100_counts_nothing(self):
        self._order_of(100)
        self.assertExposure()

    def test_confirmed_order_of_100_is_ordered_100(self):
        self._order_of(100, confirm=True)
        self.assertExposure(ordered=100)

    def test_cancelled_order_counts_nothing(self):
        self._order_of(100, confirm=True)._action_cancel()
        self.assertExposure()

    def test_locked_order_of_100_is_ordered_100(self):
        self._order_of(100, confirm=True).action_lock()
        self.assertExposure(ordered=100)

    def test_one_order_of_100_goes_ordered_delivered_draft_posted_and_stays_100(self):
        order = self._order((self.product, 10, 10.0), confirm=True)
        self.assertExposure(ordered=100)

        order.order_line.qty_delivered = 4
        self.assertExposure(ordered=60, delivered=40)

        invoice = order._create_invoices()
        self.assertExposure(draft_invoice=100)

        invoice.action_post()
        self.assertExposure(open_item=100)

    def test_taxed_order_of_100_plus_15_percent_is_ordered_115(self):
        tax = self.env['account.tax'].create({'name': "15", 'amount': 15})
        self._order((self.product, 1, 100.0, {'tax_ids': [Command.set(tax.ids)]}), confirm=True)
        self.assertExposure(ordered=115)

    def test_discount_line_of_minus_20_makes_an_order_of_100_count_80(self):
        self._order((self.product, 1, 100.0), (self.product, 1, -20.0), confirm=True)
        self.assertExposure(ordered=80)

    def test_ordered_100_invoiced_at_lower_price_80_is_80(self):
        order = self._order((self.product, 10, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.price_unit = 8
        self.assertExposure(draft_invoice=80)

        invoice.action_post()
        self.assertExposure(open_item=80)

    def test_line_over_invoiced_by_50_does_not_hide_the_open_line_of_100(self):
        order = self._order((self.product, 10, 10.0), (self.product, 10, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.invoice_line_ids[0].quantity = 15
        invoice.invoice_line_ids[1].unlink()
        invoice.action_post()
        self.assertExposure(open_item=150, ordered=100)

    def test_delivered_14_of_10_at_10_is_delivered_140(self):
        order = self._order((self.product_delivery, 10, 10.0), confirm=True)
        order.order_line.qty_delivered_method = 'manual'
        order.order_line.qty_delivered = 14
        self.assertExposure(delivered=140)

        order._create_invoices().action_post()
        self.assertExposure(open_item=140)

    def test_reinvoiced_cost_with_ordered_0_delivered_3_at_10_plus_15_percent_is_34_50(self):
        tax = self.env['account.tax'].create({'name': "15", 'amount': 15})
        order = self._order(
            (self.product, 1, 100.0), (self.product, 0, 10.0, {'tax_ids': [Command.set(tax.ids)]}), confirm=True
        )
        order.order_line[1].qty_delivered = 3
        self.assertExposure(ordered=100, delivered=34.5)

    def test_invoice_in_dozens_covers_the_24_units_that_were_ordered(self):
        order = self._order((self.product, 24, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.write(
            {'product_uom_id': self.env.ref('uom.product_uom_dozen').id, 'quantity': 1, 'price_unit': 120}
        )
        invoice.action_post()
        self.assertExposure(open_item=120, ordered=120)

    def test_unit_whose_content_changes_covers_as_many_at_once(self):
        units = self.env.ref('uom.product_uom_unit')
        crate = self.env['uom.uom'].create({'name': "Crate", 'relative_factor': 10, 'relative_uom_id': units.id})
        order = self._order((self.product, 24, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.write({'product_uom_id': crate.id, 'quantity': 1, 'price_unit': 100})
        self.assertExposure(draft_invoice=100, ordered=140)

        crate.relative_factor = 20
        self.assertExposure(draft_invoice=100, ordered=40)

    def test_rebate_credit_note_of_20_leaves_80_and_reopens_no_order(self):
        order = self._order((self.product, 10, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.action_post()
        refund = self._reverse(invoice, post=False)
        refund.invoice_line_ids.price_unit = 2
        self.assertExposure(open_item=100)

        refund.action_post()
        self.assertExposure(open_item=80)

    def test_invoice_of_100_reversed_in_full_reopens_the_order_of_100(self):
        order = self._order((self.product, 10, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.action_post()
        self._reverse(invoice)
        self.assertExposure(ordered=100)

    def test_credit_note_over_all_of_90_without_order_lines_reopens_the_order_of_90(self):
        order = self._order((self.product, 9, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.action_post()
        refund = self._reverse(invoice, post=False)
        refund.invoice_line_ids = [
            Command.clear(),
            Command.create({'name': "All back", 'quantity': 1, 'price_unit': 90, 'tax_ids': False}),
        ]
        refund.action_post()
        self.assertExposure(ordered=90)

    def test_trade_in_of_minus_1_at_100_takes_100_off_5000_until_it_is_invoiced(self):
        order = self._order((self.product, 5, 1000.0), (self.product, -1, 100.0), confirm=True)
        self.assertExposure(ordered=4900)
        order._create_invoices(final=True).action_post()
        self.assertExposure(open_item=4900)

    def test_line_flagged_as_down_payment_still_counts_500(self):
        order = self._order((self.product, 1, 500.0), confirm=True)
        order.order_line.is_downpayment = True
        self.assertExposure(ordered=500)

    def test_red_letter_reversal_and_reissue_of_100_stays_100(self):
        order = self._order((self.product, 10, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.action_post()

        reissued = self._reverse(invoice, modify=True)
        self.assertExposure(draft_invoice=100)

        reissued.action_post()
        self.assertExposure(open_item=100)

    def test_credit_note_of_a_return_of_4_without_reversal_reopens_40(self):
        order = self._order((self.product_delivery, 10, 10.0), confirm=True)
        order.order_line.qty_delivered_method = 'manual'
        order.order_line.qty_delivered = 10
        order._create_invoices().action_post()
        order.order_line.qty_delivered = 6
        refund = order._create_invoices(final=True)
        self.assertEqual(refund.move_type, 'out_refund')
        self.assertFalse(refund.reversed_entry_id)
        self.assertExposure(open_item=100)

        refund.action_post()
        # What was returned can be delivered again, until the remainder is closed.
        self.assertExposure(open_item=60, ordered=40)

    # ----------------------------------------------------------- down payments

    def _down_payment(self, order, amount):
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'fixed', 'fixed_amount': amount})
        )
        wizard.create_invoices()
        return order.invoice_ids.sorted('id')[-1]

    def test_down_payment_of_30_on_an_order_of_100_draft_posted_paid(self):
        order = self._order((self.product, 1, 100.0), confirm=True)
        invoice = self._down_payment(order, 30)
        self.assertExposure(draft_invoice=30, ordered=70)

        invoice.action_post()
        self.assertExposure(open_item=30, ordered=70)

        self._register_payment(invoice)
        self.assertExposure(ordered=70)

    def test_final_invoice_deducts_the_down_payment_of_30_and_leaves_70(self):
        order = self._order((self.product, 1, 100.0), confirm=True)
        down_payment = self._down_payment(order, 30)
        down_payment.action_post()
        self._register_payment(down_payment)

        final = order._create_invoices(final=True)
        self.assertExposure(draft_invoice=70)

        final.action_post()
        self.assertExposure(open_item=70)

    def test_credited_down_payment_of_30_reopens_the_order_of_100(self):
        order = self._order((self.product, 1, 100.0), confirm=True)
        invoice = self._down_payment(order, 30)
        invoice.action_post()
        refund = self._reverse(invoice, post=False)
        self.assertExposure(open_item=30, ordered=70)

        refund.action_post()
        self.assertExposure(ordered=100)

    def test_down_payment_of_60_comes_off_ordered_40_first_then_off_delivered(self):
        order = self._order((self.product, 10, 10.0), confirm=True)
        order.order_line.qty_delivered = 6
        self._down_payment(order, 60).action_post()
        self.assertExposure(open_item=60, delivered=40)

    # ---------------------------------------------------------------- customer

    def test_two_contacts_invoice_100_and_order_50_count_for_their_company_150(self):
        other = self.env['res.partner'].create({'name': "Mr Wu", 'parent_id': self.customer.id})
        self._invoice(100, partner=self.contact)
        self._order_of(50, partner=other, confirm=True)
        self.assertExposure(open_item=100, ordered=50)

    def test_subsidiary_invoiced_to_the_parent_burdens_the_parent_with_100(self):
        subsidiary = self.env['res.partner'].create({'name': "Hengda South", 'is_company': True})
        self._order_of(100, partner=subsidiary, partner_invoice_id=self.customer.id, confirm=True)
        self.assertExposure(ordered=100)
        self.assertExposure(partner=subsidiary)

    def test_salesman_with_own_documents_sees_the_colleagues_100_in_the_sum(self):
        self._order_of(100, user_id=self.env.user.id, confirm=True)
        account = self._account()

        seen = account.with_user(self.sales_user)

        self.assertFalse(
            self.env['sale.order'].with_user(self.sales_user).search([('partner_id', '=', self.customer.id)])
        )
        self.assertEqual(seen.exposure_ordered, 100)

    # ------------------------------------------------------ currency, companies

    def test_order_of_100_in_a_currency_worth_half_is_ordered_50(self):
        currency = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        pricelist = self.env['product.pricelist'].create({'name': "EUR", 'currency_id': currency.id})
        order = self._order_of(100, pricelist_id=pricelist.id, confirm=True)
        self.assertEqual(order.currency_id, currency)
        self.assertExposure(ordered=50)

    def test_invoice_of_100_booked_as_50_stays_50_when_the_rate_changes(self):
        currency = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        draft = self._invoice(100, currency_id=currency.id, post=False)
        self.assertExposure(draft_invoice=50)
        draft.action_post()

        self.env['res.currency.rate'].create(
            {'currency_id': currency.id, 'name': fields.Date.today(), 'rate': 4.0, 'company_id': self.company.id}
        )

        self.assertExposure(open_item=50)

    def test_exposure_of_two_companies_is_600_and_50_not_mixed(self):
        other = self.setup_other_company()['company']
        self._order_of(600, confirm=True)
        order = self._order_of(50, company_id=other.id, user_id=False)
        order.action_confirm()
        self.assertExposure(ordered=600)
        self.assertExposure(ordered=50, company=other)

    def test_branch_order_of_100_counts_for_the_main_company(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.env.user.company_ids += branch
        order = self._order_of(100, company_id=branch.id, user_id=False)
        order.action_confirm()
        self.assertExposure(ordered=100)
        self.assertExposure(ordered=100, company=branch)

    # ----------------------------------------------------------------- overdue

    def test_payment_on_account_of_150_pays_the_oldest_100_and_50_of_the_next(self):
        today = self.company._credit_today()
        self._invoice(100, due=date_add(today, days=-60))
        self._invoice(100, due=date_add(today, days=-20))
        self._pay(150)

        row = self.figures()

        self.assertEqual(row['overdue_amount'], 0, "50 is not above the floor of a customer")
        self.company.credit_policy_id = self._limit_policy(customer_floor=10)
        row = self.figures()
        self.assertEqual(row['overdue_amount'], 50)
        self.assertEqual(row['days_overdue'], 20)
        self.assertEqual(row['unallocated_credit'], 150)

    def test_residue_of_9_on_an_item_of_1000_is_not_overdue_and_11_is(self):
        self._limit_policy(customer_floor=0)
        today = self.company._credit_today()
        invoice = self._invoice(1000, due=date_add(today, days=-30))
        self._register_payment(invoice, amount=991)
        self.assertEqual(self.figures()['overdue_amount'], 0)
        self.assertEqual(self.figures()['days_overdue'], 0)
        self.assertExposure(open_item=9)

        invoice = self._invoice(1000, due=date_add(today, days=-20))
        self._register_payment(invoice, amount=989)
        self.assertEqual(self.figures()['overdue_amount'], 11)
        self.assertEqual(self.figures()['days_overdue'], 20)

    def test_old_unmatched_credit_makes_nobody_overdue(self):
        self._limit_policy()
        today = self.company._credit_today()
        self._invoice(50, due=date_add(today, days=-100), move_type='out_refund')
        self._invoice(500, due=date_add(today, days=-3))
        row = self.figures()
        self.assertEqual((row['overdue_amount'], row['days_overdue']), (450, 3))

    def test_item_due_today_is_not_overdue(self):
        self._invoice(1000, due=self.company._credit_today())
        self.assertEqual(self.figures()['days_overdue'], 0)

    def test_overdue_after_10_days_of_grace_leaves_out_the_younger_item(self):
        today = self.company._credit_today()
        self._invoice(300, due=date_add(today, days=-30))
        self._invoice(200, due=date_add(today, days=-5))
        row = self.figures(graces=(0, 10))
        self.assertEqual((row['overdue_0'], row['overdue_10']), (500, 300))

    # -------------------------------------------------------------------- rows

    def test_rows_add_up_to_the_figures_and_open_their_documents(self):
        invoice = self._invoice(100)
        order = self._order((self.product, 3, 33.33), confirm=True)
        self._down_payment(order, 10).action_post()

        rows = self.env['credit.exposure'].search([('partner_id', '=', self.customer.id)])

        self.assertEqual(round(sum(rows.mapped('amount')), 2), self.figures()['exposure'])
        self.assertEqual(
            sorted(rows.mapped(lambda row: (row.category, row.amount))),
            [('open_item', 10.0), ('open_item', 100.0), ('ordered', -10.0), ('ordered', 99.99)],
        )
        row = rows.filtered(lambda row: row.amount == 100.0)
        self.assertEqual(row.action_open_document()['res_id'], invoice.id)

    def test_figures_of_1_and_of_40_customers_cost_one_statement(self):
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(40)])
        for partner in partners[:5]:
            self._invoice(100, partner=partner)
        self.env.flush_all()
        company = self.company
        self.Account._figures(company, partners[:1].ids)
        for chosen in (partners[:1], partners):
            with self.assertQueryCount(1):
                self.Account._figures(company, chosen.ids)

    def test_accounts_are_searched_and_sorted_by_their_figures(self):
        self._limit_policy()
        names = ("Alpha", "Beta", "Gamma")
        partners = self.env['res.partner'].create([{'name': name, 'is_company': True} for name in names])
        for partner, amount, limit in zip(partners, (50, 150, 10), (100, 100, 0), strict=True):
            self._invoice(amount, partner=partner)
            self._account(partner, limit)
        accounts = self.Account.search([('partner_id', 'in', partners.ids)], order='utilisation desc')
        self.assertEqual(accounts.mapped('partner_id.name'), ["Gamma", "Beta", "Alpha"])
        over = self.Account.search([('partner_id', 'in', partners.ids), ('excess', '>', 0)])
        self.assertEqual(set(over.mapped('partner_id.name')), {"Beta", "Gamma"})
