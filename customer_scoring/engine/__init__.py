"""Pure calculation: plain Python over frozen dataclasses, without the ORM."""

from . import rule
