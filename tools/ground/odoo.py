"""Odoo's own programs: how they are called, and how a server is kept."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass

from .console import Failure, log_path, run, tail
from .odoo_source import Source
from .paths import BUILD, CONF, DATA, LOGS, ROOT, VENV, VENV_PYTHON, addons
from .postgres import free_port

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Odoo:
    """An Odoo source together with the database server that it works on."""

    source: Source
    pg_env: dict[str, str]

    def __post_init__(self) -> None:
        """Write the configuration that every call reads."""
        folders = [*self.source.addons_paths, ROOT] if addons() else self.source.addons_paths
        LOGS.mkdir(parents=True, exist_ok=True)
        text = "\n".join(
            [
                "[options]",
                f"addons_path = {','.join(map(str, folders))}",
                f"data_dir = {DATA}",
                f"http_interface = {HOST}",
                f"screenshots = {LOGS / 'odoo-tests'}",
                "",
            ]
        )
        if not CONF.exists() or CONF.read_text() != text:
            CONF.write_text(text)

    @property
    def env(self) -> dict[str, str]:
        """Return what Odoo's process must find in its environment."""
        return {
            **self.pg_env,
            "ODOO_RC": str(CONF),
            "PYTHONPATH": str(self.source.python_path),
            "PYTHONSAFEPATH": "1",  # the working folder shall not shadow any module
            "PYTHONPYCACHEPREFIX": str(BUILD / "pycache"),
            "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def command(self, *args: str) -> list[str]:
        """Return the command line of Odoo with these arguments."""
        return [str(VENV_PYTHON), "-m", "odoo", *args]

    def run(self, *args: str, log: str) -> str:
        """Run Odoo to its end and return its log; raise Failure when it fails."""
        output = run(self.command(*args), log=log, env=self.env, cwd=BUILD)
        # Odoo ends with exit code 0 when it leaves a module out.
        for sign in ("setting installable=False", "Some modules are not loaded", "invalid module"):
            if sign in output:
                raise Failure(f"Odoo left a module out.\n{tail(log_path(log))}")
        return output

    def install(self, database: str, modules: Iterable[str], *options: str, log: str) -> str:
        """Install modules into a database, which is made if it is not there."""
        names = ",".join(modules)
        return self.run("-d", database, "-i", names, "--stop-after-init", *options, log=log)


class Server:
    """An Odoo server process on one database; use it as a context manager."""

    def __init__(
        self,
        odoo: Odoo,
        database: str,
        *options: str,
        port: int | None = None,
        log: str = "server",
    ) -> None:
        """Prepare a server; `port` is picked free unless it is given."""
        self.odoo = odoo
        self.database = database
        self.options = options
        self.port = port or free_port()
        self.log = log_path(log)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> "Server":
        """Start the server and wait until it answers."""
        self.start()
        self.wait()
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop the server."""
        self.stop()

    def start(self) -> None:
        """Start the process."""
        # However we end, the server shall not outlive us.
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        command = self.odoo.command(
            "-d",
            self.database,
            f"--http-port={self.port}",
            f"--gevent-port={free_port()}",
            "--db-filter",
            f"^{self.database}$",
            *self.options,
        )
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.odoo.env},
                cwd=BUILD,
                start_new_session=True,  # Ctrl-C is for us; we stop the server in order
            )

    def wait(self, seconds: float = 120) -> None:
        """Wait until the server answers; raise Failure when it does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/web/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self.stop()
        raise Failure(f"The server did not come up.\n{tail(self.log)}\n  The whole log: {self.log}")

    def stop(self) -> None:
        """End the process and its children, in order at first."""
        if self.process is None:
            return
        # The second signal tells Odoo not to wait for open connections.
        for sign, seconds in ((signal.SIGTERM, 2), (signal.SIGTERM, 20), (signal.SIGKILL, 5)):
            if self.process.poll() is not None:
                break
            os.killpg(self.process.pid, sign)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self.process = None


def port_is_free(port: int) -> bool:
    """Tell whether nobody listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
