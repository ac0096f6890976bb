import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, urlsplit

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, tagged

from ..engine.signature import sign_parameters
from ..models import dunning_gateway
from .common import DunningCommon

SECRET = "s3cr3t-key"


class Receiver:
    """A provider on this machine: keeps what it gets, answers as told."""

    def __init__(self):
        self.requests, self.status, self.answer = [], 200, {'Code': 'OK', 'BizId': 'B-1'}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                receiver.requests.append((self.path, self.headers, body))
                self.send_response(receiver.status)
                self.end_headers()
                self.wfile.write(json.dumps(receiver.answer).encode())

            do_GET = do_POST  # noqa: N815

            def log_message(self, *args):
                """Keep quiet."""

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class GatewayCommon(DunningCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)
        # The test runner lets nothing out but to this machine, which is all we need.
        cls.gateway = cls.env['dunning.gateway'].create(
            {
                'name': "Provider",
                'company_id': cls.company.id,
                'url': f'{cls.receiver.url}/send?to={{{{phone}}}}',
                'headers': "X-Key: token-1",
                'body': '{"text": "{{text}}", "template": "{{template}}", "key": "{{key}}"}',
                'secret': SECRET,
                'signature': 'header',
                'success_field': 'Code',
                'success_value': 'OK',
                'reference_field': 'BizId',
                'receipt_reference_field': 'BizId',
                'receipt_status_field': 'success',
            }
        )
        cls.first.write(
            {
                'gateway_id': cls.gateway.id,
                'channel': 'sms_gateway',
                'gateway_template': 'SMS_1',
                'short_text': '{{customer}} "owes" {{total}}',
            }
        )
        cls.customer.phone = '+8613800000000'

    def setUp(self):
        super().setUp()
        self.receiver.requests.clear()
        self.receiver.status, self.receiver.answer = 200, {'Code': 'OK', 'BizId': 'B-1'}

    def _sent(self):
        self._overdue(100, 10)
        return self._notice(self._send(self._run()))


