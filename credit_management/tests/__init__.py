from odoo.tests.common import can_import

from . import test_adoption
from . import test_approval
from . import test_application
from . import test_blacklist
from . import test_alert
from . import test_core_limit
from . import test_credit_event
from . import test_credit_exposure
from . import test_credit_limit
from . import test_credit_snapshot
from . import test_engine
from . import test_engine_adoption
from . import test_engine_approval
from . import test_engine_outlook
from . import test_grade
from . import test_ledger_account
from . import test_limit_change
from . import test_limit_expiry
from . import test_exception_report
from . import test_handover
from . import test_merge
from . import test_migration
from . import test_recheck
from . import test_release_condition
from . import test_remainder
from . import test_rename
from . import test_safeguards
from . import test_sale_order_addons
from . import test_sale_order_check
from . import test_team_limit

if can_import('hypothesis'):  # which developers have, see CONTRIBUTING.md
    from . import test_limit_history
from . import test_way_out
