"""The Chinese translation is complete, fits the code as it is now, and keeps every placeholder."""

import re

import polib
import pytest

from tools.ground import i18n
from tools.ground.databases import LANGUAGE
from tools.ground.odoo import Odoo
from tools.ground.paths import ROOT, addons

PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sd]|%%|\$\{\w+\}|<[a-z]+|</[a-z]+>")


@pytest.mark.parametrize("addon", addons())
def test_every_term_is_translated(addon: str) -> None:
    """No entry is empty, fuzzy or obsolete."""
    po = polib.pofile(str(ROOT / addon / "i18n" / f"{LANGUAGE}.po"))

    assert [entry.msgid for entry in po.untranslated_entries()] == []
    assert [entry.msgid for entry in po.fuzzy_entries()] == []
    assert [entry.msgid for entry in po.obsolete_entries()] == []


@pytest.mark.parametrize("addon", addons())
def test_translations_keep_what_is_filled_in(addon: str) -> None:
    """A lost placeholder would be a lost figure, a broken one an error."""
    po = polib.pofile(str(ROOT / addon / "i18n" / f"{LANGUAGE}.po"))

    broken = [
        entry.msgid
        for entry in po.translated_entries()
        if sorted(PLACEHOLDER.findall(entry.msgid)) != sorted(PLACEHOLDER.findall(entry.msgstr))
    ]

    assert broken == []


def test_the_files_are_up_to_date(odoo: Odoo, template: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`make i18n` would change nothing."""
    code = i18n.run(odoo, template, check=True)

    assert code == 0, capsys.readouterr().out
