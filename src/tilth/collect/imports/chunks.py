"""What every reader gives: a table as chunks of rows, each column as spans, with enough to quote a bad row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tilth.collect.imports.files import InputFile
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.tokens import WHOLE

__all__ = ["Chunk", "RowText", "TableFormat", "TableReader", "sliced", "whole_rows"]


@dataclass(frozen=True)
class RowText:
    """A row as it stands in the file. line: counted from 1, the header included."""

    line: int
    raw: str
    cells: list[str]


@dataclass(frozen=True)
class TableFormat:
    """How a table is stored. kind: csv, tsv, blank, jsonl, xlsx or parquet."""

    kind: str
    compression: str
    encoding: str
    delimiter: str
    sheet: str
    header: bool


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of one file.

    columns[c]: the values of column c, or None where nobody asked for it. shape: per row WHOLE, FEW or
    MANY cells. end: where the next chunk begins (unpacked bytes of text, rows of other formats), next_line
    its first line. consumed: packed bytes read so far, for progress. typed[c]: the values as JSON, where
    the format knows types.
    """

    rows: int
    columns: list[Spans | None]
    shape: npt.NDArray[np.uint8]
    end: int
    next_line: int
    consumed: int
    row_text: Callable[[npt.NDArray[np.int64]], list[RowText]]
    typed: dict[int, Spans] = field(default_factory=dict)
    utf8_checked: bool = False


def sliced(chunk: Chunk, start: int, stop: int) -> Chunk:
    """Some rows of a chunk, for a preview."""
    rows = np.arange(start, min(stop, chunk.rows), dtype=np.int64)
    return replace(
        chunk,
        rows=len(rows),
        columns=[None if c is None else c.take(rows) for c in chunk.columns],
        shape=chunk.shape[rows],
        row_text=lambda chosen: chunk.row_text(rows[chosen]),
        typed={c: s.take(rows) for c, s in chunk.typed.items()},
    )


class TableReader(Protocol):
    """An open table: its format, its columns, its chunks."""

    file: InputFile
    format: TableFormat
    columns: list[str]

    def chunks(
        self, wanted: set[int], *, start: int = 0, line: int = 0, rows: int | None = None, size: int | None = None
    ) -> Iterator[Chunk]:
        """Chunks with the wanted columns from position `start` (0: the first row of data).

        line: the line number there when start > 0. rows: stop after about so many. size: bytes (text)
        of a chunk.
        """
        ...


def whole_rows(rows: int) -> npt.NDArray[np.uint8]:
    return np.full(rows, WHOLE, np.uint8)
