from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestReissuedReminders(DunningCommon):
    """An invoice in the place of a reversed one goes on where its reminders were."""

    def test_step_and_history_go_on_and_nothing_is_sent_again(self):
        first = self._overdue(1000, 10)
        run = self._run()
        self._send(run)
        self._mails_go_out(self._notice(run))
        self.assertEqual(first.dunning_step_id, self.first)

        second = self._reverse(first, modify=True)
        second.action_post()
        self.env.invalidate_all()

        self.assertEqual((second.dunning_step_id, second.dunning_last_date), (self.first, self.today))
        self.assertEqual(second.dunning_notice_count, 1)
        self.assertFalse(self._run().notice_ids)
        self.assertEqual(second.dunning_next_date, self.today + timedelta(days=11))
        self.assertEqual(second.dunning_next_step_id, self.second)

    def test_each_instalment_goes_on_where_it_was(self):
        term = self.env['account.payment.term'].create(
            {
                'name': "Two",
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': 50, 'nb_days': days}) for days in (0, 30)
                ],
            }
        )
        first = self._overdue(1000, 10, invoice_payment_term_id=term.id)
        run = self._run()
        self._send(run)
        self._mails_go_out(self._notice(run))

        second = self._reverse(first, modify=True)
        second.action_post()
        self.env.invalidate_all()

        items = self._item(second).sorted('date_maturity')
        self.assertEqual(items.mapped('date_maturity'), [self.today + timedelta(days=days) for days in (-10, 20)])
        self.assertEqual(items[0].dunning_step_id, self.first)
        self.assertFalse(items[1].dunning_step_id)
