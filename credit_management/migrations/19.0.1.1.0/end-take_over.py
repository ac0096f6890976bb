from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Take over core's credit limits, which 19.0.1.0.0 left where they were."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env['credit.core.limit']._take_over_all()
