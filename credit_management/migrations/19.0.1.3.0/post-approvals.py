from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Ask about what was submitted and requested before there were approvals."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in ('credit.limit', 'credit.release'):
        model = env[name]
        asked = model.search([('state', '=', model._approval_state), ('approval_id', '=', False)])
        asked._approval_start()
        asked._approval_notify()
