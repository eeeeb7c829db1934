"""What one person did, event by event, the newest first, with session numbers."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from tilth.behavior.calendar import Range, parse_range, zone_of
from tilth.behavior.parameters import Answer
from tilth.errors import InvalidInput
from tilth.lake import PROMOTED, Lake
from tilth.people import People
from tilth.settings import Settings, currency_digits

__all__ = ["TimelineAnswer", "TimelineEvent", "TimelineParameters", "timeline"]

MAX_PAGE = 1_000


class TimelineParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """person: any id, or `uid:12`. events: only of these names. cursor: `next` of the page before."""

    person: str
    range: Range | None = None
    timezone: str | None = None
    events: list[str] = msgspec.field(default_factory=list)
    gap: str = "30m"
    cursor: str = ""
    limit: int = 100


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """ts: UTC µs; local: the same in the zone. session: counted from the person's first in the answer's range.

    properties: as sources send them, money in major units.
    """

    ts: int
    local: str
    event: str
    event_id: str
    source: str | None
    session: int
    properties: dict[str, Any]
    context: dict[str, Any]


class TimelineAnswer(Answer, frozen=True, kw_only=True):
    """total: events that match; next: cursor of the page after, empty on the last."""

    uid: int
    events: list[TimelineEvent]
    total: int
    sessions: int
    next: str


def timeline(
    lake: Lake, people: People, settings: Settings, asked: TimelineParameters, gap: int, now: int
) -> TimelineAnswer:
    """One page of a person's events. Raises `NotFound` for an id nobody has."""
    if not 1 <= asked.limit <= MAX_PAGE:
        raise InvalidInput("limit", f"must be between 1 and {MAX_PAGE:,}")
    if asked.cursor and not asked.cursor.isdecimal():
        raise InvalidInput("cursor", "is not the next of a page before")
    uid = people.find(asked.person)
    zone = zone_of(asked.timezone or settings.timezone)
    span = parse_range(asked.range, zone, now)
    columns = ["ts", "event", "event_id", "source", "props", "context", *PROMOTED]
    rows = pa.concat_tables(lake.scan(columns, uids=[uid]))
    ts = rows.column("ts").cast(pa.int64()).to_numpy()
    inside = (ts >= span.first) & (ts < span.end)
    if asked.events:
        inside &= np.isin(rows.column("event").to_numpy(zero_copy_only=False).astype(str), asked.events)
    chosen = np.flatnonzero(inside)
    source = rows.column("source").to_pylist()
    session = np.zeros(len(chosen), np.int64)
    for i in range(1, len(chosen)):
        a, b = chosen[i - 1], chosen[i]
        session[i] = session[i - 1] + (ts[b] - ts[a] > gap or source[a] != source[b])
    # The newest first; the cursor is how many were shown already.
    shown = int(asked.cursor or 0)
    order = np.arange(len(chosen))[::-1][shown : shown + asked.limit]
    page = rows.take(pa.array(chosen[order])).to_pylist()
    digits = currency_digits(settings.currency)
    return TimelineAnswer(
        uid=uid,
        events=[
            TimelineEvent(
                ts=int(ts[chosen[i]]),
                local=zone.local(int(ts[chosen[i]])).isoformat(),
                event=row["event"],
                event_id=row["event_id"],
                source=row["source"],
                session=int(session[i]) + 1,
                properties=_properties(row, digits),
                context=_decoded(row["context"]),
            )
            for i, row in zip(order.tolist(), page, strict=True)
        ],
        total=len(chosen),
        sessions=int(session[-1]) + 1 if len(chosen) else 0,
        next=str(shown + asked.limit) if shown + asked.limit < len(chosen) else "",
    )


def _properties(row: dict[str, Any], digits: int) -> dict[str, Any]:
    found = _decoded(row["props"])
    for column in PROMOTED:
        value = row[column]
        if value is not None:
            name = column.removeprefix("p_")
            found[name] = value / 10**digits if name == "amount" else float(value) if name == "price" else value
    return found


def _decoded(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
