"""Odoo 19's source: Debian's package, unpacked into our folder, or one that is already there."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .console import Failure, run, step
from .paths import APT, ODOO, STATE, digest
from .system import has_debian_tools

SERIES = "19.0"

# Debian replaces some of Odoo's web files by links into these packages. Two must be bookworm's:
# later versions of them lack the files that Odoo names.
PACKAGES = [
    "odoo-19/sid",
    "libjs-jquery/sid",
    "libjs-underscore/sid",
    "libjs-jquery-form/sid",
    "fonts-roboto-unhinted/sid",
    "fonts-montserrat/sid",
    "fonts-ocr-b/sid",
    "fonts-inconsolata/bookworm",
    "fonts-font-awesome/bookworm",
]
SUITES = ["sid", "bookworm"]
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ETC_APT = Path("/etc/apt")


@dataclass(frozen=True)
class Mirror:
    """Where this machine gets Debian from, and which keys sign it."""

    uri: str
    signed_by: str = ""


@dataclass(frozen=True)
class Source:
    """An Odoo 19: what goes onto Python's path, and its add-on folders."""

    python_path: Path
    addons_paths: tuple[Path, ...]


def parse_list(text: str) -> list[Mirror]:
    """Read the one-line format of apt's sources; security and foreign archives are left out."""
    mirrors = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
        if not match:
            continue
        options, uri, suite, components = match.groups()
        if _is_debian(uri, [suite], components.split("#")[0].split()):
            signed_by = re.search(r"signed-by=(\S+)", options or "", re.IGNORECASE)
            mirrors.append(Mirror(uri, signed_by[1] if signed_by else ""))
    return mirrors


def parse_deb822(text: str) -> list[Mirror]:
    """Read the stanza format of apt's sources; security and foreign archives are left out."""
    mirrors = []
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields = {
            key.lower(): " ".join(value.split())
            for key, value in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        }
        if fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        signed_by = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            suites = fields.get("suites", "").split()
            if _is_debian(uri, suites, fields.get("components", "").split()):
                # A key may be written out in place of a path: then the system's keyring does.
                mirrors.append(Mirror(uri, signed_by if signed_by.startswith("/") else ""))
    return mirrors


def _is_debian(uri: str, suites: list[str], components: list[str]) -> bool:
    """Tell the main Debian archive from security updates and other vendors' archives."""
    return (
        uri.rstrip("/").endswith("/debian")
        and "main" in components
        and not any("security" in suite for suite in suites)
    )


def find_mirror(etc: Path = ETC_APT) -> Mirror | None:
    """Return the Debian mirror that the machine's own apt sources name."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for path in files:
        # apt reads only these two suffixes: anything else was switched off on purpose.
        parser = {".list": parse_list, ".sources": parse_deb822}.get(path.suffix)
        if parser and path.is_file():
            mirrors = parser(path.read_text(errors="replace"))
            if mirrors:
                return mirrors[0]
    return None


def ensure() -> Source:
    """Return an Odoo 19, fetching Debian's package when none is given."""
    given = os.environ.get("ODOO_SRC")
    if given:
        return locate(Path(given).expanduser().resolve())
    stamp = STATE / "odoo"
    state = f"{digest(*PACKAGES)} {ODOO}"
    if not (stamp.exists() and stamp.read_text() == state):
        _fetch()
        STATE.mkdir(parents=True, exist_ok=True)
        stamp.write_text(state)
    return locate(ODOO / "usr/lib/python3/dist-packages")


def locate(path: Path) -> Source:
    """Return the Odoo in a checkout, or in the folder that holds the `odoo` package."""
    for base in (path, path.parent):
        release = base / "odoo" / "release.py"
        if not release.is_file():
            continue
        version = re.search(r"^version_info = \((\d+), (\d+)", release.read_text(), re.MULTILINE)
        series = ".".join(version.groups()) if version else "unknown"
        if series != SERIES:
            raise Failure(f"{base} holds Odoo {series}; Odoo {SERIES} is needed.")
        folders = (base / "odoo" / "addons", base / "addons")
        # A checkout keeps most add-ons beside the package, Debian's package all inside it.
        apps = next((folder for folder in folders if (folder / "account").is_dir()), folders[0])
        return Source(base, tuple(dict.fromkeys((folders[0], apps))))
    raise Failure(
        f"No Odoo in {path}: ODOO_SRC names a checkout of Odoo {SERIES}, or the folder that holds the `odoo` package."
    )


def _fetch() -> None:
    mirror = find_mirror() if has_debian_tools() else None
    if not mirror:
        raise Failure(
            f"Odoo {SERIES} is fetched with Debian's package tools from the mirror in "
            "/etc/apt, and this machine has none. Run `CREDIT_DEMO=1 docker compose up` "
            "instead, or set ODOO_SRC to a checkout of Odoo's branch 19.0."
        )
    with step("Fetching Odoo 19 (130 MB)"):
        debs = _download(mirror)
    with step("Unpacking Odoo 19"):
        if ODOO.exists():
            shutil.rmtree(ODOO)
        ODOO.mkdir(parents=True)
        for deb in debs:
            run(["dpkg", "-x", deb, ODOO], log="odoo-unpack")
        broken = [path for path in ODOO.rglob("*") if path.is_symlink() and not path.exists()]
        if broken:
            raise Failure(f"Odoo's web files are incomplete: {broken[0]} leads nowhere.")
    shutil.rmtree(APT)


def _download(mirror: Mirror) -> list[Path]:
    """Fetch the packages through an apt of our own, which leaves the system's alone."""
    debs = APT / "debs"
    for folder in (APT / "lists" / "partial", APT / "cache" / "archives" / "partial", debs):
        folder.mkdir(parents=True, exist_ok=True)
    keyring = mirror.signed_by or (str(DEBIAN_KEYRING) if DEBIAN_KEYRING.exists() else "")
    options = f"[signed-by={keyring}] " if keyring else ""
    sources = APT / "sources.list"
    sources.write_text("".join(f"deb {options}{mirror.uri} {suite} main\n" for suite in SUITES))
    apt = ["apt-get"]
    for option in (
        f"Dir::Etc::sourcelist={sources}",
        "Dir::Etc::sourceparts=-",
        # Pins of the machine (to its own suite) would hide sid's packages.
        "Dir::Etc::preferences=-",
        "Dir::Etc::preferencesparts=-",
        f"Dir::State::Lists={APT / 'lists'}",
        f"Dir::Cache={APT / 'cache'}",
        "APT::Sandbox::User=root",
        "Acquire::Languages=none",
        "Acquire::Retries=3",
    ):
        apt += ["-o", option]
    run([*apt, "update"], log="odoo-apt-update")
    run([*apt, "download", *PACKAGES], log="odoo-apt-download", cwd=debs)
    return sorted(debs.glob("*.deb"))
