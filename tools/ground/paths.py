"""Where things lie: the repository, and the one folder that holds all we make."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"

APT = BUILD / "apt"
CONF = BUILD / "odoo.conf"
DATA = BUILD / "data"
LOCK = BUILD / "lock"
LOGS = BUILD / "logs"
ODOO = BUILD / "odoo"
PG = BUILD / "pg"
STATE = BUILD / "state"
VENV = BUILD / "venv"
VENV_PYTHON = VENV / "bin" / "python"

SCREENSHOTS = ROOT / "docs" / "screenshots"


def addons() -> list[str]:
    """Return the names of the repository's add-ons, sorted."""
    return sorted(manifest.parent.name for manifest in ROOT.glob("*/__manifest__.py"))


def digest(*parts: str | bytes) -> str:
    """Return a short hash of the parts; their borders count."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        sha.update(f"{len(data)}:".encode() + data)
    return sha.hexdigest()[:12]


def digest_files(paths: Iterable[Path], base: Path = ROOT) -> str:
    """Return a short hash of the names and contents of the files."""
    parts: list[str | bytes] = []
    for path in sorted(paths):
        parts += [str(path.relative_to(base)), path.read_bytes()]
    return digest(*parts)


def addon_files(addon: str) -> list[Path]:
    """Return the files of an add-on that decide what is installed (tests do not)."""
    folder = ROOT / addon
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.relative_to(folder).parts[0] != "tests"
    ]
