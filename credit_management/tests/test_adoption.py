from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.date_utils import add as date_add

from ..models.credit_policy import ENTRIES_KEY
from .common import CreditCommon

HOLD_ALL = ('order_amount', 'hold', {'threshold': 1})
HOLD_NONE = ('order_amount', 'hold', {'threshold': 1000000})


class AdoptionCommon(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env['res.partner.category'].create({'name': "Export"})
        cls.today = cls.company._credit_today()

    def _days(self, days):
        return date_add(self.today, days=days)

    def _held(self, partner=None, amount=100):
        """Tell whether a new order of a customer is held."""
        return self._order_of(amount, partner=partner, confirm=True).credit_state == 'on_hold'

    def _counter(self, account):
        self.env.flush_all()
        self.env.cr.execute("SELECT n FROM credit_counter WHERE account_id = %s", [account.id])
        row = self.env.cr.fetchone()
        return row[0] if row else 0

    def _count(self, order):
        """Return the statements of a confirmation."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        order.action_confirm()
        self.env.cr.flush()
        return self.env.cr.sql_log_count - before


@tagged('post_install', '-at_install')
class TestSegments(AdoptionCommon):
    def test_tag_comes_before_the_company_and_the_own_policy_before_the_tag(self):
        self._policy(HOLD_NONE)
        segment = self._policy(HOLD_ALL, default=False, tag_ids=self.tag.ids)
        account = self._account()
        self.assertFalse(self._held())
        self.customer.category_id = self.tag
        self.assertTrue(self._held())
        self.assertEqual(account.applied_policy_id, segment)
        own = self._policy(HOLD_NONE, default=False)
        account.policy_id = own
        self.assertFalse(self._held())
        self.assertEqual(account.applied_policy_id, own)

    def test_customer_without_an_account_is_in_its_segment_too(self):
        self._policy(HOLD_ALL, default=False, tag_ids=self.tag.ids)
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True, 'category_id': self.tag.ids})
        self.assertTrue(self._held(other))
        self.assertFalse(self._held())

    def test_contact_follows_its_company(self):
        self._policy(HOLD_ALL, default=False, tag_ids=self.tag.ids)
        self.contact.category_id = self.tag
        self.assertFalse(self._held(self.contact))
        self.customer.category_id = self.tag
        self.contact.category_id = False
        self.assertTrue(self._held(self.contact))

    def test_first_of_two_segments_applies_and_the_order_can_be_changed(self):
        self.customer.category_id = self.tag
        first = self._policy(HOLD_ALL, default=False, tag_ids=self.tag.ids, sequence=1)
        second = self._policy(HOLD_NONE, default=False, tag_ids=self.tag.ids, sequence=2)
        account = self._account()
        self.assertTrue(self._held())
        before = self._counter(account)
        second.sequence = 0
        account.invalidate_recordset()
        self.assertFalse(self._held())
        self.assertEqual(account.applied_policy_id, second)
        self.assertGreater(self._counter(account), before)
        self.assertTrue(first.active)

    def test_each_criterion_has_to_be_met_by_one_of_its_entries(self):
        france, germany, us = (self.env.ref(f'base.{code}') for code in ('fr', 'de', 'us'))
        california, texas = self.env.ref('base.state_us_5'), self.env.ref('base.state_us_44')
        europe = self.env['res.country.group'].create({'name': "Europe", 'country_ids': france.ids})
        industry = self.env['res.partner.industry'].create({'name': "Tools"})
        team = self.env['crm.team'].create({'name': "South", 'member_ids': self.sales_user.ids})
        policy = self._policy(HOLD_ALL, default=False, country_ids=germany.ids, country_group_ids=europe.ids)
        account = self._account()

        def meets(**values):
            self.customer.write(values)
            account.invalidate_recordset()
            return account.applied_policy_id == policy

        self.assertEqual([meets(country_id=one.id) for one in (france, germany, us)], [True, True, False])
        policy.write({'country_ids': [Command.set(us.ids)], 'state_ids': [Command.set(california.ids)]})
        self.assertFalse(meets(state_id=texas.id))
        self.assertTrue(meets(state_id=california.id))
        policy.industry_ids = industry
        self.assertFalse(meets())
        self.assertTrue(meets(industry_id=industry.id))
        policy.team_ids = team
        self.assertTrue(meets())
        self.assertFalse(meets(user_id=self.manager.id))

    def test_policy_in_shadow_mode_takes_nobody_out_of_an_enforced_one(self):
        self._policy(HOLD_ALL)
        segment = self._policy(HOLD_NONE, default=False, mode='shadow', tag_ids=self.tag.ids)
        self.customer.category_id = self.tag
        account = self._account()
        order = self._order_of(100, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        checks = self.env['credit.check'].search([('res_id', '=', order.id), ('res_model', '=', 'sale.order')])
        self.assertEqual(
            {(check.policy_id == segment, check.shadow, check.outcome) for check in checks},
            {(False, False, 'hold'), (True, True, 'pass')},
        )
        account.policy_id = self._policy(HOLD_NONE, default=False, mode='shadow')
        self.assertTrue(self._held())
        segment.mode = 'enforcing'
        self.assertFalse(self._held())

    def test_default_limit_and_floors_are_those_of_the_segment(self):
        self._limit_policy(default_limit_kind='amount', default_limit_amount=1000)
        self._limit_policy(default=False, default_limit_kind='amount', default_limit_amount=50, tag_ids=self.tag.ids)
        account = self._account()
        self.assertEqual(account.effective_limit, 1000)
        self.customer.category_id = self.tag
        account.invalidate_recordset()
        self.assertEqual(account.effective_limit, 50)
        self.assertEqual(account.available, 50)
        self._invoice(60, due=self._days(-40))
        self.env['credit.policy'].search([('tag_ids', 'in', self.tag.ids)]).customer_floor = 100
        self.assertEqual(self.figures()['overdue_amount'], 0)
        self.customer.category_id = False
        self.assertEqual(self.figures()['overdue_amount'], 60)

    def test_policy_of_another_company_is_for_its_own_customers_only(self):
        other = self.env['res.company'].create({'name': "Elsewhere"})
        self.customer.category_id = self.tag
        self._policy(HOLD_ALL, company=other, default=False, tag_ids=self.tag.ids)
        self.assertFalse(self._held())
        self.assertEqual(self._account().applied_policy_id, self.company.credit_policy_id)

    def test_stale_cache_of_segments_never_lets_a_tightened_policy_pass(self):
        self._policy(HOLD_NONE)
        self.customer.category_id = self.tag
        Policy = self.env['credit.policy']
        stale = Policy._read_entries(self.company.id)
        self._policy(HOLD_ALL, default=False, tag_ids=self.tag.ids)
        # As on a server that has not heard of the new policy yet.
        self.env.cr.cache[ENTRIES_KEY] = {self.company.id: stale}
        self.assertEqual(Policy._entries(self.company), stale)
        self.assertTrue(self._held())

    def test_moving_a_customer_and_tightening_its_segment_write_the_counter(self):
        self._policy(HOLD_NONE)
        segment = self._policy(HOLD_NONE, default=False, tag_ids=self.tag.ids)
        account, other = self._account(), self._account(self.env['res.partner'].create({'name': "B"}))
        for change, moved, stayed in (
            (lambda: self.customer.write({'category_id': [Command.link(self.tag.id)]}), True, False),
            (lambda: segment.rule_ids.write({'threshold': 10}), True, False),
            (lambda: segment.write({'tag_ids': [Command.clear()]}), True, False),
            (lambda: self.customer.write({'name': "Hengda"}), False, False),
        ):
            # Once per transaction and policy; each change stands for one.
            self.env.cr.precommit.data.pop('credit_management.tightened', None)
            before = self._counter(account), self._counter(other)
            change()
            after = self._counter(account), self._counter(other)
            self.assertEqual((after[0] > before[0], after[1] > before[1]), (moved, stayed))

    def test_tag_that_a_policy_relies_on_can_not_be_deleted(self):
        self._policy(HOLD_ALL, default=False, tag_ids=self.tag.ids)
        self.tag.active = False
        self.customer.category_id = self.tag
        self.assertTrue(self._held())
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self.assertFalse(self._held(other))

    def test_customers_of_a_policy_are_counted_and_listed(self):
        default = self._policy(HOLD_NONE)
        segment = self._policy(HOLD_NONE, default=False, tag_ids=self.tag.ids)
        before = default.customer_count
        buyers = self.env['res.partner'].create(
            [{'name': f"Buyer {n}", 'customer_rank': 1, 'category_id': self.tag.ids} for n in range(3)]
        )
        self._account(buyers[:1])
        (default + segment).invalidate_recordset()
        self.assertEqual((segment.customer_count, default.customer_count), (3, before))
        action = segment.with_user(self.manager).action_view_customers()
        self.assertEqual(self.env['res.partner'].with_user(self.manager).search(action['domain']), buyers)
        self.assertEqual(buyers[:1].credit_policy_id, segment)
        self.assertEqual(self.Account.search([('applied_policy_id', '=', segment.id)]).partner_id, buyers[:1])
        segment.controller_id = self.manager
        found = self.Account.search([('applied_policy_id.controller_id', '=', self.manager.id)])
        self.assertEqual(found.partner_id, buyers[:1])
        segment.mode = 'shadow'
        (default + segment).invalidate_recordset()
        # Whom it would be for; they stay where they are.
        self.assertEqual((segment.customer_count, default.customer_count), (3, before + 3))
        with self.assertRaises(AccessError):
            buyers.with_user(self.sales_user).read(['credit_policy_id'])

    def test_without_segments_the_choice_reads_nothing_and_is_a_column(self):
        policy = self._policy(HOLD_NONE)
        Policy = self.env['credit.policy']
        sql = Policy._policy_sql(self.company, "partner")
        self.assertEqual((sql.code, sql.params), ("COALESCE(account.policy_id, %s)", [policy.id]))
        self.env['res.partner']._credit_move_segment()
        with self.assertQueryCount(0):
            Policy._policy_sql(self.company, "partner")
            self.customer._credit_move_segment()

    def test_segment_start_and_acceptance_cost_a_passing_confirmation_no_more_than_1_statement(self):
        policy = self._limit_policy()
        account = self._account(limit=100000)
        self._count(self._order_of(1))
        plain = self._count(self._order_of(1))
        self.customer.category_id = self.tag
        policy.copy({'tag_ids': [Command.set(self.tag.ids)], 'date_start': self._days(-5), 'mode': 'enforcing'})
        account._accept(self._days(5), "start")
        self._count(self._order_of(1))
        self.assertLessEqual(self._count(self._order_of(1)), plain)
        policy.copy({'tag_ids': [Command.set(self.tag.ids)], 'mode': 'shadow', 'sequence': 0})
        self._count(self._order_of(1))
        # The figures under the policy in shadow mode, which may have another default limit.
        self.assertLessEqual(self._count(self._order_of(1)), plain + 1)


@tagged('post_install', '-at_install')
class TestRuleMode(AdoptionCommon):
    def test_watched_rule_is_recorded_for_managers_and_holds_nothing(self):
        policy = self._policy(HOLD_ALL, ('utilisation', 'warn', {'threshold': 10}))
        policy.rule_ids[0].mode = 'watch'
        self._account(limit=200)
        order = self._order_of(100)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual((order.state, order.credit_state), ('sale', 'warned'))
        check = order.credit_check_id
        self.assertEqual(
            check.line_ids.mapped(lambda line: (line.verdict, line.shadow)), [('hold', True), ('warn', False)]
        )
        self.assertEqual([reason['verdict'] for reason in order.credit_panel['reasons']], ['warn'])
        self.assertNotIn("single order", order.with_user(self.sales_user).credit_reason)
        Line = self.env['credit.check.line']
        domain = [('check_id', '=', check.id)]
        self.assertEqual(len(Line.with_user(self.analyst).search(domain)), 1)
        self.assertEqual(len(Line.with_user(self.manager).search(domain)), 2)
        auditor = self._new_user('credit_auditor', 'credit_management.group_credit_auditor')
        self.assertEqual(len(Line.with_user(auditor).search(domain)), 2)
        accountant = self._new_user('credit_accountant', 'account.group_account_invoice')
        self.assertEqual(len(Line.with_user(accountant).search(domain)), 1)

    def test_rule_put_back_to_warn_keeps_the_queue_and_holds_again_by_one_click(self):
        policy = self._policy(HOLD_ALL)
        rule = policy.rule_ids
        held = self._order_of(100)
        held.with_user(self.sales_user).action_confirm()
        self.assertEqual(held.credit_outlook, 'hold')
        action = rule.with_user(self.manager).action_demote()
        wizard = (
            self.env['credit.rule.demotion']
            .with_user(self.manager)
            .with_context(**action['context'])
            .create({'reason': "It holds the wrong ones"})
        )
        message = wizard.action_apply()['params']['message']
        self.assertIn("Orders on hold: 1, of which 1 would pass now", message)
        self.env.flush_all()
        self.assertEqual((rule.demoted_by_id, bool(rule.demoted_date)), (self.manager, True))
        self.assertIn("It holds the wrong ones", policy.message_ids[:1].body)
        # Nothing is reset; new orders only get a warning.
        held.invalidate_recordset()
        self.assertEqual((held.state, held.credit_state, held.credit_outlook), ('draft', 'on_hold', 'pass'))
        self.assertIn(held, self.env['sale.order'].search([('credit_outlook', '=', 'pass')]))
        self.assertEqual(self._order_of(100, confirm=True).credit_state, 'warned')
        told = rule.with_user(self.manager).action_promote()['params']['message']
        self.assertIn("has its outcome again", told)
        self.assertFalse(rule.demoted_by_id or rule.demoted_date or rule.demoted_reason)
        self.assertTrue(self._held())
        held.invalidate_recordset()
        self.assertEqual(held.credit_outlook, 'hold')
        self.assertIn("has its outcome again", policy.message_ids[:1].body)

    def test_who_and_when_can_not_be_claimed_and_a_reason_is_required(self):
        rule = self._policy(HOLD_ALL).rule_ids.with_user(self.manager)
        with self.assertRaisesRegex(UserError, "State why"):
            rule.demoted = True
        rule.write({'demoted': True, 'demoted_reason': "x", 'demoted_by_id': self.other_manager.id})
        self.assertEqual(rule.demoted_by_id, self.manager)
        rule.write({'demoted_by_id': self.other_manager.id})
        self.assertEqual(rule.demoted_by_id, self.manager)

    def test_each_of_two_held_orders_is_looked_at_alone(self):
        self._limit_policy()
        self._account(limit=50)
        orders = self._order_of(60) + self._order_of(60)
        orders.action_confirm()
        self._limit(self._account(), 100)
        orders.invalidate_recordset()
        self.assertEqual(orders.mapped('credit_outlook'), ['pass', 'pass'])

        def count(orders):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            orders.mapped('credit_outlook')
            return self.env.cr.sql_log_count - before

        more = self.env['sale.order'].concat(*(self._order_of(200) for _n in range(6)))
        more.action_confirm()
        count(orders + more[:1])
        few = count(orders + more[:1])
        self.assertLessEqual(count(orders + more), few)

    def test_only_managers_change_how_a_rule_is_enforced(self):
        rule = self._policy(HOLD_ALL).rule_ids
        for user in (self.sales_user, self.analyst):
            theirs = rule.with_user(user)
            for change in (
                lambda theirs=theirs: theirs.write({'mode': 'watch'}),
                lambda theirs=theirs: theirs.write({'demoted': True, 'demoted_reason': "x"}),
                theirs.action_demote,
                theirs.action_promote,
                lambda user=user: self.env['credit.rule.demotion'].with_user(user).create({'rule_id': rule.id}),
            ):
                with self.assertRaises(AccessError):
                    change()

    def test_rule_entered_twice_is_enforced_at_one_checkpoint_and_recorded_at_another(self):
        other = self.env['credit.checkpoint'].sudo().create({'name': "Delivery", 'code': 'test_delivery'})
        policy = self._policy(HOLD_ALL)
        policy.rule_ids = [
            Command.create(
                {'kind': 'order_amount', 'threshold': 1, 'mode': 'watch', 'checkpoint_ids': [Command.set(other.ids)]}
            )
        ]
        for checkpoint, watch in (('order', False), ('test_delivery', True)):
            [rule] = policy._engine_rules(policy.version, checkpoint)
            self.assertEqual(rule.watch, watch)


@tagged('post_install', '-at_install')
class TestStartFrom(AdoptionCommon):
    OVERDUE = ('overdue_amount', 'hold', {'threshold': 100})
    AGE = ('days_overdue', 'hold', {'threshold': 30})

    def test_older_debts_are_listed_and_not_held_against(self):
        self._policy(self.OVERDUE, self.AGE, date_start=self._days(-60))
        self._invoice(500, due=self._days(-90))
        order = self._order_of(100, confirm=True)
        self.assertEqual(order.state, 'sale')
        check = order.credit_check_id
        self.assertRecordValues(
            check, [{'exposure': 500, 'overdue_amount': 500, 'days_overdue': 90, 'overdue_left_out': 500}]
        )
        self.assertIn("Left out: $\xa0500.00 due before", check.line_ids[0].message)
        self.assertRecordValues(self._account(), [{'overdue_amount': 500, 'days_overdue': 90}])

        self._invoice(300, due=self._days(-40))
        order = self._order_of(100, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        lines = order.credit_check_id.line_ids
        self.assertEqual(lines.mapped('actual'), [300, 40])
        # A payment on account goes to the older debt first.
        self.assertEqual(order.credit_check_id.payment_needed, 800)
        self._pay(800)
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_due_on_the_day_itself_counts(self):
        policy = self._policy(self.AGE, date_start=self._days(-60))
        self._invoice(500, due=self._days(-60))
        self.assertTrue(self._held())
        policy.date_start = self._days(-59)
        self.assertFalse(self._held())

    def test_earlier_start_tightens(self):
        policy = self._policy(self.AGE, date_start=self._days(-10))
        account = self._account()
        self.env.cr.precommit.data.pop('credit_management.tightened', None)
        before = self._counter(account)
        policy.date_start = False
        self.assertGreater(self._counter(account), before)

    def test_each_segment_has_its_own_start(self):
        self._policy(self.AGE)
        self._policy(self.AGE, default=False, date_start=self._days(-10), tag_ids=self.tag.ids)
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True, 'category_id': self.tag.ids})
        for partner in (self.customer, other):
            self._invoice(500, partner=partner, due=self._days(-40))
        rows = self.Account.sudo()._figures(self.company, [self.customer.id, other.id], held=True)
        self.assertEqual(
            [(rows[partner.id]['overdue_0'], rows[partner.id]['held_overdue_0']) for partner in (self.customer, other)],
            [(500, 500), (500, 0)],
        )
        self.assertEqual((self._held(), self._held(other)), (True, False))


@tagged('post_install', '-at_install')
class TestAcceptance(AdoptionCommon):
    def setUp(self):
        super().setUp()
        self._policy(('utilisation', 'hold', {'threshold': 100}), ('days_overdue', 'hold', {'threshold': 30}))
        self.account = self._account(limit=100)
        self._invoice(500, due=self._days(-40))

    def _accept(self, until=5, accounts=None, user=None):
        accounts = (accounts or self.account).with_user(user or self.manager)
        action = accounts.action_accept()
        wizard = self.env['credit.acceptance'].with_user(user or self.manager).browse(action['res_id'])
        wizard.write({'until': self._days(until), 'reason': "Settled by the end of the year"})
        wizard.action_apply()
        accounts.invalidate_recordset()

    def test_what_is_accepted_holds_nothing_and_what_goes_beyond_does(self):
        self.assertTrue(self._held())
        self._accept()
        self.assertRecordValues(
            self.account,
            [
                {
                    'accepted': True,
                    'accepted_from': self.today,
                    'accepted_until': self._days(5),
                    'accepted_exposure': 500,
                    'accepted_by_id': self.manager.id,
                    'accepted_reason': "Settled by the end of the year",
                }
            ],
        )
        order = self._order_of(100, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        # Not for its age; for the 100 beyond what was accepted.
        self.assertEqual(order.credit_check_id.line_ids.mapped('verdict'), ['hold', 'pass'])
        self.assertEqual(order.credit_check_id.excess, 100)
        self.assertIn("accepted until", order.credit_reason)
        self._pay(150)
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_it_ends_by_itself_after_its_last_day(self):
        self._pay(400)
        self._accept(until=0)
        row = self.Account.sudo()._figures(self.company, self.customer.ids, held=True)[self.customer.id]
        self.assertEqual((row['accepted_exposure'], row['held_days_overdue']), (100, 0))
        tomorrow = self._days(1)
        row = self.Account.sudo()._figures(self.company, self.customer.ids, date=tomorrow, held=True)[self.customer.id]
        self.assertEqual((row['accepted_exposure'], row['held_days_overdue']), (0, 41))

    def test_end_now_counts_again_and_writes_the_counter(self):
        self._accept()
        before = self._counter(self.account)
        self.account.with_user(self.manager).action_end_acceptance()
        self.assertGreater(self._counter(self.account), before)
        self.assertFalse(self.account.accepted or self.account.accepted_until or self.account.accepted_exposure)
        self.assertTrue(self._held())
        events = self.env['credit.event'].search([('account_id', '=', self.account.id), ('kind', '=', 'accepted')])
        self.assertEqual(len(events), 2)
        self.assertNotIn("Settled", ''.join(events.mapped('payload')))

    def test_many_at_once_cost_no_statement_per_account(self):
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(40)])
        accounts = self._account(partners)
        few, many = accounts[:2], accounts[2:]
        counts = []
        for group in (few, many):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            group.with_user(self.manager)._accept(self._days(5), "start")
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2)
        self.assertEqual(self.Account.search_count([('accepted', '=', True)]), 40)

    def test_only_managers_accept_and_only_by_the_button(self):
        for user in (self.sales_user, self.analyst):
            theirs = self.account.with_user(user)
            for call in (theirs.action_accept, theirs.action_end_acceptance):
                with self.assertRaises(AccessError):
                    call()
            with self.assertRaises(AccessError):
                self.env['credit.acceptance'].with_user(user).create({'account_ids': theirs.ids})
        for user in (self.analyst, self.manager):
            for values in ({'accepted_until': self._days(99)}, {'accepted_exposure': 1e9}):
                with self.assertRaises(AccessError):
                    self.account.with_user(user).write(values)
        fresh = self.env['res.partner'].create({'name': "Fresh", 'is_company': True})
        account = self.Account.with_context(default_accepted_until=self._days(9)).create(
            {'partner_id': fresh.id, 'accepted_exposure': 1e9}
        )
        self.assertFalse(account.accepted_until or account.accepted_exposure)

    def test_a_reason_and_a_day_to_come_are_required(self):
        with self.assertRaisesRegex(UserError, "State a reason"):
            self.account._accept(self._days(5), " ")
        for until in (False, self._days(-1)):
            with self.assertRaisesRegex(UserError, "from today on"):
                self.account._accept(until, "x")

    def test_manager_of_another_company_can_not_accept(self):
        other = self.env['res.company'].create({'name': "Elsewhere"})
        stranger = self._new_user('stranger', 'credit_management.group_credit_manager')
        stranger.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        with self.assertRaises(AccessError):
            self.account.with_user(stranger).with_company(other).action_accept()


@tagged('post_install', '-at_install')
class TestDryRun(AdoptionCommon):
    def _lines(self, action):
        lines = self.env['credit.dry.line'].with_user(self.manager).search(action['domain'])
        return {(line.partner_id, line.what, line.kind): line for line in lines}

    def test_policy_in_shadow_mode_shows_quotations_and_next_orders_that_it_would_hold(self):
        policy = self._policy(
            ('utilisation', 'hold', {'threshold': 100}),
            ('days_overdue', 'hold', {'threshold': 30}),
            ('utilisation', 'warn', {'threshold': 1}),
            mode='shadow',
        )
        self._account(limit=100)
        over = self.env['res.partner'].create({'name': "Over", 'is_company': True})
        late = self.env['res.partner'].create({'name': "Late", 'is_company': True})
        self._account(over, limit=100)
        self._invoice(130, partner=over)
        self._invoice(70, partner=late, due=self._days(-40))
        exceeds, fits = self._order_of(150), self._order_of(90)
        expired = self._order_of(999, validity_date=self._days(-1))

        found = self._lines(policy.with_user(self.manager).action_dry_run())

        mine = {key: line for key, line in found.items() if key[0] in self.customer + over + late}
        self.assertEqual(
            set(mine),
            {
                (self.customer, 'order', 'utilisation'),
                (over, 'customer', 'utilisation'),
                (late, 'customer', 'days_overdue'),
            },
        )
        line = mine[self.customer, 'order', 'utilisation']
        self.assertEqual((line.order_id, line.excess, line.document_amount), (exceeds, 50, 150))
        self.assertEqual(mine[over, 'customer', 'utilisation'].excess, 30)
        self.assertIn("has used up the limit of", mine[over, 'customer', 'utilisation'].reason)
        self.assertIn("40 days overdue", mine[late, 'customer', 'days_overdue'].reason)
        self.assertEqual(mine[over, 'customer', 'utilisation'].rule_id, policy.rule_ids[0])
        # Nothing is recorded, held or confirmed by looking.
        self.assertFalse(self.env['credit.check'].search([('res_id', 'in', (exceeds + fits + expired).ids)]))
        self.assertEqual(set((exceeds + fits).mapped('credit_state')), {'none'})

    def test_the_same_debt_under_several_rules_is_not_summed(self):
        fields_ = self.env['credit.dry.line']._fields.values()
        self.assertFalse([field.name for field in fields_ if field.type == 'monetary' and field.aggregator])

    def test_watched_and_demoted_rules_are_looked_at_as_enforced(self):
        policy = self._policy(
            ('order_amount', 'hold', {'threshold': 100}), ('order_amount', 'hold', {'threshold': 200})
        )
        policy.rule_ids[0].mode = 'watch'
        policy.rule_ids[1].write({'demoted': True, 'demoted_reason': "x"})
        order = self._order_of(300)
        lines = self.env['credit.dry.line'].search(policy.action_dry_run()['domain'])
        self.assertEqual(lines.filtered(lambda line: line.order_id == order).rule_id, policy.rule_ids)

    def test_policy_of_nobody_yet_is_looked_at_as_the_companys_default(self):
        self._policy(HOLD_NONE)
        draft = self._policy(HOLD_ALL, default=False, mode='shadow')
        order = self._order_of(300)
        found = self._lines(draft.with_user(self.manager).action_dry_run())
        self.assertEqual(found[self.customer, 'order', 'order_amount'].order_id, order)

    def test_policy_of_a_segment_shows_its_customers_only(self):
        self._policy(HOLD_ALL, mode='shadow')
        segment = self._policy(HOLD_ALL, default=False, mode='shadow', tag_ids=self.tag.ids)
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True, 'category_id': self.tag.ids})
        self._order_of(300), self._order_of(300, partner=other)
        self.assertEqual({key[0] for key in self._lines(segment.with_user(self.manager).action_dry_run())}, {other})
        everyone = self._lines(self.env['credit.dry.run'].with_user(self.manager).action_open())
        self.assertLessEqual({other, self.customer}, {key[0] for key in everyone})

    def test_accept_as_is_from_the_list_makes_accounts_where_there_are_none(self):
        policy = self._policy(('days_overdue', 'hold', {'threshold': 30}), mode='shadow')
        self._invoice(500, due=self._days(-40))
        line = self._lines(policy.with_user(self.manager).action_dry_run())[self.customer, 'customer', 'days_overdue']
        self.assertFalse(line.account_id)
        action = line.with_user(self.manager).action_accept()
        wizard = self.env['credit.acceptance'].with_user(self.manager).browse(action['res_id'])
        wizard.write({'until': self._days(9), 'reason': "start"})
        wizard.action_apply()
        self.assertTrue(self._account().accepted)
        lines = self._lines(policy.with_user(self.manager).action_dry_run())
        self.assertNotIn((self.customer, 'customer', 'days_overdue'), lines)

    def test_statements_do_not_grow_with_the_quotations(self):
        policy = self._policy(HOLD_ALL, mode='shadow')

        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            list(run._order_vals(self.company, run._choice(self.company)))
            return self.env.cr.sql_log_count - before

        run = self.env['credit.dry.run'].create({'company_id': self.company.id, 'policy_id': policy.id})
        self._order_of(10)
        count()
        few = count()
        for _n in range(20):
            self._order_of(10)
        self.assertLessEqual(count(), few + 2)

    def test_only_managers_look_at_what_would_be_held(self):
        policy = self._policy(HOLD_ALL, mode='shadow')
        for user in (self.sales_user, self.analyst):
            with self.assertRaises(AccessError):
                policy.with_user(user).action_dry_run()
            with self.assertRaises(AccessError):
                self.env['credit.dry.run'].with_user(user).action_open()
        self._order_of(300)
        action = policy.with_user(self.manager).action_dry_run()
        self.assertFalse(self.env['credit.dry.line'].with_user(self.other_manager).search(action['domain']))


@tagged('post_install', '-at_install')
class TestFalseHold(AdoptionCommon):
    def setUp(self):
        super().setUp()
        self.policy = self._policy(HOLD_ALL, ('utilisation', 'hold', {'threshold': 100}))
        self._account(limit=1000)
        self.order = self._order_of(100)
        self.order.with_user(self.sales_user).action_confirm()

    def _report(self, order=None, user=None, reason='paid', note=False):
        order = (order or self.order).with_user(user or self.sales_user)
        wizard = (
            self.env['credit.false.hold.decision']
            .with_user(user or self.sales_user)
            .with_context(**order.action_credit_report_false_hold()['context'])
            .create({'reason': reason, 'note': note})
        )
        wizard.action_report()
        return order.sudo().credit_false_hold_id

    def _judge(self, step, user=None, note=False, order=None):
        order = (order or self.order).with_user(user or self.manager)
        wizard = (
            self.env['credit.false.hold.decision']
            .with_user(user or self.manager)
            .with_context(**order.action_credit_judge_false_hold()['context'])
            .create({'note': note})
        )
        getattr(wizard, step)()

    def test_salesperson_reports_controller_sees_and_manager_confirms(self):
        sold = self.order.with_user(self.sales_user)
        self.assertTrue(sold.credit_can_report)
        report = self._report(note="Paid on Monday")
        self.assertFalse(sold.credit_can_report)
        self.assertEqual(sold.credit_false_hold_state, 'reported')
        self.assertIn("Paid on Monday", self.order.message_ids[:1].body)
        self.assertIn(self.order.credit_controller_id.partner_id, self.order.message_ids[:1].notified_partner_ids)
        self.assertTrue(self.order.with_user(self.manager).credit_can_judge)
        self.assertIn(self.order, self.env['sale.order'].search([('credit_false_hold_state', '=', 'reported')]))

        self._judge('action_justified', note="Booked elsewhere")

        self.assertRecordValues(report, [{'state': 'justified', 'decided_by_id': self.manager.id}])
        # It decides nothing about the order.
        self.assertEqual(self.order.credit_state, 'on_hold')
        self.assertIn("Booked elsewhere", self.order.message_ids[:1].body)
        self.assertIn(self.sales_user.partner_id, self.order.message_ids[:1].notified_partner_ids)
        events = self.env['credit.event'].search([('kind', 'in', ('false_hold', 'false_hold_decided'))])
        self.assertEqual(len(events), 2)

    def test_report_is_kept_as_it_is(self):
        report = self._report()
        for change in (lambda: report.sudo().write({'state': 'justified'}), lambda: report.sudo().unlink()):
            with self.assertRaisesRegex(UserError, "is kept and can't be"):
                change()
        self._judge('action_declined')
        with self.assertRaisesRegex(UserError, "decided already"):
            self._judge('action_justified')

    def test_one_report_per_hold_on_held_orders_only(self):
        self._report()
        with self.assertRaisesRegex(UserError, "reported as wrong already"):
            self._report()
        with self.assertRaisesRegex(UserError, "not on hold"):
            self._report(order=self._order_of(100))

    def test_other_needs_a_note_and_a_report_a_reason(self):
        with self.assertRaisesRegex(UserError, "Explain what is wrong"):
            self._report(reason='other')
        with self.assertRaisesRegex(UserError, "Choose what is wrong"):
            self._report(reason=False)

    def test_sales_reports_on_orders_that_it_may_read_only_and_never_decides(self):
        colleague = self._new_user('credit_sales_2', 'sales_team.group_sale_salesman')
        with self.assertRaises(AccessError):
            self._report(user=colleague)
        report = self._report()
        FalseHold = self.env['credit.false.hold']
        self.assertEqual(FalseHold.with_user(self.sales_user).search([]), report)
        self.assertFalse(FalseHold.with_user(colleague).search([]))
        for user in (self.sales_user, self.analyst):
            with self.assertRaisesRegex(AccessError, "Only credit managers"):
                self._judge('action_justified', user=user)
            wizard = self.env['credit.false.hold.decision'].with_user(self.sales_user)
            with self.assertRaisesRegex(AccessError, "Only credit managers"):
                wizard.create({'step': 'judge', 'order_id': self.order.id}).action_justified()
            with self.assertRaises(AccessError):
                FalseHold.with_user(user).create({'check_id': self.order.credit_check_id.id})
            with self.assertRaises(AccessError):
                self.env['credit.rule.statistic'].with_user(user).search([])

    def test_manager_who_reported_does_not_decide(self):
        self.manager.group_ids += self.env.ref('sales_team.group_sale_salesman_all_leads')
        self._report(user=self.manager)
        self.assertFalse(self.order.with_user(self.manager).credit_can_judge)
        with self.assertRaisesRegex(AccessError, "Another credit manager"):
            self._judge('action_justified')
        self._judge('action_justified', user=self.other_manager)

    def test_statistic_counts_holds_reports_and_decisions_per_rule_once_per_order(self):
        self._report()
        self._judge('action_justified')
        self.order.with_user(self.sales_user).action_confirm()
        self._report(reason='limit')
        self._judge('action_declined')
        second = self._order_of(200)
        second.with_user(self.sales_user).action_confirm()
        second.with_user(self.manager)._credit_release("fine")
        third = self._order_of(5000)
        third.with_user(self.sales_user).action_confirm()
        third.with_user(self.manager)._credit_reject("too much")
        Statistic = self.env['credit.rule.statistic'].with_user(self.manager)

        groups = Statistic._read_group(
            [('policy_id', '=', self.policy.id)],
            ['kind'],
            [
                'hold_count:sum',
                'reported_count:sum',
                'justified_count:sum',
                'declined_count:sum',
                'released_count:sum',
                'rejected_count:sum',
                'shadow_count:sum',
                'justified_rate:avg',
            ],
        )

        self.assertEqual(
            {kind: tuple(figures) for kind, *figures in groups},
            {'order_amount': (3, 1, 1, 1, 1, 1, 0, 100 / 3), 'utilisation': (1, 0, 0, 0, 0, 1, 0, 0)},
        )
        action = self.policy.with_user(self.manager).action_view_statistic()
        self.assertEqual(len(Statistic.search(action['domain'])), 4)

    def test_statistic_keeps_what_was_recorded_only_apart(self):
        self.policy.rule_ids[0].mode = 'watch'
        self._order_of(100, confirm=True)
        rows = self.env['credit.rule.statistic'].search([('shadow', '=', True)])
        self.assertEqual(
            rows.mapped(lambda row: (row.kind, row.hold_count, row.shadow_count)), [('order_amount', 0, 1)]
        )

    def test_reports_and_statistic_of_another_company_are_not_seen(self):
        self._report()
        other = self.env['res.company'].create({'name': "Elsewhere"})
        stranger = self._new_user('stranger', 'credit_management.group_credit_manager')
        stranger.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        for model in ('credit.false.hold', 'credit.rule.statistic'):
            self.assertFalse(self.env[model].with_user(stranger).with_company(other).search([]))
