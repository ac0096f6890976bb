from odoo import models


class SmsSms(models.Model):
    _inherit = 'sms.sms'

    def write(self, vals):
        # EXTENDS sms: reminders learn what became of them
        result = super().write(vals)
        if vals.get('state') in ('process', 'pending', 'sent', 'error', 'canceled'):
            notices = (
                self.env['dunning.notice']
                .sudo()
                .search([('sms_uuid', 'in', self.mapped('uuid')), ('state', '=', 'queued')])
            )
            if vals['state'] == 'canceled':
                notices.write({'state': 'cancelled', 'reason': self.env._("The text message was cancelled.")})
            elif vals['state'] == 'error':
                labels = dict(self._fields['failure_type']._description_selection(self.env))
                failure = vals.get('failure_type')
                final = failure in ('sms_number_missing', 'sms_number_format', 'sms_blacklist', 'sms_optout')
                notices._set_error(labels.get(failure) or self.env._("The text message failed."), final=final)
            elif notices:
                notices._set_sent()
                self.env.ref('dunning_followup.ir_cron_book').sudo()._trigger()
        return result
