from . import credit_decision
from . import credit_file_export
from . import credit_verification
from . import credit_verification_finding
from . import credit_snapshot_backfill
