from tempfile import TemporaryFile

from odoo import http
from odoo.http import request

from odoo.addons.credit_management.controllers.credit_file import send_file


class ScoringPersonController(http.Controller):
    @http.route('/customer_scoring/person/<int:account_id>', type='http', auth='user', methods=['GET'], readonly=False)
    def download(self, account_id):
        """Send what is kept about a natural person as a workbook; the account checks who may have it."""
        account = request.env['credit.account'].browse(account_id)
        target = TemporaryFile()
        account._write_personal_data(target)
        return send_file(target, 'xlsx', f'personal-data-{account.id}.xlsx')
