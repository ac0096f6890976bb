from . import scoring_rating_upload
from . import scoring_rating_upload_line
from . import scoring_trial
