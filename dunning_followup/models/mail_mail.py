from odoo import fields, models

# What no further try mends.
HOPELESS = ('mail_email_invalid', 'mail_email_missing')


class MailMail(models.Model):
    _inherit = 'mail.mail'

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        # EXTENDS mail: what reminders are about is noted soon after the last of them has gone out
        concerned = self.env['dunning.notice'].sudo().search_count([('mail_mail_id', 'in', self.ids)], limit=1)
        result = super().send(auto_commit, raise_exception, post_send_callback)
        if concerned:
            self.env.ref('dunning_followup.ir_cron_book').sudo()._trigger()
        return result

    def _postprocess_sent_message(self, success_pids, success_emails, failure_reason=False, failure_type=None):
        # EXTENDS mail: reminders learn what became of them, in the transaction that says so of the mail
        notices = self.env['dunning.notice'].sudo().search([('mail_mail_id', 'in', self.ids)])
        if failure_type:
            notices._set_error(failure_reason or failure_type, final=failure_type in HOPELESS)
        elif notices:
            notices.write(
                {
                    'state': 'sent',
                    'date_sent': fields.Datetime.now(),
                    'reason': False,
                    'date_next': False,
                    'booked': False,
                }
            )
        return super()._postprocess_sent_message(success_pids, success_emails, failure_reason, failure_type)
