from odoo import models


class BaseImportImport(models.TransientModel):
    """Says in which lines of the file the rows are that can't be imported, of models that import by rows."""

    _inherit = 'base_import.import'

    def execute_import(self, fields, columns, options, dryrun=False):
        # EXTENDS base_import: all rows or none, whatever a batch is; each wrong one by its line
        if not getattr(self.env.get(self.res_model), '_import_by_rows', False):
            return super().execute_import(fields, columns, options, dryrun)
        first = 1 + bool(options.get('has_headers')) + (options.get('skip') or 0)
        result = super().execute_import(fields, columns, {**options, 'limit': None}, dryrun)
        rows = [message for message in result['messages'] if message.get('rows')]
        lines = {}
        for message in rows:
            # The dialog writes `record` beside the text, and tells nothing but the text where the field is known.
            message['record'] = message['rows']['from'] + first
            message.pop('field', None)
            message.pop('field_path', None)
            lines.setdefault(message['message'], []).append(message['record'])
        for message in rows:
            # Of messages that are the same the dialog shows one, without any line.
            if len(numbers := lines[message['message']]) > 1:
                message['message'] = self.env._(
                    "%(error)s (lines %(lines)s)",
                    error=message['message'],
                    lines=', '.join(str(number) for number in sorted(numbers)),
                )
        return result
