from . import test_engine_limit
from . import test_engine_warning
from . import test_recommendation
