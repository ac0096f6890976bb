import base64
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common_claims import ClaimsCommon


@tagged('post_install', '-at_install')
class TestLimitationDate(ClaimsCommon):
    def setUp(self):
        super().setUp()
        self.customer.country_id = self.env.ref('base.cn')
        self.due = self.today - timedelta(days=100)
        self.invoice = self._invoice(1000, due=self.due)
        self.item = self._items(self.invoice)

    def restart(self, days, kind='confirmation', invoice=None, proof=True, **values):
        proofs = self.env['ir.attachment'].with_user(self.collector)
        if proof:
            proofs = proofs.create({'name': "proof.pdf", 'datas': base64.b64encode(b"stamp")})
        return (
            self.env['dunning.limitation.event']
            .with_user(self.collector)
            .create(
                {
                    'kind': kind,
                    'date': self.due + timedelta(days=days),
                    'partner_id': self.customer.id,
                    'move_ids': [Command.set((invoice or self.invoice).ids)],
                    'attachment_ids': [Command.set(proofs.ids)],
                    **values,
                }
            )
        )

    def years(self, day, years=3):
        return day + relativedelta(years=years)

    def test_three_years_in_china_from_the_due_date(self):
        self.assertEqual(self.item.dunning_limitation_date, self.years(self.due))
        self.assertEqual(self.invoice.dunning_limitation_date, self.years(self.due))

    def test_end_of_the_year_in_germany_and_six_years_in_the_uk(self):
        self.customer.country_id = self.env.ref('base.de')
        self.item.invalidate_recordset(['dunning_limitation_date'])
        self.assertEqual(self.item.dunning_limitation_date, date(self.due.year + 3, 12, 31))
        self.customer.country_id = self.env.ref('base.uk')
        self.item.invalidate_recordset(['dunning_limitation_date'])
        self.assertEqual(self.item.dunning_limitation_date, self.years(self.due, 6))

    def test_country_without_a_rule_has_none(self):
        self.customer.country_id = self.env.ref('base.br')
        self.item.invalidate_recordset(['dunning_limitation_date'])
        self.assertFalse(self.item.dunning_limitation_date)

    def test_stamped_confirmation_restarts_and_is_in_the_credit_file(self):
        self.restart(50)
        self.item.invalidate_recordset(['dunning_limitation_date'])
        self.assertEqual(self.item.dunning_limitation_date, self.years(self.due + timedelta(days=50)))
        [text] = self.events('limitation_restarted')
        self.assertIn(self.invoice.name, text)

    def test_part_payment_restarts_by_itself_and_a_credit_note_does_not(self):
        credit = self._reverse(self.invoice, post=False)
        credit.invoice_line_ids.price_unit = 100
        credit.action_post()
        (self.item + self._items(credit)).filtered(lambda line: not line.reconciled).reconcile()
        self.item.invalidate_recordset(['dunning_limitation_date'])
        self.assertEqual(self.item.dunning_limitation_date, self.years(self.due))
        self._settle(self.invoice, 300, self.due + timedelta(days=60))
        self.item.invalidate_recordset(['dunning_limitation_date'])
        self.assertEqual(self.item.dunning_limitation_date, self.years(self.due + timedelta(days=60)))

    def test_what_we_write_off_restarts_nothing(self):
        journal = self.company_data['default_journal_misc']
        loss = self.company_data['default_account_expense']
        entry = self.env['account.move'].create(
            {
                'journal_id': journal.id,
                'date': self.due + timedelta(days=60),
                'line_ids': [
                    Command.create({'account_id': loss.id, 'debit': 10}),
                    Command.create(
                        {'account_id': self.item.account_id.id, 'partner_id': self.customer.id, 'credit': 10}
                    ),
                ],
            }
        )
        entry.action_post()
        (self.item + entry.line_ids.filtered('credit')).reconcile()
        self.item.invalidate_recordset(['dunning_limitation_date'])
        self.assertEqual(self.item.dunning_limitation_date, self.years(self.due))

    def test_proof_is_asked_for(self):
        with self.assertRaisesRegex(ValidationError, "Attach the proof"):
            self.restart(50, proof=False)
        self.restart(50, kind='promise', proof=False)

    def test_what_is_to_come_and_others_invoices_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "to come"):
            self.restart(101)
        other = self._invoice(100, partner=self.env['res.partner'].create({'name': "Other"}))
        with self.assertRaisesRegex(ValidationError, "this customer's"):
            self.restart(50, invoice=other)

    def test_entry_stays_as_it_is(self):
        event = self.restart(50)
        with self.assertRaises(AccessError):
            event.date = self.today
        with self.assertRaises(AccessError):
            event.unlink()
        event.with_user(self.head).unlink()

    def test_proof_is_read_by_colleagues(self):
        event = self.restart(50)
        self.assertEqual(event.attachment_ids.with_user(self.head).raw, b"stamp")

    def test_items_are_found_by_the_date(self):
        Line = self.env['account.move.line'].with_user(self.collector)
        end = self.years(self.due)
        self.assertIn(self.item, Line.search([('dunning_limitation_date', '<=', end)]))
        self.assertNotIn(self.item, Line.search([('dunning_limitation_date', '<', end)]))
        self.assertNotIn(self.item, Line.search([('dunning_limitation_date', '<=', 'today +180d')]))


