from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestPassDate(CreditCommon):
    """When an order on hold would pass by itself: a limit of 100, 100 invoiced and due in a month, 60 ordered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy(expiry_grace_days=0)
        cls.account = cls._account(limit=100)
        cls.today = cls.company._credit_today()
        cls.invoice = cls._invoice(100, due=cls._in(30), invoice_date=cls.today)
        cls.order = cls._order_of(60)
        cls.order.with_user(cls.sales_user).action_confirm()

    @classmethod
    def _in(cls, days):
        return cls.company._credit_today() + timedelta(days=days)

    def _coming(self, amount, days, **values):
        return self._limit(self.account, amount, date_from=self._in(days), **values)

    def _sentences(self, order=None):
        order = order or self.order
        order.invalidate_recordset(['credit_panel'])
        return [way for way in order.credit_panel['ways'] if "by itself" in way]

    def assertPasses(self, days, *words, order=None):
        order = order or self.order
        order.invalidate_recordset(['credit_pass_date'])
        self.assertEqual(order.credit_pass_date, days and self._in(days))
        sentences = self._sentences(order)
        self.assertEqual(len(sentences), 1 if days else 0)
        for word in words:
            self.assertIn(word, sentences[0])

    def test_no_day_is_known(self):
        self.assertPasses(False)

    def test_day_on_which_an_approved_limit_begins(self):
        self._coming(150, 3)
        self.assertPasses(False)
        self._coming(160, 7)
        self.assertPasses(7, "the approved limit ($", "160.00", "if nothing else changes")
        with freeze_time(self._in(7)):
            self.order.action_credit_evaluate()
            self.assertIn(self.order.credit_state, ('passed', 'on_hold'))
            self.assertEqual(self.order.credit_outlook or 'pass', 'pass')

    def test_limit_that_is_only_proposed_is_no_fact(self):
        self.env['credit.limit'].create(
            {'account_id': self.account.id, 'amount': 500, 'currency_id': self.currency.id, 'date_from': self._in(3)}
        ).action_submit()
        self.assertPasses(False)

    def test_day_on_which_a_lower_temporary_limit_ends(self):
        self._coming(200, 0)
        self._coming(50, 0, kind='temporary', date_to=self._in(4))
        self.assertPasses(5, "the temporary limit ($", "50.00) ends")

    def test_temporary_limit_in_another_currency(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 0.5)])
        self._coming(80, 2, kind='temporary', date_to=self._in(4), currency_id=euro.id)
        self.assertPasses(2, "the temporary limit", "80.00", "begins")

    def test_what_falls_due_until_then_counts(self):
        self.policy.rule_ids = [Command.create({'kind': 'days_overdue', 'outcome': 'hold', 'threshold': 5})]
        self._coming(160, 40)
        self.assertPasses(False)
        self._coming(170, 35, kind='temporary', date_to=self._in(36))
        self.assertPasses(35, "170.00")

    def test_limit_that_ends_before_another_begins(self):
        self._coming(160, 3, kind='temporary', date_to=self._in(5))
        self.assertPasses(3)
        with freeze_time(self._in(6)):
            self.assertPasses(False)

    def test_end_of_the_blacklisting(self):
        self.policy.rule_ids = [
            Command.create({'kind': 'account_status', 'outcome': 'block', 'account_status': 'blacklisted'})
        ]
        self._coming(500, 0)
        self.account.with_user(self.manager)._blacklist('other', "court notice", self._in(9))
        self.assertPasses(10, "the blacklisting ends")

    def test_forced_hold_does_not_end_by_itself(self):
        self._coming(500, 5)
        self.account.write({'status': 'hold', 'status_reason': "dispute"})
        self.assertPasses(False)

    def test_promised_payment_is_said_to_be_one(self):
        released = self._order_of(20)
        released.with_user(self.sales_user).action_confirm()
        conditions = self.env['credit.release']._prepare_condition_vals(
            {'condition': 'promise', 'condition_amount': 90, 'condition_due': self._in(6)}, released
        )
        released.with_user(self.manager)._credit_release("He promised", conditions=conditions)
        self.assertEqual(released.state, 'sale')
        self.assertPasses(6, "if what is promised until then ($", "90.00) has been paid")
        self._coming(170, 3)
        self.assertPasses(6, "90.00")
        self._coming(180, 2, kind='temporary', date_to=self._in(2))
        self.assertPasses(2, "180.00", "if nothing else changes")

    def test_limits_of_salespeople_are_known_for_their_days_only(self):
        self.policy.rule_ids = [Command.create({'kind': 'team_limit', 'outcome': 'hold', 'threshold': 100})]
        self._coming(160, 7)
        self.env['credit.team.limit'].create({'user_id': self.sales_user.id, 'amount': 1000})
        self.assertPasses(7)
        self.env['credit.team.limit'].create({'user_id': self.sales_user.id, 'amount': 10, 'date_from': self._in(6)})
        self.assertPasses(False)

    def test_customer_of_the_order_counts_beside_who_pays(self):
        other = self.env['res.partner'].create({'name': "Payer", 'is_company': True, 'user_id': self.sales_user.id})
        self._account(partner=other, limit=1000)
        self.policy.rule_ids = [Command.create({'kind': 'days_overdue', 'outcome': 'hold', 'threshold': 5})]
        with freeze_time(self._in(40)):
            order = self._order_of(60, partner_invoice_id=other.id)
            order.with_user(self.sales_user).action_confirm()
            self.assertEqual(order.credit_state, 'on_hold')
            self._coming(500, 5)
            self.assertPasses(False, order=order)

    def test_other_companies_limits_are_no_fact(self):
        other = self.setup_other_company()['company']
        account = self._account(company=other)
        self._limit(account, 500, date_from=self._in(2))
        self.assertPasses(False)

    def test_quotation_that_would_be_held_says_it_too(self):
        self._coming(500, 4)
        quotation = self._order_of(60)
        self.assertEqual(len(self._sentences(quotation)), 1)
        self.assertFalse(quotation.credit_pass_date)

    def test_statements_do_not_grow_with_the_orders(self):
        self._coming(500, 4)

        def count(number):
            orders = self.env['sale.order']
            for position in range(number):
                customer = self.env['res.partner'].create({'name': f"C{number}-{position}", 'is_company': True})
                account = self._account(partner=customer, limit=10)
                self._limit(account, 500, date_from=self._in(4 + position))
                orders += self._order_of(60, partner=customer)
            orders.action_confirm()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(set(orders.mapped('credit_pass_date'))), number)
            return self.env.cr.sql_log_count - before

        count(6)  # fills the caches, also of which currencies have a rate on each day
        self.assertEqual(count(2), count(5))

    def test_colleague_of_another_customer_sees_no_reasons(self):
        colleague = self._new_user('other_sales', 'sales_team.group_sale_salesman')
        self._coming(500, 4)
        quotation = self._order_of(60, user_id=colleague.id)
        panel = quotation.with_user(colleague).credit_panel
        self.assertEqual((panel['ways'], panel['actions']), ([], []))


@tagged('post_install', '-at_install')
class TestPaymentRequest(CreditCommon):
    """The customer is asked for the payment that lets an order on hold pass: 100 of 100 used up, 60 ordered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy()
        cls.account = cls._account(limit=100)
        cls.invoice = cls._invoice(70)
        cls.customer.email = 'hengda@example.com'
        cls.env['payment.provider'].search([]).write({'is_published': False})
        cls.bank = cls.env['res.partner.bank'].create(
            {
                'acc_number': 'BE71 0961 2345 6769',
                'partner_id': cls.company.partner_id.id,
                'bank_id': cls.env['res.bank'].create({'name': "House Bank", 'bic': 'GEBABEBB'}).id,
            }
        )
        cls.company_data['default_journal_bank'].bank_account_id = cls.bank
        cls.order = cls._held(60)

    @classmethod
    def _held(cls, amount, **values):
        order = cls._order_of(amount, **values)
        order.with_user(cls.sales_user).action_confirm()
        return order

    def _publish(self, **values):
        return self.env['payment.provider'].create(
            {
                'name': "Dummy",
                'code': 'none',
                'state': 'test',
                'is_published': True,
                'company_id': self.company.id,
                **values,
            }
        )

    def _labels(self, order=None, user=None):
        order = order or self.order
        order.invalidate_recordset(['credit_panel'])
        return [action['label'] for action in order.with_user(user or self.sales_user).credit_panel['actions']]

    def _mail(self, order=None, user=None):
        """Send the mail as the user does, and return the message."""
        order = (order or self.order).with_user(user or self.sales_user)
        action = order.action_credit_request_payment()
        composer = Form(
            self.env[action['res_model']].with_user(order.env.user).with_context(**action['context'])
        ).save()
        composer.action_send_mail()
        return order.message_ids.sorted('id')[-1:]

    def test_nothing_is_asked_for_where_no_policy_checks(self):
        # Odoo renders the mail on any order when the add-on is installed.
        self.company.credit_policy_id = False
        self.assertIsNone(self._order_of(1000.0)._credit_payment_offer())

    def test_without_provider_the_mail_names_bank_amount_and_reference(self):
        self.assertEqual(self._labels(), ["Request Payment ($\N{NO-BREAK SPACE}30.00)"])
        message = self._mail()
        self.assertEqual(message.partner_ids, self.customer)
        for word in ("30.00", 'BE71 0961 2345 6769', "House Bank", 'GEBABEBB', self.order.name, "Hengda Trading"):
            self.assertIn(word, message.body)
        # Why the order waits is the staff's to know.
        for word in ("limit", "exposure", "Pay Now"):
            self.assertNotIn(word, message.body)

    def test_payment_that_was_asked_for_lets_the_order_pass(self):
        amount = self.order._credit_payment_offer()['amount']
        self._pay(amount - 0.01)
        self.order.action_credit_evaluate()
        self.assertEqual(self.order.credit_state, 'on_hold')
        self._pay(0.01)
        self.assertIsNone(self.order._credit_payment_offer())
        self.order.action_credit_evaluate()
        self.assertEqual(self.order.credit_outlook or 'pass', 'pass')

    def test_with_a_published_provider_it_is_a_link(self):
        self._publish()
        self.assertEqual(self._labels(), ["Send Payment Link ($\N{NO-BREAK SPACE}30.00)"])
        message = self._mail()
        self.assertIn("Pay Now", message.body)
        self.assertIn('payment_amount=30.0', message.body)
        self.assertIn(f'/my/orders/{self.order.id}', message.body)
        self.assertNotIn('BE71', message.body)

    def test_provider_of_another_company_or_unpublished_is_none(self):
        self._publish(is_published=False)
        self._publish(state='disabled')
        self._publish(company_id=self.setup_other_company()['company'].id)
        self.assertIn("Request Payment", self._labels()[0])

    def test_link_is_for_no_more_than_the_order(self):
        self._publish()
        self._invoice(500)
        order = self._held(10)
        self.assertEqual(self._labels(order), ["Send Payment Link for the Whole Order ($\N{NO-BREAK SPACE}10.00)"])

    def test_rule_that_no_payment_satisfies_leaves_the_whole_order(self):
        self.policy.rule_ids = [Command.create({'kind': 'order_amount', 'outcome': 'hold', 'threshold': 50})]
        order = self._held(60)
        self.assertEqual(self._labels(order), [])
        with self.assertRaisesRegex(UserError, "No payment would let"):
            order.with_user(self.sales_user).action_credit_request_payment()
        self._publish()
        self.assertIn("Whole Order", self._labels(order)[0])

    def _overdue_customer_of_a_payer(self):
        """Return an order that is held for what its customer owes, who will not owe it."""
        self.policy.rule_ids = [Command.create({'kind': 'days_overdue', 'outcome': 'hold', 'threshold': 5})]
        self._invoice(70, due=self.company._credit_today() - timedelta(days=40))
        payer = self.env['res.partner'].create({'name': "Payer", 'is_company': True, 'user_id': self.sales_user.id})
        self._account(partner=payer, limit=1000)
        return self._held(60, partner_invoice_id=payer.id)

    def test_payer_is_not_asked_for_what_the_customer_owes(self):
        order = self._overdue_customer_of_a_payer()
        self.assertEqual(order.credit_check_id.payment_needed, 70)
        self.assertEqual(self._labels(order), [])
        self._publish()
        self.assertEqual(self._labels(order), ["Send Payment Link for the Whole Order ($\N{NO-BREAK SPACE}60.00)"])

    def test_no_payment_is_named_where_two_customers_stop_the_order(self):
        order = self._overdue_customer_of_a_payer()
        self.assertIn("A payment of", order.credit_panel['ways'][0])
        self._limit(self._account(order.partner_invoice_id), 10)
        order.invalidate_recordset(['credit_panel'])
        self.assertFalse([way for way in order.credit_panel['ways'] if "A payment of" in way])
        self.assertIsNone(order._credit_payment_offer())

    def test_what_is_in_the_ledger_already_is_no_payment_in_advance(self):
        self._publish()
        self.policy.rule_ids = [Command.create({'kind': 'order_amount', 'outcome': 'hold', 'threshold': 50})]
        order = self._held(60)
        self.assertEqual(order._credit_payment_offer()['amount'], 60)
        self.env['payment.transaction'].create(
            {
                'provider_id': self.env['payment.provider'].create({'name': "Card"}).id,
                'payment_method_id': self.env['payment.method'].create({'name': "Card", 'code': 'card_test'}).id,
                'reference': 'in part',
                'amount': 10,
                'currency_id': order.currency_id.id,
                'partner_id': self.customer.id,
                'sale_order_ids': [Command.set(order.ids)],
                'state': 'done',
                'payment_id': self._pay(10).id,
            }
        )
        # With the 50 that are left it would not count as paid for.
        order.invalidate_recordset()
        self.assertEqual(order.amount_paid, 10)
        self.assertIsNone(order._credit_payment_offer())

    def test_deposit_is_asked_for(self):
        conditions = self.env['credit.release']._prepare_condition_vals(
            {
                'condition': 'deposit',
                'condition_amount': 20,
                'condition_due': self.company._credit_today() + timedelta(days=7),
            },
            self.order,
        )
        self.order.with_user(self.manager)._credit_release("with a deposit", conditions=conditions)
        self.assertEqual(self.order.credit_state, 'awaiting_payment')
        self.assertEqual(self._labels(), ["Request Payment ($\N{NO-BREAK SPACE}20.00)"])
        self.assertIn("20.00", self._mail().body)
        self._publish()
        self.order.sudo().credit_release_id.condition_received = 5
        self.assertEqual(self._labels(), ["Send Payment Link ($\N{NO-BREAK SPACE}15.00)"])

    def test_link_asks_for_the_prepayment_where_one_is_due(self):
        self._publish()
        order = self._order_of(60, require_payment=True, prepayment_percent=0.75)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual(order._credit_payment_offer()['amount'], 45)

    def test_amount_in_the_currency_of_the_order_is_rounded_up(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 3)])
        pricelist = self.env['product.pricelist'].create({'name': "Euro", 'currency_id': euro.id})
        order = self._held(120, pricelist_id=pricelist.id)
        self.assertEqual(order.currency_id, euro)
        # 70 + 40 exceed 100 by 10, which are 30 euros; with 70.01 it is 10.01, 30.03 euros.
        self.assertEqual(order._credit_payment_offer()['amount'], 30)
        euro.rate_ids.rate = 3.001
        self.env['res.currency'].invalidate_model()
        [(_partner_id, decision)] = order._credit_stopping_decisions()
        needed = decision.payment_needed
        offered = order._credit_payment_offer()['amount']
        self.assertGreaterEqual(offered + 1e-9, needed * 3.001)
        self.assertLess(offered, needed * 3.001 + 0.01)

    def test_journal_in_the_currency_of_the_order_goes_first(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 3)])
        account = self.bank.copy({'acc_number': 'DE89 3704 0044 0532 0130 00'})
        self.env['account.journal'].create(
            {
                'name': "Euro Bank",
                'code': 'EURB',
                'type': 'bank',
                'currency_id': euro.id,
                'bank_account_id': account.id,
                'company_id': self.company.id,
            }
        )
        pricelist = self.env['product.pricelist'].create({'name': "Euro", 'currency_id': euro.id})
        self.assertEqual(self._held(120, pricelist_id=pricelist.id)._credit_bank_account(), account)
        self.assertEqual(self.order._credit_bank_account(), self.bank)

    def test_company_without_bank_account_is_told_where_to_enter_one(self):
        self.env['account.journal'].search([]).bank_account_id = False
        self.bank.partner_id = self.customer
        self.assertFalse(self.order.sudo()._credit_bank_account())
        with self.assertRaisesRegex(UserError, "has no bank account"):
            self.order.with_user(self.sales_user).action_credit_request_payment()

    def test_mail_is_in_the_language_of_the_customer(self):
        self.env['res.lang']._activate_lang('zh_CN')
        template = self.env.ref('credit_management.mail_template_payment_request')
        template.with_context(lang='zh_CN').subject = "{{ object.name }} 付款"
        self.customer.lang = 'zh_CN'
        self.assertEqual(self._mail().subject, f"{self.order.name} 付款")

    def test_blocked_order_is_not_paid_out_of_it(self):
        self.policy.rule_ids = [
            Command.create({'kind': 'account_status', 'outcome': 'block', 'account_status': 'blacklisted'})
        ]
        self.account.with_user(self.manager)._blacklist('other', "fraud")
        self.assertEqual(self._labels(), [])

    def test_only_who_may_write_the_order_writes_to_its_customer(self):
        stranger = self._new_user('stranger', 'sales_team.group_sale_salesman')
        auditor = self._new_user('auditor', 'credit_management.group_credit_auditor')
        for user in (self.analyst, auditor):
            self.assertEqual(self._labels(user=user), [])
            with self.assertRaisesRegex(AccessError, "by its salesperson"):
                self.order.with_user(user).action_credit_request_payment()
        with self.assertRaises(AccessError):
            self.order.with_user(stranger).action_credit_request_payment()

    def test_order_that_is_not_on_hold_asks_for_nothing(self):
        quotation = self._order_of(60)
        self.assertEqual(quotation.credit_panel['actions'], [])
        with self.assertRaisesRegex(UserError, "is not on hold"):
            quotation.with_user(self.sales_user).action_credit_request_payment()
