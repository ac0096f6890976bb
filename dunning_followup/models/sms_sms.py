import psycopg2
import requests

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools.misc import split_every

from odoo.addons.iap.tools.iap_tools import IAPServerError, InsufficientCreditError
from odoo.addons.sms.tools.sms_api import SmsApi

from .dunning_gateway import UNKNOWN_STATUSES, _not_sent

# Of how many the outcome is not known if the server dies while it hands them over.
AT_ONCE = 25


class SmsSms(models.Model):
    _inherit = 'sms.sms'

    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        # EXTENDS sms: reminders go out with the queue alone, which may commit; it takes them up at once
        reminders = self._reminders()
        if reminders:
            self.env.ref('sms.ir_cron_sms_scheduler_action').sudo()._trigger()
        others = self - reminders
        return super(SmsSms, others).send(unlink_failed, unlink_sent, raise_exception) if others else None

    def _send_with_api(self, sms_api, unlink_failed=False, unlink_sent=True, raise_exception=False):
        # EXTENDS sms: that reminders are being handed over is committed before they are. Who is killed before the
        # answer of the service is committed leaves them so, and nobody sends them a second time.
        reminders = self._reminders()
        if not reminders:
            return super()._send_with_api(sms_api, unlink_failed, unlink_sent, raise_exception)
        others = self - reminders
        if others:
            super(SmsSms, others)._send_with_api(sms_api, unlink_failed, unlink_sent, raise_exception)
        # Odoo's service says itself that it did not take a message; of others, the same is said when none answered.
        unsure = not isinstance(sms_api, SmsApi)
        # What was to go out long ago is not sent as it was then.
        reminders._dunning_notices()._take_back()
        # With the first commit the locks of the queue are gone: from then on, the notice tells whose turn it is.
        for ids in split_every(AT_ONCE, reminders.ids):
            batch = self.browse(ids)._claim().with_context(dunning_unsure=unsure)
            if not batch:
                continue
            try:
                super(SmsSms, batch)._send_with_api(sms_api, unlink_failed, unlink_sent, raise_exception=True)
            except psycopg2.Error:
                raise
            except Exception as error:  # whatever it is, the others go on
                batch.with_context(dunning_unsure=not _certainly_not_sent(error)).write(
                    {'state': 'error', 'failure_type': 'sms_server'}
                )
            self.env['ir.cron']._commit_progress()
        return None

    def _reminders(self):
        """Return those of these text messages that are reminders."""
        uuids = set(self._dunning_notices().mapped('sms_uuid'))
        return self.filtered(lambda sms: sms.uuid in uuids)

    def _dunning_notices(self):
        """Return the reminders that these text messages are, on behalf of the system."""
        return self.env['dunning.notice'].sudo().search([('sms_uuid', 'in', self.mapped('uuid'))])

    def _claim(self):
        """Commit that the notices of these are being handed over; return those that are ours to hand over."""
        try:
            notices = self._dunning_notices().try_lock_for_update().filtered(lambda notice: notice._may_hand_over())
            free = notices.grouped('sms_uuid')
            ours = self.exists().filtered(lambda sms: sms.state == 'outgoing' and sms.uuid in free)
            claimed = notices.filtered(lambda notice: notice.sms_uuid in ours.mapped('uuid'))
            claimed.write({'state': 'sending', 'date_claimed': fields.Datetime.now()})
            self.env['ir.cron']._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # What was handed over before is committed already.
            self.env.cr.rollback()
            return self.browse()
        return ours

    def write(self, vals):
        # EXTENDS sms: reminders learn what became of them
        result = super().write(vals)
        if vals.get('state') in ('process', 'pending', 'sent', 'error', 'canceled'):
            notices = self._dunning_notices().filtered(lambda notice: notice.state in ('queued', 'sending'))
            if vals['state'] == 'canceled':
                waiting = notices.filtered(lambda notice: notice.state == 'queued')
                waiting.write({'state': 'cancelled', 'reason': self.env._("The text message was cancelled.")})
            elif vals['state'] == 'error':
                labels = dict(self._fields['failure_type']._description_selection(self.env))
                failure = vals.get('failure_type')
                final = failure in ('sms_number_missing', 'sms_number_format', 'sms_blacklist', 'sms_optout')
                text = labels.get(failure) or self.env._("The text message failed.")
                if failure == 'sms_server' and self.env.context.get('dunning_unsure'):
                    text, final = self.env['dunning.gateway']._unknown_outcome(), True
                notices._set_error(text, final=final)
            elif notices:
                notices._set_sent()
            if notices:
                self.env.ref('dunning_followup.ir_cron_book').sudo()._trigger()
        return result


def _certainly_not_sent(error):
    """Tell whether a batch certainly did not reach the service."""
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, requests.exceptions.HTTPError):
        return cause.response is not None and cause.response.status_code not in UNKNOWN_STATUSES
    if isinstance(cause, requests.exceptions.JSONDecodeError):
        return False
    if isinstance(cause, requests.exceptions.RequestException):
        return _not_sent(cause)
    # The service itself said no, or was not asked.
    return isinstance(cause, (UserError, IAPServerError, InsufficientCreditError))
