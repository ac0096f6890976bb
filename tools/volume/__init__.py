"""A volume database: one seed of each document through the ORM, then multiplied by SQL."""
