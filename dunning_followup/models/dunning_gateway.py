import base64
import hashlib
import hmac
import json
import logging
import secrets
import time
import uuid
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..engine.signature import joined, sign_parameters
from ..engine.text import fill_form, fill_json, fill_text, fill_url

_logger = logging.getLogger(__name__)

TIMEOUT = 20  # seconds
# Of what stands between: the other side may have taken the message.
UNKNOWN_STATUSES = (502, 504)
MANAGER = 'dunning_followup.group_collections_manager'
DEFAULT_BODY = (
    '{"key": "{{key}}", "phone": "{{phone}}", "text": "{{text}}", "customer": "{{customer}}", "total": "{{total}}", '
    '"numbers": "{{numbers}}"}'
)


class Result(NamedTuple):
    """What came of a message; `final`: it makes no sense to try again."""

    ok: bool
    reference: str = ''
    error: str = ''
    final: bool = False


class DunningGateway(models.Model):
    """Where text messages and webhooks go by HTTP: address, form, signature, and how to read the answer."""

    _name = 'dunning.gateway'
    _inherit = ['credit.root.company', 'mail.thread']
    _description = "Message Gateway"
    _order = 'name, id'

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    channel = fields.Selection(
        [('sms_gateway', "SMS gateway"), ('webhook', "Webhook")], required=True, default='sms_gateway', tracking=True
    )
    # An address may carry a key, as those of chat robots do.
    url = fields.Char(
        string="Address",
        required=True,
        groups=MANAGER,
        help="http or https. Names in double braces are replaced, as {{phone}} or {{key}}.",
    )
    method = fields.Selection([('POST', "POST"), ('GET', "GET"), ('PUT', "PUT")], required=True, default='POST')
    content_type = fields.Selection(
        [('json', "JSON"), ('form', "Form"), ('text', "Plain text")], required=True, default='json'
    )
    headers = fields.Text(
        groups=MANAGER, help="One per line, as “Authorization: Bearer …”. Names in double braces are replaced."
    )
    body = fields.Text(
        string="Body of the Request",
        default=DEFAULT_BODY,
        groups=MANAGER,
        help="Names in double braces are replaced: phone, text, template, key, customer, contact, company, total, "
        "amount, currency, count, numbers, oldest_days, oldest_due, date, step, email; with the signature also "
        "timestamp, nonce and signature.",
    )
    secret = fields.Char(
        groups=MANAGER, copy=False, help="Key of the signature. Never logged, never shown to collectors."
    )
    signature = fields.Selection(
        [
            ('none', "None"),
            ('header', "In a header: HMAC-SHA256 of time and body"),
            ('query', "In the address: timestamp and sign (DingTalk)"),
            ('body', "In the body as {{signature}}: HMAC-SHA256 of time and key (Feishu)"),
            ('parameters', "Among the parameters: HMAC-SHA1 of all of them (Alibaba Cloud, RPC)"),
        ],
        required=True,
        default='none',
        help="Header: X-Signature holds the hexadecimal HMAC-SHA256 of X-Timestamp, a full stop and the body.\n"
        "Parameters: Signature, and what belongs to it, are added to those of the form, or with GET of the address; "
        "write AccessKeyId and all others there.",
    )
    success_field = fields.Char(
        help="Where the answer says whether it worked, as Code or result.status; empty: the HTTP status decides."
    )
    success_value = fields.Char(help="What stands there if it did, as OK or 0.")
    reference_field = fields.Char(help="Where the answer has the provider's number of the message, as BizId.")
    idempotent = fields.Boolean(
        string="Knows Repetitions",
        help="The receiver ignores a message whose {{key}} it has already seen. What was interrupted while it was "
        "handed over is sent again then; otherwise a person decides.",
    )
    receipt_token = fields.Char(groups=MANAGER, copy=False, default=lambda self: secrets.token_urlsafe(24))
    receipt_url = fields.Char(
        string="Address for Receipts",
        compute='_compute_receipt_url',
        groups=MANAGER,
        help="Give it to the provider for its delivery receipts. Who knows it can report them.",
    )
    receipt_reference_field = fields.Char(
        string="Reference in Receipts", help="As BizId or out_id; also {{key}} is understood there."
    )
    receipt_status_field = fields.Char(string="Status in Receipts", help="As success or report_status.")
    receipt_ok = fields.Char(
        string="Delivered If", default="true,DELIVRD,OK,0,delivered", help="Values of the status, separated by commas."
    )

    def _compute_receipt_url(self):
        for gateway in self:
            gateway.receipt_url = f'{gateway.get_base_url()}/dunning/receipt/{gateway.id}/{gateway.receipt_token}'

    @api.constrains('url')
    def _check_url(self):
        for gateway in self.sudo():
            parts = urlsplit(gateway.url or '')
            if parts.scheme not in ('http', 'https') or not parts.hostname:
                raise ValidationError(self.env._("The address of a gateway begins with http:// or https://."))

    @api.constrains('headers', 'body', 'content_type')
    def _check_forms(self):
        for gateway in self.sudo():
            for line in (gateway.headers or '').splitlines():
                if line.strip() and ':' not in line:
                    raise ValidationError(self.env._("Each header is a name, a colon and a value."))
            if gateway.content_type == 'json' and gateway.body:
                try:
                    json.loads(fill_json(gateway.body, {}))
                except ValueError as error:
                    raise ValidationError(
                        self.env._("The body is no JSON: %(error)s. Put the names in quotation marks.", error=error)
                    ) from error

    def action_new_receipt_url(self):
        """Make the address for receipts anew: the one before is worth nothing any more."""
        self.check_access('write')
        for gateway in self:
            gateway.receipt_token = secrets.token_urlsafe(24)

    def action_test(self):
        """Send a message with made-up values; for collections managers."""
        self.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only collections managers try out gateways."))
        user = self.env.user
        result = self.sudo()._post(
            {
                'key': uuid.uuid4().hex,
                'phone': user.partner_id.phone or '',
                'text': self.env._("Test message from %(company)s", company=self.company_id.name),
                'customer': user.partner_id.name,
                'contact': user.partner_id.name,
                'company': self.company_id.name,
            }
        )
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'message': self.env._("The gateway has taken the message.") if result.ok else result.error,
                'type': 'success' if result.ok else 'danger',
                'sticky': not result.ok,
            },
        }

    # -------------------------------------------------------------------------
    # HTTP
    # -------------------------------------------------------------------------

    def _post(self, values):
        """Send one message and return the Result; neither secrets nor texts get into the log."""
        self.ensure_one()
        # Whoever sends need not know address and secret.
        self = self.sudo()
        url, headers, body = self._prepare_request(values)
        try:
            answer = requests.request(
                self.method, url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.exceptions.RequestException as error:
            # Its text has the address, which may carry a key.
            _logger.info("Gateway %s can't be reached: %s", self.id, type(error).__name__)
            # Once connected, it may have arrived: trying again could send it twice.
            unknown = not _not_sent(error) and not self.idempotent
            return Result(
                False,
                error=self._unknown_outcome() if unknown else self.env._("The gateway can't be reached."),
                final=unknown,
            )
        return self._read_answer(answer)

    def _prepare_request(self, values):
        """Return (url, headers, body) of the request, signed."""
        seconds = int(time.time())
        stamp = seconds * 1000 if self.signature == 'query' else seconds
        values = {**values, 'timestamp': stamp, 'nonce': uuid.uuid4().hex}
        key = (self.secret or '').encode()
        if self.signature == 'body':
            # As chat robots want it: time and key are the key, there is no message.
            digest = hmac.new(f'{stamp}\n{self.secret or ""}'.encode(), b'', hashlib.sha256).digest()
            values['signature'] = base64.b64encode(digest).decode()
        url = fill_url(self.url, values)
        form = fill_form(self.body, values) if self.content_type == 'form' and self.method != 'GET' else []
        if self.signature == 'parameters':
            url, form = self._sign_parameters(url, form, seconds, values['nonce'])
        if self.method == 'GET':
            body = b''
        elif self.content_type == 'form':
            body = joined(form).encode()
        else:
            body = {'json': fill_json, 'text': fill_text}[self.content_type](self.body, values).encode()
        headers = {}
        for line in (self.headers or '').splitlines():
            name, colon, value = line.partition(':')
            if colon:
                # A line break in a value would begin another header.
                headers[name.strip()] = ' '.join(fill_text(value, values).split())
        types = {'json': 'application/json', 'form': 'application/x-www-form-urlencoded', 'text': 'text/plain'}
        headers.setdefault('Content-Type', f'{types[self.content_type]}; charset=utf-8')
        headers['Idempotency-Key'] = values.get('key', '')
        if self.signature == 'header':
            headers['X-Timestamp'] = str(stamp)
            headers['X-Signature'] = hmac.new(key, f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()
        elif self.signature == 'query':
            digest = hmac.new(key, f'{stamp}\n{self.secret or ""}'.encode(), hashlib.sha256).digest()
            sign = quote(base64.b64encode(digest).decode(), safe='')
            url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={sign}"
        return url, headers, body

    def _sign_parameters(self, url, form, seconds, nonce):
        """Return (url, form) with the parameters of the signature; in the form if it has any."""
        address, _mark, query = url.partition('?')
        given = parse_qsl(query, keep_blank_values=True)
        added = [
            ('SignatureMethod', 'HMAC-SHA1'),
            ('SignatureVersion', '1.0'),
            ('SignatureNonce', nonce),
            ('Timestamp', time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))),
        ]
        signature = sign_parameters(self.method, [*given, *form, *added], self.secret or '')
        added.append(('Signature', signature))
        if form:
            return url, [*form, *added]
        return f'{address}?{joined([*given, *added])}', form

    def _read_answer(self, answer):
        """Return the Result that an answer stands for."""
        try:
            content = answer.json()
        except ValueError:
            content = {}
        if answer.status_code in UNKNOWN_STATUSES and not self.idempotent:
            return Result(False, error=self._unknown_outcome(), final=True)
        if not 200 <= answer.status_code < 300:
            return Result(False, error=self.env._("The gateway answered %(status)s.", status=answer.status_code))
        if self.success_field:
            found = _dig(content, self.success_field)
            if _text(found) != _text(self.success_value or ''):
                return Result(
                    False, error=self.env._("The gateway refused the message: %(code)s", code=_text(found)[:100])
                )
        return Result(True, reference=_text(_dig(content, self.reference_field or ''))[:200])

    def _unknown_outcome(self):
        return self.env._(
            "The gateway did not answer; it is not known whether the message went out. Ask the provider, then send it "
            "again or mark it as sent."
        )

    # -------------------------------------------------------------------------
    # Receipts
    # -------------------------------------------------------------------------

    def _receive(self, receipts):
        """Note delivery receipts; those of others' messages are passed over.

        :param receipts: list of dicts
        :returns: how many were noted
        """
        self.ensure_one()
        good = {value.strip().lower() for value in (self.receipt_ok or '').split(',')}
        noted = 0
        for receipt in receipts:
            reference = _text(_dig(receipt, self.receipt_reference_field or 'key'))
            if not reference:
                continue
            notice = self.env['dunning.notice'].search(
                [
                    ('step_id.gateway_id', '=', self.id),
                    '|',
                    ('provider_ref', '=', reference),
                    ('key', '=', reference),
                ],
                limit=1,
            )
            if notice:
                status = _text(_dig(receipt, self.receipt_status_field or 'status'))
                if status.lower() in good:
                    notice.write({'delivery': 'delivered', 'reason': False})
                else:
                    notice._undelivered(self.env._("Not delivered, says the provider: %(status)s", status=status[:100]))
                noted += 1
        return noted


def _not_sent(error):
    """Tell whether a request certainly did not reach the other side."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError, ValueError)):
        return True
    return isinstance(getattr(error.args and error.args[0], 'reason', None), NewConnectionError)


def _dig(content, path):
    """Return what stands at a path as `a.b.0`, None if nothing does."""
    for part in filter(None, path.split('.')):
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        else:
            return None
    return content if path else None


def _text(value):
    """Return a value of an answer as text; truth as JSON writes it."""
    if value is None:
        return ''
    return (str(value).lower() if isinstance(value, bool) else str(value)).replace('\x00', '')
