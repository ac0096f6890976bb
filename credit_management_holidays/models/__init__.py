from . import credit_absence
from . import hr_leave
from . import res_users
