from odoo.tests.common import can_import

from . import test_credit_exposure_stock
from . import test_emergency_stock
from . import test_exposure_histories
from . import test_release_stock
from . import test_remainder_stock

if can_import('hypothesis'):  # which developers have, see CONTRIBUTING.md
    from . import test_exposure_oracle
