def migrate(cr, version):
    """Name the main reason of the checks that were made before it was noted: the first of the gravest broken rules."""
    cr.execute(
        """
        UPDATE credit_check
           SET main_kind = line.kind
          FROM (
            SELECT DISTINCT ON (line.check_id) line.check_id, line.kind
              FROM credit_check_line line
              JOIN credit_check ON credit_check.id = line.check_id
             WHERE line.verdict = credit_check.outcome
               AND line.verdict <> 'pass'
               AND line.shadow IS NOT TRUE
          ORDER BY line.check_id, line.id
          ) AS line
         WHERE credit_check.id = line.check_id
           AND credit_check.main_kind IS NULL
        """
    )
