from base64 import b64encode

from odoo import fields, models
from odoo.fields import Command


class CreditReportMail(models.AbstractModel):
    """A report of one company that its credit managers, or whom it has chosen, get as a workbook.

    The model that inherits has a `state` with `sent` and `nobody`, names its mail
    template, and makes the file: `_file_name` and `_workbook`.
    """

    _name = 'credit.report.mail'
    _inherit = ['mail.thread']
    _description = "Report to the Credit Managers"
    _template = None

    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='cascade')
    currency_id = fields.Many2one(related='company_id.currency_id')
    recipient_ids = fields.Many2many('res.users', string="Sent To", readonly=True)

    def _file_name(self):
        """Return the name of the workbook, in the language of the context."""
        raise NotImplementedError

    def _workbook(self):
        """Return the workbook as bytes, in the language of the context."""
        raise NotImplementedError

    def _readers(self):
        """Return the users who get it; those without an email address get none."""
        self.ensure_one()
        return self.company_id._credit_managers()

    def _send(self):
        """Queue the mail for its readers, in the language of each, with the workbook."""
        self.ensure_one()
        recipients = self._readers().filtered('email')
        template = self.env.ref(self._template, raise_if_not_found=False)
        if not recipients or not template:
            self.write({'state': 'nobody'})
            return
        for lang, readers in recipients.grouped('lang').items():
            report = self.with_context(lang=lang or self.env.lang)
            attachment = self.env['ir.attachment'].create(
                {
                    'name': report._file_name(),
                    'datas': b64encode(report._workbook()),
                    'res_model': self._name,
                    'res_id': self.id,
                }
            )
            template.with_context(credit_lang=lang or self.env.lang).send_mail(
                self.id,
                email_values={
                    'recipient_ids': [Command.set(readers.partner_id.ids)],
                    'attachment_ids': [Command.set(attachment.ids)],
                },
            )
        self.write({'state': 'sent', 'recipient_ids': [Command.set(recipients.ids)]})
