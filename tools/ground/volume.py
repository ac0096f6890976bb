"""Volume databases: made once per size from the template, kept until what they are made of changes."""

import os
import subprocess
import sys

from . import databases
from .console import Failure, log_path, step, tail
from .odoo import Odoo
from .paths import BUILD, ROOT, VENV_PYTHON, digest, digest_files

PREFIX = "credit_volume_"


def parse_size(text: str) -> str:
    """Return a size as customers_invoices_orders; raise Failure if it is none."""
    from tools.volume.plan import Size

    try:
        return str(Size.parse(text)).replace("/", "_")
    except ValueError as error:
        raise Failure(str(error)) from None


def ensure(odoo: Odoo, text: str) -> str:
    """Return the name of the database of a size, making it when there is none."""
    size = parse_size(text)
    template = databases.ensure_template(odoo)
    content = PREFIX + digest(template, digest_files((ROOT / "tools" / "volume").glob("*.py")))
    name = f"{content}_{size}"
    if not databases.exists(odoo, name):
        for other in databases.names(odoo) if not databases.postgres.given() else []:
            if other.startswith(PREFIX) and not other.startswith(content):
                databases.drop(odoo, other)
        what = f"Making a database of {size.replace('_', ' / ')} customers / invoices / open orders"
        with step(what), databases.building(odoo, name) as temporary:
            databases.copy(odoo, template, temporary)
            fill(odoo, temporary, size.replace("_", "/"))
    return name


def fill(odoo: Odoo, database: str, size: str) -> None:
    """Fill a copy of the template."""
    run(odoo, "tools.volume", "make", database, size, log="volume")
    databases.query(odoo, database, "VACUUM ANALYZE")


def problems(odoo: Odoo, database: str) -> str:
    """Return what Odoo would find wrong with a volume database, nothing if all is well."""
    _code, output = run(odoo, "tools.volume", "verify", database, log="volume-verify", accept=(1,))
    return output


def run(
    odoo: Odoo, module: str, *args: str, log: str, accept: tuple[int, ...] = (), show: bool = False
) -> tuple[int, str]:
    """Run one of our modules in Odoo's own process; return its exit code and output.

    :param accept: exit codes besides 0 that are no failure
    :param show: print the output as it comes
    """
    env = {**os.environ, **odoo.env, "PYTHONPATH": os.pathsep.join([odoo.env["PYTHONPATH"], str(ROOT)])}
    path = log_path(log)
    process = subprocess.Popen(
        [VENV_PYTHON, "-m", module, *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=BUILD,
        env=env,
        text=True,
    )
    output = []
    try:
        with path.open("w") as out:
            for line in process.stdout or ():
                output.append(line)
                out.write(line)
                if show:
                    sys.stdout.write(line)
                    sys.stdout.flush()
        code = process.wait()
    finally:
        process.kill()  # if we are stopped, it shall not go on
    if code and code not in accept:
        raise Failure(f"{module} ended with exit code {code}.\n{tail(path)}\n  The whole log: {path}")
    return code, "".join(output)
