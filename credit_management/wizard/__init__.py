from . import credit_decision
from . import credit_snapshot_backfill
