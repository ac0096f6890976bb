"""The Python environment of Odoo and of our tools."""

import shutil
import sys

from .console import Failure, run, step
from .paths import ROOT, STATE, VENV, VENV_PYTHON, digest_files
from .system import ensure_packages

REQUIREMENTS = [
    ROOT / "tools" / "requirements-odoo.txt",
    ROOT / "tools" / "requirements-dev.txt",
]
WANTED = (3, 11)


def ensure() -> None:
    """Make the environment, or bring it up to date when the requirements changed."""
    stamp = STATE / "venv"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    state = f"{version} {digest_files(REQUIREMENTS)} {VENV}"
    if VENV_PYTHON.exists() and stamp.exists() and stamp.read_text() == state:
        return
    if sys.version_info[:2] != WANTED:
        raise Failure(
            f"Python 3.11 is needed, this is {version}. Install it and run `make PYTHON=/path/to/python3.11 …`."
        )
    stamp.unlink(missing_ok=True)
    _ensure_ensurepip()
    with step("Building the Python environment"):
        if VENV.exists():
            shutil.rmtree(VENV)
        run([sys.executable, "-m", "venv", VENV], log="venv")
        install = [VENV_PYTHON, "-m", "pip", "install", "--no-cache-dir"]
        install += ["--disable-pip-version-check"]
        for path in REQUIREMENTS:
            install += ["-r", path]
        run(install, log="pip")
    STATE.mkdir(parents=True, exist_ok=True)
    stamp.write_text(state)


def _ensure_ensurepip() -> None:
    try:
        import ensurepip  # noqa: F401  Debian splits it off into python3-venv
    except ImportError:
        ensure_packages(["python3-venv"], "Python environments")
