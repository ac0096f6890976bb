import json

from odoo import http
from odoo.http import request
from odoo.tools import consteq

MOST = 1000  # receipts in one request
LONGEST = 1_000_000  # bytes


class DunningReceipt(http.Controller):
    @http.route(
        '/dunning/receipt/<int:gateway_id>/<string:token>',
        type='http',
        auth='public',
        methods=['GET', 'POST'],
        csrf=False,
        save_session=False,
    )
    def receipt(self, gateway_id, token, **values):
        """Take the delivery receipts of a gateway: JSON, one or a list of them, or a form."""
        # The secret in the address stands for the right.
        gateway = request.env['dunning.gateway'].sudo().browse(gateway_id).exists()
        if not gateway.receipt_token or not consteq(gateway.receipt_token, token):
            raise request.not_found()
        raw = request.httprequest.get_data(cache=True)
        if len(raw) > LONGEST:
            return request.make_json_response({'code': 1}, status=413)
        receipts = values
        if request.httprequest.mimetype == 'application/json':
            try:
                receipts = json.loads(raw)
            except ValueError:
                return request.make_json_response({'code': 1}, status=400)
        receipts = receipts if isinstance(receipts, list) else [receipts]
        noted = gateway._receive([one for one in receipts[:MOST] if isinstance(one, dict)])
        # What providers take for an acknowledgement.
        return request.make_json_response({'code': 0, 'msg': 'OK', 'noted': noted})
