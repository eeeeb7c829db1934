"""Excel workbooks (xlsx, xlsm, xlsb, xls, ods) through calamine, and what is refused before it sees them.

A workbook's cells are decoded into a dense grid, so one cell far away could ask for any amount of
memory; the sheets of an xlsx are therefore scanned as a stream first.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from tilth.collect.imports.chunks import Chunk, RowText, TableFormat, whole_rows
from tilth.collect.imports.files import InputFile, check_archive, reading
from tilth.collect.imports.layout import find_header
from tilth.collect.imports.spans import Spans
from tilth.compiled import njit
from tilth.errors import InvalidInput

__all__ = ["ExcelReader"]

_ROWS = 65_536
MAX_CELLS = 40_000_000
_MAX_PART = 4 << 30


class ExcelReader:
    """One sheet of a workbook: the one asked for, or the first that holds a table."""

    def __init__(self, file: InputFile, sheet: str | None = None, header: bool | None = None) -> None:
        self.file = file
        kind = _kind(file)
        with reading(file.name):
            _check_workbook(file)
        try:
            book = CalamineWorkbook.from_path(str(file.path))
        except (CalamineError, OSError, ValueError) as error:
            raise _unreadable(file, error) from None
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise InvalidInput("options.sheet", f"{file.name} has no sheet {sheet!r}", names)
        self._sheet = None
        for name in [sheet] if sheet is not None else names:
            opened = self._open(book, name)
            if (opened.height >= 1 and opened.width >= 2) or sheet is not None:
                self._sheet = opened
                break
        if self._sheet is None:
            raise InvalidInput("file", f"{file.name} holds no rows")
        first = [_texts(row) for row in self._rows(0, 200)]
        self._skip, has_header, self.columns = find_header(first, header)
        self.format = TableFormat(
            kind=kind, compression="none", encoding="", delimiter="", sheet=self._sheet.name, header=has_header
        )

    def _open(self, book: Any, name: str) -> Any:
        try:
            return book.get_sheet_by_name(name)
        except (CalamineError, OSError, ValueError) as error:
            raise _unreadable(self.file, error) from None

    def _rows(self, start: int, count: int) -> list[list[Any]]:
        assert self._sheet is not None, "opened in __init__"
        rows = []
        for number, row in enumerate(self._sheet.iter_rows()):
            if number < start:
                continue
            if number >= start + count:
                break
            rows.append(row)
        return rows

    def chunks(
        self, wanted: set[int], *, start: int = 0, line: int = 0, rows: int | None = None, size: int | None = None
    ) -> Iterator[Chunk]:
        assert self._sheet is not None, "opened in __init__"
        total = max(self._sheet.height, 1)
        done = 0
        begin = self._skip + start
        pending: list[list[Any]] = []
        numbers: list[int] = []
        for number, row in enumerate(self._sheet.iter_rows()):
            if number < begin:
                continue
            if any(cell not in ("", None) for cell in row):
                pending.append(row)
                numbers.append(number)
            if len(pending) >= _ROWS:
                yield self._chunk(pending, numbers, wanted, number + 1, total)
                done += len(pending)
                pending, numbers = [], []
                if rows is not None and done >= rows:
                    return
        if pending:
            yield self._chunk(pending, numbers, wanted, numbers[-1] + 1, total)

    def _chunk(self, rows: list[list[Any]], numbers: list[int], wanted: set[int], end: int, total: int) -> Chunk:
        columns: list[Spans | None] = [None] * len(self.columns)
        typed: dict[int, Spans] = {}
        for c in sorted(wanted):
            values = [row[c] if c < len(row) else "" for row in rows]
            columns[c] = Spans.of(pa.array(_texts(values), pa.large_string()))
            fragments = [_fragment(v) for v in values]
            if any(fragments):
                typed[c] = Spans.of(pa.array(fragments, pa.large_string()))
        offset = self._sheet.start[0] if self._sheet is not None and self._sheet.start else 0

        def row_text(chosen: npt.NDArray[np.int64]) -> list[RowText]:
            result = []
            for i in chosen.tolist():
                cells = _texts(rows[i])
                result.append(RowText(numbers[i] + offset + 1, "\t".join(cells), cells))
            return result

        return Chunk(
            rows=len(rows),
            columns=columns,
            shape=whole_rows(len(rows)),
            end=end - self._skip,
            next_line=end + 1,
            consumed=min(end * self.file.bytes // total, self.file.bytes),
            row_text=row_text,
            typed=typed,
            utf8_checked=True,
        )


def _texts(row: list[Any]) -> list[str]:
    return [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    """A cell as it would be typed; whole numbers without a point, dates as ISO."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, dt.timedelta):
        seconds = int(cell.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return "" if cell is None else str(cell)


def _fragment(cell: Any) -> str | None:
    """A number or truth value as JSON; text gives None."""
    return _text(cell) if isinstance(cell, int | float) else None


def _kind(file: InputFile) -> str:
    suffix = file.path.suffix.lower().lstrip(".")
    return suffix if suffix in ("xlsx", "xlsm", "xlsb", "xls", "ods") else "xlsx"


def _unreadable(file: InputFile, error: Exception) -> InvalidInput:
    text = str(error)
    if "assword" in text or "ncrypt" in text:
        return InvalidInput("file", f"{file.name} is protected with a password; save it without one")
    return InvalidInput("file", f"{file.name} cannot be read as a workbook: {text}")


def _check_workbook(file: InputFile) -> None:
    """Refuse an archive that would unpack to too much, that declares entities, or whose cells span too far."""
    if not zipfile.is_zipfile(file.path):
        return
    with zipfile.ZipFile(file.path) as archive:
        members = archive.infolist()
        check_archive(file.name, file.bytes, members)
        for member in members:
            if not member.filename.endswith((".xml", ".rels")):
                continue
            if member.file_size > _MAX_PART:
                raise InvalidInput("file", f"{file.name} is larger than any workbook; export it as CSV")
            _check_part(file, archive, member)


def _check_part(file: InputFile, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    sheet = "worksheets/" in member.filename
    state = np.zeros(4, np.int64)  # rows, columns, cells in this row, rows seen
    with archive.open(member) as stream:
        before = b""
        first = True
        while piece := stream.read(1 << 20):
            if first and (b"<!DOCTYPE" in piece[:4096] or b"<!ENTITY" in piece):
                raise InvalidInput("file", f"{file.name} declares XML entities, which no workbook needs")
            first = False
            if not sheet:
                if len(piece) < 1 << 20:
                    break
                continue
            joined = before + piece
            _span(np.frombuffer(joined, np.uint8), state)
            before = joined[-32:]
    if sheet and max(state[0], state[3]) * max(state[1], 1) > MAX_CELLS:
        raise InvalidInput(
            "file",
            f"{file.name} spans {int(max(state[0], state[3])):,} rows by {int(state[1]):,} columns; "
            f"at most {MAX_CELLS:,} cells are read, export it as CSV",
        )


@njit(cache=True, nogil=True)
def _span(data, state):  # type: ignore[no-untyped-def]
    """Largest row and column named by `r="XFD1048576"` (state[0], state[1]); rows counted in state[3]."""
    n = len(data)
    for i in range(n - 4):
        if data[i] == 60 and data[i + 1] == 114 and data[i + 2] == 111 and data[i + 3] == 119:  # <row
            state[3] += 1
            state[2] = 0
        elif data[i] == 60 and data[i + 1] == 99 and (data[i + 2] == 32 or data[i + 2] == 62 or data[i + 2] == 47):
            state[2] += 1
            state[1] = max(state[1], state[2])
        elif data[i] == 32 and data[i + 1] == 114 and data[i + 2] == 61 and (data[i + 3] == 34 or data[i + 3] == 39):
            column, row, j = 0, 0, i + 4
            while j < n and (65 <= data[j] <= 90 or 97 <= data[j] <= 122) and column < 100_000_000:
                column = column * 26 + (data[j] & 31)
                j += 1
            while j < n and 48 <= data[j] <= 57 and row < 100_000_000_000:
                row = row * 10 + (data[j] - 48)
                j += 1
            if j < n and (data[j] == 34 or data[j] == 39):
                state[0] = max(state[0], row)
                state[1] = max(state[1], column)
