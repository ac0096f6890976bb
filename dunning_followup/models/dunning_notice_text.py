from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang
from odoo.tools.pdf import merge_pdf

from ..engine.text import fill_html, fill_text, variables
from .dunning_notice import _left
from .dunning_step import LONG_CHANNELS

# Letters carry all that they show: without a patched wkhtmltopdf there are no
# headers and footers, and a job may not reach the web server.
LETTER = 'dunning_followup.letter'
LEFT_OUT_SHOWN = 10


class DunningNotice(models.Model):
    """What notices say: values for the texts, the table of items, the letter."""

    _inherit = 'dunning.notice'  # pylint: disable=consider-merging-classes-inherited

    def _lang(self):
        """Return the language of this notice's recipient."""
        self.ensure_one()
        return self.contact_id.lang or self.partner_id.lang or self.company_id.partner_id.lang or self.env.lang

    def _localized(self):
        """Return this notice in the language of its recipient."""
        return self.with_context(lang=self._lang())

    def _money(self, amount, currency=None):
        return formatLang(self.env, amount, currency_obj=currency or self.currency_id)

    def _facts(self, with_claims=True):
        """Return what the text of this notice is filled with, in the language of the environment.

        :param with_claims: False for short texts, which have no place for them
        """
        self.ensure_one()
        lines = [
            {
                'name': line._document_text(),
                'date_due': line.date_due,
                'days': line.days_overdue,
                'amount_currency': line.amount_currency,
                'currency': line.document_currency_id or self.currency_id,
            }
            for line in self.line_ids.sorted(lambda line: (line.date_due, line.id))
        ]
        return self._values(
            self.partner_id,
            self.contact_id,
            self.company_id,
            self.run_id.user_id,
            lines,
            self._claims() if with_claims else [],
        )

    def _claims(self):
        """Return the interest, fees and compensation to show; those of a batch are looked up at once.

        What was not claimed before is shown only where the step claims it. Its own fee is claimed with the sending.
        """
        found = self.env.context.get('dunning_claims')
        if found is None:
            found = self._all_claims()
        claims = found.get((self.company_id.id, self._lang(), self.partner_id.id), [])
        return self._stated_claims(claims, self.step_id, self.company_id, with_fee=self.kind == 'reminder')

    @api.model
    def _stated_claims(self, claims, step, company, with_fee=True):
        """Return those of a customer's claims that a message of a step states, and the step's fee."""
        if not step.with_interest:
            claims = [claim for claim in claims if claim.get('claimed', True)]
        if with_fee and company.currency_id.compare_amounts(step.fee_amount, 0.0) > 0:
            today = company._credit_today()
            fee = {'kind': 'fee', 'move_line_id': False, 'date_from': today, 'date_to': today}
            fee |= {'amount': step.fee_amount, 'currency_id': company.currency_id.id}
            claims = [*claims, self.env['dunning.claim']._notice_values(fee, '')]
        return claims

    def _all_claims(self):
        """Return {(company id, language, partner id): claims} of these notices, up to today."""
        claims = {}
        for (company, lang), group in self.grouped(lambda notice: (notice.company_id, notice._lang())).items():
            Claim = self.env['dunning.claim'].with_context(lang=lang)
            of_company = Claim._for_notice(group.line_ids.move_line_id, company, company._credit_today())
            claims |= {(company.id, lang, partner_id): found for partner_id, found in of_company.items()}
        return claims

    @api.model
    def _values(self, partner, contact, company, user, lines, claims):
        """Return {name: value} for the texts.

        :param lines: dicts of name, date_due, days, amount_currency and currency, by due date
        """
        overdue = [line for line in lines if line['days'] > 0]
        oldest = lines[0] if lines else {'days': 0, 'date_due': False}
        return {
            'contact': contact.name or partner.name or '',
            'customer': partner.name or '',
            'company': company.name,
            'date': format_date(self.env, company._credit_today()),
            'total': self._total(lines, company),
            'overdue': self._total(overdue, company),
            'count': len(lines),
            'numbers': ", ".join(line['name'] for line in lines),
            'oldest_days': max(0, oldest['days']),
            'oldest_due': format_date(self.env, oldest['date_due']) if oldest['date_due'] else '',
            'sender': (user or self.env.user).name if user else company.name,
            'items': self._items_table(lines, company),
            'claims': self._claims_table(claims, lines, company),
            'bank': self._bank_text(company),
        }

    @api.model
    def _total(self, lines, company):
        """Return what these items come to: each currency by itself, for what was invoiced in it is owed in it."""
        totals = defaultdict(float)
        for line in lines:
            totals[line['currency']] += line['currency'].round(line['amount_currency'])
        return " + ".join(
            formatLang(self.env, amount, currency_obj=currency)
            for currency, amount in (totals or {company.currency_id: 0.0}).items()
        )

    @api.model
    def _items_table(self, lines, company):
        """Return the open items as an HTML table whose looks survive mail programs."""
        cell = Markup("<td style='padding:4px 8px;border-bottom:1px solid #ddd;%s'>%s</td>")
        head = Markup("<th style='padding:4px 8px;border-bottom:2px solid #555;text-align:%s'>%s</th>")
        right = "text-align:right;white-space:nowrap"
        rows = []
        for line in lines:
            late = line['days'] if line['days'] > 0 else ''
            cells = [
                cell % ('', line['name']),
                cell % ('white-space:nowrap', format_date(self.env, line['date_due']) if line['date_due'] else ''),
                cell % (right, late),
                cell % (right, formatLang(self.env, line['amount_currency'], currency_obj=line['currency'])),
            ]
            rows.append(Markup("<tr>%s</tr>") % Markup().join(cells))
        titles = [
            head % ('left', self.env._("Document")),
            head % ('left', self.env._("Due on")),
            head % ('right', self.env._("Days overdue")),
            head % ('right', self.env._("Open amount")),
        ]
        total = self._total(lines, company)
        return Markup(
            "<table style='border-collapse:collapse;width:100%%;margin:12px 0'>"
            "<thead><tr>%s</tr></thead><tbody>%s</tbody>"
            "<tfoot><tr><td colspan='%s' style='padding:6px 8px;font-weight:bold'>%s</td>"
            "<td style='padding:6px 8px;font-weight:bold;text-align:right;white-space:nowrap'>%s</td></tr></tfoot>"
            "</table>"
        ) % (Markup().join(titles), Markup().join(rows), len(titles) - 1, self.env._("Total"), total)

    @api.model
    def _claims_table(self, claims, lines, company):
        """Return interest, fees and compensation as an HTML table with what is owed in all, '' of none."""
        if not claims:
            return ''
        rows, owed = [], [*lines]
        for claim in claims:
            currency = self.env['res.currency'].browse(claim.get('currency_id')) or company.currency_id
            owed.append({'amount_currency': claim['amount'], 'currency': currency})
            rows.append(
                Markup(
                    "<tr><td style='padding:4px 8px'>%s</td>"
                    "<td style='padding:4px 8px;text-align:right;white-space:nowrap'>%s</td></tr>"
                )
                % (claim['text'], formatLang(self.env, claim['amount'], currency_obj=currency))
            )
        return Markup(
            "<table style='border-collapse:collapse;width:100%%;margin:12px 0'><tbody>%s</tbody>"
            "<tfoot><tr><td style='padding:6px 8px;font-weight:bold'>%s</td>"
            "<td style='padding:6px 8px;font-weight:bold;text-align:right;white-space:nowrap'>%s</td></tr></tfoot>"
            "</table>"
        ) % (Markup().join(rows), self.env._("Total with interest and costs"), self._total(owed, company))

    @api.model
    def _bank_text(self, company):
        """Return the company's bank accounts in lines."""
        # What a company prints on its invoices is for everybody to read.
        banks = company.sudo().partner_id.bank_ids
        return Markup("<br/>").join(
            " · ".join(filter(None, [bank.bank_name, bank.acc_number, bank.bank_bic])) for bank in banks
        )

    def _long_text(self, values):
        """Return (subject, body) of this notice in the language of the environment."""
        self.ensure_one()
        if self.kind == 'thank_you':
            subject, body = self.plan_id.thank_subject, self.plan_id.thank_body
        else:
            subject, body = self.step_id.subject, self.step_id.body
        return self._fill(subject or self.step_id.name, body or self._short_body(), values)

    def _short_body(self):
        """Return the short text as HTML: of a letter in place of a message that has no address."""
        return Markup("<p style='white-space: pre-wrap'>%s</p><p>{{items}}</p>") % (self.step_id.short_text or '')

    @api.model
    def _fill(self, subject, body, values):
        """Return the filled subject and body; claims follow the items unless the text places them elsewhere."""
        names = variables(body)
        if values['claims'] and 'claims' not in names:
            values = {**values, 'items': Markup("%s%s") % (values['items'], values['claims'])}
        return fill_text(subject, values), fill_html(body, values)

    def _short_text(self, values):
        """Return the short text of this notice, without any table."""
        self.ensure_one()
        return self._fill_short(self.step_id.short_text, values)

    @api.model
    def _fill_short(self, text, values):
        plain = {name: value for name, value in values.items() if name not in ('items', 'claims', 'bank')}
        return fill_text(text, plain)

    # -------------------------------------------------------------------------
    # Preview
    # -------------------------------------------------------------------------

    @api.model
    def _preview(self, step, partner, lang=None):
        """Return a step's text as HTML, as this customer would get it today.

        :param lang: in place of the recipient's language
        """
        partner.check_access('read')
        company = (step.plan_id.company_id or self.env.company.root_id).sudo()
        customer = partner.commercial_partner_id
        if not self.env['credit.account']._visible_partners(customer, self.env.user):
            return Markup("<p class='text-muted'>%s</p>") % self.env._("You may not see what this customer owes.")
        # From here on of a customer whose credit the user may see.
        notices, customer = self.sudo(), customer.sudo()
        recipient = step.recipient or 'followup'
        contact = customer.browse(notices._contacts(company, customer.ids)[customer.id, recipient])
        lang = lang or contact.lang or customer.lang or company.partner_id.lang or self.env.lang
        localized = notices.with_context(lang=lang)
        rows, chased = localized._preview_rows(step, customer, company)
        values = localized._preview_values(step, customer, contact, company, rows)
        # As it would be signed by whoever makes the run.
        values['sender'] = self.env.user.name
        texts = {name: step._text_in(name, lang) for name in ('name', 'subject', 'body', 'short_text')}
        if step.channel in LONG_CHANNELS:
            subject, body = localized._fill(texts['subject'] or texts['name'], Markup(texts['body'] or ''), values)
            html = Markup("<h4>%s</h4>%s") % (subject, body)
        else:
            short = localized._fill_short(texts['short_text'], values)
            html = Markup("<p style='white-space: pre-wrap'>%s</p>") % short
        if chased:
            return html
        hint = self.env._("Nothing would be sent to this customer today; shown is how it would look.")
        return Markup("<p class='text-muted'>%s</p>%s") % (hint, html)

    @api.model
    def _preview_rows(self, step, customer, company):
        """Return what a message of a step would list, and whether it is chased; else all that is open."""
        today = company._credit_today()
        rows = [row for row in self.env['dunning.item']._rows(company, today, customer.ids) if row['remaining'] > 0]
        items = self.env['account.move.line'].browse(row['id'] for row in rows)
        reasons = self.env['dunning.exclusion']._excluded(items, company, today)
        chased = []
        for row in rows:
            left, part = _left(row, reasons, company)
            reached = row['days_overdue'] > 0 or row['days_overdue'] >= step.days
            if reached and not row['in_notice'] and company.currency_id.compare_amounts(left, 0.0) > 0:
                chased.append({**row, 'amount_currency': part})
        return chased or rows, bool(chased)

    @api.model
    def _preview_values(self, step, customer, contact, company, rows):
        """Return the values for a step's texts about these rows of `dunning.item`."""
        claims = []
        if step.channel in LONG_CHANNELS:
            items = self.env['account.move.line'].browse(row['id'] for row in rows)
            found = self.env['dunning.claim']._for_notice(items, company, company._credit_today())
            claims = self._stated_claims(found.get(customer.id, []), step, company)
        return self._values(customer, contact, company, None, self._stated_items(rows), claims)

    @api.model
    def _stated_items(self, rows):
        """Return what texts state of these rows of `dunning.item`."""
        moves = {move.id: move for move in self.env['account.move'].browse(row['move_id'] for row in rows)}
        return [
            {
                'name': moves[row['move_id']]._dunning_name(),
                'date_due': row['date_due'],
                'days': row['days_overdue'],
                'amount_currency': row['amount_currency'],
                'currency': self.env['res.currency'].browse(row['document_currency_id']),
            }
            for row in rows
        ]

    # -------------------------------------------------------------------------
    # Letters
    # -------------------------------------------------------------------------

    def _letter_html(self, statement=False):
        """Return the letter as a whole HTML document; as a statement, all open items of the customer."""
        notice = self._localized()
        values = notice._facts()
        if statement:
            today = self.company_id._credit_today()
            rows = self.env['dunning.item']._rows(self.company_id, today, self.partner_id.ids)
            lines = self._stated_items([row for row in rows if row['remaining'] > 0])
            values['items'] = notice._items_table(lines, self.company_id)
            subject, body = notice.env._("Statement of open items"), values['items']
        else:
            subject, body = notice._long_text(values)
        company = self.company_id
        logo = company.logo_web and f"data:image/png;base64,{company.logo_web.decode()}"
        return notice.env['ir.qweb']._render(
            LETTER,
            {
                'notice': notice,
                'company': company,
                'sender': _address(company.partner_id, without_company=True),
                'address': _address(notice.contact_id or notice.partner_id),
                'subject': subject,
                'body': body,
                'bank': values['bank'],
                'date': values['date'],
                'logo': logo,
                'lang': (notice.env.lang or 'en').replace('_', '-'),
            },
        )

    def _pdf(self, statement=False):
        """Return the letter as PDF; one document per call, which each wkhtmltopdf can do."""
        self.ensure_one()
        html = self._letter_html(statement)
        report = self.env['ir.actions.report'].with_company(self.company_id)
        return report._run_wkhtmltopdf(
            [html],
            specific_paperformat_args={
                'data-report-margin-top': 20,
                'data-report-margin-bottom': 20,
                'data-report-header-spacing': 0,
                'data-report-dpi': 96,
            },
        )

    @api.model
    def _render_batch(self, ids):
        """Make the PDFs of one notice, and hand it on: letters to be printed, e-mails to be sent."""
        notices = self._take(ids, ['rendering'])
        for notice in notices:
            notice._attempt('_render')

    def _render(self):
        self.ensure_one()
        if self.channel == 'letter':
            self.attachment_id = self._attach(self._file_name(), self._pdf())
            notice = self._localized()
            subject, _body = notice._long_text(notice._facts())
            self.write(
                {
                    'state': 'to_print',
                    'reason': False,
                    'subject': subject,
                    'printed': False,
                    'date_stated': self.company_id._credit_today(),
                }
            )
            return
        files = self.env['ir.attachment']
        if self.step_id.attach_statement:
            files += self._attach(self.env._("Statement.pdf"), self._pdf(statement=True))
        if self.step_id.attach_invoices:
            files += self._invoice_files()
        # It may have waited for its PDFs for hours: whether it may go out is looked at again, with others together.
        self.write({'file_ids': [fields.Command.set(files.ids)], 'rendered': True, 'state': 'to_send'})
        self.env.ref('dunning_followup.ir_cron_send').sudo()._trigger()

    def _invoice_files(self):
        """Return the PDFs of the invoices that have reached a step: those that were sent, else new ones."""
        files = self.env['ir.attachment']
        moves = self.line_ids.filtered('step_id').move_id.filtered(lambda move: move.is_sale_document())
        for move in moves:
            if move.invoice_pdf_report_id:
                files += move.invoice_pdf_report_id
                continue
            content, _type = self.env['ir.actions.report']._render_qweb_pdf('account.account_invoices', move.ids)
            files += self._attach(f"{(move.name or 'invoice').replace('/', '-')}.pdf", content)
        return files

    def _file_name(self):
        return f"{(self.partner_id.name or '').replace('/', '-')}-{self.date}.pdf"

    def _attach(self, name, content):
        return self.env['ir.attachment'].create(
            {
                'name': name,
                'raw': content,
                'mimetype': 'application/pdf',
                'res_model': 'dunning.notice',
                'res_id': self.id,
            }
        )

    def _print_action(self):
        """Return the action that opens one PDF of these letters, and tells which were left out.

        Those that wait to be printed are looked at once more, the others are printed as they are.
        """
        left_out = self.filtered(lambda notice: notice.state == 'to_print')._look_again()
        out = ('excluded', 'cancelled')
        letters = (self - left_out).filtered(lambda notice: notice.attachment_id and notice.state not in out)
        if not letters and left_out:
            return left_out._left_out_action({'type': 'ir.actions.act_window_close'})
        if not letters:
            raise UserError(
                self.env._(
                    "No letter is ready to be printed yet. The PDFs are made in the background; look again soon."
                )
            )
        letters.filtered(lambda notice: notice.state == 'to_print').printed = True
        if len(letters) == 1:
            attachment = letters.attachment_id
        else:
            ordered = letters.sorted(lambda notice: (notice.contact_id.zip or '', notice.id))
            attachment = self.env['ir.attachment'].create(
                {
                    'name': self.env._("Letters.pdf"),
                    'raw': merge_pdf([notice.attachment_id.raw for notice in ordered]),
                    'mimetype': 'application/pdf',
                    'res_model': 'dunning.run',
                    'res_id': letters.run_id[:1].id,
                }
            )
        url = f'/web/content/{attachment.id}?download=true'
        return left_out._left_out_action({'type': 'ir.actions.act_url', 'url': url, 'target': 'new'})

    def _left_out_action(self, action):
        """Return an action after the message which of these letters were left out, and why."""
        if not self:
            return action
        said = [f'{notice.partner_id.display_name}: {notice.reason}' for notice in self[:LEFT_OUT_SHOWN]]
        if more := len(self) - len(said):
            said.append(self.env._("And %(count)s more.", count=more))
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'title': self.env._("Letters not printed: %(count)s", count=len(self)),
                'message': " ".join(said),
                'type': 'warning',
                'sticky': True,
                'next': action,
            },
        }


def _address(partner, without_company=False):
    """Return an address without empty lines; of a company itself under its name."""
    lines = [line.strip() for line in partner._display_address(without_company=without_company).splitlines()]
    name = partner.name if not without_company and partner.name not in lines else ''
    return "\n".join(filter(None, [name, *lines]))
