"""Lists of people as files that are safe to open: CSV with a byte-order mark, or Excel.

A name such as `=cmd|…` must never run. In CSV a text that a spreadsheet would take for a formula is
written with an apostrophe before it; in Excel every text is written as text, so it stays as it is.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import xlsxwriter

from tilth.errors import InvalidInput

__all__ = ["FORMATS", "Value", "csv_bytes", "safe_text", "write_file", "xlsx_bytes"]

FORMATS = ("csv", "xlsx")
Value = str | int | float | None
# What Excel, LibreOffice and WPS read as the start of a formula, also in full width, and the separators
# behind which one could hide.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SHEET_ROWS = 1_048_575  # Excel's limit, less the header
_CHUNK = 1 << 16


def write_file(format: str, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """The file's bytes in pieces. Raises `InvalidInput` for a format that is not one."""
    if format == "csv":
        return csv_bytes(header, rows)
    if format == "xlsx":
        return xlsx_bytes(header, rows)
    raise InvalidInput("format", f"{format!r} is not a format of exports", list(FORMATS))


def safe_text(value: Value) -> Value:
    """The value, with an apostrophe before a text that begins like a formula. Numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" \u3000").startswith(_DANGEROUS):
        return "'" + value
    return value


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """UTF-8 with a byte-order mark, so that Excel shows Chinese right; CRLF lines."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe_text(v) for v in row])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def xlsx_bytes(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """An Excel file, written row by row to disk; a further sheet from 1,048,576 rows on."""
    with tempfile.TemporaryFile() as file:
        _write_workbook(file, header, rows)
        file.seek(0)
        while piece := file.read(_CHUNK):
            yield piece


def _write_workbook(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    book = xlsxwriter.Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    )
    bold = book.add_format({"bold": True})
    sheet, line = _new_sheet(book, header, bold), 1
    for row in rows:
        if line > _SHEET_ROWS:
            sheet, line = _new_sheet(book, header, bold), 1
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(line, column, value[:32_767])
            elif value is not None:
                sheet.write_number(line, column, value)
        line += 1
    book.close()


def _new_sheet(book: xlsxwriter.Workbook, header: Sequence[str], bold: object) -> xlsxwriter.worksheet.Worksheet:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(header):
        sheet.write_string(0, column, name, bold)
        sheet.set_column(column, column, 16)
    return sheet
