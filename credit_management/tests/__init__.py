from . import test_credit_exposure
from . import test_credit_limit
from . import test_engine
from . import test_merge
from . import test_remainder
from . import test_rename
from . import test_sale_order_addons
from . import test_sale_order_check
