from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    """Let outside factors that are called like a forbidden attribute of a person be for companies only."""
    env = Environment(cr, SUPERUSER_ID, {'active_test': False})
    allowed = env['scoring.factor.type'].search([('natural_forbidden', '=', False)])
    allowed.filtered(lambda factor: factor._forbidden_word()).natural_forbidden = True
