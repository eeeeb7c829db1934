"""Lakes made of a few events, in several files, with a tail, for the behaviour tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tests.oracles.people_events import Happened
from tilth.behavior import Behavior
from tilth.lake import EVENT_SCHEMA, Lake
from tilth.people import People
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["DAY", "HOUR", "MINUTE", "START", "at", "behavior_of", "happened", "scattered", "table_of"]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_780_272_000_000_000  # 2026-06-01T00:00Z
_PROMOTED = {"order_id", "product", "category", "channel", "store", "currency"}


def at(text: str) -> int:
    """UTC µs of an instant such as `2026-06-01 10:00` (UTC unless it names an offset)."""
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return round(moment.timestamp() * 1_000_000)


def happened(rows: Iterable[tuple[Any, ...]]) -> list[Happened]:
    """Events from (uid, instant text or µs, name[, properties])."""
    return [
        Happened(
            uid=row[0],
            ts=at(row[1]) if isinstance(row[1], str) else row[1],
            event=row[2],
            event_id=f"e{i:05d}",
            properties=row[3] if len(row) > 3 else {},
        )
        for i, row in enumerate(rows)
    ]


def table_of(events: Sequence[Happened]) -> pa.Table:
    """The lake's rows of some events. amount is in major units, as sources send it."""
    instant = pa.timestamp("us", tz="UTC")
    columns: dict[str, pa.Array] = {
        "uid": pa.array([e.uid for e in events], pa.int64()),
        "distinct_id": pa.array([f"c{e.uid}" for e in events], pa.string()),
        "ts": pa.array([e.ts for e in events], instant),
        "received_at": pa.array([e.received for e in events], instant),
        "event": pa.array([e.event for e in events], pa.string()),
        "event_id": pa.array([e.event_id for e in events], pa.string()),
        "source": pa.array(["test"] * len(events), pa.string()),
        "props": pa.array([_rest(e.properties) for e in events], pa.string()),
        "p_amount": pa.array(
            [None if (a := e.properties.get("amount")) is None else round(a * 100) for e in events], pa.int64()
        ),
    }
    for name in sorted(_PROMOTED):
        columns[f"p_{name}"] = pa.array([e.properties.get(name) for e in events], pa.string())
    return pa.table(columns)


def _rest(properties: dict[str, Any]) -> str | None:
    rest = {k: v for k, v in properties.items() if k not in _PROMOTED and k != "amount"}
    return json.dumps(rest) if rest else None


def behavior_of(
    folder: Path,
    events: Sequence[Happened],
    parts: Sequence[int] | None = None,
    *,
    timezone: str = "UTC",
    now: int = START + 100 * DAY,
    buckets: int = 2,
    **settings: Any,
) -> Behavior:
    """Behaviour analytics over these events. parts[i]: which append event i is in; 9 is the tail."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(folder, "")
    database.migrate()
    lake = Lake(folder, buckets)
    lake.create()
    parts = parts or [0] * len(events)
    for part in sorted(set(parts) - {9}):
        lake.append(table_of([e for e, p in zip(events, parts, strict=True) if p == part]))
    tail = [e for e, p in zip(events, parts, strict=True) if p == 9]
    if tail:
        rows = _with_all_columns(table_of(tail), EVENT_SCHEMA).sort_by(
            [(c, "ascending") for c in ("uid", "ts", "received_at", "event_id")]
        )
        lake.tail = lambda: rows
    made = Settings(timezone=timezone, currency="CNY", buckets=buckets, **settings)
    return Behavior(lake, People(database), made, clock=lambda: now, threads=2)


def _with_all_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table.column(f.name).cast(f.type) if f.name in table.column_names else pa.nulls(table.num_rows, f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


@st.composite
def scattered(
    draw: st.DrawFn,
    names: str = "abcx",
    people: int = 5,
    per_person: int = 7,
    span: int = 12,
    unit: int = MINUTE,
    properties: st.SearchStrategy[dict[str, Any]] | None = None,
) -> tuple[list[Happened], list[int]]:
    """(events, which file each is in): simultaneous events, several files of a month, a month's end, a tail."""
    # A few minutes before midnight UTC on the last of June: events fall in two months.
    begin = START + 30 * DAY - span * unit // 2
    events: list[Happened] = []
    for uid in range(1, people + 1):
        for _ in range(draw(st.integers(0, per_person))):
            events.append(
                Happened(
                    uid=uid,
                    ts=begin + draw(st.integers(0, span)) * unit,
                    event=draw(st.sampled_from(names)),
                    event_id=f"e{draw(st.integers(0, 99)):02d}-{len(events)}",
                    received=draw(st.integers(0, 1)),
                    properties=draw(properties) if properties is not None else {},
                )
            )
    events.sort(key=lambda e: (e.uid, e.ts, e.received, e.event_id))
    parts = [draw(st.sampled_from([0, 0, 1, 9])) for _ in events]
    return events, parts
