from . import test_credit_exposure_stock
