"""The demo: a database with real-looking trade, the story told from it, a server."""

import time

from . import databases, story, system, warmup
from .console import Failure, say, step
from .logcheck import problems
from .odoo import Odoo, Server, port_is_free
from .paths import STATE, addon_files, addons, digest, digest_files
from .rpc import Client, RpcError

DATABASE = "credit_demo"
PORT = 8069


def prepare(odoo: Odoo) -> None:
    """Make the demo database, or upgrade in it the add-ons that changed."""
    system.ensure_packages(["wkhtmltopdf", "fonts-noto-cjk"], "printing PDF", optional=True)
    stamp = STATE / "demo"
    base = digest(databases.base_name(odoo), *odoo.pg_env.values())
    now = {addon: digest_files(addon_files(addon)) for addon in addons()}
    seen = stamp.read_text().split() if stamp.exists() else []
    if not databases.exists(odoo, DATABASE) or seen[:1] != [base]:
        _make(odoo)
    else:
        known = dict(entry.split("=") for entry in seen[1:])
        changed = [addon for addon in now if known.get(addon) != now[addon]]
        if not changed:
            return
        stamp.unlink()  # half an upgrade is not an upgrade
        _upgrade(odoo, changed, [addon for addon in changed if addon not in known])
    STATE.mkdir(parents=True, exist_ok=True)
    stamp.write_text(" ".join([base, *(f"{addon}={value}" for addon, value in now.items())]))


def _make(odoo: Odoo) -> None:
    modules = [*databases.COMPANIONS, *addons()]
    options = ["--with-demo", f"--load-language={databases.LANGUAGES}"]
    options += ["--max-cron-threads=0", "--no-http"]
    with step("Making the demo company (takes about three minutes, once)"):
        databases.drop(odoo, DATABASE)
        with databases.building(odoo, DATABASE) as temporary:
            log = odoo.install(temporary, modules, *options, log="demo-install")
            warmup.build_bundles(odoo, temporary)
    _report(log)


def _upgrade(odoo: Odoo, changed: list[str], new: list[str]) -> None:
    options = ["--stop-after-init", "--max-cron-threads=0", "--no-http"]
    if new:
        options += ["-i", ",".join(new)]
    with step(f"Upgrading {', '.join(changed)}"):
        log = odoo.run("-d", DATABASE, "-u", ",".join(changed), *options, log="demo-upgrade")
    _report(log)


def _report(log: str) -> None:
    for problem in problems(log):
        say(f"  {problem.level} {problem.logger}: {problem.message}")


def run(odoo: Odoo, serve: bool) -> int:
    """Tell the story, and serve until Ctrl-C if asked to; return the exit code."""
    port = next((port for port in range(PORT, PORT + 100) if port_is_free(port)), None)
    server = Server(odoo, DATABASE, port=port, log="demo-server")
    try:
        with step("Starting Odoo"):
            server.start()
            server.wait()
            client = Client(server.url, DATABASE, "admin", "admin")
        say()
        try:
            for line in story.tell(client):
                say(line)
        except RpcError as error:
            raise Failure(f"The story cannot be told: {error}\n{error.debug}") from None
        if serve:
            say()
            for line in story.access(server.url):
                say(line)
            say("\nCtrl-C ends it.")
            _watch(server)
    finally:
        server.stop()
    return 0


def _watch(server: Server) -> None:
    """Wait until the user stops us, or the server ends by itself."""
    try:
        while server.process and server.process.poll() is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        say("\nStopping.")
        return
    raise Failure(f"The server ended by itself; its log: {server.log}")
