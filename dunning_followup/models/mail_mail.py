import re
import smtplib

from odoo import fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

# What a mail server said, as Python's errors quote it.
SERVER_ANSWER = re.compile(r"""\((\d{3}), b(?:'|")(.*?)(?:'|")[,)]""")
# What no further try mends.
HOPELESS = ('mail_email_invalid', 'mail_email_missing')


class MailMail(models.Model):
    _inherit = 'mail.mail'

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        # EXTENDS mail: what reminders are about is noted soon after the last of them has gone out
        notices = self.env['dunning.notice'].sudo()
        concerned = notices.search_count([('mail_mail_id', 'in', self.ids)], limit=1)
        result = super().send(auto_commit, raise_exception, post_send_callback)
        if concerned:
            self.env.ref('dunning_followup.ir_cron_book').sudo()._trigger()
            # The queue takes a thousand mails an hour, unless it is told that there are more.
            if notices.search_count([('mail_mail_id', 'in', self.ids), ('state', '=', 'sent')], limit=1):
                notices._trigger_queue()
        return result

    def _send(
        self,
        auto_commit=False,
        raise_exception=False,
        smtp_session=None,
        alias_domain_id=False,
        mail_server=False,
        post_send_callback=None,
    ):
        # EXTENDS mail: that a reminder is being handed over is committed before it is. Who is killed before the
        # answer of the mail server is committed leaves it so, and nobody sends it a second time.
        notices = self.env['dunning.notice'].sudo().search([('mail_mail_id', 'in', self.ids)])
        notice_of = {notice.mail_mail_id.id: notice.id for notice in notices}
        options = {
            'auto_commit': auto_commit,
            'raise_exception': raise_exception,
            'smtp_session': smtp_session,
            'alias_domain_id': alias_domain_id,
            'mail_server': mail_server,
            'post_send_callback': post_send_callback,
        }
        if not auto_commit:
            # By hand, or in the midst of something else: nothing may be committed here, so that the queue sends them.
            if notices:
                self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger()
            return super(MailMail, self - notices.mail_mail_id)._send(**options)
        others = self.filtered(lambda mail: mail.id not in notice_of)
        if others or not self:
            super(MailMail, others)._send(**options)
        # What was to go out long ago is not sent as it was then.
        taken_back = notices._take_back().mail_mail_id.ids
        if taken_back and post_send_callback:
            post_send_callback(taken_back)
        waiting = notice_of.keys() - set(taken_back)
        for mail_id in filter(waiting.__contains__, self.ids):
            # One by one: after each commit, all that is read along would be read again.
            mail, notice = self.browse(mail_id), notices.browse(notice_of[mail_id])
            if not _answers(smtp_session):
                # Nothing is lost: the rest is taken up with the next turn of the queue.
                break
            if not mail._claim(notice):
                continue
            try:
                super(MailMail, mail)._send(**options)
            except smtplib.SMTPServerDisconnected:
                # In the middle of this one; core has logged it.
                notice._interrupted()
                self.env['ir.cron']._commit_progress()
                break
        return True

    def _claim(self, notice):
        """Commit that the notice of this mail is being handed over; return False if that is another's, or done."""
        self.ensure_one()
        try:
            locked = notice.exists().try_lock_for_update()
            if not (locked and locked._may_hand_over() and self.state == 'outgoing'):
                return False
            notice.write({'state': 'sending', 'date_claimed': fields.Datetime.now()})
            self.env['ir.cron']._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Each mail before this one is committed already.
            self.env.cr.rollback()
            return False
        return True

    def _postprocess_sent_message(self, success_pids, success_emails, failure_reason=False, failure_type=None):
        # EXTENDS mail: reminders learn what became of them, in the transaction that says so of the mail
        notices = self.env['dunning.notice'].sudo().search([('mail_mail_id', 'in', self.ids)])
        if failure_type:
            reason = failure_reason
            if not reason and notices:
                labels = dict(self._fields['failure_type']._description_selection(self.env))
                said = notices.mail_mail_id[:1].failure_reason
                reason = ": ".join(filter(None, [labels.get(failure_type, failure_type), said]))
            if answers := SERVER_ANSWER.findall(reason or ''):
                answer = ", ".join(dict.fromkeys(f'{code} {text}' for code, text in answers))
                reason = self.env._("The mail server refused it: %(answer)s", answer=answer)
            # One that somebody has marked as sent, or cancelled, stays so.
            waiting = notices.filtered(lambda notice: notice.state in ('queued', 'sending'))
            waiting._set_error(reason, final=failure_type in HOPELESS)
        elif notices:
            notices._set_sent()
        return super()._postprocess_sent_message(success_pids, success_emails, failure_reason, failure_type)


def _answers(session):
    """Tell whether the mail server still listens: many end a session after some mails, or some time."""
    if session is None:
        return True
    try:
        code, _text = session.noop()
    except (smtplib.SMTPException, OSError):
        return False
    return code < 400
