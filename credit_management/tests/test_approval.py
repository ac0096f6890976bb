from datetime import datetime, timedelta

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .common import CreditCommon

FOLLOW_UP = 'odoo.addons.credit_management.models.credit_approval'
COUNTER = 'odoo.addons.credit_management.models.credit_counter'
# A Friday and the Monday after.
FRIDAY = datetime(2030, 6, 7, 6, 0)


class ApprovalCommon(CreditCommon):
    """Two levels: the credit manager, and from 1000 the director; a substitute who is named nowhere else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.director = cls._new_user('credit_director', 'credit_management.group_credit_analyst')
        cls.deputy = cls._new_user('credit_deputy', 'credit_management.group_credit_manager')
        cls.policy = cls._limit_policy()
        cls.account = cls._account(limit=10)
        cls.company.resource_calendar_id.tz = 'UTC'

    @classmethod
    def _level(cls, name, users, **values):
        return cls.env['credit.approval.level'].create(
            {
                'name': name,
                'policy_id': cls.policy.id,
                'user_ids': [Command.set(users.ids)],
                'sequence': len(cls.policy.approval_level_ids),
                **values,
            }
        )

    @classmethod
    def _two_levels(cls, **values):
        first = cls._level("Manager", cls.manager + cls.other_manager, **values)
        return first + cls._level("Director", cls.director, amount_from=1000, **values)

    def _submitted(self, amount=100, user=None, **values):
        limit = (
            self.env['credit.limit']
            .with_user(user or self.analyst)
            .create({'account_id': self.account.id, 'amount': amount, 'currency_id': self.currency.id, **values})
        )
        limit.action_submit()
        return limit

    def _held(self, amount=100):
        order = self._order_of(amount)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual(order.credit_state, 'on_hold')
        return order

    def _away(self, user, substitute=None, **values):
        today = self.company._credit_today()
        return self.env['credit.absence'].create(
            {
                'user_id': user.id,
                'substitute_id': substitute and substitute.id,
                'date_from': today,
                'date_to': today,
                **values,
            }
        )

    def _follow_up(self):
        with self.enter_registry_test_mode():
            self.env.ref('credit_management.ir_cron_follow_up_approvals').method_direct_trigger()
        self.env.invalidate_all()


@tagged('post_install', '-at_install')
class TestApprovalLevels(ApprovalCommon):
    def test_without_levels_any_manager_decides_and_the_step_is_kept(self):
        limit = self._submitted()
        self.assertTrue(limit.approval_user_id)
        self.assertTrue(limit.with_user(self.other_manager).can_decide)
        limit.with_user(self.other_manager).action_approve()
        self.assertRecordValues(
            limit.approval_ids, [{'state': 'approved', 'decided_by_id': self.other_manager.id, 'level_id': False}]
        )
        self.assertFalse(limit.approval_id)

    def test_limit_below_the_second_level_is_decided_by_the_first(self):
        self._two_levels()
        limit = self._submitted(999)
        limit.with_user(self.manager).action_approve()
        self.assertEqual(limit.state, 'approved')

    def test_limit_of_1000_goes_from_level_to_level(self):
        self._two_levels()
        limit = self._submitted(1000)
        self.assertEqual((limit.approval_user_id, limit.activity_ids.user_id), (self.manager, self.manager))

        limit.with_user(self.manager).action_approve()
        self.assertEqual((limit.state, limit.approval_user_id), ('submitted', self.director))
        self.assertEqual(limit.activity_ids.user_id, self.director)
        self.assertFalse(limit.in_force)

        limit.with_user(self.director).action_approve()
        self.assertEqual((limit.state, limit.decided_by_id), ('approved', self.director))
        self.assertEqual(limit.approval_ids.sorted('sequence').decided_by_id.ids, (self.manager + self.director).ids)
        self.assertFalse(limit.activity_ids)

    def test_only_the_level_that_is_asked_decides(self):
        self._two_levels()
        limit = self._submitted(1000)
        for user in (self.director, self.deputy, self.analyst):
            with self.assertRaises(AccessError):
                limit.with_user(user).action_approve()
            with self.assertRaises(AccessError):
                limit.with_user(user)._reject("no")
        self.assertEqual(limit.state, 'submitted')

    def test_one_person_does_not_decide_at_two_levels(self):
        self._level("First", self.manager)
        self._level("Second", self.manager + self.other_manager)
        limit = self._submitted()
        limit.with_user(self.manager).action_approve()
        self.assertEqual(limit.approval_user_id, self.other_manager)
        with self.assertRaises(AccessError):
            limit.with_user(self.manager).action_approve()

    def test_click_on_a_decided_step_does_not_count_for_the_next_level(self):
        self._level("First", self.manager)
        self._level("Second", self.manager + self.other_manager)
        limit = self._submitted()
        seen = limit.approval_id.id
        limit.with_user(self.manager).action_approve()
        with self.assertRaisesRegex(UserError, "decided meanwhile by Credit Manager"):
            limit.with_user(self.other_manager).with_context(credit_approval=seen).action_approve()
        self.assertEqual(limit.state, 'submitted')

    def test_number_of_anothers_step_tells_nothing_of_its_document(self):
        limit, other = self._submitted(), self._submitted(777, user=self.deputy)
        other.with_user(self.manager).action_approve()
        seen = other.sudo().approval_ids.id
        with self.assertRaises(UserError) as refused:
            limit.with_user(self.manager).with_context(credit_approval=seen).action_approve()
        self.assertNotIn("777", str(refused.exception))
        self.assertNotIn(self.manager.name, str(refused.exception))

    def test_rejection_at_the_second_level_ends_it(self):
        self._two_levels()
        limit = self._submitted(1000)
        limit.with_user(self.manager).action_approve()
        reason = self.env.ref('credit_management.credit_reason_too_high')
        limit.with_user(self.director)._reject("too much", reason)
        self.assertEqual((limit.state, limit.reason_id), ('rejected', reason))
        self.assertFalse(limit.activity_ids)

    def test_taken_back_and_submitted_again_all_levels_decide_again(self):
        self._two_levels()
        limit = self._submitted(1000)
        limit.with_user(self.manager).action_approve()
        limit.with_user(self.analyst).action_draft()
        self.assertFalse(limit.approval_id)
        limit.with_user(self.analyst).action_submit()
        self.assertEqual(limit.approval_user_id, self.manager)
        limit.with_user(self.manager).action_approve()
        self.assertEqual(limit.state, 'submitted')

    def test_levels_by_excess_in_amount_and_percent(self):
        self._level("Excess", self.manager, excess_from=50)
        self._level("Percent", self.director, excess_percent_from=900)
        self.assertEqual(self._submitted(59).approval_ids.mapped('level_name'), [False])
        self.assertEqual(self._submitted(60).approval_ids.mapped('level_name'), ["Excess"])
        names = self._submitted(100).approval_ids.sorted('sequence').mapped('level_name')
        self.assertEqual(names, ["Excess", "Percent"])

    def test_unlimited_reaches_every_level(self):
        self._two_levels()
        limit = self._submitted(0, limit_kind='unlimited')
        self.assertEqual(len(limit.approval_ids), 2)

    def test_1000_in_a_currency_worth_half_does_not_reach_the_level_from_1000(self):
        self._two_levels()
        currency = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self.assertEqual(len(self._submitted(1000, currency_id=currency.id).approval_ids), 1)
        self.assertEqual(len(self._submitted(2000, currency_id=currency.id).approval_ids), 2)

    def test_level_of_a_grade_is_asked_about_its_customers_only(self):
        good, bad = self.env['credit.grade'].create(
            [{'code': 'G1', 'name': "Good", 'company_id': self.company.id}, {'code': 'G2', 'name': "Bad"}]
        )
        self._level("Everybody's", self.manager)
        careful = self._level("Bad grades", self.director, grade_ids=[Command.set(bad.ids)])
        asked = {}
        for grade in (good, bad, self.env['credit.grade']):
            self.account.grade_id = grade
            asked[grade] = self._submitted().approval_ids.level_id
        self.assertIn(careful, asked[bad])
        self.assertNotIn(careful, asked[good])
        self.assertNotIn(careful, asked[self.env['credit.grade']])
        bad.active = False
        self.account.grade_id = False
        self.assertNotIn(careful, self._submitted().approval_ids.level_id, "an archived grade is not everybody's")

    def test_grade_of_another_company_is_no_condition_and_one_in_use_stays(self):
        other = self.env['res.company'].create({'name': "Other company"})
        theirs, ours = self.env['credit.grade'].create(
            [{'code': 'X1', 'name': "Theirs", 'company_id': other.id}, {'code': 'X2', 'name': "Shared"}]
        )
        level = self._level("Manager", self.manager, grade_ids=[Command.set(ours.ids)])
        with self.assertRaises(UserError):
            level.grade_ids = theirs
        with self.assertRaises(UserError):
            ours.company_id = other
        with self.assertRaises(UserError):
            ours.unlink()

    def test_changed_levels_are_noted_with_the_policy(self):
        level = self._level("Manager", self.manager)
        self.assertIn("Manager", self.policy.message_ids[0].body)
        level.write({'amount_from': 250, 'name': "Head of credit"})
        body = self.policy.message_ids[0].body
        self.assertIn("“Manager” changed", body)
        self.assertIn("250.00", body)
        noted = len(self.policy.message_ids)
        level.write({'amount_from': 250})
        self.assertEqual(len(self.policy.message_ids), noted, "nothing has changed")
        level.unlink()
        self.assertIn("deleted", self.policy.message_ids[0].body)

    def test_level_for_releases_is_not_asked_about_limits(self):
        self._level("Releases", self.director, kind='release')
        self.assertFalse(self._submitted().approval_ids.level_id)

    def test_level_needs_somebody_and_is_not_deleted_while_it_is_asked(self):
        with self.assertRaisesRegex(ValidationError, "Say who decides"):
            self._level("Empty", self.env['res.users'])
        level = self._level("Manager", self.manager)
        self._submitted()
        with self.assertRaisesRegex(UserError, "is being asked about"):
            level.unlink()

    def test_system_decides_on_all_levels(self):
        self._two_levels()
        limit = self._submitted(1000)
        limit.sudo().action_approve()
        self.assertEqual(set(limit.approval_ids.mapped('state')), {'approved'})

    def test_salesperson_reads_no_approvals_and_nobody_writes_them(self):
        step = self._submitted().approval_id
        with self.assertRaises(AccessError):
            step.with_user(self.sales_user).read(['user_id'])
        for values in ({'state': 'approved'}, {'user_id': self.analyst.id}):
            with self.assertRaises(AccessError):
                step.with_user(self.manager).write(values)
        with self.assertRaises(AccessError):
            step.with_user(self.manager).unlink()
        with self.assertRaises(AccessError):
            self.env['credit.limit'].with_user(self.analyst).create(
                {'account_id': self.account.id, 'amount': 1, 'outside_policy': True}
            )
        with self.assertRaises(AccessError):
            step.with_user(self.sales_user).action_approve()

    def test_levels_and_reasons_are_the_managers_to_set(self):
        level = self._level("Manager", self.manager)
        with self.assertRaises(AccessError):
            level.with_user(self.analyst).user_ids = self.analyst
        with self.assertRaises(AccessError):
            self.env['credit.reason'].with_user(self.analyst).create({'name': "Mine", 'for_release': True})

    def test_list_of_approvals_shows_each_what_he_may_decide(self):
        self._two_levels()
        limit = self._submitted(1000)
        Step = self.env['credit.approval']
        for user, expected in ((self.manager, 1), (self.other_manager, 1), (self.director, 0), (self.analyst, 0)):
            self.assertEqual(Step.with_user(user).search_count([('can_decide', '=', True)]), expected)
        limit.approval_id.with_user(self.other_manager).action_approve()
        self.assertEqual(
            Step.with_user(self.director).search([('can_decide', '=', True)]).document_name, limit.display_name
        )
        self.assertEqual(Step.with_user(self.manager).search_count([('can_decide', '=', True)]), 0)

    def test_documents_are_grouped_and_searched_by_who_decides_next(self):
        self._two_levels()
        limit = self._submitted()
        Limit = self.env['credit.limit'].with_user(self.analyst)
        self.assertEqual(Limit.search([('approval_user_id', '=', self.manager.id)]), limit)
        groups = dict(Limit._read_group([('state', '=', 'submitted')], ['approval_user_id'], ['__count']))
        self.assertEqual(groups, {self.manager: 1})

    def test_statements_to_ask_do_not_grow_with_the_steps(self):
        def count(number):
            partners = self.env['res.partner'].create(
                [{'name': f"C {place}", 'is_company': True} for place in range(number)]
            )
            limits = self.env['credit.limit'].create(
                [{'account_id': account.id, 'amount': 50} for account in self._account(partners)]
            )
            limits.action_submit()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            limits.with_user(self.manager).mapped('can_decide')
            return self.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(12), count(2) + 3)


@tagged('post_install', '-at_install')
class TestWhoIsAsked(ApprovalCommon):
    def test_controller_of_the_level_is_asked_first(self):
        self._two_levels()
        self.account.controller_id = self.other_manager
        self.assertEqual(self._submitted().approval_user_id, self.other_manager)

    def test_account_without_controller_falls_to_the_policys(self):
        self.policy.controller_id = self.deputy
        self.assertEqual(self._submitted().approval_user_id, self.deputy)
        self.assertEqual(self.account._controller(), self.deputy)

    def test_archived_controller_is_never_asked(self):
        self.account.controller_id = self.manager
        self.policy.controller_id = self.other_manager
        self.manager.active = False
        self.assertEqual(self._submitted().approval_user_id, self.other_manager)
        self.assertEqual(self.account._controller(), self.other_manager)

    def test_user_without_the_company_is_never_asked(self):
        other = self.setup_other_company()['company']
        self._two_levels()
        self.manager.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        limit = self._submitted()
        self.assertEqual(limit.approval_user_id, self.other_manager)
        self.assertNotIn(self.manager, limit.approval_id.level_id.member_ids)

    def test_manager_of_another_company_neither_reads_nor_decides(self):
        other = self.setup_other_company()['company']
        stranger = self._new_user('credit_stranger', 'credit_management.group_credit_manager')
        stranger.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        limit = self._submitted()
        self.assertFalse(self.env['credit.approval'].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            limit.with_user(stranger).action_approve()

    def test_requester_is_passed_over_and_does_not_decide(self):
        self._two_levels()
        limit = self._submitted(user=self.manager)
        self.assertEqual(limit.approval_user_id, self.other_manager)
        self.assertFalse(limit.with_user(self.manager).can_decide)
        with self.assertRaisesRegex(AccessError, "Somebody else has to decide: Credit Manager 2"):
            limit.with_user(self.manager).action_approve()

    def test_level_of_the_requester_alone_falls_to_the_managers(self):
        self._level("Manager", self.manager)
        limit = self._submitted(user=self.manager)
        self.assertNotIn(limit.approval_user_id, self.manager | self.env['res.users'])
        self.assertTrue(limit.with_user(self.deputy).can_decide)

    def test_who_is_away_is_passed_over_for_the_substitute(self):
        self._two_levels()
        self._away(self.manager, self.deputy)
        limit = self._submitted()
        self.assertEqual((limit.approval_user_id, limit.activity_ids.user_id), (self.deputy, self.deputy))
        limit.with_user(self.deputy).action_approve()
        self.assertEqual(limit.state, 'approved')

    def test_absence_entered_later_moves_what_is_pending_at_once(self):
        self._two_levels()
        limit = self._submitted()
        self.assertEqual(limit.approval_user_id, self.manager)
        self._away(self.manager, self.deputy)
        self.assertEqual((limit.approval_user_id, limit.activity_ids.user_id), (self.deputy, self.deputy))
        self.assertIn("Credit Deputy is asked, because", limit.approval_id.story_text)
        events = self.env['credit.event'].search([('account_id', '=', self.account.id)], limit=1)
        self.assertEqual(events.kind, 'approval_passed_on')

    def test_substitute_is_none_any_more_when_the_absence_is_over(self):
        self._two_levels()
        absence = self._away(self.manager, self.deputy)
        limit = self._submitted()
        yesterday = self.company._credit_today() - timedelta(days=1)
        other = self._submitted()
        self.assertTrue(other.with_user(self.deputy).can_decide)
        absence.write({'date_from': yesterday, 'date_to': yesterday})
        late = self._submitted()
        self.assertEqual(late.approval_user_id, self.manager)
        self.assertFalse(late.with_user(self.deputy).can_decide)
        # Who was asked while he stood in may still answer.
        self.assertTrue(limit.with_user(self.deputy).can_decide)

    def test_away_without_substitute_the_next_member_is_asked(self):
        self._two_levels()
        self._away(self.manager)
        self.assertEqual(self._submitted().approval_user_id, self.other_manager)

    def test_circle_of_absences_is_no_circle(self):
        self._two_levels()
        self._away(self.manager, self.other_manager)
        self._away(self.other_manager, self.manager)
        limit = self._submitted()
        self.assertTrue(limit.approval_user_id)
        self.assertNotIn(limit.approval_user_id, self.manager + self.other_manager)

    def test_absence_begins_by_itself(self):
        self._two_levels()
        limit = self._submitted()
        tomorrow = self.company._credit_today() + timedelta(days=1)
        self._away(self.manager, self.deputy, date_from=tomorrow, date_to=tomorrow)
        self.assertEqual(limit.approval_user_id, self.manager)
        with freeze_time(tomorrow):
            self._follow_up()
        self.assertEqual(limit.approval_user_id, self.deputy)

    def test_who_was_archived_is_not_waited_for(self):
        self._two_levels()
        limit = self._submitted()
        self.manager.active = False
        self._follow_up()
        self.assertEqual(limit.approval_user_id, self.other_manager)

    def test_only_those_who_can_decide_are_offered_as_substitutes(self):
        outsider = self._new_user('outsider', 'base.group_user')
        self._level("Director", self.director + outsider)
        absence = self._away(self.manager)
        offered = absence.with_user(self.manager).offered_substitute_ids
        self.assertIn(self.director, offered)
        self.assertIn(self.other_manager, offered)
        for user in (self.analyst, self.sales_user, outsider):
            self.assertNotIn(user, offered)
        with self.assertRaisesRegex(ValidationError, "can't decide about credit"):
            absence.substitute_id = outsider

    def test_one_enters_his_own_absences_managers_those_of_all(self):
        Absence = self.env['credit.absence']
        own = Absence.with_user(self.director).create({'substitute_id': self.deputy.id})
        self.assertEqual(own.user_id, self.director)
        with self.assertRaises(AccessError):
            Absence.with_user(self.director).create({'user_id': self.manager.id})
        with self.assertRaises(AccessError):
            own.with_user(self.director).user_id = self.manager
        Absence.with_user(self.manager).create({'user_id': self.director.id})
        with self.assertRaises(AccessError):
            Absence.with_user(self.sales_user).create({})

    def test_substitute_has_to_be_able_to_decide(self):
        with self.assertRaisesRegex(ValidationError, "can't decide about credit"):
            self._away(self.manager, self.analyst)
        with self.assertRaisesRegex(ValidationError, "can't decide about credit"):
            self._away(self.manager, self.sales_user)

    # --------------------------------------------------------------- deadlines

    def test_one_working_day_from_friday_ends_on_monday_and_with_a_make_up_day_on_saturday(self):
        Day = self.env['credit.working.day']
        deadline = Day._deadline(self.company, FRIDAY, 1, 'days')
        self.assertEqual(deadline.date(), FRIDAY.date() + timedelta(days=3))
        Day.create({'date': FRIDAY.date() + timedelta(days=1), 'note': "for the holiday"})
        deadline = Day._deadline(self.company, FRIDAY, 1, 'days')
        self.assertEqual(deadline.date(), FRIDAY.date() + timedelta(days=1))

    def test_public_holiday_is_not_worked_unless_it_is_a_make_up_day(self):
        monday = FRIDAY + timedelta(days=3)
        self.env['resource.calendar.leaves'].create(
            {
                'name': "Holiday",
                'calendar_id': self.company.resource_calendar_id.id,
                'company_id': self.company.id,
                'date_from': monday.replace(hour=0),
                'date_to': monday.replace(hour=23),
            }
        )
        Day = self.env['credit.working.day']
        self.assertEqual(Day._deadline(self.company, FRIDAY, 1, 'days').date(), monday.date() + timedelta(days=1))
        Day.create({'date': monday.date()})
        self.assertEqual(Day._deadline(self.company, FRIDAY, 1, 'days').date(), monday.date())

    def test_deadline_is_in_the_calendars_time_zone(self):
        self.company.resource_calendar_id.tz = 'Asia/Shanghai'
        deadline = self.env['credit.working.day']._deadline(self.company, FRIDAY, 1, 'days')
        # 17:00 in Shanghai
        self.assertEqual(deadline, FRIDAY.replace(hour=9) + timedelta(days=3))

    def test_company_without_calendar_works_office_hours(self):
        self.company.resource_calendar_id = False
        deadline = self.env['credit.working.day']._deadline(self.company, FRIDAY, 1, 'days')
        self.assertEqual(deadline.date(), FRIDAY.date() + timedelta(days=3))

    def test_branch_has_the_make_up_days_of_its_main_company(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        branch.resource_calendar_id = self.company.resource_calendar_id
        Day = self.env['credit.working.day']
        Day.create({'date': FRIDAY.date() + timedelta(days=1)})
        self.assertEqual(Day._deadline(branch, FRIDAY, 1, 'days').date(), FRIDAY.date() + timedelta(days=1))

    def test_who_lets_the_deadline_pass_is_followed_by_the_next_and_at_last_the_managers(self):
        self._level("Two", self.manager + self.other_manager, deadline_number=1)
        self.policy.controller_id = self.deputy
        limit = self._submitted()
        step = limit.approval_id
        asked = []
        for _time in range(3):
            asked.append(step.user_id)
            with freeze_time(step.deadline + timedelta(minutes=1)):
                self._follow_up()
        self.assertEqual(asked, [self.manager, self.other_manager, self.deputy])
        self.assertTrue(step.escalated)
        # He who was late may still decide, and so may he to whom it was passed on.
        for user in (self.manager, step.user_id):
            self.assertTrue(limit.with_user(user).can_decide)
        self.assertEqual(limit.activity_ids.user_id, step.user_id)

    def test_where_nobody_could_be_asked_somebody_is_as_soon_as_there_is_one(self):
        limit = self._submitted()
        limit.sudo().approval_id.user_id = False
        self._follow_up()
        self.assertTrue(limit.approval_user_id)

    def test_when_all_were_asked_the_managers_are_told_once(self):
        level = self._level("All", self.manager, deadline_number=1)
        level.group_id = self.env.ref('credit_management.group_credit_manager')
        limit = self._submitted()
        step = limit.approval_id
        for _time in range(20):
            if step.exhausted:
                break
            with freeze_time(step.deadline + timedelta(minutes=1)):
                self._follow_up()
        self.assertTrue(step.exhausted)
        notes = limit.message_ids.filtered(lambda note: "Nobody else can be asked" in (note.body or ''))
        self.assertIn(self.deputy.partner_id, notes.notified_partner_ids)
        with freeze_time(step.deadline + timedelta(days=9)):
            self._follow_up()
        again = limit.message_ids.filtered(lambda note: "Nobody else can be asked" in (note.body or ''))
        self.assertEqual(again, notes)

    def test_document_that_fails_stops_no_other_and_is_told(self):
        self._level("Two", self.manager + self.other_manager, deadline_number=1)
        bad, good = self._submitted(), self._submitted()
        late = bad.approval_deadline + timedelta(minutes=1)
        Limit = type(self.env['credit.limit'])
        notify = Limit._approval_notify

        def _approval_notify(documents):
            if bad in documents:
                raise ValueError("broken")
            return notify(documents)

        self.patch(Limit, '_approval_notify', _approval_notify)
        with freeze_time(late), mute_logger(FOLLOW_UP, COUNTER, 'odoo.addons.base.models.ir_cron'):
            self._follow_up()

        self.assertEqual((bad.approval_user_id, good.approval_user_id), (self.manager, self.other_manager))
        failure = self.env.ref('credit_management.mail_activity_type_approval_failed')
        told = self.company.partner_id.activity_ids.filtered(lambda item: item.activity_type_id == failure)
        self.assertEqual(told.user_id, self.company._credit_managers())

    def test_before_the_deadline_nobody_else_is_asked(self):
        self._two_levels(deadline_number=2)
        limit = self._submitted()
        with freeze_time(limit.approval_deadline - timedelta(minutes=1)):
            self._follow_up()
        self.assertEqual(limit.approval_user_id, self.manager)


@tagged('post_install', '-at_install')
class TestSegregation(ApprovalCommon):
    """Who gains by a decision, asked for it or wrote it does not make it."""

    def test_salesperson_of_an_order_does_not_release_what_another_asked_for(self):
        order = self._held()
        order.with_user(self.sales_user)._credit_request_release("please")
        order.user_id = self.manager
        self.env.invalidate_all()

        self.assertFalse(order.with_user(self.manager).credit_can_release)
        with self.assertRaisesRegex(AccessError, self.other_manager.name):
            order.with_user(self.manager)._credit_release("mine")
        order.with_user(self.other_manager)._credit_release("fine")
        self.assertEqual(order.state, 'sale')

    def test_salesperson_of_an_order_does_not_release_it_without_a_request_either(self):
        order = self._held()
        order.user_id = self.manager
        with self.assertRaises(AccessError):
            order.with_user(self.manager)._credit_release("mine")
        self.assertEqual(order.credit_state, 'on_hold')

    def test_salesperson_of_an_order_does_not_release_it_in_an_emergency(self):
        self._level("Manager", self.manager + self.other_manager)
        self.policy.emergency_amount = 1000
        reason = self.env.ref('credit_management.credit_reason_dock')
        order = self._held()
        order.user_id = self.manager
        self.assertFalse(order.with_user(self.manager).credit_can_release_alone)
        with self.assertRaisesRegex(AccessError, self.other_manager.name):
            order.with_user(self.manager)._credit_release_alone("now", reason)
        order.with_user(self.other_manager)._credit_release_alone("now", reason)
        self.assertEqual(order.state, 'sale')

    def test_who_drafted_a_limit_does_not_approve_what_another_submitted(self):
        limit = (
            self.env['credit.limit']
            .with_user(self.manager)
            .create({'account_id': self.account.id, 'amount': 100, 'currency_id': self.currency.id})
        )
        limit.with_user(self.analyst).action_submit()

        self.assertFalse(limit.with_user(self.manager).can_decide)
        with self.assertRaisesRegex(AccessError, self.other_manager.name):
            limit.with_user(self.manager).action_approve()
        limit.with_user(self.other_manager).action_approve()
        self.assertEqual(limit.state, 'approved')

    def test_who_changed_a_draft_does_not_approve_it(self):
        limit = (
            self.env['credit.limit']
            .with_user(self.analyst)
            .create({'account_id': self.account.id, 'amount': 100, 'currency_id': self.currency.id})
        )
        limit.with_user(self.manager).amount = 100000
        limit.with_user(self.analyst).action_submit()
        with self.assertRaises(AccessError):
            limit.with_user(self.manager).action_approve()
        limit.with_user(self.other_manager).action_approve()

    def test_authors_of_a_limit_are_noted_by_the_system_only(self):
        limit = self.env['credit.limit'].with_user(self.analyst)
        vals = {'account_id': self.account.id, 'amount': 100, 'author_ids': [Command.set(self.deputy.ids)]}
        with self.assertRaises(AccessError):
            limit.create(vals)
        del vals['author_ids']
        with self.assertRaises(AccessError):
            limit.create(vals).author_ids = self.deputy

    def test_refusal_names_nobody_of_another_company(self):
        other = self.setup_other_company()['company']
        stranger = self._new_user('elsewhere', 'credit_management.group_credit_manager')
        stranger.write({'company_id': other.id, 'company_ids': [Command.set(other.ids)]})
        order = self._held()
        order.user_id = self.manager
        with self.assertRaises(AccessError) as refusal:
            order.with_user(self.manager)._credit_release("mine")
        self.assertNotIn(stranger.name, str(refusal.exception))


@tagged('post_install', '-at_install')
class TestApprovalOfReleases(ApprovalCommon):
    def test_release_goes_from_level_to_level_and_the_last_confirms(self):
        self._two_levels()
        order = self._held(1000)
        order.with_user(self.sales_user)._credit_request_release("please")
        self.assertEqual(order.activity_ids.user_id, self.manager)
        self.assertEqual(order.activity_ids.summary, f"{order.name}, {order.partner_id.display_name}")
        self.assertEqual(order.with_user(self.sales_user).credit_approval_user_id, self.manager)

        order.with_user(self.manager)._credit_release("fine")
        self.assertEqual((order.state, order.credit_state), ('draft', 'on_hold'))
        self.assertEqual((order.credit_approval_user_id, order.activity_ids.user_id), (self.director, self.director))
        self.assertIn("Credit Director is asked next", order.message_ids[:1].body)

        order.with_user(self.director)._credit_release("fine too")
        self.assertEqual((order.state, order.credit_state), ('sale', 'released'))
        self.assertFalse(order.activity_ids)

    def test_release_without_request_takes_all_levels_as_well(self):
        self._two_levels()
        order = self._held(1000)
        self.assertTrue(order.with_user(self.manager).credit_can_release)
        self.assertFalse(order.with_user(self.director).credit_can_release)
        order.with_user(self.manager)._credit_release("fine")
        self.assertEqual(order.credit_state, 'on_hold')
        order.invalidate_recordset()
        self.assertTrue(order.with_user(self.director).credit_can_release)
        order.with_user(self.director)._credit_reject("no")
        self.assertEqual(order.credit_state, 'rejected')

    def test_wrong_people_are_refused(self):
        self._two_levels()
        order = self._held(1000)
        order.with_user(self.sales_user)._credit_request_release("please")
        for user in (self.director, self.deputy, self.analyst, self.sales_user):
            with self.assertRaises(AccessError):
                order.with_user(user)._credit_release("mine")

    def test_order_raised_while_it_is_asked_for_is_asked_about_anew(self):
        self._two_levels()
        order = self._held(1000)
        order.with_user(self.sales_user)._credit_request_release("please")
        order.with_user(self.manager)._credit_release("fine")
        order.order_line.price_unit = 2000
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual((order.credit_approval_user_id, order.credit_release_id.amount), (self.manager, 2000))
        order.with_user(self.manager)._credit_release("fine")
        order.with_user(self.director)._credit_release("fine too")
        self.assertEqual(order.state, 'sale')

    def test_excess_that_grows_while_it_is_asked_for_takes_the_level_that_decides_on_it(self):
        self._level("Manager", self.manager)
        self._level("Director", self.director, excess_from=1000)
        order = self._held(100)
        order.with_user(self.sales_user)._credit_request_release("please")
        release = order.credit_release_id
        self.assertEqual(release.approval_ids.mapped('level_name'), ["Manager"])
        self._invoice(5000)
        order.with_user(self.sales_user).action_confirm()
        asked = release.approval_ids.filtered(lambda step: step.attempt == 2).sorted('sequence')
        self.assertEqual(asked.mapped('level_name'), ["Manager", "Director"])
        order.with_user(self.manager)._credit_release("ok")
        self.assertEqual(order.credit_state, 'on_hold')
        order.with_user(self.director)._credit_release("ok")
        self.assertEqual(order.state, 'sale')

    def test_order_is_released_by_what_its_customer_owes_now(self):
        self._level("Manager", self.manager)
        self._level("Director", self.director, excess_from=150)
        first, second = self._held(100), self._held(110)
        first.with_user(self.manager)._credit_release("fine")
        self.assertEqual(first.state, 'sale')
        self.assertEqual(second.credit_excess, 100)

        second.with_user(self.manager)._credit_release("fine")

        self.assertEqual((second.credit_state, second.credit_excess), ('on_hold', 200))
        self.assertEqual(second.credit_approval_user_id, self.director)
        self.assertEqual(second.credit_release_id.approval_id.excess, 200)
        second.with_user(self.director)._credit_release("fine too")
        self.assertEqual(second.state, 'sale')

    def test_several_orders_of_one_customer_reach_the_next_level_in_one_decision(self):
        self._level("Manager", self.manager)
        self._level("Director", self.director, excess_from=150)
        orders = self._held(100) + self._held(110)
        done, passed_on, refused = orders.with_user(self.manager)._credit_decide_each('release', "fine")
        self.assertEqual((done, passed_on, refused), (orders[0], orders[1], {}))

    def test_request_is_about_what_the_customer_owes_now(self):
        self._level("Manager", self.manager)
        self._level("Director", self.director, excess_from=1000)
        order = self._held(100)
        self._invoice(5000)
        order.with_user(self.sales_user)._credit_request_release("please")
        release = order.credit_release_id
        self.assertEqual(release.approval_ids.mapped('level_name'), ["Manager", "Director"])
        self.assertEqual(release.approval_id.excess, 5090)
        self.assertEqual(release._approval_requester(), self.sales_user)

    def test_step_that_is_seen_no_more_is_told_from_one_that_is_decided(self):
        self._level("Manager", self.manager)
        self._level("Director", self.director, excess_from=1000)
        order = self._held(100)
        order.with_user(self.sales_user)._credit_request_release("please")
        seen = order.credit_release_id.approval_id
        self._invoice(5000)
        with self.assertRaisesRegex(UserError, "has changed meanwhile"), self.env.cr.savepoint():
            order.with_user(self.manager)._credit_release("fine", step=seen)
        # The dialog that is opened again asks about what is asked now.
        action = order.with_user(self.manager).action_credit_release()
        step = self.env['credit.approval'].browse(action['context']['default_approval_id'])
        self.assertNotEqual(step, seen)
        order.with_user(self.manager)._credit_release("fine", step=step.with_user(self.manager))
        self.assertEqual(order.credit_approval_user_id, self.director)

    def test_another_debtor_is_news(self):
        order = self._held(100)
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True, 'user_id': self.sales_user.id})
        account = self._account(other, limit=10)
        order.partner_invoice_id = other
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual((order.credit_state, order.credit_account_id), ('on_hold', account))
        self.assertTrue(self.env['credit.event'].search([('account_id', '=', account.id), ('kind', '=', 'held')]))

    def test_amount_of_an_open_step_follows_the_figures(self):
        self._level("Manager", self.manager)
        order = self._held(100)
        order.with_user(self.sales_user)._credit_request_release("please")
        step = order.credit_release_id.approval_id
        self._invoice(500)
        order.with_user(self.manager)._credit_release("fine", step=step)
        self.assertEqual((order.state, step.excess), ('sale', 590))

    def test_customer_blocked_since_is_not_released(self):
        rule = {'kind': 'account_status', 'outcome': 'block', 'account_status': 'blacklisted'}
        self.policy.rule_ids = [Command.create(rule)]
        order = self._held(100)
        self.account.write({'status': 'blacklisted', 'status_reason': "Fraud"})
        with self.assertRaisesRegex(UserError, "is blocked and can't be released"):
            order.with_user(self.manager)._credit_release("fine")

    def test_margin_is_no_way_past_the_next_level(self):
        self._two_levels()
        order = self._held(900)
        for margin, refused in ((20, True), (10, False)):
            dialog = (
                self.env['credit.decision']
                .with_user(self.manager)
                .create({'decision': 'release', 'order_id': order.id, 'note': "ok", 'margin': margin})
            )
            if refused:
                with self.assertRaisesRegex(UserError, "“Director” has to decide"):
                    dialog.action_apply()
            else:
                dialog.action_apply()
        self.assertEqual((order.state, order.credit_release_id._allowed_amount()), ('sale', 990))

    def test_margin_counts_in_what_is_beyond_the_policy(self):
        self.policy.max_release_excess_percent = 1000
        order = self._held(100)  # 90 over a limit of 10
        dialog = (
            self.env['credit.decision']
            .with_user(self.manager)
            .create({'decision': 'release', 'order_id': order.id, 'note': "ok"})
        )
        self.assertFalse(dialog.outside_text)
        dialog.margin = 50
        self.assertTrue(dialog.outside_text)
        with self.assertRaisesRegex(UserError, "outside the policy"):
            dialog.action_apply()
        dialog.reason_id = dialog.offered_reason_ids[:1]
        dialog.action_apply()
        self.assertTrue(order.credit_release_id.outside_policy)

    def test_conditions_of_a_level_hold_where_the_next_says_nothing_of_them(self):
        self._level("First", self.manager)
        self._level("Second", self.other_manager)
        order = self._held(100)
        self.env['credit.decision'].with_user(self.manager).create(
            {
                'decision': 'release',
                'order_id': order.id,
                'note': "ok",
                'condition': 'deposit',
                'condition_amount': 50,
            }
        ).action_apply()
        order.with_user(self.other_manager)._credit_release("ok")  # as from the list, for many
        release = order.credit_release_id
        self.assertEqual((order.credit_state, release.condition_state), ('awaiting_payment', 'open'))

    def test_who_wanted_the_order_does_not_release_it_whoever_asks(self):
        self.manager.group_ids += self.env.ref('sales_team.group_sale_salesman_all_leads')
        order = self._order_of(100)
        order.with_user(self.manager).action_confirm()
        order.with_user(self.sales_user)._credit_request_release("please")
        self.assertFalse(order.with_user(self.manager).credit_can_release)
        with self.assertRaisesRegex(AccessError, "is your own"):
            order.with_user(self.manager)._credit_release("ok")
        order.with_user(self.other_manager)._credit_release("ok")
        self.assertEqual(order.state, 'sale')

    def test_cancelled_order_is_not_asked_about_any_more(self):
        order = self._held()
        order.with_user(self.sales_user)._credit_request_release("please")
        step = order.credit_release_id.approval_id
        order._action_cancel()
        self.assertEqual(step.state, 'cancelled')
        self.assertFalse(order.activity_ids)

    def test_dialog_keeps_the_reason_code(self):
        order = self._held()
        reason = self.env.ref('credit_management.credit_reason_known_customer')
        Wizard = self.env['credit.decision'].with_user(self.manager)
        form = Form(Wizard.with_context(**order.with_user(self.manager).action_credit_release()['context']))
        form.reason_id, form.note = reason, "known for years"
        form.save().action_apply()
        self.assertEqual((order.state, order.credit_release_id.reason_id), ('sale', reason))

    def test_reason_of_another_decision_is_refused(self):
        order = self._held()
        wizard = (
            self.env['credit.decision']
            .with_user(self.manager)
            .create(
                {
                    'decision': 'release',
                    'order_id': order.id,
                    'reason_id': self.env.ref('credit_management.credit_reason_too_high').id,
                    'note': "fine",
                }
            )
        )
        with self.assertRaisesRegex(UserError, "is no reason for this decision"):
            wizard.action_apply()

    def test_salesperson_gets_no_approval_through_the_dialog(self):
        order = self._held()
        Wizard = self.env['credit.decision'].with_user(self.sales_user)
        for decision in ('release', 'reject', 'emergency', 'confirm', 'refuse'):
            wizard = Wizard.create({'decision': decision, 'order_id': order.id, 'note': "mine"})
            with self.assertRaises(UserError):  # AccessError is one of them
                wizard.action_apply()
        self.assertEqual(order.credit_state, 'on_hold')

    def test_held_orders_are_grouped_by_who_decides_next(self):
        order = self._held()
        order.with_user(self.sales_user)._credit_request_release("please")
        domain = [('credit_state', '=', 'on_hold'), ('id', '=', order.id)]
        groups = dict(
            self.env['sale.order'].with_user(self.manager)._read_group(domain, ['credit_approval_user_id'], ['__count'])
        )
        self.assertEqual(groups, {order.credit_approval_user_id: 1})

    # ---------------------------------------------------------- outside policy

    def test_limit_beyond_the_policy_needs_a_reason_and_is_marked(self):
        self.policy.max_limit_amount = 500
        limit = self._submitted(501).with_user(self.manager)
        with self.assertRaisesRegex(UserError, "limits up to .*500.00"):
            limit.action_approve()
        reason = self.env.ref('credit_management.credit_reason_strategic')
        with self.assertRaises(UserError):
            limit._approve(None, reason)
        with self.assertRaises(UserError):
            limit._approve("a note", self.env.ref('credit_management.credit_reason_figures'))
        limit._approve("board decision", reason)
        self.assertEqual((limit.state, limit.outside_policy, limit.reason_id), ('approved', True, reason))
        self.assertEqual(limit.decision_note, "board decision")
        events = self.env['credit.event'].search([('account_id', '=', self.account.id)]).mapped('kind')
        self.assertIn('outside_policy', events)

    def test_limit_within_the_policy_is_not_marked(self):
        self.policy.max_limit_amount = 500
        limit = self._submitted(500).with_user(self.manager)
        self.assertFalse(limit.outside_text)
        limit.action_approve()
        self.assertFalse(limit.outside_policy)

    def test_unlimited_is_beyond_any_bound(self):
        self.policy.max_limit_amount = 500
        self.assertTrue(self._submitted(0, limit_kind='unlimited').outside_text)

    def test_release_beyond_the_policy_needs_a_reason_and_is_marked(self):
        self.policy.max_release_excess_percent = 100
        within, beyond = self._held(20), self._held(21)
        within.with_user(self.manager)._credit_release("fine")
        self.assertFalse(within.credit_release_id.outside_policy)
        # 20 of the limit of 10 are used: 41 in all.
        with self.assertRaisesRegex(UserError, "up to 100.00 % beyond"):
            beyond.with_user(self.manager)._credit_release("fine")
        reason = self.env.ref('credit_management.credit_reason_strategic')
        beyond.with_user(self.manager)._credit_release("board decision", reason=reason)
        self.assertTrue(beyond.credit_release_id.outside_policy)

    def test_dialog_offers_the_reasons_for_it(self):
        self.policy.max_release_excess_percent = 100
        order = self._held(100)
        wizard = (
            self.env['credit.decision'].with_user(self.manager).create({'decision': 'release', 'order_id': order.id})
        )
        self.assertTrue(wizard.outside_text)
        self.assertTrue(all(wizard.offered_reason_ids.mapped('for_outside')))
        colleague = self._new_user('credit_sales_3', 'sales_team.group_sale_salesman')
        with self.assertRaises(AccessError):
            self.env['credit.decision'].with_user(colleague).create({'decision': 'release', 'order_id': order.id}).sudo(
                False
            ).read(['reason'])


@tagged('post_install', '-at_install')
class TestEmergencyRelease(ApprovalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._two_levels()
        cls.policy.emergency_amount = 5000
        cls.reason = cls.env.ref('credit_management.credit_reason_dock')

    def _released_alone(self, amount=1000, user=None):
        order = self._held(amount)
        order.with_user(user or self.manager)._credit_release_alone("line stands still", self.reason)
        return order

    def test_one_of_a_level_releases_alone_and_the_proper_level_is_asked_to_confirm(self):
        order = self._released_alone()
        release = order.credit_release_id
        self.assertEqual((order.state, release.emergency_state), ('sale', 'open'))
        self.assertEqual((order.credit_approval_user_id, release.reason_id), (self.director, self.reason))
        self.assertTrue(release.approval_deadline)
        self.assertEqual(order.activity_ids.user_id, self.director)
        self.assertTrue(order.with_user(self.director).credit_can_confirm_release)

        order.with_user(self.director)._credit_settle_emergency(True, "fine")
        self.assertEqual(release.emergency_state, 'confirmed')
        self.assertFalse(order._credit_goods_stopped())
        self.assertFalse(order.activity_ids)

    def test_margin_of_a_level_is_not_used_by_who_releases_alone(self):
        order = self._held(100)
        self._level("Last", self.director)
        order.with_user(self.sales_user)._credit_request_release("please")
        self.env['credit.decision'].with_user(self.manager).create(
            {'decision': 'release', 'order_id': order.id, 'note': "ok", 'margin': 500}
        ).action_apply()
        self.assertEqual((order.state, order.credit_release_id.margin), ('draft', 500))
        order.with_user(self.other_manager)._credit_release_alone("can't wait", self.reason)
        self.assertEqual((order.state, order.credit_release_id._allowed_amount()), ('sale', 100))

    def test_who_released_alone_does_not_confirm_it(self):
        order = self._released_alone(user=self.director)
        self.assertNotEqual(order.credit_approval_user_id, self.director)
        with self.assertRaises(AccessError):
            order.with_user(self.director)._credit_settle_emergency(True, "mine")

    def test_too_much_wrong_person_or_no_reason_is_refused(self):
        order = self._held(5001)
        self.assertFalse(order.with_user(self.manager).credit_can_release_alone)
        with self.assertRaisesRegex(AccessError, "up to .*5,000.00"):
            order.with_user(self.manager)._credit_release_alone("now", self.reason)
        order = self._held(1000)
        for user in (self.analyst, self.deputy):
            with self.assertRaises(AccessError):
                order.with_user(user)._credit_release_alone("now", self.reason)
        other = self.env.ref('credit_management.credit_reason_known_customer')
        with self.assertRaisesRegex(UserError, "why it can't wait"):
            order.with_user(self.manager)._credit_release_alone("now", other)
        self.policy.emergency_amount = 0
        with self.assertRaises(AccessError):
            order.with_user(self.manager)._credit_release_alone("now", self.reason)
        self.assertEqual(order.credit_state, 'on_hold')

    def test_requester_does_not_release_alone(self):
        self.manager.group_ids += self.env.ref('sales_team.group_sale_salesman_all_leads')
        order = self._order_of(1000)
        order.with_user(self.manager).action_confirm()
        with self.assertRaises(AccessError):
            order.with_user(self.manager)._credit_release_alone("mine", self.reason)

    def test_not_confirmed_in_time_it_is_reported_once_and_the_goods_are_stopped(self):
        order = self._released_alone()
        release = order.credit_release_id
        deadline = release.approval_deadline
        with freeze_time(deadline - timedelta(minutes=1)):
            self._follow_up()
        self.assertEqual(release.emergency_state, 'open')
        for _time in range(2):
            with freeze_time(deadline + timedelta(minutes=1)):
                self._follow_up()
        self.assertEqual(release.emergency_state, 'overdue')
        self.assertTrue(order._credit_goods_stopped())
        todo = order.activity_ids.filtered(lambda item: item.summary == "Emergency release not confirmed")
        self.assertEqual(todo.user_id, self.company._credit_managers())
        self.assertEqual(len(todo), len(todo.user_id))
        # It may still be confirmed, and the goods go on.
        order.with_user(self.director)._credit_settle_emergency(True, "seen")
        self.assertFalse(order._credit_goods_stopped())

    def test_refused_it_is_reported_and_the_goods_are_stopped(self):
        order = self._released_alone()
        order.with_user(self.director)._credit_settle_emergency(False, "never")
        self.assertEqual(order.credit_release_id.emergency_state, 'refused')
        self.assertEqual((order.state, order.credit_state), ('sale', 'on_hold'))
        self.assertTrue(order._credit_delivery_stopped())
        with self.assertRaisesRegex(UserError, "no release to be confirmed"):
            order.with_user(self.director)._credit_settle_emergency(True, "after all")
        # Nor by the next one alone.
        self.assertFalse(order.with_user(self.other_manager).credit_can_release_alone)
        with self.assertRaisesRegex(UserError, "was refused"):
            order.with_user(self.manager)._credit_release_alone("once more", self.reason)

    def test_refused_it_goes_on_when_it_is_released_by_its_levels(self):
        order = self._released_alone()
        order.with_user(self.director)._credit_settle_emergency(False, "never")
        order.with_user(self.manager)._credit_release("they have paid half")
        self.assertEqual(order.credit_state, 'on_hold')
        order.with_user(self.director)._credit_release("all right")
        self.assertEqual(order.credit_state, 'released')
        self.assertFalse(order._credit_goods_stopped() or order._credit_delivery_stopped())

    def test_refused_it_goes_on_when_the_credit_is_enough(self):
        order = self._released_alone()
        order.with_user(self.director)._credit_settle_emergency(False, "never")
        order._credit_reevaluate()
        self.assertEqual(order.credit_state, 'on_hold')
        self._pay(5000)
        order._credit_reevaluate()
        self.assertEqual((order.credit_state, order.credit_release_id.id), ('passed', False))
        self.assertFalse(order._credit_goods_stopped() or order._credit_delivery_stopped())

    def test_amount_counts_in_company_currency(self):
        currency = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        pricelist = self.env['product.pricelist'].create({'name': "EUR", 'currency_id': currency.id})
        order = self._order_of(9000, pricelist_id=pricelist.id)
        order.with_user(self.sales_user).action_confirm()
        self.assertTrue(order.with_user(self.manager).credit_can_release_alone)

    def test_confirmation_is_due_on_the_next_working_day(self):
        with freeze_time(FRIDAY):
            order = self._released_alone()
        due = fields.Datetime.to_datetime(order.credit_approval_deadline)
        self.assertEqual(due.date(), FRIDAY.date() + timedelta(days=3))

    def test_events_tell_it(self):
        order = self._released_alone()
        order.with_user(self.director)._credit_settle_emergency(True, "fine")
        events = self.env['credit.event'].search([('account_id', '=', self.account.id)])
        self.assertLessEqual({'emergency_released', 'emergency_confirmed'}, set(events.mapped('kind')))
        self.assertIn(order.name, events.filtered(lambda event: event.kind == 'emergency_confirmed').description)


@tagged('post_install', '-at_install')
class TestActivityMenu(ApprovalCommon):
    """What the menu of activities opens: only what the user is asked."""

    def test_searches_have_the_filters_that_the_menu_sets(self):
        names = {'filter_activities_my', 'activities_overdue', 'activities_today', 'activities_upcoming_all'}
        models = [
            name
            for name, model in self.env.items()
            if name.startswith('credit.') and not model._abstract and 'activity_ids' in model._fields
        ]
        self.assertIn('credit.limit', models)
        for name in models:
            with self.subTest(model=name):
                arch = etree.fromstring(self.env[name].get_view(view_type='search')['arch'])
                self.assertLessEqual(names, set(arch.xpath('//filter/@name')))

    def test_type_of_document_is_named_in_the_language_of_the_reader(self):
        self.env['res.lang']._activate_lang('fr_FR')
        self.env.ref('credit_management.model_credit_limit').with_context(lang='fr_FR').name = "Limite de crédit"
        limit = self._submitted(50)
        step = limit.approval_id
        self.assertEqual(step.with_context(lang='en_US').decision_type, "Credit Limit")
        self.assertEqual(step.with_context(lang='fr_FR').decision_type, "Limite de crédit")
