def post_init_hook(env):
    """Give each further main company the scorecards that come with Odoo, as drafts."""
    env['scoring.card']._copy_standard(env['res.company'].search([('parent_id', '=', False)]))


def uninstall_hook(env):
    """Let go of the grades, which may be uninstalled at the same time and would be kept by what refers to them."""
    env.flush_all()
    env.cr.execute(
        """
        DELETE FROM scoring_override;
        DELETE FROM scoring_band;
        DELETE FROM scoring_trial;
        UPDATE scoring_score SET grade_id = NULL, grade_before_id = NULL;
        UPDATE scoring_score_line SET step_grade_id = NULL;
        UPDATE scoring_recommendation SET grade_id = NULL;
        UPDATE scoring_risk_report_line SET grade_id = NULL;
        """
    )
    env.invalidate_all()
