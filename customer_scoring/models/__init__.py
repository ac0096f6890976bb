from . import credit_account_recommendation
from . import credit_limit_recommendation
from . import credit_policy_recommendation
from . import scoring_recommendation
