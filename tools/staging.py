"""Make what all test classes of the add-ons begin with, once, in a database that the test runs then copy."""

import sys

from .inside import open_registry


def main() -> None:
    """Make it in the database of that name."""
    [database] = sys.argv[1:]
    open_registry(database)
    from odoo.addons.credit_management.tests.common import CreditCommon

    class Stage(CreditCommon):
        pass

    Stage.keep_stage()


main()
