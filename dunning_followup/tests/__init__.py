from . import (
    test_gateway,
    test_no_more_credit,
    test_run,
    test_schedule,
    test_unattended,
)
from . import test_engine_claims
