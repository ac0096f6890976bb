import base64
import hashlib
import re

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..engine.table import TableError, parse_date, parse_number, read_table
from ..models.scoring_fact import LEGAL_BASIS_LABELS

TARGET_LABELS = [
    ('code', "Customer: registration code"),
    ('vat', "Customer: tax ID"),
    ('ref', "Customer: reference"),
    ('name', "Customer: name"),
    ('rating', "Rating"),
    ('date', "As of"),
    ('date_until', "Valid until"),
    ('note', "Note"),
]
# By what a customer is found: the first that is somebody's wins.
CUSTOMER_TARGETS = ('code', 'vat', 'ref', 'name')
# What headers say, in small letters without blanks and signs: the first that is found in one.
HEADER_WORDS = [
    ('date_until', ('validuntil', 'validto', 'expir', 'gültigbis', '有效期', '到期')),
    ('date', ('date', 'asof', 'datum', 'stand', '日期')),
    ('vat', ('vat', 'taxid', 'taxnumber', 'ustid', '税号', '纳税人')),
    ('code', ('registration', 'registry', 'companyid', 'creditcode', 'crefo', 'duns', '信用代码', '注册号', '登记号')),
    ('ref', ('reference', 'customernumber', 'customerno', 'debtor', 'kundennummer', '客户编号', '客户代码', '编号')),
    ('rating', ('rating', 'score', 'grade', 'index', 'bonität', '评级', '评分', '等级', '分数')),
    ('name', ('name', 'customer', 'company', 'firma', 'kunde', '名称', '客户', '公司', '企业')),
    ('note', ('note', 'comment', 'remark', 'bemerkung', '备注', '说明')),
]
# So many rows are shown of each kind; all are counted.
SHOWN = {'error': 1000, 'ok': 200, 'same': 200}


