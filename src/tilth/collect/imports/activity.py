"""Event rows validated a chunk at a time: who, when, which event; every other column becomes a property."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.collect.imports.chunks import Chunk
from tilth.collect.imports.identifiers import NAMED, NOBODY, REFUSED, canonical_ids
from tilth.collect.imports.json_text import json_objects, json_values, key_name
from tilth.collect.imports.orders import Clock, broken_text, read_time, time_faults
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.rows import Faults, Validated, blank_rows, encoded, shape_faults
from tilth.collect.imports.spans import Spans

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["validate_events"]

_MAX_NAME = 255


def validate_events(plan: Plan, columns: list[str], chunk: Chunk, clock: Clock) -> Validated:
    """Sort the chunk's rows into events and bad rows. A row's person is the signed-in one, else the anonymous one."""
    index = {name: i for i, name in enumerate(columns)}

    def column(role: str) -> Spans | None:
        name = plan.roles.get(role)
        return chunk.columns[index[name]] if name is not None and name in index else None

    faults = Faults(chunk.rows)
    shape_faults(faults, chunk)
    broken_text(faults, chunk, columns)
    who, anonymous = column("person"), column("anonymous")
    ids, state, kinds, links = _people(who, anonymous, chunk.rows)
    when, name = column("time"), column("event")
    assert when is not None, "the plan was checked against the file"
    assert name is not None, "the plan was checked against the file"
    parsed = read_time(plan, when, None)
    skipped: dict[str, int] = {}
    names = name.trimmed()
    suspects = (state == NOBODY) & (names.lengths() == 0)
    blank = np.zeros(chunk.rows, np.bool_)
    if suspects.any():
        blank = blank_rows(chunk, suspects)
        faults.clear(blank)
        if blank.any():
            skipped["blank"] = int(blank.sum())
    free = ~blank
    who_column = plan.roles.get("person") or plan.roles["anonymous"]
    faults.add((state == NOBODY) & free, who_column, "no_customer")
    faults.add((state == REFUSED) & free, who_column, "refused_id")
    time_faults(faults, plan, parsed, free, clock)
    faults.add((names.lengths() == 0) & free, plan.roles["event"], "missing_event")
    faults.add((names.lengths() > _MAX_NAME) & free, plan.roles["event"], "event_too_long")
    kept = np.flatnonzero(free & ~faults.bad)
    event_id = column("event_id")
    table = {
        "ts": pa.array(parsed.ts[kept]),
        "event": encoded(names, kept),
        "props": _props(plan, columns, chunk, kept),
    }
    if event_id is not None:
        table["event_id"] = encoded(event_id, kept)
    traits = {} if links is None else {"anonymous": links.take(kept)}
    return Validated(
        rows=chunk.rows,
        table=pa.table(table),
        customers=ids.take(kept),
        kept=np.arange(len(kept), dtype=np.int64),
        kinds=kinds[kept],
        skipped=skipped,
        bad=faults.rows(chunk, columns),
        traits=traits,
    )


def _people(
    who: Spans | None, anonymous: Spans | None, rows: int
) -> tuple[Spans, npt.NDArray[np.uint8], npt.NDArray[np.uint8], Spans | None]:
    """(ids, their state, kind 0 signed in or 1 anonymous, the anonymous id beside a signed-in one)."""
    kinds = np.zeros(rows, np.uint8)
    if anonymous is None:
        assert who is not None, "the plan has a person or an anonymous column"
        ids, state = canonical_ids(who)
        return ids, state, kinds, None
    other, other_state = canonical_ids(anonymous)
    if who is None:
        return other, other_state, np.ones(rows, np.uint8), None
    ids, state = canonical_ids(who)
    without = state == NOBODY
    text = pc.if_else(pa.array(without), other.to_arrow(), ids.to_arrow())
    kinds[without] = 1
    beside = pc.if_else(pa.array((state == NAMED) & (other_state == NAMED)), other.to_arrow(), "")
    return Spans.of(text), np.where(without, other_state, state), kinds, Spans.of(beside)


def _props(plan: Plan, columns: list[str], chunk: Chunk, kept: npt.NDArray[np.int64]) -> pa.Array:
    """The columns without a role as one JSON object a row; typed values keep their types."""
    taken = set(plan.roles.values())
    fields = []
    for c, name in enumerate(columns):
        cells = chunk.columns[c]
        if name in taken or cells is None:
            continue
        typed = chunk.typed.get(c)
        values = json_values(cells.take(kept).to_arrow(), name in plan.numeric)
        if typed is not None:
            fragments = typed.take(kept).to_arrow().cast(pa.string())
            values = pc.if_else(pc.equal(fragments, ""), values, fragments)
        fields.append((key_name(name), values))
    return json_objects(fields, len(kept))
