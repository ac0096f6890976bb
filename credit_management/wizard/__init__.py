from . import credit_acceptance
from . import credit_decision
from . import credit_dry_line
from . import credit_dry_run
from . import credit_false_hold_decision
from . import credit_rule_demotion
