from . import controllers, models, wizard
from .hooks import uninstall_hook
from . import models
from . import wizard
