def migrate(cr, version):
    """Let the rate of the first day of delay stay where the law of the United Kingdom holds."""
    cr.execute(
        """
        UPDATE dunning_rate_table SET rate_stays = TRUE
         WHERE id IN (SELECT res_id FROM ir_model_data WHERE module = 'dunning_followup' AND name = 'rate_table_uk')
        """
    )
