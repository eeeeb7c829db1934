"""Profile rows validated a chunk at a time: who, and what is known of them. Every other column becomes a trait."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.collect.imports.chunks import Chunk
from tilth.collect.imports.identifiers import NAMED, NOBODY, REFUSED, canonical_ids
from tilth.collect.imports.json_text import json_values, key_name
from tilth.collect.imports.orders import Clock, broken_text
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.rows import Faults, Validated, blank_rows, shape_faults
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.vocabulary import TRAIT_ROLES

__all__ = ["ID_ROLES", "TRAIT_PREFIX", "validate_profiles"]

ID_ROLES = ("customer", "phone", "email")
TRAIT_PREFIX = "trait:"


def validate_profiles(plan: Plan, columns: list[str], chunk: Chunk, clock: Clock) -> Validated:
    """Sort the chunk's rows into profiles and bad rows.

    The first of customer, phone and email that a row has names its person; the others join them. The
    table has a column an id role and one a trait (`trait:` before its name), traits as JSON values.
    """
    index = {name: i for i, name in enumerate(columns)}
    faults = Faults(chunk.rows)
    shape_faults(faults, chunk)
    broken_text(faults, chunk, columns)
    ids: dict[str, Spans] = {}
    named = np.zeros(chunk.rows, np.bool_)
    nobody = np.ones(chunk.rows, np.bool_)
    for role in ID_ROLES:
        cells = chunk.columns[index[plan.roles[role]]] if plan.roles.get(role) in index else None
        if cells is None:
            continue
        ids[role], state = canonical_ids(cells)
        faults.add((state == REFUSED) & ~named, plan.roles[role], "refused_id")
        named |= state == NAMED
        nobody &= state == NOBODY
        ids[role].ends[state != NAMED] = ids[role].starts[state != NAMED]
    skipped: dict[str, int] = {}
    blank = np.zeros(chunk.rows, np.bool_)
    if nobody.any():
        blank = blank_rows(chunk, nobody)
        faults.clear(blank)
        if blank.any():
            skipped["blank"] = int(blank.sum())
    first_role = next(iter(ids))
    faults.add(nobody & ~blank, plan.roles[first_role], "no_customer")
    kept = np.flatnonzero(~blank & ~faults.bad)
    table: dict[str, pa.Array] = {}
    for role, spans in ids.items():
        text = spans.take(kept).to_arrow().cast(pa.string())
        table[role] = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    by_column = {column: role for role, column in plan.roles.items()}
    for c, name in enumerate(columns):
        cells = chunk.columns[c]
        known = by_column.get(name, "")
        if cells is None or known in ids:
            continue
        trait = known if known in TRAIT_ROLES else key_name(name)
        values = json_values(cells.take(kept).trimmed().to_arrow(), name in plan.numeric)
        typed = chunk.typed.get(c)
        if typed is not None:
            fragments = typed.take(kept).to_arrow().cast(pa.string())
            values = pc.if_else(pc.equal(fragments, ""), values, fragments)
        table[TRAIT_PREFIX + trait] = values
    return Validated(
        rows=chunk.rows,
        table=pa.table(table),
        customers=Spans.of([]),
        kept=np.empty(0, np.int64),
        skipped=skipped,
        bad=faults.rows(chunk, columns),
    )
