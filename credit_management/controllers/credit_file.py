from tempfile import TemporaryFile

from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import Response, content_disposition, request

MIME_TYPES = {
    'json': 'application/json; charset=utf-8',
    'xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}


def send_file(target, file_format, name):
    """Return the response with a file that was written to the end: half of an audit file would look like a broken one.

    :param target: the open file
    :param file_format: a key of MIME_TYPES
    """
    target.seek(0)
    return Response(
        wrap_file(request.httprequest.environ, target),
        headers=[('Content-Type', MIME_TYPES[file_format]), ('Content-Disposition', content_disposition(name))],
        direct_passthrough=True,
    )


class CreditFileController(http.Controller):
    @http.route('/credit_management/file/<int:export_id>', type='http', auth='user', methods=['GET'], readonly=False)
    def download(self, export_id):
        """Send the file that an export asks for; the export checks who may have it."""
        export = request.env['credit.file.export'].browse(export_id)
        target = TemporaryFile()
        export._write_file(target)
        return send_file(target, export.file_format, export._file_name())