class ScoringRatingUpload(models.TransientModel):
    """Asks for a file of ratings, what its columns are, shows what it would do, and does it."""

    _name = 'scoring.rating.upload'
    _inherit = ['credit.dialog']
    _description = "Import Ratings"

    state = fields.Selection(
        [('file', "File"), ('columns', "Columns"), ('checked', "Check")], required=True, readonly=True, default='file'
    )
    company_id = fields.Many2one(
        'res.company',
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False), ('id', 'parent_of', allowed_company_ids)]",
        help="The main company; its branches are included.",
    )
    provider_id = fields.Many2one(
        'scoring.rating.provider',
        required=True,
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
    )
    file = fields.Binary(required=True, attachment=False, help="CSV or Excel (.xlsx), up to 10 MB and 20,000 rows.")
    file_name = fields.Char()
    encoding = fields.Selection(
        [('utf-8-sig', "UTF-8"), ('gb18030', "Chinese (GB 18030)"), ('cp1252', "Western European (Windows-1252)")],
        help="Of a CSV file. Empty: found out by itself.",
    )
    day_order = fields.Selection(
        [('day', "Day before month"), ('month', "Month before day")],
        string="Dates Like 01/02/2026",
        required=True,
        default=lambda self: self._default_day_order(),
    )
    date = fields.Date(
        string="Ratings As Of",
        required=True,
        default=lambda self: self.env.company._credit_today(),
        help="Where the file has no date.",
    )
    purpose = fields.Char(
        required=True,
        default=lambda self: self.env['scoring.rating']._default_purpose(),
        help="Why the ratings are kept; stays with each of them.",
    )
    legal_basis = fields.Selection(
        LEGAL_BASIS_LABELS,
        required=True,
        default='interest',
        help="What allows to keep them, by the law on data protection.",
    )
    all_or_nothing = fields.Boolean(
        string="All or Nothing", help="Import nothing while a row is wrong. Otherwise what is right is imported."
    )
    column_ids = fields.One2many('scoring.rating.upload.column', 'upload_id', string="Columns")
    row_ids = fields.One2many('scoring.rating.upload.row', 'upload_id', string="Rows", readonly=True)
    ok_count = fields.Integer(string="To Import", readonly=True)
    same_count = fields.Integer(string="Already There", readonly=True)
    error_count = fields.Integer(string="Wrong", readonly=True)
    not_shown = fields.Integer(readonly=True)

    @api.model
    def _default_day_order(self):
        date_format = self.env['res.lang']._get_data(code=self.env.lang).date_format or '%d'
        return 'month' if date_format.find('%m') < date_format.find('%d') else 'day'

    # -------------------------------------------------------------------------
    # Steps
    # -------------------------------------------------------------------------

    def action_read(self):
        """Read the file and guess what its columns are.

        :raise UserError: if it is no table
        """
        self.ensure_one()
        self._check_allowed()
        headers, rows = self._read()
        self.write(
            {
                'state': 'columns',
                'row_ids': [Command.clear()],
                'column_ids': [
                    Command.clear(),
                    *(
                        Command.create(
                            {'number': number, 'name': header or f'#{number + 1}', 'target': target, 'sample': sample}
                        )
                        for number, (header, target, sample) in enumerate(
                            zip(headers, self._guess(headers), self._samples(headers, rows), strict=True)
                        )
                    ),
                ],
            }
        )
        return self._reopen()

    def action_check(self):
        """Show what the import would do, without doing it."""
        self.ensure_one()
        self._check_allowed()
        self._show(self._examine())
        self.state = 'checked'
        return self._reopen()

    def action_back(self):
        """Go one step back."""
        self.ensure_one()
        self.check_access('write')
        self.state = 'columns' if self.state == 'checked' else 'file'
        return self._reopen()

    def action_import(self):
        """Import the rows that are right, or nothing if the user wants all or nothing; open the import.

        :raise UserError: if there is nothing to import, or a row is wrong and nothing is to be left out
        :raise AccessError: if the user may not enter ratings
        """
        self.ensure_one()
        self._check_allowed()
        rows = self._examine()
        counts = self._counts(rows)
        if self.all_or_nothing and counts['error']:
            raise UserError(
                self.env._(
                    "%(count)s rows are wrong, so nothing was imported. Correct them, or import what is right.",
                    count=counts['error'],
                )
            )
        if not counts['ok']:
            raise UserError(self.env._("There is nothing to import. Look at the rows and what is wrong with them."))
        log = self.env['scoring.rating.import']._store(
            self.provider_id,
            self.company_id,
            [row['vals'] for row in rows if row['state'] == 'ok'],
            purpose=self.purpose,
            legal_basis=self.legal_basis,
            file_name=self.file_name,
            fingerprint=hashlib.sha256(self._content()).hexdigest(),
            same_count=counts['same'],
            error_count=counts['error'],
        )
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'scoring.rating.import',
            'res_id': log.id,
            'views': [(False, 'form')],
        }

    def _check_allowed(self):
        self.check_access('write')
        self.env['scoring.rating'].check_access('create')
        if self.company_id not in self.env.user.company_ids.sudo().root_id:
            raise UserError(self.env._("You can only import for your own companies."))
        self.provider_id._check_serves(self.company_id)

    def _reopen(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Import Ratings"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'dialog_size': 'extra-large'},
        }

    # -------------------------------------------------------------------------
    # The file
    # -------------------------------------------------------------------------

    def _content(self):
        # With its content, not its size, whatever the caller's context says.
        return base64.b64decode(self.with_context(bin_size=False).file or b'')

    def _read(self):
        """Return (headers, rows) of the file, see `read_table`."""
        try:
            return read_table(self._content(), self.encoding or None)
        except TableError as error:
            raise UserError(self._table_message(error)) from error

    def _table_message(self, error):
        match error.code:
            case 'large':
                return self.env._("The file is larger than %(megabytes)s MB. Split it into several.", **error.details)
            case 'rows':
                return self.env._("The file has more than %(most)s rows. Split it into several.", **error.details)
            case 'columns':
                return self.env._(
                    "The file has more than %(most)s columns. Leave out what isn't needed.", **error.details
                )
            case 'empty':
                return self.env._("The file has no rows. Its first row names the columns, the others are the ratings.")
            case 'encoding':
                return self.env._("The text of the file can't be read. Choose its encoding, or save it as UTF-8.")
            case _:
                return self.env._("This is no table. Choose a CSV file or an Excel workbook (.xlsx).")

    @api.model
    def _guess(self, headers):
        """Return for each header what its column is; each but once."""
        targets, taken = [], set()
        for header in headers:
            text = re.sub(r'[\W_]', '', header.casefold())
            target = next(
                (
                    target
                    for target, words in HEADER_WORDS
                    if target not in taken and any(word in text for word in words)
                ),
                False,
            )
            taken.add(target)
            targets.append(target)
        return targets

    @api.model
    def _samples(self, headers, rows):
        """Return for each column its first values."""
        return [
            ', '.join(str(values[place]) for _line, values in rows[:20] if str(values[place]).strip())[:60]
            for place in range(len(headers))
        ]

    # -------------------------------------------------------------------------
    # The rows
    # -------------------------------------------------------------------------

    def _mapping(self):
        """Return {target: place of its column}.

        :raise UserError: if a customer or rating can't be found by it
        """
        labels = dict(self.env['scoring.rating.upload.column']._fields['target']._description_selection(self.env))
        mapping = {}
        for column in self.column_ids.filtered('target'):
            if column.target in mapping:
                raise UserError(self.env._("Two columns are “%(target)s”. Keep one.", target=labels[column.target]))
            mapping[column.target] = column.number
        if 'rating' not in mapping:
            raise UserError(self.env._("Say which column is the rating."))
        if not mapping.keys() & set(CUSTOMER_TARGETS):
            raise UserError(
                self.env._("Say which column names the customer: by registration code, tax ID, reference or name.")
            )
        return mapping

    def _examine(self):
        """Return what each row of the file is: a dict with `line state message vals` and what is shown of it."""
        mapping = self._mapping()
        headers, table = self._read()
        if max(mapping.values()) >= len(headers):
            raise UserError(self.env._("The file has other columns than before. Read it again."))
        rows = [
            {'line': line, 'cells': {target: values[place] for target, place in mapping.items()}}
            for line, values in table
        ]
        found = self._find_customers(rows)
        for row in rows:
            try:
                row['partner'], row['matched_by'] = self._customer_of(row['cells'], found)
                row['vals'] = self._prepare_rating(row['cells'], row['partner'])
                row['state'], row['message'] = 'ok', False
            except UserError as error:
                row['state'], row['message'] = 'error', str(error)
        self._mark_same(rows)
        return rows

    def _find_customers(self, rows):
        """Return {target: {text: commercial partners that the user may read}}, in a statement or two per target."""
        wanted = {
            target: {str(row['cells'].get(target, '')).strip() for row in rows} - {''} for target in CUSTOMER_TARGETS
        }
        Partner = self.env['res.partner']
        companies = Domain('company_id', 'in', [False, *self.company_id.sudo()._credit_branch_ids()])
        codes = Partner._credit_with_codes(wanted['code'] | wanted['vat'])
        found = {'code': codes, 'vat': codes}
        for target in ('ref', 'name'):
            found[target] = {}
            for partner in Partner.search(Domain(target, 'in', sorted(wanted[target])) & companies):
                text = partner[target].strip()
                found[target][text] = found[target].get(text, Partner) | partner.commercial_partner_id
        return found

    def _customer_of(self, cells, found):
        """Return (customer, by what it was found) of a row.

        :raise UserError: if there is none, several, or another by another column
        """
        hits = []
        for target in CUSTOMER_TARGETS:
            text = str(cells.get(target, '')).strip()
            if text and (partners := found[target].get(text)):
                hits.append((target, text, partners))
        if not hits:
            texts = [str(cells[target]).strip() for target in CUSTOMER_TARGETS if str(cells.get(target, '')).strip()]
            if not texts:
                raise UserError(self.env._("The row names no customer."))
            raise UserError(self.env._("No customer is known as “%(text)s”.", text="”, “".join(texts)))
        target, text, partners = hits[0]
        if len(partners) > 1:
            # Another column may tell which of them is meant.
            for other_target, _text, others in hits[1:]:
                if len(both := partners & others) == 1:
                    return both, other_target
            raise UserError(
                self.env._(
                    "“%(text)s” are %(count)s customers: %(names)s.",
                    text=text,
                    count=len(partners),
                    names=", ".join(partners[:3].mapped('display_name')),
                )
            )
        for _target, other_text, others in hits[1:]:
            if partners not in others:
                raise UserError(
                    self.env._(
                        "“%(text)s” is %(customer)s, but “%(other_text)s” is %(other)s.",
                        text=text,
                        customer=partners.display_name,
                        other_text=other_text,
                        other=others[:1].display_name,
                    )
                )
        return partners, target

    def _prepare_rating(self, cells, partner):
        """Return the values of a row's rating.

        :raise UserError: if one of them is wrong
        """
        if partner.company_id and partner.sudo().company_id.root_id != self.company_id:
            raise UserError(self.env._("%(customer)s is a customer of another company.", customer=partner.display_name))
        raw = cells['rating']
        if not str(raw).strip():
            raise UserError(self.env._("The row has no rating."))
        vals = {'partner_id': partner.id, 'note': str(cells.get('note', '')).strip() or False}
        if self.provider_id.scale == 'number':
            try:
                vals['value'] = parse_number(raw)
            except ValueError as error:
                raise UserError(self._number_message(raw, error)) from error
            self.provider_id._score(vals['value'])
        else:
            vals['grade'] = str(raw).strip()
            self.provider_id._score(grade=vals['grade'])
        vals['date'] = self._day_of(cells, 'date') or self.date
        vals['date_until'] = self._day_of(cells, 'date_until')
        if vals['date'] > self.company_id.sudo()._credit_today():
            raise UserError(self.env._("The day of the rating, %(day)s, is yet to come.", day=vals['date']))
        if vals['date_until'] and vals['date_until'] < vals['date']:
            raise UserError(self.env._("The rating ends before its day."))
        return vals

    def _number_message(self, raw, error):
        if str(error) == 'ambiguous':
            return self.env._(
                "“%(text)s” can be read in two ways. Write it without signs between thousands, or with a point.",
                text=raw,
            )
        return self.env._("“%(text)s” is no number.", text=raw)

    def _day_of(self, cells, target):
        raw = cells.get(target, '')
        if not str(raw).strip():
            return False
        try:
            return parse_date(raw, self.day_order == 'day')
        except ValueError:
            raise UserError(self.env._("“%(text)s” is no date. Write it like 2026-03-31.", text=raw)) from None

    def _mark_same(self, rows):
        """Mark the rows that say what is known already, and those that the file itself says twice."""
        right = [row for row in rows if row['state'] == 'ok']
        known = {
            (rating.partner_id.id, rating.date): (
                rating.value if rating.scale == 'number' else self.provider_id._clean_grade(rating.grade or '')
            )
            for rating in self.env['scoring.rating'].search(
                [
                    ('provider_id', '=', self.provider_id.id),
                    ('company_id', '=', self.company_id.id),
                    ('partner_id', 'in', [row['vals']['partner_id'] for row in right]),
                ],
                order='date, id',
            )
        }
        seen = {}
        for row in right:
            vals = row['vals']
            key = (vals['partner_id'], vals['date'])
            value = round(vals['value'], 2) if 'value' in vals else self.provider_id._clean_grade(vals['grade'])
            if key in seen:
                if seen[key][1] == value:
                    row.update(state='same', message=self.env._("As in row %(line)s.", line=seen[key][0]))
                else:
                    row.update(
                        state='error',
                        message=self.env._(
                            "Row %(line)s gives this customer another rating for the same day.", line=seen[key][0]
                        ),
                    )
                continue
            seen[key] = (row['line'], value)
            if known.get(key) == value:
                row.update(state='same', message=self.env._("Known already."))

    @api.model
    def _counts(self, rows):
        return {state: sum(row['state'] == state for row in rows) for state in SHOWN}

    def _show(self, rows):
        """Keep what the dialog shows of the rows: what is wrong first."""
        counts = self._counts(rows)
        shown = [row for state, most in SHOWN.items() for row in [r for r in rows if r['state'] == state][:most]]
        self.row_ids.unlink()
        self.env['scoring.rating.upload.row'].create(
            [
                {
                    'upload_id': self.id,
                    'line': row['line'],
                    'state': row['state'],
                    'message': row['message'],
                    'customer': next(
                        (str(row['cells'][name]) for name in ('name', 'ref', 'code', 'vat') if row['cells'].get(name)),
                        '',
                    ),
                    'rating': str(row['cells']['rating']),
                    'partner_id': row['partner'].id if row.get('partner') else False,
                    'matched_by': row.get('matched_by', False),
                    'date': row['vals']['date'] if row.get('vals') else False,
                }
                for row in shown
            ]
        )
        self.write(
            {
                'ok_count': counts['ok'],
                'same_count': counts['same'],
                'error_count': counts['error'],
                'not_shown': len(rows) - len(shown),
            }
        )
