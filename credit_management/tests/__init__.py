from . import test_adoption
from . import test_credit_exposure
from . import test_credit_limit
from . import test_engine
from . import test_engine_adoption
from . import test_sale_order_addons
from . import test_sale_order_check