@tagged('post_install', '-at_install')
class TestGateway(GatewayCommon):
    """Messages by HTTP: form, signature, answer, and what never shows."""

    def test_a_message_goes_out_signed_and_its_reference_is_kept(self):
        notice = self._sent()

        [(path, headers, body)] = self.receiver.requests
        self.assertEqual(path, '/send?to=%2B8613800000000')
        self.assertEqual(headers['X-Key'], 'token-1')
        content = json.loads(body)
        self.assertEqual((content['template'], content['key']), ('SMS_1', notice.key))
        self.assertIn('Hengda Trading "owes"', content['text'])
        expected = hmac.new(SECRET.encode(), headers['X-Timestamp'].encode() + b'.' + body, hashlib.sha256).hexdigest()
        self.assertEqual(headers['X-Signature'], expected)
        self.assertEqual((notice.state, notice.provider_ref), ('sent', 'B-1'))

    def test_a_chat_robot_gets_time_and_signature_in_the_address(self):
        self.gateway.signature = 'query'

        self._sent()

        query = parse_qs(urlsplit(self.receiver.requests[0][0]).query)
        digest = hmac.new(SECRET.encode(), f"{query['timestamp'][0]}\n{SECRET}".encode(), hashlib.sha256).digest()
        self.assertEqual(query['sign'], [base64.b64encode(digest).decode()])

    def test_a_chat_robot_gets_the_signature_in_the_body(self):
        self.gateway.write(
            {'signature': 'body', 'body': '{"timestamp": "{{timestamp}}", "sign": "{{signature}}", "text": "{{text}}"}'}
        )

        self._sent()

        content = json.loads(self.receiver.requests[0][2])
        digest = hmac.new(f"{content['timestamp']}\n{SECRET}".encode(), b'', hashlib.sha256).digest()
        self.assertEqual(content['sign'], base64.b64encode(digest).decode())

    def test_a_provider_gets_the_signature_among_the_parameters(self):
        self.gateway.write(
            {
                'signature': 'parameters',
                'content_type': 'form',
                'body': 'AccessKeyId=id&Action=SendSms&PhoneNumbers={{phone}}&TemplateParam={"text": "{{text}}"}',
            }
        )

        notice = self._sent()

        path, _headers, body = self.receiver.requests[0]
        parameters = parse_qsl(body.decode())
        self.assertEqual(dict(parameters)['AccessKeyId'], 'id')
        self.assertIn('Hengda Trading "owes"', json.loads(dict(parameters)['TemplateParam'])['text'])
        signed = [pair for pair in parse_qsl(urlsplit(path).query) + parameters if pair[0] != 'Signature']
        self.assertEqual(dict(parameters)['Signature'], sign_parameters('POST', signed, SECRET))
        self.assertEqual(notice.state, 'sent')

        self.receiver.requests.clear()
        self.gateway.method = 'GET'
        self.gateway._post({'phone': '+86 1'})
        query = parse_qsl(urlsplit(self.receiver.requests[0][0]).query)
        self.assertEqual(dict(query)['to'], '+86 1')
        unsigned = [pair for pair in query if pair[0] != 'Signature']
        self.assertEqual(dict(query)['Signature'], sign_parameters('GET', unsigned, SECRET))

    def test_what_the_provider_refuses_stays_to_send_with_its_code(self):
        self.receiver.answer = {'Code': 'isv.BALANCE_NOT_ENOUGH'}

        notice = self._sent()

        self.assertEqual((notice.state, notice.attempts), ('to_send', 1))
        self.assertIn('isv.BALANCE_NOT_ENOUGH', notice.reason)
        self.receiver.answer = {'Code': 'OK', 'BizId': 'B-2'}
        notice.date_next = False
        self._work()
        self.assertEqual(notice.state, 'sent')
        self.assertEqual(
            json.loads(self.receiver.requests[0][2])['key'], json.loads(self.receiver.requests[1][2])['key']
        )

    def test_a_server_error_is_tried_again_and_an_unknown_outcome_is_not(self):
        self.receiver.status = 500
        self.assertEqual(self._sent().state, 'to_send')

        self.receiver.status = 504
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10, partner=other)
        run = self._send(self._run(partner_ids=other.ids))
        self.assertEqual(self._notice(run, other).state, 'failed')

    def test_a_gateway_that_can_not_be_reached_is_tried_again(self):
        self.gateway.url = 'http://127.0.0.1:9/send'

        notice = self._sent()

        self.assertEqual(notice.state, 'to_send')
        self.assertNotIn('127.0.0.1', notice.reason)

    def test_who_was_interrupted_sends_nothing_twice_unless_the_receiver_knows_repetitions(self):
        with patch.object(type(self.env['dunning.notice']), '_deliver', lambda *args: None):
            notice = self._sent()
        notice.write({'state': 'sending', 'date_claimed': '2020-01-01 00:00:00'})

        self._work()
        self.assertEqual((notice.state, self.receiver.requests), ('failed', []))
        self.assertIn("not known", notice.reason)

        self.gateway.idempotent = True
        notice.write({'state': 'sending'})
        self._work()
        self.assertEqual((notice.state, len(self.receiver.requests)), ('sent', 1))

    def test_secrets_are_kept_from_collectors_and_out_of_the_log(self):
        gateway = self.gateway.with_user(self.collector)

        self.assertEqual(gateway.name, "Provider")
        for name in ('secret', 'url', 'headers', 'body', 'receipt_token', 'receipt_url'):
            with self.subTest(name), self.assertRaises(AccessError):
                gateway.read([name])
        with self.assertRaises(AccessError):
            gateway.action_test()
        self.gateway.url = f'http://127.0.0.1:9/{SECRET}'
        with patch.object(dunning_gateway, '_logger') as logger:
            self.gateway._post({'text': "x"})
        self.assertTrue(logger.mock_calls)
        self.assertNotIn(SECRET, str(logger.mock_calls))

    def test_only_addresses_of_the_web_and_sound_json_are_taken(self):
        with self.assertRaises(ValidationError):
            self.gateway.url = 'file:///etc/passwd'
        with self.assertRaises(ValidationError):
            self.gateway.body = '{"a": {{text}}}'

    def test_a_step_of_a_gateway_needs_one_of_its_channel(self):
        with self.assertRaises(ValidationError):
            self.first.channel = 'webhook'


@tagged('post_install', '-at_install')
class TestReceipt(GatewayCommon, HttpCase):
    """Delivery receipts come from outside, with the secret of the address."""

    def _post(self, receipts, token=None):
        url = f'/dunning/receipt/{self.gateway.id}/{token or self.gateway.receipt_token}'
        return self.url_open(url, data=json.dumps(receipts), headers={'Content-Type': 'application/json'})

    def test_a_receipt_is_noted_on_its_notice(self):
        notice = self._sent()

        answer = self._post([{'BizId': 'B-1', 'success': True}, {'BizId': 'unknown', 'success': True}])

        self.assertEqual((answer.status_code, answer.json()['noted']), (200, 1))
        self.assertEqual(notice.delivery, 'delivered')

    def test_a_failed_delivery_shows_with_its_code(self):
        notice = self._sent()

        self._post({'BizId': 'B-1', 'success': False})

        self.assertEqual((notice.state, notice.delivery), ('sent', 'undelivered'))
        self.assertIn('false', notice.reason)
        account = self.Account._for_partners(self.customer, self.company)
        kind = self.env.ref('dunning_followup.mail_activity_type_undelivered')
        self.assertEqual(account.activity_ids.activity_type_id, kind)

    def test_without_the_secret_nothing_is_noted(self):
        notice = self._sent()

        answer = self._post({'BizId': 'B-1', 'success': True}, token='guess')

        self.assertEqual(answer.status_code, 404)
        self.assertFalse(notice.delivery)
