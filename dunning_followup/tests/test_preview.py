from odoo import Command
from odoo.tests import Form, tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestPreview(DunningCommon):
    """The preview is what is sent: same language, same items, same claims."""

    def setUp(self):
        super().setUp()
        self.env['res.lang']._activate_lang('zh_CN')
        self.company.dunning_rate_table_id = self.env['dunning.rate.table'].create(
            {'name': "Rates", 'rate_ids': [Command.create({'date_from': '2020-01-01', 'percent': 36.5})]}
        )
        self.first.write(
            {'fee_amount': 5, 'with_interest': True, 'body': "<p>Dear {{contact}}</p>{{items}}<p>{{sender}}</p>"}
        )
        self.first.with_context(lang='zh_CN').subject = "欠款：{{numbers}}"
        self.first.update_field_translations('body', {'zh_CN': {"Dear {{contact}}": "尊敬的{{contact}}"}})
        self.invoice = self._overdue(1000, 10)

    def sent(self):
        """Return the mail that the customer gets, as the preview would show it."""
        mail = self._notice(self._send(self._run())).mail_mail_id
        return f'<h4>{mail.subject}</h4>{mail.body_html}'

    def preview(self, step=None, **values):
        step = (step or self.first).with_user(self.collector)
        step.invalidate_recordset()
        return str(self.env['dunning.notice'].with_user(self.collector)._preview(step, self.customer, **values))

    def test_english_customer(self):
        preview = self.preview()

        self.assertEqual(preview, self.sent())
        for text in ("Days overdue", "Interest on", "Reminder fee", "10.00", "5.00"):
            self.assertIn(text, preview)

    def test_chinese_customer_of_an_english_user(self):
        self.customer.lang = 'zh_CN'

        preview = self.preview()

        self.assertEqual(preview, self.sent())
        self.assertIn("尊敬的", preview)
        for text in ("Days overdue", "Interest on", "Reminder fee", "Total"):
            self.assertNotIn(text, preview)

    def test_english_customer_of_a_chinese_user(self):
        self.collector.lang = 'zh_CN'
        self.customer.lang = 'en_US'

        self.assertEqual(self.preview(), self.sent())

    def test_other_language_is_chosen(self):
        self.assertIn("尊敬的", self.preview(lang='zh_CN'))

    def test_step_without_interest_and_fee_states_none(self):
        self.first.write({'fee_amount': 0, 'with_interest': False})

        preview = self.preview()

        self.assertEqual(preview, self.sent())
        self.assertNotIn("Interest", preview)

    def test_what_is_disputed_is_not_shown_and_who_is_not_chased_is_told(self):
        self.env['dunning.dispute'].create({'move_id': self.invoice.id, 'amount': 400, 'reason': "Broken"})
        self.assertIn("600.00", self.preview())
        self._account()._write_insolvency(self.today, '')
        self.assertIn("Nothing would be sent to this customer today", self.preview())
        self.assertIn("1,000.00", self.preview())

    def test_recipient_is_that_of_the_step(self):
        self.contact.email = 'lin@hengda.example'
        self._account(dunning_contact_id=self.contact.id)
        self.assertIn("Dear Ms Lin", self.preview())
        self.first.recipient = 'invoice'
        self.assertIn("Dear Hengda Trading", self.preview())

    def test_form_shows_what_is_not_saved_yet(self):
        form = Form(self.first.with_user(self.collections_manager))
        form.preview_partner_id = self.customer
        form.subject = "Quite new"
        self.assertIn("Quite new", form.preview)
        form.preview_lang = 'zh_CN'
        self.assertIn("尊敬的", form.preview)
        self.assertNotIn("Quite new", form.preview)
        form.fee_amount = 0
        form.with_interest = False
        self.assertNotIn("利息", form.preview)
