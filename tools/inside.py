"""What runs in Odoo's own process: an environment on one of our databases."""

from collections.abc import Iterator
from contextlib import contextmanager

import odoo.init  # noqa: F401 -- what `python -m odoo` begins with


def open_registry(database: str, level: str = "warn"):
    """Return the registry of a database; the settings come from what `tools.ground` puts in the environment."""
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(
        [
            "-d",
            database,
            "--no-http",
            "--max-cron-threads=0",
            f"--log-level={level}",
            "--log-handler=py.warnings:ERROR",
        ],
        setup_logging=True,
    )
    return Registry(database)


@contextmanager
def environment(registry, uid: int = 1, context: dict | None = None) -> Iterator:
    """Give an environment on a cursor of its own, which is rolled back unless it was committed."""
    from odoo import api

    with registry.cursor() as cr:
        try:
            yield api.Environment(cr, uid, context or {})
        finally:
            cr.rollback()
