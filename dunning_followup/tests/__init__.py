from odoo.tests.common import can_import

from . import test_claim
from . import test_claim_notice
from . import test_contact_rule
from . import test_delivery
from . import test_engine_claims
from . import test_exclusion
from . import test_gateway
from . import test_invoice_claims
from . import test_limitation
from . import test_mail_handover
from . import test_no_more_credit
from . import test_personal_data
from . import test_preview
from . import test_rate_presets
from . import test_reissued
from . import test_run
from . import test_second_look
from . import test_sms_handover
from . import test_unattended
from . import test_waiting
from . import test_ways

if can_import('hypothesis'):  # which developers have, see CONTRIBUTING.md
    from . import test_engine_properties
    from . import test_schedule
