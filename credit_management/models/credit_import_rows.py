from odoo import api, models


class CreditImportRows(models.AbstractModel):
    """Imports that name each wrong row with its line, and import all rows or none."""

    _name = 'credit.import.rows'
    _description = "Import by Rows"
    # For the dialog, see `base_import.import`.
    _import_by_rows = True

    @api.model
    def load(self, fields, data):
        # EXTENDS base: every wrong row by itself. Tried together, Odoo names the first row for what is wrong with
        # another one, and after ten it stops.
        result = super().load(fields, data)
        if all(message['type'] != 'error' for message in result['messages']):
            return result
        savepoint = self.env.cr.savepoint()
        messages = []
        try:
            for number, row in enumerate(data):
                found = super().load(fields, [row])['messages']
                # What a cell doesn't tell is missing then: that goes without saying.
                for message in [message for message in found if message.get('field')] or found:
                    messages.append({**message, 'record': number, 'rows': {'from': number, 'to': number}})
        finally:
            savepoint.close(rollback=True)
            self.pool.reset_changes()
        # What is wrong only with all of them together is told as it came.
        if any(message['type'] == 'error' for message in messages):
            result['messages'] = messages
        return result
