from . import base_partner_merge
from . import credit_decision
from . import credit_remainder_close
