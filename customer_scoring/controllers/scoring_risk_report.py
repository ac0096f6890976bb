from odoo import http
from odoo.http import content_disposition, request

from odoo.addons.credit_management.controllers.credit_file import MIME_TYPES


class ScoringRiskReportController(http.Controller):
    @http.route(
        '/customer_scoring/risk_report/<int:report_id>', type='http', auth='user', methods=['GET'], readonly=True
    )
    def download(self, report_id):
        """Send a risk report as a workbook to those who may read it."""
        report = request.env['scoring.risk.report'].browse(report_id).exists()
        if not report:
            raise request.not_found()
        report.check_access('read')
        return request.make_response(
            report._workbook(),
            headers=[
                ('Content-Type', MIME_TYPES['xlsx']),
                ('Content-Disposition', content_disposition(report._file_name())),
            ],
        )
