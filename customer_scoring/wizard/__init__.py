from . import scoring_rating_upload
from . import scoring_rating_upload_line
