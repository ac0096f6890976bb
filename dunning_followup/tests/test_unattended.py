from datetime import datetime
from unittest.mock import patch

import pytz

from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestUnattended(DunningCommon):
    """Runs made by the scheduled action."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['res.company'].search([]).dunning_mode = 'off'
        cls.company.write({'dunning_hour': 0, 'dunning_workdays': False, 'dunning_user_id': cls.collector.id})

    def _runs(self):
        with self.enter_registry_test_mode():
            self.env.ref('dunning_followup.ir_cron_run').method_direct_trigger()
        return self.env['dunning.run'].search([('company_id', '=', self.company.id), ('automatic', '=', True)])

    def test_a_company_that_wants_it_has_its_run_sent_once_a_day(self):
        self.company.dunning_mode = 'send'
        self._overdue(100, 10)

        runs = self._runs()
        self.assertEqual((len(runs), runs.state, runs.user_id), (1, 'sending', self.collector))
        self.assertEqual(self._runs(), runs)

    def test_a_run_that_is_only_proposed_waits_for_the_collector_who_is_told(self):
        self.company.dunning_mode = 'propose'
        self._overdue(100, 10)

        run = self._runs()

        self.assertEqual((run.state, run.notice_ids.state), ('simulated', 'draft'))
        self.assertIn(self.collector.partner_id, run.message_ids.notified_partner_ids)

    def test_reasons_and_messages_are_in_the_language_of_the_collector(self):
        self.env['res.lang']._activate_lang('fr_FR')
        self.collector.lang = 'fr_FR'
        self.company.dunning_mode = 'propose'
        self._overdue(100, 10)
        langs = []
        Run = type(self.env['dunning.run'])

        with patch.object(Run, '_simulate', lambda run: langs.append(run.env.lang)):
            self._runs()

        self.assertEqual(langs, ['fr_FR'])

    def test_without_anything_to_send_the_run_is_done(self):
        self.company.dunning_mode = 'send'

        self.assertEqual(self._runs().state, 'done')

    def test_companies_that_do_not_want_it_get_none(self):
        self._overdue(100, 10)

        self.assertFalse(self._runs())

    def test_the_hour_and_the_day_are_those_of_the_company(self):
        self.company.partner_id.tz = 'Asia/Shanghai'
        self.company.write({'dunning_hour': 8, 'dunning_workdays': True})
        due = self.env['dunning.run']._is_due
        # Friday, 20 November 2026, and Saturday.
        self.assertFalse(due(self.company, datetime(2026, 11, 19, 23, 59, tzinfo=pytz.utc)))
        self.assertTrue(due(self.company, datetime(2026, 11, 20, 0, 0, tzinfo=pytz.utc)))
        self.assertFalse(due(self.company, datetime(2026, 11, 21, 3, 0, tzinfo=pytz.utc)))
