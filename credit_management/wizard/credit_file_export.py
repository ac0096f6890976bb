import json
from datetime import datetime, time
from itertools import starmap

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..engine.chain import Event, Seal, stamp

FORMAT = 'credit-file/1'
# A sheet has 1 048 576 rows, one of them the headings.
SHEET_ROWS = 1_048_575


class CreditFileExport(models.TransientModel):
    """Asks what of the credit file to hand to an auditor, and writes it."""

    _name = 'credit.file.export'
    _inherit = ['credit.dialog']
    _description = "Credit File Export"

    company_id = fields.Many2one(
        'res.company',
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False), ('id', 'parent_of', allowed_company_ids)]",
        help="The main company; its branches are included.",
    )
    account_ids = fields.Many2many('credit.account', string="Accounts", help="Empty: all accounts of the company.")
    date_from = fields.Date(string="First Day", help="Of the company's calendar. Empty: from the beginning.")
    date_to = fields.Date(string="Last Day", help="Of the company's calendar. Empty: until now.")
    file_format = fields.Selection(
        [('json', "JSON, to be verified outside Odoo"), ('xlsx', "Excel, to be read")],
        string="Format",
        required=True,
        default='json',
    )

    @api.constrains('date_from', 'date_to')
    def _check_dates(self):
        for export in self:
            if export.date_from and export.date_to and export.date_to < export.date_from:
                raise ValidationError(self.env._("The period ends before it starts. Change its dates."))

    def action_export(self):
        """Download the file.

        :raise AccessError: if the user is neither auditor nor credit manager, or does not work in the company
        """
        self.ensure_one()
        self._check_allowed()
        return {'type': 'ir.actions.act_url', 'url': f'/credit_management/file/{self.id}', 'target': 'download'}

    def _check_allowed(self):
        self.env['credit.event']._check_auditor()
        self.check_access('read')
        self.env['credit.verification']._check_company_allowed(self.company_id)

    def _file_name(self):
        self.ensure_one()
        return f'credit-file-{self.company_id.root_id.id}-{self.company_id._credit_today()}.{self.file_format}'

    def _write_file(self, target):
        """Write the file into an open binary file, with little memory."""
        self.ensure_one()
        self._check_allowed()
        # All that the database has of the company; ids and figures, names only in the sheet.
        export = self.sudo()
        if self.file_format == 'json':
            for text in export._json_parts():
                target.write(text.encode())
        else:
            export._write_sheets(target)

    # -------------------------------------------------------------------------
    # Content
    # -------------------------------------------------------------------------

    def _period(self):
        """Return the first and the last moment, in UTC; None where the period is open."""
        zone = pytz.timezone(self.company_id.root_id._credit_timezone())

        def moment(day, at):
            return zone.localize(datetime.combine(day, at)).astimezone(pytz.utc).replace(tzinfo=None)

        return (
            moment(self.date_from, time.min) if self.date_from else None,
            moment(self.date_to, time.max) if self.date_to else None,
        )

    def _events_query(self):
        return self.env['credit.event']._events_sql(self.company_id.root_id, self.account_ids or None, self._period())

    def _events(self):
        return starmap(Event, self.env['credit.event']._stream(self._events_query()))

    def _seals(self):
        Events = self.env['credit.event']
        return starmap(Seal, Events._stream(self.env['credit.seal']._rows_sql(self.company_id.root_id), 5))

    def _counters(self):
        Events = self.env['credit.event']
        return Events._stream(Events._counters_sql(self.company_id.root_id, self.account_ids or None))

    def _json_parts(self):
        """Yield the text of the JSON file, piece by piece; one event, seal or counter per line."""
        company = self.company_id.root_id
        head = self.env['credit.counter']._company_head(company)
        first, last = self._period()
        header = {
            'format': FORMAT,
            'company_id': company.id,
            'exported': stamp(datetime.now(pytz.utc).replace(tzinfo=None)),
            'accounts': self.account_ids.ids or None,
            'date_from': first and stamp(first),
            'date_to': last and stamp(last),
            'seal_counter': head and {'number': head.number, 'hash': head.hash},
        }
        yield "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in header.items())
        lists = {
            'counters': ({'account_id': row[0], 'number': row[1], 'hash': row[2]} for row in self._counters()),
            'seals': ({**seal._asdict(), 'date': stamp(seal.date)} for seal in self._seals()),
            'events': ({**event._asdict(), 'date': stamp(event.date)} for event in self._events()),
        }
        for name, rows in lists.items():
            yield f",\n{json.dumps(name)}: ["
            separator = "\n"
            for row in rows:
                yield separator + json.dumps(row)
                separator = ",\n"
            yield "\n]"
        yield "\n}\n"

    def _write_sheets(self, target):
        """Write events, seals and sealed heads into a workbook of three sheets; text never becomes a formula."""
        import xlsxwriter

        [(count,)] = self.env.execute_query(SQL("SELECT COUNT(*) FROM (%s) AS events", self._events_query()))
        if count > SHEET_ROWS:
            raise UserError(
                self.env._("There are more events than a sheet has rows. Choose a shorter period, or JSON.")
            )
        # Row by row into temporary files, instead of all in memory.
        with xlsxwriter.Workbook(target, {'constant_memory': True}) as book:
            bold = book.add_format({'bold': True})

            def write(title, columns, rows):
                sheet = book.add_worksheet(title)
                sheet.freeze_panes(1, 0)
                for place, (label, width) in enumerate(columns):
                    sheet.set_column(place, place, width)
                    sheet.write_string(0, place, label, bold)
                for line, row in enumerate(rows, start=1):
                    for place, value in enumerate(row):
                        if isinstance(value, int):
                            sheet.write_number(line, place, value)
                        else:
                            sheet.write_string(line, place, value)

            hashes = [(self.env._("Hash Before"), 68), (self.env._("Hash"), 68)]
            write(
                self.env._("Events"),
                [
                    (self.env._("Customer"), 30),
                    (self.env._("Account ID"), 12),
                    (self.env._("Number"), 10),
                    (self.env._("Date (UTC)"), 24),
                    (self.env._("Event"), 30),
                    (self.env._("Kind"), 20),
                    (self.env._("User"), 24),
                    (self.env._("User ID"), 10),
                    (self.env._("Content"), 80),
                    *hashes,
                ],
                self._event_rows(),
            )
            write(
                self.env._("Seals"),
                [
                    (self.env._("Number"), 10),
                    (self.env._("Date (UTC)"), 24),
                    (self.env._("Number of Accounts"), 20),
                    *hashes,
                ],
                (
                    (seal.number, stamp(seal.date), seal.heads.count(';') + 1, seal.previous_hash, seal.hash)
                    for seal in self._seals()
                ),
            )
            write(
                self.env._("Sealed Ends"),
                [
                    (self.env._("Seal"), 10),
                    (self.env._("Account ID"), 12),
                    (self.env._("Number"), 10),
                    (self.env._("Hash"), 68),
                ],
                ((seal, account_id, number, hash_) for account_id, number, hash_, seal in self._heads()),
            )

    def _heads(self):
        query = self.env['credit.seal']._heads_sql(self.company_id.root_id, None, self.account_ids or None)
        return self.env['credit.event']._stream(query)

    def _event_rows(self):
        kinds = dict(self.env['credit.event']._fields['kind']._description_selection(self.env))
        customers, users = self._names()
        for event in self._events():
            yield (
                customers.get(event.account_id, ''),
                event.account_id,
                event.number,
                stamp(event.date),
                kinds.get(event.kind, event.kind),
                event.kind,
                users.get(event.user_id, ''),
                event.user_id,
                event.payload,
                event.previous_hash,
                event.hash,
            )

    def _names(self):
        """Return {account id: customer} and {user id: user}; in one statement each, for files of any length."""
        self.env['res.partner'].flush_model(['complete_name', 'name'])
        customers = self.env.execute_query(
            SQL(
                "SELECT account.id, partner.complete_name FROM credit_account account "
                "JOIN res_partner partner ON partner.id = account.partner_id WHERE account.company_id = %s",
                self.company_id.root_id.id,
            )
        )
        users = self.env.execute_query(
            SQL(
                "SELECT usr.id, partner.name FROM res_users usr JOIN res_partner partner ON partner.id = usr.partner_id"
            )
        )
        return dict(customers), dict(users)
