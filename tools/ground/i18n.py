"""Translations: exports each add-on's terms and keeps the Chinese complete."""

from pathlib import Path

from . import databases
from .console import say, step
from .odoo import Odoo
from .paths import BUILD, ROOT, addons


def run(odoo: Odoo, template: str, *, check: bool) -> int:
    """Export the terms and merge them into zh_CN.po; with `check`, only compare.

    Return the exit code: 1 when a term lacks its translation, or a file is out of date.
    """
    database = databases.run_name("i18n")
    databases.copy(odoo, template, database)
    problems = []
    for addon in addons():
        fresh = BUILD / "i18n" / f"{addon}.pot"
        fresh.parent.mkdir(parents=True, exist_ok=True)
        with step(f"Exporting the terms of {addon}"):
            odoo.run("i18n", "export", "-d", database, "-o", str(fresh), addon, log="i18n")
        folder = ROOT / addon / "i18n"
        problems += compare(fresh, folder) if check else merge(fresh, folder)
    databases.drop(odoo, database)
    for problem in problems:
        say(problem)
    say(f"{len(problems)} problems in the translations" if problems else "Translations complete")
    return 1 if problems else 0


def merge(fresh: Path, folder: Path) -> list[str]:
    """Bring the add-on's files up to date; return what is not translated."""
    import polib

    folder.mkdir(exist_ok=True)
    template = polib.pofile(str(fresh), wrapwidth=78)
    template.metadata.pop("POT-Creation-Date", None)  # a date would change the file every day
    template.metadata.pop("PO-Revision-Date", None)
    template.sort(key=lambda entry: entry.msgid)
    template.save(str(folder / f"{folder.parent.name}.pot"))
    path = folder / f"{databases.LANGUAGE}.po"
    if path.exists():
        chinese = polib.pofile(str(path), wrapwidth=78)
    else:
        chinese = polib.POFile(wrapwidth=78)
        chinese.metadata = {**template.metadata, "Language": databases.LANGUAGE}
    chinese.merge(template)
    for entry in chinese.obsolete_entries():
        chinese.remove(entry)
    chinese.sort(key=lambda entry: entry.msgid)
    chinese.save(str(path))
    return untranslated(path)


def compare(fresh: Path, folder: Path) -> list[str]:
    """Return what is out of date or not translated, changing nothing."""
    import polib

    wanted = {entry.msgid for entry in polib.pofile(str(fresh))}
    found = []
    for name in (f"{folder.parent.name}.pot", f"{databases.LANGUAGE}.po"):
        path = folder / name
        known = {entry.msgid for entry in polib.pofile(str(path))} if path.exists() else set()
        if known != wanted:
            missing, extra = len(wanted - known), len(known - wanted)
            place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            found.append(f"{place}: {missing} terms missing, {extra} too many: run `make i18n`")
    chinese = folder / f"{databases.LANGUAGE}.po"
    return found + (untranslated(chinese) if chinese.exists() else [])


def untranslated(path: Path) -> list[str]:
    """Return the terms without a translation, or with one that somebody must look at."""
    import polib

    po = polib.pofile(str(path))
    entries = [*po.untranslated_entries(), *po.fuzzy_entries()]
    name = f"{path.parent.parent.name}/i18n/{path.name}"
    return [f"{name}: not translated: {entry.msgid[:100]!r}" for entry in entries]
