from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Choose the ledger accounts that count as an installation does: 19.0.1.0.0 knew receivables only."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env['credit.ledger.account']._suggest(env['res.company'].search([('parent_id', '=', False)]))
