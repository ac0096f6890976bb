from . import (
    test_gateway,
    test_no_more_credit,
    test_run,
    test_schedule,
    test_unattended,
)
from odoo.tests.common import can_import

from . import test_claim
from . import test_contact_rule
from . import test_engine_claims
from . import test_exclusion
from . import test_invoice_claims
from . import test_limitation

if can_import('hypothesis'):  # which developers have, see CONTRIBUTING.md
    from . import test_engine_properties
