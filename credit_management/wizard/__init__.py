from . import credit_decision
from . import credit_remainder_close
