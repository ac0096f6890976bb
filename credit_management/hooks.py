from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column


def pre_init_hook(env):
    """Add the column of the taxed unit price before the ORM would compute it for each line ever sold."""
    if not column_exists(env.cr, 'sale_order_line', 'credit_unit_price'):
        create_column(env.cr, 'sale_order_line', 'credit_unit_price', 'numeric')


def post_init_hook(env):
    """Compute the taxed unit price where it is used, choose what counts, take over core's limits, start snapshots."""
    lines = env['sale.order.line'].search(
        [('product_uom_qty', '=', 0), ('display_type', '=', False), ('state', '=', 'sale')]
    )
    env.add_to_compute(env['sale.order.line']._fields['credit_unit_price'], lines)
    lines.flush_recordset(['credit_unit_price'])
    env['credit.ledger.account']._suggest(env['res.company'].search([('parent_id', '=', False)]))
    env['credit.core.limit']._take_over_all()
    env.ref('credit_management.ir_cron_take_snapshots')._trigger()


def uninstall_hook(env):
    """Leave core with the limits in force; remove what no model of ours owns."""
    env['credit.core.limit']._leave()
    # Open activities would keep their types from going.
    types = env['ir.model.data'].search([('module', '=', 'credit_management'), ('model', '=', 'mail.activity.type')])
    env['mail.activity'].with_context(active_test=False).search(
        [('activity_type_id', 'in', types.mapped('res_id'))]
    ).unlink()
    for index in (
        'account_move_credit_special_index',
        'res_partner_credit_registry_index',
        'res_partner_credit_similar_index',
        'res_partner_credit_vat_index',
    ):
        env.execute_query(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(index)))
    env.execute_query(SQL("DROP FUNCTION IF EXISTS credit_file_locked() CASCADE"))
