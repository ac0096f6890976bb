from odoo.tools import SQL

COLUMNS = ('company_id', 'characteristic_id', 'bin_id', 'step_bin_id', 'step_grade_id')


def migrate(cr, version):
    """Drop the foreign keys of what only scoring writes, see `scoring_field.Pointer`."""
    names = [f'scoring_score_line_{column}_fkey' for column in COLUMNS]
    drops = SQL(", ").join(SQL("DROP CONSTRAINT IF EXISTS %s", SQL.identifier(name)) for name in names)
    cr.execute(SQL("ALTER TABLE scoring_score_line %s", drops))
    cr.execute(SQL("DELETE FROM ir_model_constraint WHERE name = ANY(%s)", names))
