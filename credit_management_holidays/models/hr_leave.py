from datetime import datetime, time, timedelta

import pytz

from odoo import api, models
from odoo.tools.intervals import Intervals

# What a change of may send an approver away.
ABSENCE_FIELDS = {
    'state', 'employee_id', 'holiday_status_id', 'date_from', 'date_to', 'request_date_from', 'request_date_to',
    'request_date_from_period', 'request_date_to_period', 'request_hour_from', 'request_hour_to', 'request_unit_half',
    'request_unit_hours',
}  # fmt: skip


class HrLeave(models.Model):
    _inherit = 'hr.leave'

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS hr_holidays
        leaves = super().create(vals_list)
        leaves._credit_pass_over()
        return leaves

    def write(self, vals):
        # EXTENDS hr_holidays
        result = super().write(vals)
        if vals.keys() & ABSENCE_FIELDS:
            self._credit_pass_over()
        return result

    def _credit_pass_over(self):
        """Ask the substitutes at once where somebody who is on leave now is being asked."""
        # Whoever grants leave need know nothing of credit, and what is asked is asked on by the system.
        users = self.sudo().filtered(lambda leave: leave.state == 'validate').user_id
        if users:
            self.env['credit.approval'].sudo()._pass_over(users)

    @api.model
    def _credit_substitutes(self, date):
        """Return {id of each user on approved leave for the whole of a working day: id of the substitute, or None}."""
        # Of leave only this is told: who is away, to the system.
        leaves = self.sudo().search(
            [
                ('state', '=', 'validate'),
                ('request_date_from', '<=', date),
                ('request_date_to', '>=', date),
                ('user_id', '!=', False),
                # Worked time, as a training or work from home, is no absence.
                ('holiday_status_id.time_type', '=', 'leave'),
            ],
            order='id',
        )
        # Of a person with employees in several companies, each counts.
        away = leaves.browse().union(
            *(own for own in leaves.grouped('employee_id').values() if own._credit_cover_day(date))
        )
        approvers = away and self.env['credit.approval.level']._approvers()
        found = {}
        for user, own in away.grouped('user_id').items():
            candidates = (user.credit_substitute_id, *(manager.user_id for manager in own.employee_id.parent_id))
            able = (person for person in candidates if person and person != user and person in approvers)
            found[user.id] = next((person.id for person in able), None)
        return found

    def _credit_cover_day(self, date):
        """Tell whether these leaves of one employee together leave nothing of a working day."""
        if any(leave._credit_is_whole(date) for leave in self):
            return True
        calendar = self.resource_calendar_id[:1] or self.company_id[:1].resource_calendar_id
        zone = pytz.timezone(calendar.tz or self.employee_id.tz or 'UTC')
        start = zone.localize(datetime.combine(date, time.min))
        end = zone.localize(datetime.combine(date + timedelta(days=1), time.min))
        if not calendar:
            return False
        work = calendar._attendance_intervals_batch(start, end, tz=zone)[False]
        off = Intervals(
            (pytz.utc.localize(leave.date_from), pytz.utc.localize(leave.date_to), leave)
            for leave in self
            if leave.date_from < leave.date_to
        )
        return bool(work) and not work - off

    def _credit_is_whole(self, date):
        """Tell whether this leave was asked for from the morning to the evening of a day, or longer."""
        self.ensure_one()
        if self.request_unit_hours:
            return self.request_date_from < date < self.request_date_to
        if not self.request_unit_half:
            return True
        return (self.request_date_from < date or self.request_date_from_period == 'am') and (
            date < self.request_date_to or self.request_date_to_period == 'pm'
        )
