"""Credit arithmetic without a database: facts in, verdicts out.

Nothing here queries, reads a clock or knows a company. The models gather the
facts, call these functions and store what they say, so that the check at
confirmation, the preview on a quotation and a unit test share one code.
"""

from . import condition
from . import facts
from . import grade
from . import verdict
