from odoo import models
from odoo.tools import format_date

# The money columns that are summed at the foot.
SUMS = ('open_item', 'overdue_amount', 'exposure', 'held_order_count')


class CreditHandover(models.Model):
    """The sheet of a hand-over, with the balances that are signed for, as a workbook."""

    _inherit = 'credit.handover'  # pylint: disable=consider-merging-classes-inherited

    def _sheet_name(self):
        self.ensure_one()
        return f'{self.env._("hand-over")}-{self.id}-{self.figures_date or self.date}.xlsx'

    def _write_sheet(self, target):
        """Write the sheet into an open binary file; text never becomes a formula.

        :raise AccessError: if the user may not read the hand-over
        """
        import xlsxwriter
        from xlsxwriter.utility import xl_range

        self.ensure_one()
        self.check_access('read')
        labels = self.line_ids.fields_get()
        columns = [
            (self.env._("Customer"), 36, None),
            (self.env._("Reference"), 14, None),
            (self.env._("Successor"), 22, None),
            *(
                (labels[name]['string'], 16, name)
                for name in (
                    'open_item', 'overdue_amount', 'days_overdue', 'effective_limit', 'exposure', 'held_order_count'
                )
            ),
        ]  # fmt: skip
        with xlsxwriter.Workbook(target) as book:
            sheet = book.add_worksheet(self.env._("Hand-Over"))
            title, bold = book.add_format({'bold': True, 'font_size': 14}), book.add_format({'bold': True})
            digits = self.currency_id.decimal_places
            money_format = f'#,##0.{"0" * digits}' if digits else '#,##0'
            money = book.add_format({'num_format': money_format})
            total = book.add_format({'num_format': money_format, 'bold': True, 'top': 1})
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
            sheet.write_string(0, 0, self._sheet_title(), title)
            row = 1
            for label, value in self._sheet_head():
                sheet.write_string(row, 0, label)
                sheet.write_string(row, 1, value)
                row += 1
            row += 1
            head = row
            for place, (label, width, _name) in enumerate(columns):
                sheet.set_column(place, place, width)
                sheet.write_string(head, place, label, bold)
            for line in self.line_ids:
                row += 1
                texts = (line.partner_id.display_name, line.partner_id.ref or '', line.successor_id.name)
                for place, text in enumerate(texts):
                    sheet.write_string(row, place, text)
                for place, (_label, _width, name) in enumerate(columns[len(texts) :], start=len(texts)):
                    if name == 'effective_limit' and line.unlimited:
                        sheet.write_string(row, place, self.env._("Unlimited"))
                    else:
                        integer = name in ('days_overdue', 'held_order_count')
                        sheet.write_number(row, place, line[name], None if integer else money)
            row += 1
            sheet.write_string(row, 0, self.env._("Total"), bold)
            sums = {
                'open_item': self.open_item_total,
                'overdue_amount': self.overdue_total,
                'exposure': self.exposure_total,
                'held_order_count': self.held_order_total,
            }
            for place, (_label, _width, name) in enumerate(columns):
                if name in SUMS:
                    # A formula with its result, for readers that don't calculate.
                    formula = f'=SUM({xl_range(head + 1, place, row - 1, place)})' if self.line_ids else '=0'
                    sheet.write_formula(row, place, formula, bold if name == 'held_order_count' else total, sums[name])
            row += 2
            sheet.write_string(row, 0, self.env._("Open items by currency"), bold)
            for currency, amount in self._currency_totals():
                row += 1
                sheet.write_string(row, 0, currency.name)
                sheet.write_number(row, 1, amount, money)
            row += 2
            for label, name in self._signatures():
                sheet.write_string(row, 0, label, bold)
                sheet.write_string(row, 1, name)
                sheet.write_string(row, 3, self.env._("Date, signature:"))
                row += 2

    def _sheet_title(self):
        return self.env._("Hand-over of customers: %(company)s", company=self.company_id.name)

    def _sheet_head(self):
        """Return [(label, text)] of what stands above the customers."""
        self.ensure_one()
        debts = dict(self._fields['old_debts']._description_selection(self.env))
        return [
            (self.env._("Handed Over By"), self.user_id.name),
            (self.env._("Successors"), ", ".join((self.line_ids.successor_id or self.successor_id).mapped('name'))),
            (self.env._("Day of the hand-over"), format_date(self.env, self.date)),
            (self.env._("Balances of"), format_date(self.env, self.figures_date)),
            (self.env._("Currency"), self.currency_id.name),
            (self.env._("Old debts"), debts[self.old_debts]),
        ]

    def _signatures(self):
        """Return [(role, name)] of those who sign; the manager who confirms signs last."""
        self.ensure_one()
        return [
            (self.env._("Handed over by"), self.user_id.name),
            *((self.env._("Taken over by"), user.name) for user in self.line_ids.successor_id or self.successor_id),
            (self.env._("Credit manager"), self.confirmed_by_id.name or ''),
        ]
