from . import credit_exposure
