from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

import requests
from urllib3.exceptions import NewConnectionError

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.sms.tools.sms_api import SmsApi, SmsApiBase

from .common import DunningCommon


class Killed(BaseException):
    """The server dies."""


class Provider(SmsApiBase):
    """Another service than Odoo's own, which does not tell why it failed."""


@tagged('post_install', '-at_install')
class TestSmsHandover(DunningCommon):
    """What becomes of a reminder's text message when servers die or the service does not answer."""

    def setUp(self):
        super().setUp()
        self.first.channel = 'sms'
        self.customer.phone = '+8613800000000'
        self.env['sms.sms'].sudo().search([]).unlink()
        self._overdue(100, 10)
        self.run_ = self._send(self._run())
        self.notice = self._notice(self.run_)
        self.sms = self.env['sms.sms'].sudo().search([('uuid', '=', self.notice.sms_uuid)])

    def _hand_over(self, answer=None, api=SmsApi):
        """Send text messages as the queue does; return the numbers that the service got, and the notices' states."""
        got, states = [], []

        def send(service, messages, **_options):
            numbers = [number for message in messages for number in message['numbers']]
            got.extend(number['number'] for number in numbers)
            states.extend(service.env['dunning.notice'].sudo().browse(self.notice.ids).mapped('state'))
            return answer() if callable(answer) else [{'uuid': one['uuid'], 'state': 'success'} for one in numbers]

        def init(service, env, account=None):
            service.env = env

        self.env.flush_all()
        with (
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
            patch.object(SmsApi, '__init__', init),
            patch.object(api, '_send_sms_batch', send),
            patch.object(type(self.env.company), '_get_sms_api_class', lambda _company: api),
        ):
            self.env(cr=cr, su=True)['sms.sms']._process_queue()
        self.env.invalidate_all()
        return got, states

    def _fail(self, cause):
        """Return what the service raises as Odoo's client does: the cause is behind it."""

        def fail():
            try:
                raise cause
            except requests.exceptions.RequestException:
                text = "An error occurred while reaching the service"
                raise AccessError(text) from None

        return fail

    def test_that_it_is_being_handed_over_is_noted_before_and_it_goes_out_once(self):
        self.assertEqual(self._hand_over(), (['+8613800000000'], ['sending']))
        self.assertEqual(self.notice.state, 'sent')

        self.sms.write({'state': 'outgoing', 'to_delete': False})
        self.assertEqual(self._hand_over()[0], [])

    def test_other_messages_go_out_beside_it(self):
        self.env['sms.sms'].sudo().create({'number': '+33612345678', 'body': "Hello"})

        self.assertEqual(sorted(self._hand_over()[0]), ['+33612345678', '+8613800000000'])

    def test_one_that_another_server_is_handing_over_is_left_alone(self):
        self.notice.write({'state': 'sending', 'date_claimed': fields.Datetime.now()})

        self.assertEqual(self._hand_over()[0], [])

    def test_who_dies_while_handing_over_sends_nothing_twice_and_a_person_decides(self):
        def die():
            raise Killed

        # `assertRaises` would take back what was committed.
        with suppress(Killed):
            self._hand_over(die)
        self.env.invalidate_all()
        self.assertEqual((self.notice.state, self.sms.state), ('sending', 'outgoing'))
        self.assertEqual(self._hand_over()[0], [])

        self.notice.date_claimed = fields.Datetime.now() - timedelta(hours=1)
        self._work()
        self.assertEqual((self.notice.state, self.sms.state), ('failed', 'error'))
        self.assertIn("not known whether it went out", self.notice.reason)
        self.assertEqual(self._hand_over()[0], [])

        self.notice.with_user(self.collector).action_retry()
        self._work()
        self.assertEqual(self._hand_over()[0], ['+8613800000000'])

    def test_a_time_out_is_final_and_shown(self):
        self._hand_over(self._fail(requests.exceptions.ReadTimeout()))

        self.assertEqual((self.notice.state, self.sms.state), ('failed', 'error'))
        self.assertIn("not known whether the message went out", self.notice.reason)
        self._work()
        self.assertEqual((self.run_.state, self.run_.failed_count), ('done', 1))
        self.assertEqual(self._hand_over()[0], [])

    def test_a_service_that_was_not_reached_or_refused_is_tried_again(self):
        refused = requests.exceptions.HTTPError(response=requests.Response())
        refused.response.status_code = 500
        unreached = requests.exceptions.ConnectionError(
            type('Pool', (Exception,), {'reason': NewConnectionError(None, "refused")})()
        )
        for number, answer in enumerate((self._fail(refused), self._fail(unreached)), 1):
            with self.subTest(number):
                self._hand_over(answer)
                self.assertEqual((self.notice.state, self.notice.attempts), ('to_send', number))
                self.notice.date_next = False
                self._work()
                self.assertEqual(self.notice.state, 'queued')

        self._hand_over(lambda: [{'uuid': self.sms.uuid, 'state': 'server_error'}])
        self.assertEqual(self.notice.state, 'to_send')

    def test_a_gateway_in_between_that_was_unreachable_is_final_too(self):
        refused = requests.exceptions.HTTPError(response=requests.Response())
        refused.response.status_code = 504
        self._hand_over(self._fail(refused))
        self.assertEqual(self.notice.state, 'failed')

    def test_another_service_that_does_not_say_what_happened_is_not_asked_again(self):
        self._hand_over(lambda: [{'uuid': self.sms.uuid, 'state': 'server_error'}], Provider)

        self.assertEqual(self.notice.state, 'failed')

    def test_one_that_lay_for_days_is_looked_at_again(self):
        self.notice.date_queued = fields.Datetime.now() - timedelta(days=3)

        self.assertEqual(self._hand_over()[0], [])
        self.assertEqual((self.notice.state, self.sms.state), ('to_send', 'canceled'))

        self._work()
        self.assertEqual(self.notice.state, 'queued')
        self.assertEqual(self._hand_over()[0], ['+8613800000000'])
        self.assertEqual((self.notice.state, self.sms.state), ('sent', 'canceled'))

    def test_one_that_was_paid_while_it_lay_does_not_go_out(self):
        self.notice.date_queued = fields.Datetime.now() - timedelta(days=3)
        self._pay(100)

        self._hand_over()
        self._work()

        self.assertEqual((self._hand_over()[0], self.notice.state, self.sms.state), ([], 'cancelled', 'canceled'))

    def test_by_hand_it_is_left_to_the_queue(self):
        with patch.object(SmsApi, '_send_sms_batch', side_effect=AssertionError):
            self.sms.send()

        self.assertEqual((self.notice.state, self.sms.state), ('queued', 'outgoing'))
