import json
from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestBlacklist(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls._account()
        cls.today = cls.company._credit_today()
        cls.policy = cls._limit_policy(blacklist_count=2, blacklist_days=90, controller_id=cls.analyst.id)

    def _events(self, kind, account=None):
        domain = [('account_id', '=', (account or self.account).id), ('kind', '=', kind)]
        return self.env['credit.event'].sudo().search(domain)

    def _dialog(self, action, user=None, **values):
        user = user or self.manager
        wizard_id = getattr(self.account.with_user(user), action)()['res_id']
        wizard = self.env['credit.blacklisting'].with_user(user).browse(wizard_id)
        wizard.write(values)
        wizard.action_apply()

    def test_dialog_keeps_reason_days_and_who(self):
        self.account.status = 'watch'
        until = date_add(self.today, days=30)
        self._dialog('action_blacklist', code='insolvency', note="court notice", until=until)
        self.assertRecordValues(
            self.account,
            [
                {
                    'status': 'blacklisted',
                    'status_reason': "court notice",
                    'blacklist_code': 'insolvency',
                    'blacklist_from': self.today,
                    'blacklist_until': until,
                    'blacklist_by_id': self.manager.id,
                    'blacklist_status_before': 'watch',
                }
            ],
        )
        payload = json.loads(self._events('blacklisted').payload)
        self.assertEqual((payload['code'], payload['date_to']), ('insolvency', str(until)))

    def test_lifted_goes_back_to_the_status_before(self):
        self.account.write({'status': 'watch', 'status_reason': "slow"})
        self._dialog('action_blacklist', note="fraud suspected", code='fraud')
        self._dialog('action_lift_blacklist', note="was a mistake")
        self.assertEqual((self.account.status, self.account.status_reason), ('watch', "slow"))
        self.assertFalse(self.account.blacklist_code or self.account.blacklist_from or self.account.blacklist_by_id)
        self.assertTrue(self.account.message_ids.filtered(lambda message: "was a mistake" in message.body))
        self.assertEqual(len(self._events('blacklist_lifted')), 1)

    def test_changing_the_entry_keeps_where_it_came_from(self):
        self.account.status = 'watch'
        self._dialog('action_blacklist', note="first", code='other')
        self._dialog('action_blacklist', note="second", code='legal')
        self.assertEqual((self.account.blacklist_code, self.account.blacklist_status_before), ('legal', 'watch'))
        self._dialog('action_lift_blacklist', note="over")
        self.assertEqual(self.account.status, 'watch')

    def test_dialog_begins_without_words_and_with_those_of_the_entry(self):
        for action in ('action_blacklist', 'action_lift_blacklist'):
            wizard_id = getattr(self.account.with_user(self.manager), action)()['res_id']
            self.assertFalse(self.env['credit.blacklisting'].browse(wizard_id).note)
            self._dialog('action_blacklist', note="fraud suspected")
        wizard_id = self.account.with_user(self.manager).action_blacklist()['res_id']
        self.assertEqual(self.env['credit.blacklisting'].browse(wizard_id).note, "fraud suspected")

    def test_reason_and_a_day_to_come_are_needed(self):
        for values in ({'note': " "}, {'note': "x", 'until': date_add(self.today, days=-1)}):
            with self.assertRaises(UserError):
                self._dialog('action_blacklist', **values)
        self.assertEqual(self.account.status, 'normal')

    def test_only_managers_blacklist_and_lift(self):
        for user in (self.analyst, self.sales_user):
            account = self.account.with_user(user)
            with self.assertRaises(AccessError):
                account.action_blacklist()
            with self.assertRaises(AccessError):
                account.write({'status': 'blacklisted', 'status_reason': "x"})
            with self.assertRaises(AccessError):
                self.env['credit.blacklisting'].with_user(user).create({'step': 'blacklist'})
        self._dialog('action_blacklist', note="x")
        with self.assertRaises(AccessError):
            self.account.with_user(self.analyst).action_lift_blacklist()
        with self.assertRaises(AccessError):
            self.account.with_user(self.analyst).status = 'normal'

    def test_written_status_needs_a_reason_and_is_stamped(self):
        account = self.account.with_user(self.manager)
        with self.assertRaisesRegex(UserError, "State why"):
            account.status = 'blacklisted'
        account.write({'status': 'blacklisted', 'status_reason': "imported"})
        self.assertEqual(
            (account.blacklist_code, account.blacklist_by_id, account.blacklist_from),
            ('other', self.manager, self.today),
        )
        account.status = 'normal'
        self.assertFalse(account.blacklist_from)
        self.assertEqual(len(self._events('blacklist_lifted')), 1)

    def test_what_the_blacklist_knows_is_not_written_by_hand(self):
        for name in ('blacklist_until', 'blacklist_by_id', 'blacklist_status_before'):
            with self.assertRaises(AccessError):
                self.account.with_user(self.manager).write({name: False})
        partner = self.env['res.partner'].create({'name': "New"})
        account = (
            self.Account.with_user(self.manager)
            .with_context(default_blacklist_until='2030-01-01', default_blacklist_code='fraud')
            .create({'partner_id': partner.id})
        )
        self.assertFalse(account.blacklist_until or account.blacklist_code)

    def test_ends_by_itself_after_its_last_day(self):
        until = date_add(self.today, days=3)
        self.account.status = 'hold'
        self._dialog('action_blacklist', note="x", until=until)
        other = self._account(self.env['res.partner'].create({'name': "Without End"}))
        other.with_user(self.manager)._blacklist('other', "y")
        self._end(until)
        self.assertEqual(self.account.status, 'blacklisted')
        self._end(date_add(until, days=1))
        self.assertEqual((self.account.status, other.status), ('hold', 'blacklisted'))
        self.assertTrue(json.loads(self._events('blacklist_lifted').payload)['ended'])
        self.assertTrue(self.account.message_ids.filtered(lambda message: "ended by itself" in message.body))

    def _end(self, day):
        with freeze_time(day), self.enter_registry_test_mode():
            self.env.ref('credit_management.ir_cron_end_blacklist').method_direct_trigger()

    def test_merged_entry_goes_on_with_its_last_day(self):
        until = date_add(self.today, days=30)
        self._dialog('action_blacklist', note="x", code='fraud', until=until)
        target = self._account(self.env['res.partner'].create({'name': "Target", 'is_company': True}))
        target.sudo()._absorb(self.account.sudo())
        self.assertRecordValues(
            target, [{'status': 'blacklisted', 'blacklist_code': 'fraud', 'blacklist_until': until}]
        )

    # -------------------------------------------------------------------------
    # By itself
    # -------------------------------------------------------------------------

    def _break_promise(self, account=None):
        self.env['credit.event']._record([(account or self.account, 'promise_broken', {})])

    def test_second_strike_blacklists_and_tells(self):
        self._break_promise()
        self.assertEqual(self.account.status, 'normal')
        self._break_promise()
        self.assertEqual((self.account.status, self.account.blacklist_code), ('blacklisted', 'strikes'))
        self.assertEqual(self.account.blacklist_by_id, self.env.ref('base.user_root'))
        told = self.account.message_ids.filtered(lambda message: "by the policy" in (message.body or ''))
        self.assertLessEqual((self.analyst | self.manager).partner_id, told.partner_ids)
        self.assertEqual(self.account.activity_ids.user_id, self.analyst)

    def test_old_strikes_and_those_before_the_last_lift_do_not_count(self):
        self._break_promise()
        with freeze_time(self.today + timedelta(days=100)):
            self._break_promise()
            self.assertEqual(self.account.status, 'normal')
            self._break_promise()
            self.assertEqual(self.account.status, 'blacklisted')
            self.account.with_user(self.manager)._lift_blacklist("paid")
            self._break_promise()
            self.assertEqual(self.account.status, 'normal')
            self._break_promise()
            self.assertEqual(self.account.status, 'blacklisted')

    def test_never_with_zero_and_in_shadow_mode(self):
        self.policy.mode = 'shadow'
        for _time in range(3):
            self._break_promise()
        self.assertEqual(self.account.status, 'normal')
        self.policy.write({'mode': 'enforcing', 'blacklist_count': 0})
        self._break_promise()
        self.assertEqual(self.account.status, 'normal')

    def test_rejected_payment_is_returned_and_a_corrected_one_is_not(self):
        self._pay(100).action_draft()
        self.assertFalse(self._events('payment_returned'))
        payment = self._pay(250)
        payment.action_draft()
        payment.action_cancel()
        self.assertFalse(self._events('payment_returned'))
        payment = self._pay(250)
        payment.action_reject()
        event = self._events('payment_returned')
        self.assertEqual(json.loads(event.payload)['amount'], 250)
        self.assertIn("250.00", event.description)
        self.assertEqual(event.user_id, self.env.user)

    def test_two_returned_payments_blacklist(self):
        self._pay(100, partner=self.contact).action_reject()
        self._pay(100).action_cancel()
        self.assertEqual(len(self._events('payment_returned')), 2)
        self.assertEqual((self.account.status, self.account.blacklist_code), ('blacklisted', 'strikes'))

    def test_returned_in_its_currency(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self._pay(100, currency_id=euro.id).action_reject()
        payload = json.loads(self._events('payment_returned').payload)
        self.assertEqual((payload['amount'], payload['currency_id']), (100, euro.id))

    def test_company_without_a_policy_records_nothing(self):
        other = self.setup_other_company(name="Elsewhere")
        journal = other['default_journal_bank']
        payment = (
            self.env['account.payment']
            .with_company(other['company'])
            .create(
                {
                    'payment_type': 'inbound',
                    'partner_type': 'customer',
                    'partner_id': self.customer.id,
                    'amount': 10,
                    'journal_id': journal.id,
                }
            )
        )
        payment.action_post()
        payment.action_reject()
        self.assertFalse(self.Account.sudo().search([('company_id', '=', other['company'].id)]))
        self.assertFalse(self._events('payment_returned'))

    def test_payment_to_a_supplier_is_none_of_it(self):
        payment = self._pay(100, payment_type='outbound', partner_type='supplier')
        payment.action_cancel()
        self.assertFalse(self._events('payment_returned'))
