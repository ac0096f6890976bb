import json
import logging

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import SQL
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon


class CoreLimitCommon(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Core = cls.env['credit.core.limit']
        cls.company.account_use_credit_limit = True
        cls.today = cls.company._credit_today()
        cls.other_company = cls.env['res.company'].create({'name': "Other Company"})
        cls.env.user.company_ids += cls.other_company

    @classmethod
    def _branch(cls):
        branch = cls.env['res.company'].create({'name': "Harbour Branch", 'parent_id': cls.company.id})
        cls.env.user.company_ids += branch
        return branch

    @classmethod
    def _write_below(cls, partner, numbers):
        """Put numbers by company into core's column, as they were before our add-on came."""
        value = json.dumps({str(company.id): number for company, number in numbers.items()})
        cls.env.flush_all()
        cls.env.cr.execute(SQL("UPDATE res_partner SET credit_limit = %s WHERE id = ANY(%s)", value, partner.ids))
        cls.env.invalidate_all()

    def numbers(self, partner=None):
        """Return what core's column holds, by company id."""
        partner = partner or self.customer
        self.env.flush_all()
        self.env.cr.execute(SQL("SELECT credit_limit FROM res_partner WHERE id = %s", partner.id))
        return {int(key): number for key, number in (self.env.cr.fetchone()[0] or {}).items()}

    def assertNumber(self, number, partner=None, company=None):
        """Check the number of one company; None: no entry."""
        self.assertEqual(self.numbers(partner).get((company or self.company).id), number)

    def limits(self, partner=None, company=None):
        domain = [('partner_id', '=', (partner or self.customer).id), ('company_id', '=', (company or self.company).id)]
        return self.env['credit.limit'].search(domain)

    def events(self, limit):
        events = self.env['credit.event'].search([('account_id', '=', limit.account_id.id)])
        return [(event.kind, json.loads(event.payload)) for event in events]


@tagged('post_install', '-at_install')
class TestCoreLimitTakeOver(CoreLimitCommon):
    def test_number_above_0_is_an_approved_limit_from_today(self):
        self._write_below(self.customer, {self.company: 5000})

        self.Core._take_over_all()

        limit = self.limits()
        self.assertRecordValues(
            limit,
            [
                {
                    'state': 'approved',
                    'kind': 'base',
                    'limit_kind': 'amount',
                    'amount': 5000,
                    'currency_id': self.currency.id,
                    'date_from': self.today,
                    'date_to': False,
                    'origin': 'core',
                }
            ],
        )
        self.assertIn("Taken over", limit.reason)
        self.assertTrue(limit.in_force)
        self.assertEqual((limit.account_id.limit_kind, limit.account_id.limit_amount), ('amount', 5000))
        kind, payload = self.events(limit)[0]
        self.assertEqual((kind, payload['amount'], payload['origin']), ('limit_approved', 5000, 'core'))
        self.assertNumber(5000)

    def test_0_beside_a_default_is_unlimited_and_no_number_is_no_limit(self):
        self.env['ir.default'].set('res.partner', 'credit_limit', 1000.0, company_id=self.company.id)
        free, undecided = self.env['res.partner'].create([{'name': "Free"}, {'name': "Undecided"}])
        self._write_below(free, {self.company: 0})

        self.Core._take_over_all()

        self.assertEqual(self.limits(free).mapped('limit_kind'), ['unlimited'])
        self.assertFalse(self.limits(undecided))
        self.assertNumber(0, free)
        self.assertNumber(None, undecided)

    def test_default_becomes_the_default_of_a_standard_policy_in_shadow_mode(self):
        self.env['ir.default'].set('res.partner', 'credit_limit', 1000.0, company_id=self.company.id)

        self.Core._take_over_all()

        policy = self.company.credit_policy_id
        self.assertRecordValues(
            policy, [{'mode': 'shadow', 'default_limit_kind': 'amount', 'default_limit_amount': 1000}]
        )
        self.assertFalse(self.other_company.credit_policy_id)
        self.assertEqual(self.Core._core_default(self.company), 1000)

    def test_company_with_limits_but_no_default_gets_no_policy(self):
        self._write_below(self.customer, {self.company: 5000})
        self.Core._take_over_all()
        self.assertNotIn(self.company.id, self.env['credit.policy']._companies_with_policy())

    def test_default_of_a_company_with_a_policy_does_not_change_the_policy(self):
        self.env['ir.default'].set('res.partner', 'credit_limit', 1000.0, company_id=self.company.id)
        policy = self._limit_policy(default_limit_kind='amount', default_limit_amount=300)
        self.Core._take_over_all()
        self.assertEqual((self.company.credit_policy_id, policy.default_limit_amount), (policy, 300))

    def test_switch_off_makes_drafts_and_keeps_the_numbers_until_they_are_decided(self):
        self.company.account_use_credit_limit = False
        self.env['ir.default'].set('res.partner', 'credit_limit', 1000.0, company_id=self.company.id)
        self._write_below(self.customer, {self.company: 5000})

        self.Core._take_over_all()

        limit = self.limits()
        self.assertEqual((limit.state, limit.amount), ('draft', 5000))
        self.assertEqual(limit.account_id.limit_kind, 'none')
        self.assertEqual(self.events(limit)[0][0], 'core_limit')
        self.assertNumber(5000)
        self.assertFalse(self.company.credit_policy_id)
        self.assertFalse(self.company.account_use_credit_limit)

        limit.action_submit()
        limit.with_user(self.manager)._reject("never agreed")
        self.assertNumber(None)

    def test_deleted_draft_of_the_take_over_takes_the_number_with_it(self):
        self.company.account_use_credit_limit = False
        self._write_below(self.customer, {self.company: 5000})
        self.Core._take_over_all()
        self.limits().unlink()
        self.assertNumber(None)

    def test_only_customers_count_and_contacts_follow(self):
        self._write_below(self.customer, {self.company: 5000})
        self._write_below(self.contact, {self.company: 70})

        self.Core._take_over_all()

        self.assertEqual(self.limits().mapped('amount'), [5000])
        self.assertFalse(self.limits(self.contact))
        self.assertNumber(5000, self.contact)

    def test_archived_customers_are_taken_over_too(self):
        self._write_below(self.customer, {self.company: 5000})
        self.customer.action_archive()
        self.Core._take_over_all()
        self.assertEqual(self.limits().mapped('amount'), [5000])

    def test_each_company_has_its_own(self):
        self.other_company.account_use_credit_limit = True
        self._write_below(self.customer, {self.company: 5000, self.other_company: 80})

        self.Core._take_over_all()

        self.assertEqual(self.limits().mapped('amount'), [5000])
        self.assertEqual(self.limits(company=self.other_company).mapped('amount'), [80])
        self.assertEqual(self.numbers(), {self.company.id: 5000, self.other_company.id: 80})

    def test_another_number_of_a_branch_is_told(self):
        branch = self._branch()
        self._write_below(self.customer, {self.company: 5000, branch: 300})

        with self.assertLogs('odoo.addons.credit_management.models.credit_core_limit', logging.INFO) as log:
            self.Core._take_over_all()

        limit = self.limits()
        self.assertEqual((limit.state, limit.amount), ('approved', 5000))
        self.assertIn("Harbour Branch", limit.reason)
        self.assertIn("300", limit.reason)
        self.assertEqual(self.events(limit)[0][1]['branches'], [{'company_id': branch.id, 'amount': 300}])
        self.assertIn(f"see the credit limits {limit.id}", log.output[-1])
        self.assertNumber(5000, company=branch)

    def test_number_of_a_branch_alone_is_a_draft(self):
        branch = self._branch()
        self._write_below(self.customer, {branch: 300})

        self.Core._take_over_all()

        limit = self.limits()
        self.assertEqual((limit.state, limit.amount), ('draft', 300))
        self.assertIn("Decide for all of them", limit.reason)
        self.assertEqual(self.numbers(), {branch.id: 300})

    def test_what_is_decided_is_not_touched(self):
        account = self._account(limit=700)
        self._write_below(self.customer, {self.company: 5000})
        self.Core._take_over_all()
        self.assertEqual(self.limits().mapped('amount'), [700])
        self.assertEqual(account.limit_amount, 700)
        self.assertNumber(700)

    def test_draft_of_an_analyst_does_not_stand_in_the_way(self):
        account = self._account()
        draft = (
            self.env['credit.limit']
            .with_user(self.analyst)
            .create({'account_id': account.id, 'amount': 9000, 'currency_id': self.currency.id})
        )
        self._write_below(self.customer, {self.company: 5000})
        self.Core._take_over_all()
        self.assertEqual((self.limits() - draft).mapped('state'), ['approved'])
        self.assertEqual(self.limits().account_id, account)

    def test_smallest_unit_and_less_than_0_are_no_credit(self):
        unit, negative = self.env['res.partner'].create([{'name': "Unit"}, {'name': "Negative"}])
        self._write_below(unit, {self.company: 0.01})
        self._write_below(negative, {self.company: -5})

        self.Core._take_over_all()

        for partner in (unit, negative):
            self.assertEqual([(limit.limit_kind, limit.amount) for limit in self.limits(partner)], [('amount', 0)])
            self.assertNumber(0.01, partner)

    def test_second_time_finds_nothing_new(self):
        self._write_below(self.customer, {self.company: 5000})
        self.Core._take_over_all()
        before = self.limits()
        self.Core._take_over_all()
        self.assertEqual(self.limits(), before)

    def test_statements_do_not_grow_with_the_customers(self):
        def take_over(count):
            partners = self.env['res.partner'].create([{'name': f"Customer {number}"} for number in range(count)])
            self._write_below(partners, {self.company: 5000})
            before = self.cr.sql_log_count
            self.Core._take_over(self.company)
            self.env.flush_all()
            statements = self.cr.sql_log_count - before
            self.assertEqual(len(partners.mapped('credit_account_id')), count)
            return statements

        take_over(2)
        self.assertEqual(take_over(3), take_over(60))


@tagged('post_install', '-at_install')
class TestCoreLimitMirrorOut(CoreLimitCommon):
    def test_approved_limit_shows_in_core_for_the_customer_its_contacts_and_branches(self):
        branch = self._branch()
        self._account(limit=5000)
        for partner in (self.customer, self.contact):
            self.assertEqual(self.numbers(partner), {self.company.id: 5000, branch.id: 5000})
        self.assertEqual(self.customer.with_company(branch).credit_limit, 5000)

    def test_later_decision_replaces_the_number(self):
        account = self._account(limit=5000)
        self._limit(account, 300)
        self.assertEqual(self.customer.credit_limit, 300)

    def test_proposal_shows_nothing(self):
        limit = self.env['credit.limit'].create(
            {'account_id': self._account().id, 'amount': 100, 'currency_id': self.currency.id}
        )
        limit.action_submit()
        self.assertNumber(None)

    def test_unlimited_is_0_with_and_without_a_default(self):
        self._limit(self._account(), 0, limit_kind='unlimited')
        self.assertNumber(0)
        self._limit_policy(default_limit_kind='amount', default_limit_amount=100)
        self.assertNumber(0)
        self.assertEqual(self.customer.credit_limit, 0)

    def test_no_credit_is_the_smallest_unit(self):
        account = self._account(limit=0)
        self.assertNumber(0.01)
        self.assertEqual(account.limit_amount, 0)

    def test_limit_equal_to_the_default_stays_when_the_default_changes(self):
        policy = self._limit_policy(default_limit_kind='amount', default_limit_amount=5000)
        self._account(limit=5000)
        self.assertNumber(5000)
        # The ORM drops what equals the default when it writes another company's number.
        self.customer.with_company(self.other_company).credit_limit = 70
        policy.default_limit_amount = 9000
        self.assertNumber(5000)

    def test_amount_in_another_currency_follows_the_rate(self):
        currency = self.setup_other_currency('EUR', rates=[(self.today, 0.5)])
        account = self._account()
        self._limit(account, 100, currency_id=currency.id)
        self.assertNumber(200)

        currency.rate_ids.rate = 0.25
        self.Core._refresh(self.company)
        self.assertNumber(400)

    def test_limit_begins_and_ends_on_its_days(self):
        account = self._account(limit=500)
        start, end = date_add(self.today, days=3), date_add(self.today, days=5)
        self._limit(account, 900, date_from=start)
        self.assertNumber(500)
        with freeze_time(start):
            self.Core._refresh(self.company)
            self.assertNumber(900)
        account = self._account(self.env['res.partner'].create({'name': "Short"}))
        self._limit(account, 70, date_to=end)
        with freeze_time(end):
            self.Core._refresh(self.company)
            self.assertNumber(70, account.partner_id)
        for days, number in ((30, 70), (31, None)):  # the days of grace where no policy says otherwise
            with freeze_time(date_add(end, days=days)):
                self.Core._refresh(self.company)
                self.assertNumber(number, account.partner_id)

    def test_job_looks_after_all_companies(self):
        self._account(limit=500)
        self._account(limit=80, company=self.other_company)
        self._write_below(self.customer, {self.company: 9, self.other_company: 9})
        with self.enter_registry_test_mode():
            self.env.ref('credit_management.ir_cron_mirror_limits').method_direct_trigger()
        self.assertEqual(self.numbers(), {self.company.id: 500, self.other_company.id: 80})

    def test_number_that_came_in_below_the_orm_is_kept_as_a_draft(self):
        self._write_below(self.customer, {self.company: 5000})
        self.Core._refresh(self.company)
        self.assertEqual(self.limits().mapped('state'), ['draft'])

    def test_archived_account_has_no_limit(self):
        account = self._account(limit=500)
        account.action_archive()
        self.assertNumber(None)
        account.action_unarchive()
        self.assertNumber(500)

    def test_customer_that_leaves_its_group_does_not_keep_the_number(self):
        self._account(limit=500)
        self.assertNumber(500, self.contact)
        self.contact.write({'is_company': True, 'parent_id': False})
        self.assertNumber(None, self.contact)

    def test_new_contact_has_the_number_of_its_customer(self):
        self._account(limit=500)
        contact = self.env['res.partner'].create({'name': "Mr Zhao", 'parent_id': self.customer.id})
        self.assertEqual(contact.credit_limit, 500)
        self.assertEqual(len(self.limits()), 1)

    def test_customer_on_hold_keeps_its_number(self):
        self._account(limit=500, status='hold', status_reason="x")
        self.assertNumber(500)

    def test_default_of_the_policy_is_cores_default_for_company_and_branches(self):
        branch = self._branch()
        policy = self._limit_policy(default_limit_kind='amount', default_limit_amount=100)
        self.assertEqual([self.Core._core_default(member) for member in self.company + branch], [100, 100])
        policy.default_limit_amount = 0
        self.assertEqual(self.Core._core_default(self.company), 0.01)
        policy.default_limit_kind = 'unlimited'
        self.assertEqual(self.Core._core_default(branch), 0)
        self.assertEqual(self.Core._core_default(self.other_company), 0)

    def test_unlimited_default_of_a_policy_in_shadow_mode_leaves_cores(self):
        self.env['ir.default'].set('res.partner', 'credit_limit', 1000.0, company_id=self.company.id)
        policy = self._limit_policy(mode='shadow')
        self.assertEqual(self.Core._core_default(self.company), 1000)
        policy.action_enforce()
        self.assertEqual(self.Core._core_default(self.company), 0)

    def test_standard_policy_starts_with_cores_default(self):
        self.env['ir.default'].set('res.partner', 'credit_limit', 1000.0, company_id=self.company.id)
        policy = self.env['credit.policy']._create_standard(self.company)
        self.assertEqual((policy.default_limit_kind, policy.default_limit_amount), ('amount', 1000))

    def test_before_leaving_customers_keep_the_default_of_their_own_policy(self):
        own = self._limit_policy(default=False, default_limit_kind='amount', default_limit_amount=60)
        self._account(policy_id=own.id)
        decided = self._account(self.env['res.partner'].create({'name': "Decided"}), limit=900, policy_id=own.id)
        self.Core._leave()
        self.assertNumber(60)
        self.assertNumber(900, decided.partner_id)

    def test_temporary_limit_stays_out_of_cores_number(self):
        account = self._account(limit=500)
        self._limit(account, 900, kind='temporary', date_to='2099-12-31')
        self.Core._mirror(self.company)
        self.assertNumber(500)

    def test_before_leaving_customers_keep_the_default_of_their_segment(self):
        tag = self.env['res.partner.category'].create({'name': "Small"})
        self._limit_policy(default=False, default_limit_kind='amount', default_limit_amount=70, tag_ids=tag.ids)
        without_account = self.env['res.partner'].create(
            {'name': "Small Ltd", 'is_company': True, 'customer_rank': 1, 'category_id': tag.ids}
        )
        self.Core._leave()
        self.assertNumber(70, without_account)
        self.assertNumber(None, without_account, self.other_company)

    def test_merge_keeps_the_limit_of_the_account_and_proposes_nothing(self):
        double = self.env['res.partner'].create({'name': "Hengda Ltd", 'is_company': True})
        self._account(limit=500)
        self._write_below(double, {self.company: 8000})
        wizard = self.env['base.partner.merge.automatic.wizard'].sudo()
        wizard._merge((self.customer + double).ids, self.customer)
        self.assertNumber(500)
        self.assertEqual(self.limits().mapped('amount'), [500])


@tagged('post_install', '-at_install')
class TestCoreLimitMirrorIn(CoreLimitCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy()
        cls.account = cls._account(limit=500)
        cls.accountant = new_test_user(
            cls.env, 'core_accountant', 'account.group_account_invoice,base.group_partner_manager'
        )

    def proposals(self, partner=None):
        return self.limits(partner).filtered(lambda limit: limit.state in ('draft', 'submitted'))

    def test_write_is_a_proposal_and_gives_nothing(self):
        self.customer.with_user(self.accountant).write({'credit_limit': 9000, 'comment': "big"})

        proposal = self.proposals()
        self.assertRecordValues(
            proposal,
            [
                {
                    'state': 'submitted',
                    'amount': 9000,
                    'limit_kind': 'amount',
                    'origin': 'core',
                    'requested_by_id': self.accountant.id,
                    'currency_id': self.currency.id,
                }
            ],
        )
        self.assertEqual(self.customer.credit_limit, 500)
        self.assertIn("big", self.customer.comment)
        self.assertEqual(self.account.limit_amount, 500)
        self.assertIn("proposal", self.customer.message_ids[0].body)
        self.assertEqual(proposal.activity_ids.mapped('activity_type_id.name'), ["Limit to Approve"])
        kind, payload = self.events(proposal)[0]
        self.assertEqual((kind, payload['amount'], payload['limit_id']), ('core_limit', 9000, proposal.id))

    def test_approved_proposal_shows_in_core(self):
        self.customer.with_user(self.accountant).credit_limit = 9000
        self.proposals().with_user(self.manager).action_approve()
        self.assertEqual(self.customer.credit_limit, 9000)
        self.assertNumber(9000)

    def test_rejected_proposal_changes_nothing(self):
        self.customer.with_user(self.accountant).credit_limit = 9000
        self.proposals().with_user(self.manager)._reject("no")
        self.assertNumber(500)

    def test_writer_can_not_approve(self):
        self.customer.with_user(self.manager).sudo().write({'credit_limit': 9000})
        proposal = self.proposals()
        self.assertEqual(proposal.requested_by_id, self.manager)
        with self.assertRaises(AccessError):
            proposal.with_user(self.manager).action_approve()

    def test_second_write_replaces_the_proposal(self):
        self.customer.with_user(self.accountant).credit_limit = 9000
        first = self.proposals()
        self.customer.credit_limit = 7000
        self.assertEqual(self.proposals(), first)
        self.assertEqual((first.amount, first.requested_by_id), (7000, self.env.user))
        self.assertEqual(len(first.activity_ids), 1)

    def test_proposal_of_an_analyst_is_not_replaced(self):
        own = (
            self.env['credit.limit']
            .with_user(self.analyst)
            .create({'account_id': self.account.id, 'amount': 600, 'currency_id': self.currency.id})
        )
        self.customer.credit_limit = 7000
        self.assertEqual(own.amount, 600)
        self.assertEqual(len(self.proposals()), 2)

    def test_lower_0_and_less_are_proposals_too(self):
        for number, kind, amount in ((100, 'amount', 100), (0, 'unlimited', 0), (-1, 'amount', 0), (0.01, 'amount', 0)):
            self.customer.credit_limit = number
            self.assertEqual((self.proposals().limit_kind, self.proposals().amount), (kind, amount))
            self.assertNumber(500)

    def test_same_number_again_is_no_proposal(self):
        self.customer.credit_limit = 500
        self.assertFalse(self.proposals())

    def test_box_of_the_partner_limit_is_a_proposal_of_the_default(self):
        self.policy.write({'default_limit_kind': 'amount', 'default_limit_amount': 300})
        self.customer.use_partner_credit_limit = False
        self.assertEqual(self.proposals().amount, 300)
        self.assertNumber(500)

    def test_user_who_may_not_write_the_field_proposes_nothing(self):
        for user in (self.sales_user, self.analyst):
            with self.assertRaises(AccessError):
                self.customer.with_user(user).write({'credit_limit': 9000})
        with self.assertRaises(AccessError):
            self.env['res.partner'].with_user(self.sales_user).create({'name': "New", 'credit_limit': 9000})
        self.assertFalse(self.proposals())

    def test_written_number_of_a_contact_is_its_customers(self):
        self.contact.credit_limit = 800
        self.assertEqual(self.proposals().amount, 800)
        self.assertNumber(500, self.contact)

    def test_created_customer_with_a_number_has_a_proposal(self):
        partners = (
            self.env['res.partner']
            .with_user(self.accountant)
            .create([{'name': "One", 'credit_limit': 100}, {'name': "Two"}, {'name': "Three", 'credit_limit': 300}])
        )
        self.assertEqual([self.proposals(partner).mapped('amount') for partner in partners], [[100], [], [300]])
        self.assertEqual([self.numbers(partner) for partner in partners], [{}, {}, {}])

    def test_number_from_the_clients_context_is_a_proposal(self):
        partner = self.env['res.partner'].with_context(default_credit_limit=9000).create({'name': "One"})
        self.assertEqual(self.numbers(partner), {})
        self.assertEqual(self.proposals(partner).amount, 9000)
        seller = new_test_user(self.env, 'core_seller', 'sales_team.group_sale_salesman,base.group_partner_manager')
        partner = (
            self.env['res.partner'].with_user(seller).with_context(default_credit_limit=9000).create({'name': "Two"})
        )
        self.assertEqual(self.numbers(partner), {})
        self.assertFalse(self.proposals(partner))

    def test_context_keys_open_nothing(self):
        self.customer.with_context(credit_merging=True).credit_limit = 8000
        self.assertNumber(500)
        self.assertEqual(self.proposals().mapped('amount'), [8000])
        self.customer.with_context(default_state='approved', default_amount=1).credit_limit = 9000
        self.assertEqual(self.proposals().mapped('amount'), [9000])

    def test_import_does_not_fail(self):
        result = (
            self.env['res.partner']
            .with_user(self.accountant)
            .with_context(import_file=True)
            .load(
                ['.id', 'name', 'credit_limit'],
                [[str(self.customer.id), "Hengda Trading", '9000'], ['', "Imported", '70'], ['', "No limit", '']],
            )
        )
        self.assertFalse([message for message in result['messages'] if message['type'] == 'error'])
        self.assertEqual(self.proposals().amount, 9000)
        self.assertEqual(self.proposals(self.env['res.partner'].browse(result['ids'][1])).amount, 70)
        self.assertFalse(self.proposals(self.env['res.partner'].browse(result['ids'][2])))

    def test_many_at_once_are_told_once(self):
        partners = self.env['res.partner'].create([{'name': f"Customer {number}"} for number in range(30)])
        partners.with_user(self.accountant).write({'credit_limit': 100})
        proposals = self.env['credit.limit'].search([('partner_id', 'in', partners.ids)])
        self.assertEqual(len(proposals), 30)
        self.assertEqual(proposals.mapped('state'), ['submitted'] * 30)
        self.assertEqual(proposals.activity_ids.mapped('summary'), ["30 limits were written on contacts"])
        self.assertFalse(any(self.numbers(partner) for partner in partners))

    def test_statements_do_not_grow_with_the_customers(self):
        def write(count):
            partners = self.env['res.partner'].create([{'name': f"Customer {number}"} for number in range(count)])
            self.env.flush_all()
            before = self.cr.sql_log_count
            partners.write({'credit_limit': 100.0})
            self.env.flush_all()
            return self.cr.sql_log_count - before

        write(20)
        self.assertLessEqual(write(80) - write(40), 5)

    def test_other_company_and_branch(self):
        branch = self._branch()
        self.customer.with_company(branch).credit_limit = 800
        self.assertEqual(self.proposals().mapped('amount'), [800])
        self.assertIn("Harbour Branch", self.proposals().reason)
        self._limit_policy(company=self.other_company)
        self.customer.with_company(self.other_company).credit_limit = 90
        self.assertEqual(self.limits(company=self.other_company).mapped('amount'), [90])
        self.assertEqual(self.limits(company=self.other_company).mapped('state'), ['submitted'])
        self.Core._refresh(self.company)
        self.assertEqual(self.numbers(), {self.company.id: 500, branch.id: 500})

    def test_default_written_elsewhere_is_put_back_and_told(self):
        self.policy.write({'default_limit_kind': 'amount', 'default_limit_amount': 300})

        self.env['ir.default'].set('res.partner', 'credit_limit', 9000.0, company_id=self.company.id)

        self.assertEqual(self.Core._core_default(self.company), 300)
        self.assertEqual(self.policy.default_limit_amount, 300)
        self.assertIn("9,000", self.policy.message_ids[0].body)

    def test_default_deleted_or_written_for_all_companies_is_put_back(self):
        self.policy.write({'default_limit_kind': 'amount', 'default_limit_amount': 300})
        self.env['ir.default'].search([('field_id.name', '=', 'credit_limit')]).unlink()
        self.assertEqual(self.Core._core_default(self.company), 300)
        self.env['ir.default'].set('res.partner', 'credit_limit', 9000.0)
        self.assertEqual(self.Core._core_default(self.company), 300)
        self.assertEqual(self.Core._core_default(self.other_company), 9000)

    def test_settings_can_not_change_the_default_but_can_be_saved(self):
        self.policy.write({'default_limit_kind': 'amount', 'default_limit_amount': 300})
        self.env['res.config.settings'].create({'account_default_credit_limit': 9000}).execute()
        self.assertEqual(self.Core._core_default(self.company), 300)
        messages = self.policy.message_ids
        self.env['res.config.settings'].create({}).execute()
        self.assertEqual(self.policy.message_ids, messages)


@tagged('post_install', '-at_install')
class TestCoreLimitWithoutPolicy(CoreLimitCommon):
    """Core's alert is at work there, with core's numbers, until something has been decided here."""

    def test_write_is_cores_and_kept_as_a_draft(self):
        self.customer.credit_limit = 5000
        self.assertEqual(self.customer.credit_limit, 5000)
        self.assertEqual(self.contact.credit_limit, 5000)
        self.assertEqual([(limit.state, limit.amount) for limit in self.limits()], [('draft', 5000)])
        self.assertFalse(self.limits().activity_ids)
        self.Core._refresh(self.company)
        self.assertNumber(5000)

    def test_from_the_first_policy_on_it_is_ours(self):
        self.customer.credit_limit = 5000
        self._limit_policy(mode='shadow')
        self.customer.credit_limit = 6000
        self.assertEqual([(limit.state, limit.amount) for limit in self.limits()], [('submitted', 6000)])
        self.assertNumber(5000)

    def test_created_customer(self):
        partner = self.env['res.partner'].create({'name': "New", 'credit_limit': 70})
        self.assertEqual(partner.credit_limit, 70)

    def test_decided_customer_is_ours(self):
        self._account(limit=500)
        self.customer.credit_limit = 5000
        self.assertNumber(500)

    def test_default_is_cores(self):
        self.env['ir.default'].set('res.partner', 'credit_limit', 9000.0, company_id=self.company.id)
        self.assertEqual(self.Core._core_default(self.company), 9000)
