from . import credit_decision
from . import partner_merge_core_limit
