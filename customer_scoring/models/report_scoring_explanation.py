from odoo import api, models


class ReportScoringExplanation(models.AbstractModel):
    """Prints scores for their customers, for those who may read them, and leaves a note of it."""

    _name = 'report.customer_scoring.report_scoring_explanation'
    _description = "Explanation of a Score"

    @api.model
    def _get_report_values(self, docids, data=None):
        scores = self.env['scoring.score'].browse(docids).exists()
        scores._check_may_explain()
        scores.check_access('read')
        scores._note_explained()
        return {'doc_ids': scores.ids, 'doc_model': 'scoring.score', 'docs': scores}
