"""Pure calculation: plain Python over frozen dataclasses, without the ORM."""
