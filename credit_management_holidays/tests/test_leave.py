from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, freeze_time, new_test_user, tagged

from odoo.addons.credit_management.tests.test_approval import ApprovalCommon

# A Wednesday at noon, the Friday after, and the Monday after that.
NOON = '2030-06-05 12:00:00'
WEDNESDAY, THURSDAY, FRIDAY, MONDAY = date(2030, 6, 5), date(2030, 6, 6), date(2030, 6, 7), date(2030, 6, 10)


@tagged('post_install', '-at_install')
class TestLeave(ApprovalCommon):
    """The manager of the first level has an employee, whose manager is the deputy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref('hr_holidays.group_hr_holidays_manager')
        cls._two_levels()
        cls.company.resource_calendar_id = cls.env['resource.calendar'].create(
            {'name': "Office", 'tz': 'UTC', 'company_id': cls.company.id}  # 8 to 12 and 13 to 17
        )
        cls.boss = cls._employee(cls.deputy)
        cls.employee = cls._employee(cls.manager, parent_id=cls.boss.id)
        cls.officer = new_test_user(cls.env, 'leave_officer', 'hr_holidays.group_hr_holidays_manager')
        cls.day_off = cls._leave_type()

    def setUp(self):
        super().setUp()
        clock = freeze_time(NOON)
        clock.start()
        self.addCleanup(clock.stop)

    @classmethod
    def _employee(cls, user, **values):
        return cls.env['hr.employee'].create(
            {
                'name': user.name,
                'user_id': user.id,
                'company_id': cls.company.id,
                'resource_calendar_id': cls.company.resource_calendar_id.id,
                'date_version': '2020-01-01',
                **values,
            }
        )

    @classmethod
    def _leave_type(cls, **values):
        return cls.env['hr.leave.type'].create(
            {
                'name': "Holiday",
                'requires_allocation': False,
                'leave_validation_type': 'hr',
                'company_id': cls.company.id,
                **values,
            }
        )

    def _leave(self, first=WEDNESDAY, last=None, employee=None, leave_type=None, approve=True, **values):
        leave = (
            self.env['hr.leave']
            .with_user(self.officer)
            .create(
                {
                    'employee_id': (employee or self.employee).id,
                    'holiday_status_id': (leave_type or self.day_off).id,
                    'request_date_from': first,
                    'request_date_to': last or first,
                    **values,
                }
            )
        )
        if approve and leave.state != 'validate':
            leave.action_approve()
        return leave

    def assertAsked(self, user, limit=None):
        self.assertEqual((limit or self._submitted()).approval_user_id, user)

    def test_whoever_is_on_leave_is_passed_over_for_his_manager(self):
        self._leave()
        limit = self._submitted()
        self.assertAsked(self.deputy, limit)
        limit.with_user(self.deputy).action_approve()
        self.assertEqual(limit.state, 'approved')

    def test_approving_a_leave_moves_what_is_pending_at_once(self):
        limit = self._submitted()
        leave = self._leave(approve=False)
        self.assertAsked(self.manager, limit)
        leave.action_approve()
        self.assertEqual((limit.approval_user_id, limit.activity_ids.user_id), (self.deputy, self.deputy))
        self.assertIn("Credit Deputy is asked, because", limit.approval_id.story_text)

    def test_leave_without_approval_moves_what_is_pending_at_once(self):
        limit = self._submitted()
        self._leave(leave_type=self._leave_type(leave_validation_type='no_validation'))
        self.assertAsked(self.deputy, limit)

    def test_refused_leave_is_none_any_more(self):
        leave = self._leave()
        limit = self._submitted()
        leave.action_refuse()
        self.assertAsked(self.manager)
        # Who was asked while he stood in may still answer.
        self.assertTrue(limit.with_user(self.deputy).can_decide)

    def test_moved_leave_counts_on_its_new_days(self):
        leave = self._leave(MONDAY, approve=False)
        leave.action_approve()
        limit = self._submitted()
        self.assertAsked(self.manager, limit)
        leave.action_back_to_approval()
        leave.write({'request_date_from': WEDNESDAY, 'request_date_to': FRIDAY})
        self.assertAsked(self.manager, limit)
        leave.action_approve()
        self.assertAsked(self.deputy, limit)

    def test_leave_begins_by_itself(self):
        limit = self._submitted()
        self._leave(THURSDAY)
        self.assertAsked(self.manager, limit)
        with freeze_time(THURSDAY):
            self._follow_up()
        self.assertAsked(self.deputy, limit)

    def test_weekend_within_a_leave_is_leave(self):
        self._leave(FRIDAY, MONDAY)
        substitutes = self.env['credit.absence']._substitutes
        self.assertEqual(substitutes(date(2030, 6, 8)), {self.manager.id: self.deputy.id})
        self.assertEqual(substitutes(THURSDAY), {})
        self.assertEqual(substitutes(date(2030, 6, 11)), {})

    def test_person_of_the_preferences_goes_before_the_manager(self):
        self.manager.with_user(self.manager).credit_substitute_id = self.director
        self._leave()
        self.assertAsked(self.director)

    def test_substitute_named_while_away_may_decide_at_once(self):
        self.employee.parent_id = False
        self._leave()
        limit = self._submitted()
        self.assertAsked(self.other_manager, limit)
        self.assertFalse(limit.with_user(self.director).can_decide)
        self.manager.credit_substitute_id = self.director
        limit.invalidate_recordset(['can_decide'])
        self.assertTrue(limit.with_user(self.director).can_decide)
        self.assertAsked(self.director)

    def test_absence_entered_by_hand_names_the_substitute(self):
        self.manager.credit_substitute_id = self.deputy
        self._leave()
        self._away(self.manager, self.director)
        self.assertAsked(self.director)

    def test_manager_who_may_not_decide_is_not_asked(self):
        self.boss.user_id = self.sales_user
        self._leave()
        self.assertAsked(self.other_manager)

    def test_manager_on_leave_is_passed_over_in_turn(self):
        self._leave(employee=self.boss)
        self._leave()
        self.assertAsked(self.other_manager)
        self.deputy.credit_substitute_id = self.director
        self.assertAsked(self.director)

    def test_half_a_day_is_no_absence_two_halves_are(self):
        halves = self._leave_type(request_unit='half_day')
        self._leave(leave_type=halves, request_date_from_period='am', request_date_to_period='am')
        self.assertAsked(self.manager)
        self._leave(leave_type=halves, request_date_from_period='pm', request_date_to_period='pm')
        self.assertAsked(self.deputy)

    def test_of_a_leave_from_noon_to_noon_only_the_days_between_count(self):
        self._leave(
            WEDNESDAY,
            FRIDAY,
            leave_type=self._leave_type(request_unit='half_day'),
            request_date_from_period='pm',
            request_date_to_period='am',
        )
        away = [bool(self.env['credit.absence']._substitutes(day)) for day in (WEDNESDAY, THURSDAY, FRIDAY)]
        self.assertEqual(away, [False, True, False])

    def test_hours_count_once_they_fill_the_working_day(self):
        hours = self._leave_type(request_unit='hour')
        self._leave(leave_type=hours, request_hour_from=8, request_hour_to=15)
        self.assertAsked(self.manager)
        self._leave(leave_type=hours, request_hour_from=15, request_hour_to=17)
        self.assertAsked(self.deputy)

    def test_day_is_that_of_the_working_hours(self):
        self.company.resource_calendar_id.tz = 'Asia/Shanghai'
        self.employee.tz = 'Asia/Shanghai'
        self._leave(leave_type=self._leave_type(request_unit='hour'), request_hour_from=8, request_hour_to=17)
        self.assertAsked(self.deputy)

    def test_training_and_work_from_home_are_no_absence(self):
        self._leave(leave_type=self._leave_type(time_type='other'))
        self.assertAsked(self.manager)

    def test_leave_in_another_company_counts_too(self):
        other = self.env['res.company'].create({'name': "Other"})
        self.manager.company_ids = [Command.link(other.id)]
        self.officer.company_ids = [Command.link(other.id)]
        employee = (
            self.env['hr.employee']
            .with_company(other)
            .create(
                {
                    'name': "Same person",
                    'user_id': self.manager.id,
                    'company_id': other.id,
                    'date_version': '2020-01-01',
                }
            )
        )
        leave = self.env['hr.leave'].with_company(other).with_user(self.officer)
        leave = leave.with_context(allowed_company_ids=(other + self.company).ids).create(
            {
                'employee_id': employee.id,
                'holiday_status_id': self._leave_type(company_id=other.id).id,
                'request_date_from': WEDNESDAY,
                'request_date_to': WEDNESDAY,
            }
        )
        leave.action_approve()
        self.assertAsked(self.other_manager)

    def test_substitute_has_to_be_able_to_decide(self):
        with self.assertRaisesRegex(ValidationError, "can't decide about credit"):
            self.manager.credit_substitute_id = self.sales_user
        with self.assertRaisesRegex(ValidationError, "somebody else"):
            self.manager.credit_substitute_id = self.manager

    def test_one_names_his_own_substitute_only(self):
        with self.assertRaises(AccessError):
            self.other_manager.with_user(self.manager).credit_substitute_id = self.manager

    def test_preferences_offer_the_substitute_to_those_who_decide(self):
        view = 'base.view_users_form_simple_modif'
        (self.director + self.sales_user).tz = 'UTC'
        with Form(self.director.with_user(self.director), view) as form:
            form.credit_substitute_id = self.deputy
        self.assertEqual(self.director.credit_substitute_id, self.deputy)
        form = Form(self.sales_user.with_user(self.sales_user), view)
        with self.assertRaisesRegex(AssertionError, "invisible"):
            form.credit_substitute_id = self.deputy