@tagged('post_install', '-at_install')
class TestLimitationWarning(ClaimsCommon):
    def setUp(self):
        super().setUp()
        self.customer.write({'country_id': self.env.ref('base.cn').id, 'user_id': self.collector.id})
        self.end = self.today + timedelta(days=100)
        self.invoice = self._invoice(1000, due=self.end - relativedelta(years=3))
        # Leap days: the end as the rule has it.
        self.end = self._items(self.invoice).dunning_limitation_date

    def warn(self, days):
        self.env['dunning.limitation.rule']._warn(self.company, self.end - timedelta(days=days))
        return self.env['mail.activity'].search_count(
            [('res_model', '=', 'account.move'), ('res_id', '=', self.invoice.id)]
        )

    def test_once_at_each_level(self):
        counts = [self.warn(days) for days in (181, 180, 179, 90, 89, 30, 1)]
        self.assertEqual(counts, [0, 1, 1, 2, 2, 3, 3])
        activity = self.env['mail.activity'].search([('res_id', '=', self.invoice.id)], limit=1)
        self.assertEqual(activity.user_id, self.collector)
        self.assertIn("barred", activity.summary)

    def test_late_start_warns_once_not_three_times(self):
        self.assertEqual([self.warn(20), self.warn(19)], [1, 1])

    def test_restart_begins_anew(self):
        self.warn(20)
        self._settle(self.invoice, 100, self.today - timedelta(days=1))
        self.invoice.line_ids.invalidate_recordset(['dunning_limitation_date'])
        self.end = self._items(self.invoice).dunning_limitation_date
        self.assertEqual([self.warn(181), self.warn(180)], [1, 2])

    def test_paid_invoice_is_not_warned_of(self):
        self._settle(self.invoice, 1000, self.today)
        self.assertEqual(self.warn(20), 0)

    def test_nobody_responsible_means_the_manager(self):
        self.customer.user_id = False
        self.warn(20)
        activity = self.env['mail.activity'].search([('res_id', '=', self.invoice.id)])
        self.assertIn(activity.user_id, self.company._collections_managers())
        self.assertEqual(len(activity), 1)

    def test_job_runs_for_all_companies(self):
        with self.enter_registry_test_mode():
            self.env.ref('dunning_followup.ir_cron_limitation').method_direct_trigger()
        self.assertEqual(
            self.env['dunning.limitation.warning'].search([('move_line_id.move_id', '=', self.invoice.id)]).level, 180
        )
