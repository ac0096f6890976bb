from collections import defaultdict
from datetime import timedelta
from functools import partial

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL

from .dunning_notice import COLLECTOR, TRIES

LETTERS = 'dunning_followup.mail_activity_type_letters'
CHANNEL_FAILED = 'dunning_followup.mail_activity_type_channel_failed'
# In one round of a queue, some go out beside one that fails.
ROUND = timedelta(minutes=15)
# What failed for good long ago is no news.
NEWS = timedelta(days=30)


class DunningRun(models.Model):
    """Who is told of what waits for a person: letters to print, and channels through which nothing goes out."""

    _inherit = 'dunning.run'  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _tell_letters(self):
        """Ask for the letters that wait to be printed: one activity per run, closed when none waits any more."""
        waiting = dict(
            self.env['dunning.notice']._read_group(
                [('state', '=', 'to_print'), ('run_id', '!=', False)], ['run_id'], ['__count']
            )
        )
        told = self._told(LETTERS)
        for run, count in waiting.items():
            for user in (run.user_id | run.company_id._dunning_responsible()).filtered(_is_collector)[:1]:
                reader = run.with_context(lang=user.lang or self.env.lang, mail_activity_quick_update=True)
                summary = reader.env._("Letters to print: %(count)s", count=count)
                if activity := told.get(run.id):
                    activity.filtered(lambda one, summary=summary: one.summary != summary).write({'summary': summary})
                    continue
                reader.activity_schedule(
                    LETTERS, date_deadline=run.company_id._credit_today(), user_id=user.id, summary=summary
                )
        self.browse(told.keys() - {run.id for run in waiting}).exists().activity_feedback([LETTERS])

    @api.model
    def _tell_channels(self):
        """Tell the collectors of a company if nothing goes out through a channel, once until it works again."""
        failing = self._failing_channels()
        partners = {company.partner_id.id for company in failing}
        for company, channels in failing.items():
            self.env['credit.counter']._tell_failure(
                # Mails about it would not go out either.
                company.with_context(mail_activity_quick_update=True),
                CHANNEL_FAILED,
                company._dunning_responsible(),
                partial(self._channels_note, channels),
            )
        over = self.env['res.partner'].browse(self._told(CHANNEL_FAILED, 'res.partner').keys() - partners)
        over.activity_feedback([CHANNEL_FAILED], feedback=self.env._("Reminders go out again, or none waits any more."))

    @api.model
    def _channels_note(self, channels, env):
        """Return in words what does not go out and why.

        :param channels: [(channel, number of reminders, error)]
        :param env: of the language
        """
        labels = dict(env['dunning.notice']._fields['channel']._description_selection(env))
        return Markup().join(
            Markup("<p>%s</p>")
            % env._(
                "%(channel)s: %(count)s reminders were not sent. %(error)s",
                channel=labels[channel],
                count=count,
                error=(error or '')[:300],
            )
            for channel, count, error in channels
        ) + Markup("<p>%s</p>") % env._("They are tried again by themselves. Failed ones are sent with Send Again.")

    @api.model
    def _failing_channels(self):
        """Return {company: [(channel, number of reminders, last error)]} where nothing has gone out since it failed."""
        Notice = self.env['dunning.notice']
        Notice.flush_model()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                WITH failing AS (
                    SELECT company_id, channel, COUNT(*) AS count, MAX(write_date) AS last,
                           (ARRAY_AGG(reason ORDER BY write_date DESC, id DESC) FILTER (WHERE reason IS NOT NULL))[1]
                           AS reason
                      FROM dunning_notice
                     WHERE attempts > 0
                       AND (state IN ('to_send', 'rendering', 'queued', 'sending')
                            OR (state = 'failed' AND attempts >= %(tries)s AND write_date > %(news)s))
                  GROUP BY company_id, channel
                )
                SELECT company_id, channel, count, reason
                  FROM failing
                 WHERE NOT EXISTS (
                       SELECT FROM dunning_notice through
                        WHERE through.company_id = failing.company_id AND through.channel = failing.channel
                          AND ((through.state = 'sent' AND through.date_sent >= failing.last - %(round)s)
                               OR (through.state = 'to_print' AND through.write_date >= failing.last - %(round)s)))
              ORDER BY company_id, channel
                """,
                tries=TRIES,
                news=now - NEWS,
                round=ROUND,
            )
        )
        failing = defaultdict(list)
        for company_id, *channel in rows:
            failing[self.env['res.company'].browse(company_id)].append(channel)
        return failing

    @api.model
    def _told(self, activity_type, model='dunning.run'):
        """Return {record id: open activities of this type}."""
        domain = [('res_model', '=', model), ('activity_type_id', '=', self.env.ref(activity_type).id)]
        return self.env['mail.activity'].search(domain).grouped('res_id')


def _is_collector(user):
    return user.active and user.has_group(COLLECTOR)
