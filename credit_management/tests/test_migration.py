from importlib.util import module_from_spec, spec_from_file_location

from odoo.modules import get_module_path
from odoo.tests import tagged
from odoo.tools.date_utils import add

from ..models.credit_policy import EXPIRY_GRACE_DAYS
from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestMigration(CreditCommon):
    """What a database of 19.0.1.2.0 holds is brought up to what this version expects."""

    def _migrate(self, name, version='19.0.1.3.0'):
        self.env.flush_all()
        path = f'{get_module_path("credit_management")}/migrations/{version}/post-{name}.py'
        spec = spec_from_file_location(f'credit_migration_{name}', path)
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.cr, '19.0.1.2.0')
        self.env.flush_all()
        self.env.invalidate_all()

    def test_what_waits_is_asked_about_once(self):
        self._limit_policy()
        account = self._account(limit=100.0)
        limit = self.env['credit.limit'].with_user(self.analyst).create({'account_id': account.id, 'amount': 500.0})
        limit.action_submit()
        order = self._order_of(500.0)
        order.with_user(self.sales_user).action_confirm()
        order.with_user(self.sales_user)._credit_request_release("Please")
        # As it was before there were approvals.
        documents = [limit.sudo(), order.sudo().credit_release_id]
        for document in documents:
            document._approval_cancel()
            document.approval_ids.unlink()

        self._migrate('approvals')
        self._migrate('approvals')

        for document in documents:
            self.assertEqual(len(document.approval_ids), 1)
            self.assertEqual(document.approval_id.state, 'pending')
            self.assertTrue(document.approval_user_id)
        self.assertEqual(limit.activity_ids.user_id, limit.approval_user_id)

    def test_running_limits_get_days_of_grace_and_policies_the_rule(self):
        policy = self._limit_policy()
        policy.rule_ids.filtered(lambda rule: rule.kind == 'limit_expired').unlink()
        today = self.company._credit_today()
        account = self._account()
        running = self._limit(account, 100.0, date_to=add(today, days=10))
        brief = self._limit(account, 200.0, kind='temporary', date_to=add(today, days=5))
        endless = self._limit(self._account(self.env['res.partner'].create({'name': "Other"})), 300.0)
        self.cr.execute("UPDATE credit_limit SET date_until = NULL")
        self.env.invalidate_all()

        self._migrate('expiry')

        self.assertEqual(running.date_until, add(today, days=10 + EXPIRY_GRACE_DAYS))
        self.assertEqual(brief.date_until, brief.date_to, "temporary limits end sharp")
        self.assertFalse(endless.date_until)
        rule = policy.rule_ids.filtered(lambda rule: rule.kind == 'limit_expired')
        self.assertEqual(rule.mapped('outcome'), ['warn'])

    def test_checks_are_given_their_main_reason(self):
        self._limit_policy()
        self._account(limit=100.0)
        held, passed = self._order_of(500.0), self._order_of(50.0)
        (held + passed).with_user(self.sales_user).action_confirm()
        checks = [order.sudo().credit_check_ids[:1] for order in (held, passed)]
        self.env.flush_all()
        self.cr.execute("UPDATE credit_check SET main_kind = NULL")
        self.env.invalidate_all()

        self._migrate('main_kind')

        self.assertEqual([check.main_kind for check in checks], ['utilisation', False])

    def test_managers_see_the_counters_of_team_limits_unless_they_have_a_rule_of_their_own(self):
        rule = self.env.ref('credit_management.credit_counter_rule_company')
        wanted = rule.domain_force
        former = "['|', ('account_id.company_id', 'parent_of', company_ids), ('company_id', 'parent_of', company_ids)]"
        rule.domain_force = former
        self._migrate('counter_rule', '19.0.1.4.0')
        self.assertEqual(rule.domain_force, wanted)
        rule.domain_force = "[]"
        self._migrate('counter_rule', '19.0.1.4.0')
        self.assertEqual(rule.domain_force, "[]")
