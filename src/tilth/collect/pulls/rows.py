"""The rows of a file as JSON for the rules, whatever kind of table it is.

Each row also has `_file` and `_line`: together they name a row of a file that has no id of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tilth.collect.formats import Refused
from tilth.collect.formats.json_body import decimal_of
from tilth.collect.imports.chunks import Chunk
from tilth.collect.imports.files import expand
from tilth.collect.imports.opening import open_table
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.tokens import FEW, WHOLE

__all__ = ["table_rows"]

_decoder = msgspec.json.Decoder(float_hook=decimal_of)
_SLICE = 2_000
Row = dict[str, Any]


def table_rows(path: Path, name: str, rows: int | None = None) -> Iterator[tuple[list[Row], list[Refused]]]:
    """Some rows and what of the file is no row, until the end or about so many rows.

    Raises `InvalidInput` for a file that is no table, is damaged or unpacks to more than any table would.
    """
    if path.stat().st_size == 0:
        return
    for found in expand([path]):
        shown = name if found.member is None else f"{name}/{found.member}"
        reader = open_table(replace(found, name=shown))
        json_lines = reader.format.kind == "jsonl"
        for chunk in reader.chunks(set() if json_lines else set(range(len(reader.columns))), rows=rows):
            for start in range(0, chunk.rows, _SLICE):
                stop = min(start + _SLICE, chunk.rows)
                if json_lines:
                    yield _of_lines(chunk, shown, start, stop)
                else:
                    yield _of_cells(chunk, reader.columns, shown, start, stop)


def _of_lines(chunk: Chunk, name: str, start: int, stop: int) -> tuple[list[Row], list[Refused]]:
    rows: list[Row] = []
    refused: list[Refused] = []
    for one in chunk.row_text(np.arange(start, stop, dtype=np.int64)):
        try:
            row = _decoder.decode(one.raw)
        except (msgspec.DecodeError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append({**row, "_file": name, "_line": one.line})
        else:
            refused.append(Refused(f"line {one.line}", f"of {name} is no JSON object", one.raw[:65_536]))
    return rows, refused


def _of_cells(chunk: Chunk, columns: list[str], name: str, start: int, stop: int) -> tuple[list[Row], list[Refused]]:
    chosen = np.arange(start, stop, dtype=np.int64)
    cells = [_values(chunk, c, chosen) for c in range(len(columns))]
    texts = chunk.row_text(chosen)
    rows: list[Row] = []
    refused: list[Refused] = []
    for i, one in enumerate(texts):
        shape = chunk.shape[start + i]
        if shape != WHOLE:
            which = "fewer" if shape == FEW else "more"
            refused.append(
                Refused(f"line {one.line}", f"of {name} has {which} cells than the header", one.raw[:65_536])
            )
            continue
        row = {column: value for column, of in zip(columns, cells, strict=True) if (value := of[i]) is not None}
        rows.append({**row, "_file": name, "_line": one.line})
    return rows, refused


def _values(chunk: Chunk, column: int, chosen: Any) -> list[Any]:
    """The values of a column: typed where the format knows types, else text; None where empty."""
    spans = chunk.columns[column]
    texts: list[Any] = [None] * len(chosen) if spans is None else [one or None for one in _texts(spans.take(chosen))]
    typed = chunk.typed.get(column)
    if typed is not None:
        for i, fragment in enumerate(_texts(typed.take(chosen))):
            if fragment:
                texts[i] = _decoder.decode(fragment)
    return texts


def _texts(spans: Spans) -> list[str]:
    if bool(spans.not_utf8().any()):
        return [spans.value(i) for i in range(len(spans))]
    texts: list[str] = spans.to_arrow().to_pylist()
    return texts
