from . import base_partner_merge
from . import credit_decision
from . import credit_file_export
from . import credit_verification
from . import credit_verification_finding
from . import credit_snapshot_backfill
from . import credit_remainder_close
from . import partner_merge_core_limit
