def uninstall_hook(env):
    """Remove the open activities, which would keep their types from going."""
    types = env['ir.model.data'].search([('module', '=', 'dunning_followup'), ('model', '=', 'mail.activity.type')])
    env['mail.activity'].with_context(active_test=False).search(
        [('activity_type_id', 'in', types.mapped('res_id'))]
    ).unlink()
