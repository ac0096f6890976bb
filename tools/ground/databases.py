"""Databases: templates that are built once, copies of them, and their filestores."""

import ast
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from . import postgres
from .console import Failure, step
from .odoo import Odoo
from .paths import DATA, ROOT, addon_files, addons, digest, digest_files
from .venv import REQUIREMENTS

# What tests and demo want beside our add-ons: they meet them in real companies.
COMPANIONS = [
    "account",
    "payment_demo",
    "portal",
    "sale_loyalty",
    "sale_management",
    "sale_stock",
]
LANGUAGE = "zh_CN"
LANGUAGES = f"en_US,{LANGUAGE}"  # the first becomes everybody's default


def manifest(addon: str) -> dict:
    """Return an add-on's manifest."""
    return ast.literal_eval((ROOT / addon / "__manifest__.py").read_text())


def base_modules() -> list[str]:
    """Return the modules below ours: the companions and all that our add-ons depend on."""
    own = set(addons())
    wanted = {name for addon in own for name in manifest(addon).get("depends", [])}
    return sorted((wanted | set(COMPANIONS)) - own)


def base_name(odoo: Odoo) -> str:
    """Return the name of the template without our add-ons."""
    return "credit_base_" + digest(str(odoo.source.python_path), LANGUAGES, digest_files(REQUIREMENTS), *base_modules())


def template_name(odoo: Odoo) -> str:
    """Return the name of the template with our add-ons as they are now."""
    own = [digest_files(addon_files(addon)) for addon in addons()]
    return "credit_template_" + digest(base_name(odoo), *own)


def ensure_base(odoo: Odoo) -> str:
    """Return the template without our add-ons, building it when there is none."""
    name = base_name(odoo)
    with locked(odoo, name):
        if not exists(odoo, name):
            drop_others(odoo, "credit_base_", keep=name)
            with (
                step("Building the template database (takes a minute or two, once)"),
                building(odoo, name) as temporary,
            ):
                options = (f"--load-language={LANGUAGES}", "--max-cron-threads=0", "--no-http")
                odoo.install(temporary, base_modules(), *options, log="template-base")
    return name


def ensure_template(odoo: Odoo) -> str:
    """Return the template with our add-ons, building it when they changed."""
    name = template_name(odoo)
    drop_leftovers(odoo)
    with locked(odoo, name):
        if not exists(odoo, name):
            base = ensure_base(odoo)
            drop_others(odoo, "credit_template_", keep=name)
            with step(f"Installing {', '.join(addons())}"), building(odoo, name) as temporary:
                copy(odoo, base, temporary)
                options = ("--max-cron-threads=0", "--no-http")
                odoo.install(temporary, addons(), *options, log="template")
    return name


@contextmanager
def locked(odoo: Odoo, name: str) -> Iterator[None]:
    """Wait for others that build the same database: on a shared server they may be in another checkout."""
    with closing(_connect(odoo, "postgres")) as connection, connection.cursor() as cursor:
        # Ends with the connection, also when we are killed.
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        yield


@contextmanager
def building(odoo: Odoo, name: str) -> Iterator[str]:
    """Give a temporary name, and the final one only when all went well."""
    temporary = f"{name}_new"
    drop(odoo, temporary)
    yield temporary
    drop(odoo, name)
    _execute(odoo, f'ALTER DATABASE "{temporary}" RENAME TO "{name}"')
    if _filestore(temporary).exists():
        _filestore(temporary).rename(_filestore(name))


def exists(odoo: Odoo, name: str) -> bool:
    """Tell whether there is a database of that name."""
    return name in names(odoo)


def names(odoo: Odoo) -> list[str]:
    """Return the databases of the server."""
    return [row[0] for row in _execute(odoo, "SELECT datname FROM pg_database")]


def copy(odoo: Odoo, source: str, target: str) -> None:
    """Copy a database and its filestore; an old target is dropped."""
    drop(odoo, target)
    # PostgreSQL 15 writes copies through its log unless told otherwise, which is slower here.
    strategy = " STRATEGY file_copy" if _server_version(odoo) >= 150000 else ""
    _execute(odoo, f'CREATE DATABASE "{target}" TEMPLATE "{source}"{strategy}')
    if _filestore(source).exists():
        # Odoo never changes a stored file, so a second name for it is as good as a copy.
        shutil.copytree(_filestore(source), _filestore(target), copy_function=os.link)


def drop(odoo: Odoo, name: str) -> None:
    """Drop a database and its filestore, if they are there."""
    if exists(odoo, name):
        _execute(
            odoo,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{_checked(name)}'",
        )
        _execute(odoo, f'DROP DATABASE IF EXISTS "{_checked(name)}"')
    shutil.rmtree(_filestore(name), ignore_errors=True)


def drop_others(odoo: Odoo, prefix: str, keep: str) -> None:
    """Drop the databases of that prefix, except one; on a shared server they may be another's."""
    for name in names(odoo) if not postgres.given() else []:
        if name.startswith(prefix) and name != keep:
            drop(odoo, name)


def drop_leftovers(odoo: Odoo) -> None:
    """Drop the databases of runs that were killed: their names end in the process id."""
    for name in names(odoo) if not postgres.given() else []:
        match = re.fullmatch(r"credit_run_\w+_(\d+)", name)
        if match and not Path(f"/proc/{match[1]}").exists():
            drop(odoo, name)


def run_name(kind: str) -> str:
    """Return a database name for this process only."""
    return f"credit_run_{kind}_{os.getpid()}"


def query(odoo: Odoo, database: str, statement: str) -> list[tuple]:
    """Return the rows of a statement on one of our databases."""
    return _execute(odoo, statement, database)


def _filestore(name: str) -> Path:
    return DATA / "filestore" / _checked(name)


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise Failure(f"{name!r} is no name for a database here: use a-z, 0-9 and _.")
    return name


def _connect(odoo: Odoo, database: str):
    import psycopg2

    names_ = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    options = {names_[key]: value for key, value in odoo.pg_env.items() if key in names_}
    try:
        connection = psycopg2.connect(dbname=database, **options)
    except psycopg2.OperationalError as error:
        raise Failure(f"PostgreSQL does not let us in: {error}".strip()) from None
    connection.autocommit = True
    return connection


def _server_version(odoo: Odoo) -> int:
    with closing(_connect(odoo, "postgres")) as connection:
        return connection.server_version


def _execute(odoo: Odoo, statement: str, database: str = "postgres") -> list[tuple]:
    import psycopg2

    with closing(_connect(odoo, database)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except psycopg2.Error as error:
            raise Failure(f"PostgreSQL refused: {error}".strip()) from None
        return cursor.fetchall() if cursor.description else []
