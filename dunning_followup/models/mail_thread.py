from odoo import api, models


class MailThread(models.AbstractModel):
    _inherit = 'mail.thread'

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        # EXTENDS mail: a reminder that came back did not arrive
        result = super()._routing_handle_bounce(email_message, message_dict)
        if message := message_dict['bounced_message']:
            # Mails that come in are read by the system.
            notices = self.env['dunning.notice'].sudo()
            notices = notices.search([('mail_mail_id.mail_message_id', 'in', message.ids)])
            notices._bounced(message_dict['bounced_email'])
        return result
