"""One person's events out of the decoded columns of the files they are in.

A person's rows are a slice of each file, found by binary search in memory-mapped arrays: no Parquet is
opened. That is what a page about one person reads while thousands of events a second come in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.lake.schema import instants
from tilth.lake.sequences import NULL_INT, Run, decode

__all__ = ["NO_MADE", "Made", "PersonRows", "in_order", "rows_of_run", "rows_of_table"]


class Made(NamedTuple):
    """A text column made of others: which ones, and how (from a table of them to one text a row)."""

    of: Sequence[str]
    make: Callable[[pa.Table], pa.Array]


NO_MADE: Mapping[str, Made] = MappingProxyType({})


@dataclass(frozen=True)
class PersonRows:
    """ts: int64[n], UTC us, ascending; event: n names; columns: n values each, None where there is none."""

    ts: npt.NDArray[np.int64]
    event: list[str]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.event)


def rows_of_run(
    run: Run, rows: npt.NDArray[np.int64], texts: Mapping[str, tuple[npt.NDArray[np.int32], list[str]]]
) -> PersonRows:
    """Some rows of a run, with further text columns as (codes, words)."""
    columns: dict[str, list[Any]] = {}
    for name, values in run.columns.items():
        words = run.words.get(name)
        columns[name] = _plain(values[rows], words)
    for name, (codes, words) in texts.items():
        columns[name] = _plain(codes[rows], words)
    return PersonRows(run.ts[rows], [run.names[code] for code in run.code[rows].tolist()], columns)


def rows_of_table(table: pa.Table, columns: Sequence[str], made: Mapping[str, Made]) -> PersonRows:
    """Rows of the event table, such as the tail's."""
    found: dict[str, list[Any]] = {}
    for name in columns:
        column = decode(table.column(name))
        found[name] = _plain(column.values, column.words)
    for name, one in made.items():
        found[name] = one.make(table.select(list(one.of))).to_pylist()
    return PersonRows(instants(table.column("ts")), table.column("event").to_pylist(), found)


def _plain(values: npt.NDArray[Any], words: list[str] | None) -> list[Any]:
    if words is not None:
        return [words[code] if code >= 0 else None for code in values.tolist()]
    if values.dtype.kind == "f":
        return [None if value != value else value for value in values.tolist()]
    return [None if value == NULL_INT else value for value in values.tolist()]


def in_order(parts: Sequence[PersonRows], names: Sequence[str]) -> PersonRows:
    """Parts put together in order of time; rows of one instant stay as they are given."""
    if not parts:
        return PersonRows(np.empty(0, np.int64), [], {name: [] for name in names})
    ts = np.concatenate([part.ts for part in parts])
    event = [name for part in parts for name in part.event]
    columns = {name: [value for part in parts for value in part.columns[name]] for name in names}
    if len(ts) < 2 or bool(np.all(ts[1:] >= ts[:-1])):
        return PersonRows(ts, event, columns)
    order = np.argsort(ts, kind="stable")
    at = order.tolist()
    return PersonRows(ts[order], [event[i] for i in at], {n: [v[i] for i in at] for n, v in columns.items()})
