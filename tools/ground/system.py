"""The machine: who we are, and which of Debian's packages are there."""

import os
import shutil
import subprocess

from .console import Failure, run, say, step


def is_root() -> bool:
    """Tell whether we may install system packages."""
    return os.geteuid() == 0


def has_debian_tools() -> bool:
    """Tell whether packages can be fetched and unpacked here."""
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg"))


def missing(packages: list[str]) -> list[str]:
    """Return the packages that are not installed."""
    if not shutil.which("dpkg-query"):
        return []
    result = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    installed = {line.split()[0] for line in result.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def ensure_packages(packages: list[str], purpose: str, *, optional: bool = False) -> bool:
    """Install missing system packages, or say which command does; return whether all are there."""
    absent = missing(packages)
    if not absent:
        return True
    command = f"apt-get install -y --no-install-recommends {' '.join(absent)}"
    if not is_root() or not has_debian_tools():
        if optional:
            say(f"  For {purpose}, run as root: {command}")
            return False
        raise Failure(f"For {purpose}, run as root: {command}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *absent]
    try:
        with step(f"Installing {', '.join(absent)} ({purpose})"):
            try:
                run(install, log="apt-install", env=env)
            except Failure:
                # The machine's package lists may be old, or never fetched.
                run(["apt-get", "update"], log="apt-update", env=env)
                run(install, log="apt-install", env=env)
    except Failure:
        if not optional:
            raise
        say(f"  Going on without {', '.join(absent)}.")
        return False
    return True
