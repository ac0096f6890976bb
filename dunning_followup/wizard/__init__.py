from . import dunning_customer
from . import dunning_decision
from . import account_move_reversal
from . import dunning_claim_computation
from . import dunning_claim_invoicing
from . import dunning_claim_waiver
from . import dunning_due_date
from . import dunning_insolvency
