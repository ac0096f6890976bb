from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Start the daily snapshots, with the back-fill, as soon as a worker is free."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.ref('credit_management.ir_cron_take_snapshots')._trigger()
