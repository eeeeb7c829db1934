"""What validation makes of a chunk: rows to keep in columns, rows to skip by rule, rows for quarantine."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.collect.imports.chunks import Chunk
from tilth.collect.imports.hashing import CodeTable, hash_column
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.tokens import FEW, MANY

__all__ = ["BadRow", "Faults", "Validated", "encoded"]


@dataclass(frozen=True)
class BadRow:
    """A row for quarantine. column: the column at fault (empty: the row as a whole); detail: its value."""

    line: int
    column: str
    reason: str
    detail: str
    raw: str
    cells: list[str]


class Faults:
    """The first thing wrong with each row of a chunk."""

    def __init__(self, rows: int) -> None:
        self._reason = np.zeros(rows, np.int16)
        self._names: list[tuple[str, str]] = [("", "")]

    def add(self, where: npt.NDArray[np.bool_], column: str, reason: str) -> None:
        if where.any():
            self._reason[where & (self._reason == 0)] = len(self._names)
            self._names.append((column, reason))

    @property
    def bad(self) -> npt.NDArray[np.bool_]:
        return self._reason != 0

    def clear(self, where: npt.NDArray[np.bool_]) -> None:
        self._reason[where] = 0

    def reason(self, row: int) -> tuple[str, str]:
        """(column, reason) of a bad row."""
        return self._names[self._reason[row]]

    def rows(self, chunk: Chunk, columns: list[str]) -> list[BadRow]:
        """The bad rows with their text."""
        numbers = np.flatnonzero(self.bad)
        if len(numbers) == 0:
            return []
        index = {name: i for i, name in enumerate(columns)}
        result = []
        for row, text in zip(numbers.tolist(), chunk.row_text(numbers), strict=True):
            column, reason = self._names[self._reason[row]]
            at = index.get(column)
            detail = text.cells[at] if at is not None and at < len(text.cells) else ""
            result.append(BadRow(text.line, column, reason, detail[:500], text.raw, text.cells))
        return result


@dataclass
class Validated:
    """table: the kept rows. customers: the id of every understood row, also of those skipped by a rule;
    kept: where each kept row is among them. kinds: which kind of id each is (all 0 but for events).
    traits: facts of the same rows as `customers`, by role."""

    rows: int
    table: pa.Table
    customers: Spans
    kept: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8] | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    traits: dict[str, Spans] = field(default_factory=dict)


def shape_faults(faults: Faults, chunk: Chunk) -> None:
    """Rows with too few or too many cells."""
    faults.add(chunk.shape == FEW, "", "too_few_columns")
    faults.add(chunk.shape == MANY, "", "too_many_columns")


def blank_rows(chunk: Chunk, suspects: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which of the suspect rows hold nothing at all but separators."""
    blank = np.zeros(chunk.rows, np.bool_)
    numbers = np.flatnonzero(suspects)
    if len(numbers):
        for row, text in zip(numbers.tolist(), chunk.row_text(numbers), strict=True):
            blank[row] = not any(cell.strip(" \t\r\n\x1a\ufeff") for cell in text.cells)
    return blank


def encoded(column: Spans, rows: npt.NDArray[np.int64], missing: bool = True) -> pa.Array:
    """The chosen rows of a text column, trimmed; as a dictionary when values come back. missing: empty is null."""
    chosen = column.take(rows).trimmed()
    filled = chosen.lengths() > 0
    high, low = hash_column(chosen)
    codes, first = CodeTable(len(rows)).codes(high, low, filled)
    if len(first) * 2 > len(rows):
        text = chosen.to_arrow()
        return pa.array(text).cast(pa.string()) if not missing else _nulled(text, filled)
    words = chosen.to_arrow(first)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=~filled), words.cast(pa.string()))


def _nulled(text: pa.Array, filled: npt.NDArray[np.bool_]) -> pa.Array:
    import pyarrow.compute as pc

    if filled.all():
        return text
    return pc.if_else(pa.array(filled), text, pa.scalar(None, text.type))
