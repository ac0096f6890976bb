from odoo import fields

from odoo.addons.credit_management.models.credit_snapshot import Known


class Entered(Known):
    """Of a field that people fill in or leave open: what is left open is NULL, never 0."""

    def convert_to_column_insert(self, value, record, values=None, validate=True):
        return None if _open(value) else super().convert_to_column_insert(value, record, values, validate)

    def convert_to_column(self, value, record, values=None, validate=True):
        return None if _open(value) else super().convert_to_column(value, record, values, validate)

    def convert_to_cache(self, value, record, validate=True):
        return None if _open(value) else super().convert_to_cache(value, record, validate)

    def convert_to_read(self, value, record, use_display_name=True):
        return False if value is None else value


class EnteredMonetary(Entered, fields.Monetary):
    """An amount that people enter or leave open."""


class EnteredFloat(Entered, fields.Float):
    """A number that people enter or leave open."""


class Pointer(fields.Many2one):
    """A reference that only scoring writes, to what can't be deleted once a score has used it.

    Without a foreign key: for a dozen rows per customer and six references each,
    PostgreSQL took most of the time of a night to look up what is there anyway.
    """

    def update_db_foreign_key(self, model, column):
        """Add none."""


def _open(value):
    return value is None or value is False or value == ''


def known(value):
    """Return a field's value for the engine: None where it is open."""
    return None if value is False else value
