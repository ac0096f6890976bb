from . import dunning_customer
from . import dunning_decision
