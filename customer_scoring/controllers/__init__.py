from . import scoring_person
from . import scoring_risk_report
