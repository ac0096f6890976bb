def uninstall_hook(env):
    """Remove what would keep the shipped records from going: open activities, what was sent, whose plan it is."""
    types = env['ir.model.data'].search([('module', '=', 'dunning_followup'), ('model', '=', 'mail.activity.type')])
    env['mail.activity'].with_context(active_test=False).search(
        [('activity_type_id', 'in', types.mapped('res_id'))]
    ).unlink()
    env.flush_all()
    env.cr.execute(
        """
        DELETE FROM dunning_progress;
        DELETE FROM dunning_passed_step;
        DELETE FROM dunning_notice;
        UPDATE res_company SET dunning_plan_id = NULL;
        UPDATE credit_account SET dunning_plan_id = NULL;
        """
    )
    env.invalidate_all()
