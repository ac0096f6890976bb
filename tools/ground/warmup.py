"""Asset bundles, built ahead: the first page of a fresh database is slow without them."""

import re

from . import databases
from .console import step
from .odoo import Odoo, Server
from .rpc import Client

PAGES = ("/web/login", "/odoo", "/my")


def build_bundles(odoo: Odoo, database: str) -> None:
    """Fetch the bundles of the pages that everybody opens; the database keeps them."""
    with Server(odoo, database, "--max-cron-threads=0", log="warmup") as server:
        client = Client(server.url, database, "admin", "admin")
        for page in PAGES:
            _status, text = client.get(page)
            for path in sorted(set(re.findall(r'"(/web/assets/[^"]+)"', text))):
                client.get(path)


def ensure(odoo: Odoo) -> str:
    """Return a template with our add-ons and the bundles, for tests in a browser."""
    name = databases.template_name(odoo).replace("template", "browser")
    with databases.locked(odoo, name):
        if not databases.exists(odoo, name):
            template = databases.ensure_template(odoo)
            databases.drop_others(odoo, "credit_browser_", keep=name)
            with step("Building the web pages' bundles"), databases.building(odoo, name) as temporary:
                databases.copy(odoo, template, temporary)
                # The guided tours point at things that the tests want to click.
                databases.query(odoo, temporary, "UPDATE res_users SET tour_enabled = false")
                build_bundles(odoo, temporary)
    return name
