"""Texts with names in double braces: replaced, never evaluated, so that nobody needs trust to write one."""

import json
import re
from urllib.parse import quote

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
    """Return a JSON text whose strings contain names: each value is escaped as the inside of a JSON string."""
    return VARIABLE.sub(lambda match: json.dumps(str(values.get(match[1], '')), ensure_ascii=False)[1:-1], text or '')


def fill_url(text, values):
    """Return a URL or a form body with its names replaced by quoted values."""
    return VARIABLE.sub(lambda match: quote(str(values.get(match[1], '')), safe=''), text or '')
