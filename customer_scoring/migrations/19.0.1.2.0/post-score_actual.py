def migrate(cr, version):
    """Take the scores out of the lines of credit checks, which accountants read."""
    # The flag of a rule that was broken stays; the score of that day is among the scores.
    cr.execute("UPDATE credit_check_line SET actual = 0 WHERE kind = 'score_below'")
