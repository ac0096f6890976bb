"""Lint: ruff for all Python, pylint-odoo for the add-ons."""

import os
import subprocess

from .console import say
from .paths import BUILD, ROOT, VENV, VENV_PYTHON, addons

# Our READMEs are Markdown; computes and hooks return nothing in core either.
NOT_OURS = "--disable=missing-readme,missing-return"


def run() -> int:
    """Run the linters; return the exit code."""
    commands = [
        [VENV / "bin" / "ruff", "check", "."],
        [VENV / "bin" / "ruff", "format", "--check", "tools", "tests"],
    ]
    if addons():
        commands.append([VENV_PYTHON, "-m", "pylint", "--rcfile=.pylintrc", NOT_OURS, *addons()])
    env = {**os.environ, "PYLINTHOME": str(BUILD / "pylint")}
    codes = []
    for command in commands:
        say(f"- {' '.join(str(part).removeprefix(f'{VENV}/bin/') for part in command)}")
        codes.append(subprocess.run(command, cwd=ROOT, env=env, check=False).returncode)
    return 1 if any(codes) else 0
