from . import scoring_person
