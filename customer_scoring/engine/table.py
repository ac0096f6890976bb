"""Tables as people have them: CSV in some encoding, workbooks, dates and numbers in some notation."""

import csv
import io
import re
import zipfile
from datetime import date, datetime
from itertools import islice

MOST_BYTES = 10 * 1024 * 1024
# A workbook is a zip: so much may come out of it.
MOST_UNPACKED = 150 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 60
DELIMITERS = ',;\t|'


class TableError(Exception):
    """What is wrong with a file: `code` for the words, `details` to fill in."""

    def __init__(self, code, **details):
        """Keep what is wrong."""
        super().__init__(code)
        self.code = code
        self.details = details


def read_table(content, encoding=None):
    """Return (headers, [(line number, values)]) of a CSV file or the first sheet of a workbook.

    Line numbers are those that a person sees. Values are text, numbers or dates.

    :raise TableError: if it is too large, or no table
    """
    if len(content) > MOST_BYTES:
        raise TableError('large', megabytes=MOST_BYTES // 1024 // 1024)
    rows = list(islice(_xlsx_rows(content) if content[:2] == b'PK' else _csv_rows(content, encoding), MOST_ROWS + 2))
    if len(rows) > MOST_ROWS + 1:
        raise TableError('rows', most=MOST_ROWS)
    if len(rows) < 2:
        raise TableError('empty')
    (_line, headers), *body = rows
    headers = [str(header).strip() for header in headers]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        raise TableError('columns', most=MOST_COLUMNS)
    width = len(headers)
    return headers, [(line, (values + [''] * width)[:width]) for line, values in body]


def _filled(values):
    return any(value not in (None, '') and str(value).strip() for value in values)


def decode(content, encoding=None):
    """Return the text of a file, guessing its encoding among those that offices use unless it is given."""
    for candidate in [encoding] if encoding else ['utf-8-sig', 'utf-16', 'gb18030', 'cp1252']:
        if candidate == 'utf-16' and content[:2] not in (b'\xff\xfe', b'\xfe\xff'):
            continue
        try:
            text = content.decode(candidate)
        except UnicodeError:
            continue
        # Western accents read as GB 18030 make rare characters of odd ones.
        if candidate == 'gb18030' and not encoding and not re.search('[\u4e00-\u9fff]{2}', text):
            continue
        return text
    raise TableError('encoding')


def _csv_rows(content, encoding):
    text = decode(content, encoding)
    if '\0' in text:
        raise TableError('format')
    head = text.split('\n', 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter)
    line = 1
    try:
        for values in reader:
            if _filled(values):
                yield line, values
            # A quoted value may go over several lines: the row is where it begins.
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError('format') from error


def _xlsx_rows(content):
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_UNPACKED:
                raise TableError('large', megabytes=MOST_UNPACKED // 1024 // 1024)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for line, values in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1), 1):
            if _filled(values):
                yield line, ['' if value is None else value for value in values]
    except TableError:
        raise
    except Exception as error:  # whatever a broken workbook makes its reader raise
        raise TableError('format') from error


def parse_number(value):
    """Return the number of a cell, written with a point or a comma.

    :raise ValueError: 'ambiguous' for what could be thousands or decimals, 'number' for what is no number
    """
    if isinstance(value, bool):
        raise ValueError("number")
    if isinstance(value, (int, float)):
        return float(value)
    text = re.sub(r"[\s\u00a0\u202f'’%]", '', str(value))
    if not re.fullmatch(r'[-+]?[\d.,]*\d[\d.,]*', text):
        raise ValueError("number")
    point, comma = text.rfind('.'), text.rfind(',')
    if point >= 0 and comma >= 0:
        thousands = ',' if point > comma else '.'
        text = text.replace(thousands, '')
    elif text.count(',') > 1:
        text = text.replace(',', '')
    elif text.count('.') > 1:
        text = text.replace('.', '')
    elif re.fullmatch(r'[-+]?[1-9]\d{0,2},\d{3}', text):
        raise ValueError("ambiguous")
    try:
        return float(text.replace(',', '.'))
    except ValueError:
        raise ValueError("number") from None


def parse_date(value, day_first=True):
    """Return the date of a cell.

    :param day_first: how 01/02/2026 is meant; a year in front and dots need no such choice
    :raise ValueError: for what is no date
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    text = re.sub(r'[T ]\d{1,2}:\d{2}.*$', '', text)
    if match := re.fullmatch(r'(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{4})(\d\d)(\d\d)', text):
        return date(*(int(part) for part in match.groups() if part))
    if match := re.fullmatch(r'(\d{1,2})([-/.])(\d{1,2})\2(\d{4})', text):
        first, sign, second, year = match.groups()
        day, month = (first, second) if day_first or sign == '.' else (second, first)
        return date(int(year), int(month), int(day))
    raise ValueError("date")
