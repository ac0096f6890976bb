from . import test_credit_exposure_stock
from . import test_remainder_stock
