from tempfile import TemporaryFile

from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import Response, content_disposition, request

from .credit_file import MIME_TYPES


class CreditHandoverController(http.Controller):
    @http.route(
        '/credit_management/handover/<int:handover_id>', type='http', auth='user', methods=['GET'], readonly=True
    )
    def download(self, handover_id):
        """Send the sheet of a hand-over as a workbook; the hand-over checks who may have it."""
        handover = request.env['credit.handover'].browse(handover_id)
        target = TemporaryFile()
        handover._write_sheet(target)
        target.seek(0)
        return Response(
            wrap_file(request.httprequest.environ, target),
            headers=[
                ('Content-Type', MIME_TYPES['xlsx']),
                ('Content-Disposition', content_disposition(handover._sheet_name())),
            ],
            direct_passthrough=True,
        )
