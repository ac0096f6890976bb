from datetime import datetime, timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_claims import ClaimsCommon

# Friday, 10:00 in Shanghai, 03:00 in Berlin, 21:00 of Thursday in New York.
NOW = datetime(2026, 11, 27, 2)


@tagged('post_install', '-at_install')
class TestContactRule(ClaimsCommon):
    def setUp(self):
        super().setUp()
        self.Rule = self.env['dunning.contact.rule']
        self.Rule.search([]).action_archive()
        self.customer.write({'country_id': self.env.ref('base.cn').id, 'tz': 'Asia/Shanghai'})

    def rule(self, **values):
        return self.Rule.create({'name': "Test", 'hour_from': 8, 'hour_to': 21, **values})

    def gate(self, channel='call', moment=NOW, partner=None, company=None):
        partner = partner or self.customer
        return self.Rule._gate(partner, channel, moment, company or self.company)[partner.id]

    def log(self, channel='call', days=1, partner=None, **values):
        moment = NOW - timedelta(days=days)
        return self.env['dunning.contact']._log(partner or self.customer, channel, self.company, moment, **values)

    def test_without_a_rule_everything_is_allowed(self):
        self.assertEqual(self.gate(), (True, NOW, False))

    def test_hours_are_those_where_the_person_is(self):
        self.rule()
        self.assertTrue(self.gate()[0])
        german = self.env['res.partner'].create({'name': "Karl", 'country_id': self.env.ref('base.de').id})
        allowed, moment, reason = self.gate(partner=german)
        self.assertEqual((allowed, moment), (False, datetime(2026, 11, 27, 7)))
        self.assertIn("hours", reason)

    def test_time_zone_of_whoever_entered_the_contact_is_not_believed(self):
        self.rule()
        american = self.env['res.partner'].create(
            {'name': "Joe", 'country_id': self.env.ref('base.us').id, 'tz': 'Asia/Shanghai'}
        )
        self.assertFalse(self.gate(partner=american)[0])

    def test_who_has_no_country_is_where_the_company_is(self):
        self.rule()
        self.company.country_id = self.env.ref('base.cn')
        someone = self.env['res.partner'].create({'name': "Someone"})
        # 06:00 UTC: afternoon in China; 20:00 UTC: night.
        self.assertTrue(self.gate(partner=someone, moment=datetime(2026, 11, 27, 6))[0])
        self.assertFalse(self.gate(partner=someone, moment=datetime(2026, 11, 27, 20))[0])

    def test_letters_are_bound_to_no_hours_and_e_mail_if_so_wanted(self):
        rule = self.rule()
        night = datetime(2026, 11, 27, 18)
        self.assertTrue(self.gate('letter', night)[0])
        self.assertFalse(self.gate('email', night)[0])
        rule.email_timed = False
        self.assertTrue(self.gate('email', night)[0])

    def test_note_to_colleagues_is_no_contact(self):
        self.customer.dunning_no_email = True
        self.rule(cap_ids=[Command.create({'number': 0, 'days': 1})])
        self.assertTrue(self.gate('internal')[0])

    def test_most_specific_rule_holds(self):
        self.rule(hour_from=12)
        self.rule(customer_kind='business', hour_from=13)
        self.assertEqual(self.gate()[1], datetime(2026, 11, 27, 5))
        self.rule(country_ids=[Command.set(self.env.ref('base.cn').ids)])
        self.assertTrue(self.gate()[0])
        self.rule(country_ids=[Command.set(self.env.ref('base.cn').ids)], customer_kind='consumer', hour_from=20)
        self.assertTrue(self.gate()[0])

    def test_rule_of_another_company_is_none(self):
        other = self.env['res.company'].create({'name': "Other"})
        self.rule(hour_from=20, company_id=other.id)
        self.assertTrue(self.gate()[0])
        self.assertFalse(self.gate(company=other)[0])

    def test_cap_counts_contacts_with_all_persons_of_the_customer(self):
        self.rule(cap_ids=[Command.create({'channel': 'call', 'number': 2, 'days': 7})])
        self.log(days=6)
        self.assertTrue(self.gate()[0])
        self.log(days=1, partner=self.contact)
        self.assertEqual(self.gate()[:2], (False, NOW + timedelta(days=1)))
        self.assertTrue(self.gate('letter')[0])

    def test_what_the_customer_says_himself_is_not_counted(self):
        self.rule(quiet_days=3)
        self.log(days=1, direction='in')
        self.assertTrue(self.gate()[0])
        self.log('email', days=1)
        self.assertEqual(self.gate()[:2], (False, NOW + timedelta(days=2)))

    def test_contacts_of_another_company_do_not_count(self):
        self.rule(quiet_days=3)
        other = self.env['res.company'].create({'name': "Other"})
        self.env['dunning.contact']._log(self.customer, 'call', other, NOW - timedelta(days=1))
        self.assertTrue(self.gate()[0])

    def test_quiet_after_a_dispute(self):
        self.rule(quiet_days_dispute=5)
        invoice = self._invoice(1000)
        dispute = self.env['dunning.dispute'].create(
            {'move_id': invoice.id, 'reason': "Broken", 'date_open': NOW.date() - timedelta(days=1)}
        )
        allowed, moment, reason = self.gate()
        self.assertEqual((allowed, moment), (False, datetime(2026, 12, 1)))
        self.assertIn("dispute", reason)
        dispute._solve('company')
        self.assertTrue(self.gate()[0])

    def test_refused_channel_is_shut_whatever_the_rule(self):
        self.contact.dunning_no_call = True
        self.assertEqual(self.gate(partner=self.contact)[:2], (False, None))
        self.assertTrue(self.gate('email', partner=self.contact)[0])
        self.assertTrue(self.gate()[0])
        self.customer.dunning_no_email = True
        self.assertFalse(self.gate('email', partner=self.contact)[0])
        self.assertEqual(len(self.events('opt_out')), 2)

    def test_insolvent_customer_is_not_contacted(self):
        self._account()._write_insolvency(self.today, "Court")
        self.assertEqual(self.gate('letter')[:2], (False, None))

    def test_holidays_of_a_calendar(self):
        calendar = self.env['resource.calendar'].create({'name': "Holidays", 'tz': 'Asia/Shanghai'})
        self.env['resource.calendar.leaves'].create(
            {
                'name': "Holiday",
                'calendar_id': calendar.id,
                'date_from': datetime(2026, 11, 26, 16),
                'date_to': datetime(2026, 11, 27, 15, 59, 59),
            }
        )
        self.rule(calendar_id=calendar.id)
        allowed, moment, reason = self.gate()
        self.assertEqual((allowed, moment), (False, datetime(2026, 11, 28)))
        self.assertIn("holiday", reason)

    def test_many_persons_cost_no_more_statements(self):
        self.rule(quiet_days=3, cap_ids=[Command.create({'number': 7, 'days': 7})])
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(40)])

        def statements(some):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.Rule._gate(some, 'call', NOW, self.company)
            return self.cr.sql_log_count - before

        statements(partners[:1])
        self.assertEqual(statements(partners), statements(partners[:2]))

    def test_collector_notes_a_call_and_changes_only_the_note(self):
        call = (
            self.env['dunning.contact']
            .with_user(self.collector)
            .create({'partner_id': self.contact.id, 'reached': True, 'note': "Will pay"})
        )
        self.assertEqual((call.commercial_partner_id, call.user_id), (self.customer, self.collector))
        call.note = "Will pay on Monday"
        with self.assertRaisesRegex(UserError, "stays as it is"):
            call.moment = NOW
        with self.assertRaisesRegex(AccessError, "yourself"):
            call.with_user(self.head).unlink()
        call.unlink()

    def test_who_notes_a_call_is_warned_of_what_the_rules_say_and_not_stopped(self):
        calls = self.env['dunning.contact'].with_user(self.collector)
        vals = {'partner_id': self.customer.id, 'channel': 'call', 'company_id': self.company.id}
        self.rule()
        self.assertFalse(calls.new({**vals, 'moment': NOW}).rule_warning)
        night = calls.new({**vals, 'moment': datetime(2126, 11, 27, 18)}).rule_warning
        self.assertIn("Outside the hours", night)
        self.assertIn("Allowed from", night)
        self.assertFalse(calls.new({**vals, 'moment': datetime(2126, 11, 27, 18), 'direction': 'in'}).rule_warning)
        self.assertFalse(calls.create({**vals, 'moment': datetime(2026, 11, 20, 18)}).rule_warning)

    def test_a_call_of_the_past_is_judged_by_its_day_and_the_next_moment_is_none_of_the_past(self):
        self.Rule.create({'name': "Quiet", 'hour_from': 0, 'hour_to': 24, 'quiet_days': 3})
        now = fields.Datetime.now()
        self.env['dunning.contact']._log(self.customer, 'email', self.company, now - timedelta(days=10))
        vals = {'partner_id': self.customer.id, 'channel': 'call', 'company_id': self.company.id}

        warning = self.env['dunning.contact'].new({**vals, 'moment': now - timedelta(days=9)}).rule_warning

        self.assertIn("Quiet days", warning)
        self.assertIn("Allowed now", warning)

    def test_the_customer_shows_whether_he_may_be_called_and_when(self):
        account = self._account()
        self.assertEqual((account.dunning_may_call, self.customer.dunning_may_call), ("Now", "Now"))
        self.Rule.create({'name': "Quiet", 'hour_from': 0, 'hour_to': 24, 'quiet_days': 3})
        self.env['dunning.contact']._log(self.customer, 'email', self.company)
        self.env.invalidate_all()
        self.assertRegex(account.dunning_may_call, "^From .* on. Quiet days")
        self.customer.dunning_no_call = True
        self.env.invalidate_all()
        self.assertRegex(self.customer.dunning_may_call, "^No. ")

    def test_only_managers_change_the_rules(self):
        rule = self.rule()
        with self.assertRaises(AccessError):
            rule.with_user(self.collector).hour_to = 24
        rule.with_user(self.head).hour_to = 20

    def test_rule_without_a_day_is_refused(self):
        week = ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')
        with self.assertRaisesRegex(UserError, "at least one day"):
            self.rule(**dict.fromkeys(week, False))

    def test_presets_stand(self):
        preset = self.env.ref('dunning_followup.contact_rule_us_consumer')
        self.assertEqual((preset.hour_from, preset.hour_to, preset.quiet_days_reached), (8, 21, 7))
        self.assertEqual((preset.cap_ids.channel, preset.cap_ids.number, preset.cap_ids.days), ('call', 7, 7))
