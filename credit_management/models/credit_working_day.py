from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models

from ..engine.working_time import after_days, after_hours, longest_day, office_days, with_make_up_days

# How far a calendar is looked at for working time, and in what portions.
PERIODS = 27
PERIOD = timedelta(days=14)


class CreditWorkingDay(models.Model):
    """A day that is worked although the calendar says no, as the make-up days around Chinese holidays."""

    _name = 'credit.working.day'
    _inherit = ['credit.root.company']
    _description = "Make-up Working Day"
    _order = 'date desc'
    _rec_name = 'date'

    date = fields.Date(required=True)
    note = fields.Char(help="For which day off it is worked.")

    _date_unique = models.Constraint('UNIQUE (company_id, date)', "This day is entered already.")

    @api.model
    def _deadline(self, company, start, number, unit):
        """Return when a number of working hours or days after `start` is over, in UTC.

        Counted in the company's working hours with its public holidays and
        make-up days. Days end with their work, the day of the start not counted.

        :param start: date and time in UTC
        :param unit: 'hours' or 'days'
        """
        # Whoever asks for an approval need not read calendars.
        company = company.sudo()
        calendar = company.resource_calendar_id or company.root_id.resource_calendar_id
        zone = pytz.timezone(calendar.tz or company._credit_timezone())
        local = pytz.utc.localize(start).astimezone(zone).replace(tzinfo=None)
        count = after_hours if unit == 'hours' else after_days
        end = (
            count(local, number, self._spans(company, calendar, zone, local.date()))
            # Without any hours entered, for a year: office hours.
            or count(local, number, self._spans(company, calendar.browse(), zone, local.date()))
            or local + timedelta(**{unit: number})
        )
        return zone.localize(end).astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _spans(self, company, calendar, zone, first):
        """Yield the spans of work from a date on, in the calendar's own time."""
        for number in range(PERIODS):
            start = first + PERIOD * number
            end = start + PERIOD
            days = {
                day.date
                for day in self.sudo().search(
                    [('company_id', '=', company.root_id.id), ('date', '>=', start), ('date', '<', end)]
                )
            }
            usual = self._calendar_spans(calendar, zone, start, end, holidays=False) if days else []
            spans = self._calendar_spans(calendar, zone, start, end, holidays=True)
            yield from with_make_up_days(spans, days, longest_day(usual)) if days else spans

    @api.model
    def _calendar_spans(self, calendar, zone, first, last, holidays):
        if not calendar:
            return office_days(first, last)
        start, end = (zone.localize(datetime.combine(day, time.min)) for day in (first, last))
        intervals = calendar._work_intervals_batch(start, end, tz=zone, compute_leaves=holidays)[False]
        return [(begin.replace(tzinfo=None), stop.replace(tzinfo=None)) for begin, stop, _lines in intervals]
