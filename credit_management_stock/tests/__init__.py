from . import test_credit_exposure_stock
from . import test_exposure_histories
from . import test_remainder_stock
from odoo.tests.common import can_import
