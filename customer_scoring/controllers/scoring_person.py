from tempfile import TemporaryFile

from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import Response, content_disposition, request

from odoo.addons.credit_management.controllers.credit_file import MIME_TYPES


class ScoringPersonController(http.Controller):
    @http.route('/customer_scoring/person/<int:account_id>', type='http', auth='user', methods=['GET'], readonly=False)
    def download(self, account_id):
        """Send what is kept about a natural person as a workbook; the account checks who may have it."""
        account = request.env['credit.account'].browse(account_id)
        target = TemporaryFile()
        account._write_personal_data(target)
        target.seek(0)
        return Response(
            wrap_file(request.httprequest.environ, target),
            headers=[
                ('Content-Type', MIME_TYPES['xlsx']),
                ('Content-Disposition', content_disposition(f'personal-data-{account.id}.xlsx')),
            ],
            direct_passthrough=True,
        )
