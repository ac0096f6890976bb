from pathlib import Path

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.migration import load_script
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path, mute_logger

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestForgedValues(CreditCommon):
    """What a client may send over RPC that no form of ours does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A company in which the people of the base class do not work.
        cls.foreign = cls.env['res.company'].create({'name': "Foreign", 'currency_id': cls.currency.id})
        cls.env.user.company_ids += cls.foreign

    def test_wizard_names_no_limit_to_sales(self):
        limit = self._limit(self._account(), 12345)
        Decision = self.env['credit.decision'].with_user(self.sales_user)
        with self.assertRaises(AccessError):
            Decision.create({'decision': 'reject_limit', 'limit_id': limit.id})
        shown = Decision.with_context(default_limit_id=limit.id).onchange({}, [], {'decision': {}, 'order_id': {}})
        self.assertNotIn('12,345', str(shown))
        with self.assertRaises(AccessError):
            Decision.with_context(default_limit_id=limit.id).onchange(
                {}, [], {'limit_id': {'fields': {'display_name': {}}}}
            )

    def test_dialogs_name_only_what_their_user_may_read(self):
        foreign = self.env['res.partner'].create({'name': "Secret Customer"})
        order = self._order_of(10, partner=foreign)
        order.user_id = self.manager
        account = self._account(company=self.foreign)
        policy = self._limit_policy(company=self.foreign, default=False)
        rule = policy.rule_ids
        for user, model, field, record, values in (
            (self.sales_user, 'credit.decision', 'order_id', order, {'decision': 'request'}),
            (self.sales_user, 'credit.false.hold.decision', 'order_id', order, {'step': 'report'}),
            (self.sales_user, 'credit.remainder.close', 'order_ids', order, {'decision': 'close'}),
            (self.manager, 'credit.rule.demotion', 'rule_id', rule, {'reason': "x"}),
            (self.manager, 'credit.acceptance', 'account_ids', account, {}),
            (self.manager, 'credit.dry.run', 'policy_id', policy, {'company_id': self.company.id}),
            (self.manager, 'credit.verification', 'account_ids', account, {}),
            (self.manager, 'credit.file.export', 'account_ids', account, {}),
        ):
            with self.subTest(model=model):
                many = field.endswith('_ids')
                value = [(6, 0, record.ids)] if many else record.id
                Dialog = self.env[model].with_user(user)
                spec = {field: {'fields': {'display_name': {}}}}
                with self.assertRaises(AccessError):
                    Dialog.create({**values, field: value})
                with self.assertRaises(AccessError):
                    Dialog.with_context(**{f'default_{field}': value}).onchange({}, [], spec)
                with self.assertRaises(AccessError):
                    Dialog.onchange({field: value}, [], spec)
                with self.assertRaises(AccessError):
                    Dialog.onchange({field: value}, [field], spec)

    def test_dialog_can_not_be_turned_to_another_order(self):
        foreign = self._order_of(10)
        foreign.user_id = self.manager
        mine = self._order_of(10, user_id=self.sales_user.id)
        dialog = (
            self.env['credit.decision'].with_user(self.sales_user).create({'decision': 'request', 'order_id': mine.id})
        )
        with self.assertRaises(AccessError):
            dialog.write({'order_id': foreign.id})
        shown = dialog.onchange({}, [], {'order_id': {'fields': {'display_name': {}}}})
        self.assertNotIn(foreign.name, str(shown))

    def test_customers_do_not_read_our_figures_of_their_order_lines(self):
        self._limit_policy()
        self._account(limit=1000)
        user = new_test_user(self.env, 'credit_portal', 'base.group_portal')
        user.partner_id.parent_id = self.customer
        order = self._order_of(100)
        order.state = 'sent'
        order.message_subscribe(user.partner_id.ids)
        lines = order.order_line.with_user(user)
        self.assertEqual(lines.read(['product_uom_qty'])[0]['product_uom_qty'], 1)
        for name in ('credit_closed_quantity', 'credit_unit_price'):
            with self.subTest(name=name), self.assertRaises(AccessError):
                lines.read([name])

    def test_limit_stays_with_its_accounts_company(self):
        foreign = self._account(company=self.foreign)
        mine = self._account()
        Limit = self.env['credit.limit'].with_user(self.analyst)
        # A company of the client's saying would pass the record rule and show the other company's figures.
        with self.assertRaises(AccessError):
            Limit.create({'account_id': foreign.id, 'amount': 5, 'company_id': self.company.id})
        with self.assertRaises(AccessError):
            Limit.with_context(default_company_id=self.company.id).create({'account_id': foreign.id, 'amount': 5})
        draft = Limit.create({'account_id': mine.id, 'amount': 5})
        with self.assertRaises(AccessError):
            draft.write({'account_id': foreign.id})
        with self.assertRaises(AccessError):
            draft.write({'account_id': foreign.id, 'company_id': self.company.id})
        self.assertEqual(draft.account_id, mine)

    def test_limit_follows_its_account(self):
        limit = self._limit(self._account(), 100)
        other = self.env['res.partner'].create({'name': "Another"})
        with self.assertRaises(AccessError):
            limit.with_user(self.analyst).write({'company_id': self.foreign.id})
        with self.assertRaises(AccessError):
            limit.with_user(self.analyst).write({'partner_id': other.id})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(limit.company_id, self.company)
        self.assertEqual(limit.partner_id, self.customer)

    def test_policy_stays_with_its_company(self):
        policy = self._policy(('utilisation', 'hold', {'threshold': 100}), default=False)
        with self.assertRaises(UserError):
            policy.with_user(self.manager).write({'company_id': self.foreign.id})
        self.assertEqual(policy.company_id, self.company)
        policy.with_user(self.manager).write({'company_id': self.company.id, 'name': "The same"})
        self.assertEqual(policy.name, "The same")

    def test_rule_stays_with_its_policy(self):
        foreign = self._limit_policy(company=self.foreign)
        mine = self._limit_policy()
        Rule = self.env['credit.rule'].with_user(self.manager)
        vals = {'policy_id': foreign.id, 'kind': 'no_limit', 'outcome': 'block'}
        with self.assertRaises(AccessError):
            Rule.create({**vals, 'company_id': self.company.id})
        with self.assertRaises(AccessError):
            Rule.with_context(default_company_id=self.company.id).create(vals)
        with self.assertRaises(UserError):
            mine.rule_ids.with_user(self.manager).write({'policy_id': foreign.id})
        with self.assertRaises(UserError):
            mine.rule_ids.with_user(self.manager).write({'company_id': self.foreign.id})
        self.assertEqual(foreign.rule_ids.mapped('kind'), ['utilisation'])


@tagged('post_install', '-at_install')
class TestGrowthUnseen(CreditCommon):
    """Confirmed orders that grow by ways other than a higher total in one step."""

    def test_order_in_a_dearer_currency_has_grown(self):
        euro = self.env.ref('base.EUR')
        euro.active = True
        self.env['res.currency.rate'].create(
            {'name': '2020-01-01', 'currency_id': euro.id, 'company_id': self.company.id, 'rate': 0.1}
        )
        self._limit_policy()
        self._account(limit=1000)
        order = self._order_of(500, confirm=True)
        with self.assertRaisesRegex(UserError, "confirmed and can't be raised"), self.cr.savepoint():
            order.with_user(self.sales_user).write({'currency_id': euro.id})
        self.env.invalidate_all()
        self.assertEqual(order.currency_id, self.currency)
        self.assertExposure(ordered=500)

    def test_order_can_not_change_to_a_currency_without_rate(self):
        pound = self.env.ref('base.GBP')
        pound.active = True
        pound.rate_ids.unlink()
        self._limit_policy()
        self._account(limit=1000)
        order = self._order_of(500, confirm=True)
        with self.assertRaisesRegex(ValidationError, "GBP"):
            order.with_user(self.sales_user).write({'currency_id': pound.id})

    def test_total_that_was_let_go_on_follows_the_currency(self):
        euro = self.env.ref('base.EUR')
        euro.active = True
        self.env['res.currency.rate'].create(
            {'name': '2020-01-01', 'currency_id': euro.id, 'company_id': self.company.id, 'rate': 2}
        )
        self._limit_policy()
        self._account(limit=1000)
        order = self._order_of(900, confirm=True)
        # Half as dear: what was given back has to be asked for again.
        order.with_user(self.sales_user).write({'currency_id': euro.id})
        self.assertEqual(order.credit_checked_total, 900)
        self.assertExposure(ordered=450)
        self._order_of(500, confirm=True)
        with self.assertRaises(UserError):
            order.order_line.with_user(self.sales_user).price_unit = 1800

    def test_order_confirmed_before_enforcing_does_not_creep(self):
        policy = self._limit_policy(mode='shadow')
        self._account(limit=1000)
        order = self._order_of(990, confirm=True)
        policy.mode = 'enforcing'
        line = order.order_line.with_user(self.sales_user)
        line.price_unit = 1000  # within the tolerance
        with self.assertRaises(UserError):
            for price in (1015, 1030, 1045):
                line.price_unit = price


@tagged('post_install', '-at_install')
class TestPaidTwice(CreditCommon):
    def test_transaction_of_two_orders_pays_each_in_part(self):
        self._limit_policy()
        self._account(limit=10)
        first, second = self._order_of(600), self._order_of(300)
        provider = self.env['payment.provider'].create({'name': "Test", 'code': 'none', 'state': 'test'})
        method = self.env['payment.method'].with_context(active_test=False).search([], limit=1)
        transaction = self.env['payment.transaction'].create(
            {
                'provider_id': provider.id,
                'payment_method_id': method.id,
                'amount': 600,
                'currency_id': self.currency.id,
                'partner_id': self.customer.id,
                'reference': "two-orders",
                'state': 'done',
                'sale_order_ids': (first + second).ids,
            }
        )
        self.assertAlmostEqual(first._credit_paid_amount(), 400)
        self.assertAlmostEqual(second._credit_paid_amount(), 200)
        (first + second).action_confirm()
        self.assertEqual((first + second).mapped('credit_state'), ['on_hold', 'on_hold'])

        transaction.amount = 900
        (first + second).action_confirm()
        self.assertEqual((first + second).mapped('state'), ['sale', 'sale'])


@tagged('post_install', '-at_install')
class TestMigration(CreditCommon):
    def test_update_chooses_the_accounts_that_count_as_installing_does(self):
        self.company.chart_template = 'cn'
        bills = self.env['account.account'].create(
            {'code': '112100', 'name': "Bills", 'account_type': 'asset_current', 'reconcile': True}
        )
        folder = Path(file_path('credit_management/migrations/19.0.1.1.0'))
        for script in sorted(folder.glob('*-ledger_accounts.py')):
            load_script(str(script), script.stem).migrate(self.env.cr, '19.0.1.0.0')
        chosen = self.env['credit.ledger.account'].search([('company_id', '=', self.company.id)])
        self.assertEqual(chosen.filtered(lambda line: line.account_id == bills).role, 'clearing')


@tagged('post_install', '-at_install')
class TestStaleCaches(CreditCommon):
    def test_what_others_cache_before_the_commit_is_dropped_after_it(self):
        self.env.cr.postcommit.clear()
        policy = self._limit_policy()
        self.env.flush_all()
        Policy = self.env['credit.policy']
        # What another thread sees until the commit, and caches.
        self.env.cr.execute("UPDATE credit_policy SET active = FALSE WHERE id = %s", [policy.id])
        self.assertNotIn(self.company.id, Policy._companies_with_policy())
        self.env.cr.execute("UPDATE credit_policy SET active = TRUE WHERE id = %s", [policy.id])
        self.env.cr.postcommit.run()
        self.assertIn(self.company.id, Policy._companies_with_policy())

    def test_ledger_accounts_branches_and_rates_are_dropped_after_the_commit_too(self):
        Ledger = self.env['credit.ledger.account']
        bills = self.env['account.account'].create(
            {'code': '112100', 'name': "Bills", 'account_type': 'asset_current', 'reconcile': True}
        )
        for name, change in (
            ('ledger', lambda: Ledger.create({'account_id': bills.id, 'role': 'clearing'})),
            ('account', lambda: bills.write({'reconcile': False})),
            ('branch', lambda: self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})),
            ('company', lambda: self.company.write({'currency_id': self.company.currency_id.id})),
            ('tz', lambda: self.company.partner_id.write({'tz': 'Asia/Shanghai'})),
        ):
            with self.subTest(name=name):
                self.env.cr.postcommit.clear()
                change()
                self.env.flush_all()
                self.env.registry.cache_invalidated.clear()
                self.env.cr.postcommit.run()
                self.assertIn('default', self.env.registry.cache_invalidated)


@tagged('post_install', '-at_install')
class TestStatements(CreditCommon):
    def test_controllers_of_held_orders_are_looked_up_together(self):
        self._limit_policy()
        customers = self.env['res.partner'].create([{'name': f"C{place}", 'is_company': True} for place in range(20)])
        orders = self.env['sale.order'].union(*(self._order_of(10, partner=customer) for customer in customers))
        self._limit(self._account(customers[0]), 0)
        for account in self._account(customers[1:]):
            self._limit(account, 0)
        orders.action_confirm()
        self.assertEqual(set(orders.mapped('credit_state')), {'on_hold'})

        def read(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.assertTrue(all(row['credit_controller_id'] for row in some.read(['credit_controller_id'])))
            return self.cr.sql_log_count - before

        read(orders[:1])
        self.assertEqual(read(orders), read(orders[:1]))


@tagged('post_install', '-at_install')
class TestJobs(CreditCommon):
    """A job over all companies goes on where one fails, says so, and fails in the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env['res.company'].create({'name': "Other", 'currency_id': cls.currency.id})
        cls.manager.company_ids += cls.other_company

    def test_company_that_fails_does_not_stop_the_others(self):
        manager_ids = {self.manager.id}
        for model, step, cron, activity_type in (
            ('credit.seal', '_seal', 'ir_cron_seal', 'seal'),
            ('credit.core.limit', '_refresh', 'ir_cron_mirror_limits', 'mirror'),
            ('credit.limit', '_close_ended', 'ir_cron_close_limits', 'close'),
        ):
            with self.subTest(model=model), self.enter_registry_test_mode():
                xmlid = f'credit_management.mail_activity_type_{activity_type}_failed'
                done, broken = [], [self.company]

                def fake(records, company, done=done, broken=broken):
                    if company in broken:
                        raise ValueError(company.name)
                    done.append(company.id)

                self.patch(type(self.env[model]), step, fake)
                job = self.env.ref(f'credit_management.{cron}')
                for _again in range(2):
                    with (
                        mute_logger('odoo.addons.credit_management.models.credit_counter'),
                        self.assertLogs('odoo.addons.base.models.ir_cron', 'ERROR') as log,
                    ):
                        job.method_direct_trigger()
                    self.assertIn(f"This failed for {self.company.name}", log.output[0])
                self.assertIn(self.other_company.id, done)
                told = self.company.partner_id.activity_search([xmlid])
                self.assertEqual(len(told), len(told.user_id), "once until it is mended")
                self.assertLessEqual(manager_ids, set(told.user_id.ids))
                self.assertFalse(self.other_company.partner_id.activity_search([xmlid]))

                broken.clear()
                job.method_direct_trigger()

                self.assertFalse(self.company.partner_id.activity_search([xmlid]))
