"""Signatures over the parameters of a request, as some providers of text messages want them."""

import base64
import hashlib
import hmac
from urllib.parse import quote


def quoted(text):
    """Return a text as RFC 3986 quotes it."""
    return quote(str(text), safe='-_.~')


def joined(pairs):
    """Return the (name, value) of a query or a form as they are sent."""
    return '&'.join(f'{quoted(name)}={quoted(value)}' for name, value in pairs)


def sign_parameters(method, parameters, secret):
    """Return the signature of all parameters of a request: Alibaba Cloud's for RPC, version 1.0.

    Source: Alibaba Cloud, "RPC signature method": base64 of the HMAC-SHA1, by the
    secret with an ampersand, of method, path and the sorted parameters.

    :param method: 'GET' or 'POST'
    :param parameters: list of (name, value), the common ones included
    :param secret: the AccessKey secret
    """
    text = '&'.join((method, quoted('/'), quoted(joined(sorted(parameters)))))
    digest = hmac.new(f'{secret}&'.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
