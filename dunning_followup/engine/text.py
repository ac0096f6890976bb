"""Texts with names in double braces: replaced, never evaluated, so that nobody needs trust to write one."""

import json
import re
from urllib.parse import quote, unquote_plus

from markupsafe import Markup, escape

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def variables(text):
    """Return the names that a text asks for, in their order."""
    return list(dict.fromkeys(VARIABLE.findall(text or '')))


def unknown_variables(text, known):
    """Return the names in a text that are not known."""
    return [name for name in variables(text) if name not in known]


def fill_text(text, values):
    """Return a plain text with its names replaced; what is not known stays away."""
    return VARIABLE.sub(lambda match: str(values.get(match[1], '')), text or '')


def fill_html(html, values):
    """Return an HTML text with its names replaced; values are escaped unless they are Markup."""
    return Markup(VARIABLE.sub(lambda match: str(escape(values.get(match[1], ''))), html or ''))


def fill_json(text, values):
    """Return a JSON text whose strings contain names, these replaced; a string may itself be JSON.

    :raise ValueError: if the text is no JSON
    """
    return json.dumps(_filled(json.loads(text), values), ensure_ascii=False) if text else ''


def _filled(node, values):
    if isinstance(node, dict):
        return {fill_text(key, values): _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    return _fill_string(node, values) if isinstance(node, str) else node


def _fill_string(text, values):
    """Return a text with its names replaced: of one that is JSON each value as the inside of a string of it."""
    try:
        # A number or a single word is JSON too, but no form of a provider's.
        node = json.loads(text) if text.lstrip()[:1] in ('{', '[') else None
    except ValueError:
        node = None
    return fill_text(text, values) if node is None else json.dumps(_filled(node, values), ensure_ascii=False)


def fill_url(text, values):
    """Return a URL with its names replaced by quoted values."""
    return VARIABLE.sub(lambda match: quote(str(values.get(match[1], '')), safe=''), text or '')


def fill_form(text, values):
    """Return the (name, value) of a form body as `a={{a}}&b={"c": "{{c}}"}`, its names replaced."""
    pairs = (pair.strip().partition('=') for pair in (text or '').split('&') if pair.strip())
    return [
        (fill_text(unquote_plus(name), values), _fill_string(unquote_plus(value), values))
        for name, _equals, value in pairs
    ]
