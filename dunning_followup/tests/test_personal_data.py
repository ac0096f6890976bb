from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestPersonalData(DunningCommon):
    """What a person who asks is told of reminders."""

    def setUp(self):
        super().setUp()
        # A trader: consumers are not written to at night, and tests run at any hour.
        self.person = self.customer.copy(
            {
                'name': "Mr Natural",
                'is_company': False,
                'email': 'natural@example.com',
                'dunning_customer_kind': 'business',
            }
        )
        self.account = self._account(self.person)

    def kept(self, model):
        [(records, names)] = [each for each in self.account._personal_records() if each[0]._name == model]
        return records, names

    def test_reminders_with_their_words_and_contacts_are_part_of_it(self):
        self._overdue(100, 8, partner=self.person)
        self._overdue(100, 8)
        run = self._send(self._run())
        self._mails_go_out(run.sudo().notice_ids)
        self.env['dunning.contact'].with_user(self.collector).create(
            {'partner_id': self.person.id, 'channel': 'call', 'note': "Pays on Friday"}
        )

        notices, names = self.kept('dunning.notice')
        self.assertEqual(notices, self._notice(run, self.person))
        self.assertEqual(notices.state, 'sent')
        self.assertIn("100.00", notices.content)
        self.assertLessEqual({'date_sent', 'channel', 'content'}, set(names))
        contacts, names = self.kept('dunning.contact')
        self.assertEqual(contacts.mapped('channel'), ['email', 'call'])
        self.assertIn("Pays on Friday", contacts.mapped('note'))
        self.assertIn('note', names)

    def test_nothing_of_other_companies(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        self.env['dunning.contact']._log(self.person, 'email', other)
        self.assertFalse(self.kept('dunning.contact')[0])

    def test_workbook_holds_it(self):
        if 'scoring.entered' not in self.env:
            self.skipTest("customer_scoring has the export")
        self.env['dunning.contact']._log(self.person, 'email', self.company, note="Told of the dispute")
        sections = self.env['scoring.entered']._personal_data(self.person, self.company)
        cells = {cell for _title, _labels, rows in sections for row in rows for cell in row}
        self.assertIn("Told of the dispute", cells)
