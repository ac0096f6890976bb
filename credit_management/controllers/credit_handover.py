from tempfile import TemporaryFile

from odoo import http
from odoo.http import request

from .credit_file import send_file


class CreditHandoverController(http.Controller):
    @http.route(
        '/credit_management/handover/<int:handover_id>', type='http', auth='user', methods=['GET'], readonly=True
    )
    def download(self, handover_id):
        """Send the sheet of a hand-over as a workbook; the hand-over checks who may have it."""
        handover = request.env['credit.handover'].browse(handover_id)
        target = TemporaryFile()
        handover._write_sheet(target)
        return send_file(target, 'xlsx', handover._sheet_name())
