"""Answers that are dear to compute and change only with the data: kept until it does."""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from tilth.measure import Sales, sales

if TYPE_CHECKING:
    from tilth.segments.roster import Roster
    from tilth.server.background import Background
    from tilth.workspace import Workspace

__all__ = ["EventCount", "Readings", "stamp_of"]

Stamp = tuple[int, int, int, str, str]
DURING_IMPORT_S = 15
MONEY_EVENTS = {"purchase", "purchase_item", "purchase_added", "refund", "refund_item"}


def stamp_of(workspace: Workspace) -> Stamp:
    """What an answer depends on: it stays true while this is equal."""
    settings = workspace.settings
    return (
        workspace.lake.version,
        workspace.collect.as_of(),
        workspace.people.revision(),
        settings.timezone,
        settings.currency,
    )


class EventCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often an event happened, to how many people, and when last (UTC µs)."""

    event: str
    rows: int
    people: int
    last_ts: int


class Readings:
    """The list of everyone, the counts of events, and the sales of the overview.

    While an import runs the data changes every second; then the sales serve for `DURING_IMPORT_S`
    seconds, so that watching an import does not slow it down.
    """

    def __init__(self, workspace: Workspace, background: Background) -> None:
        self._workspace = workspace
        self._background = background
        self._lock = threading.Lock()
        self._kept: tuple[Stamp, Sales] | None = None
        self._kept_at = 0.0
        self._events_lock = threading.Lock()
        self._events: tuple[Stamp, list[EventCount]] | None = None

    @cached_property
    def roster(self) -> Roster:
        """Everyone, as arrays that are kept until the data changes."""
        from tilth.segments.roster import Roster

        return Roster(self._workspace.lake, self._workspace.people, self._workspace.settings)

    def events(self) -> list[EventCount]:
        """Every event name with its counts, most frequent first."""
        stamp = stamp_of(self._workspace)
        with self._events_lock:
            if self._events is None or self._events[0] != stamp:
                if not self._workspace.lake.stats().rows and not self._workspace.collect.tail_size()[0]:
                    self._events = (stamp, [])
                    return []
                from tilth.lake.sql import SqlDoor

                found = SqlDoor(self._workspace.lake).run(
                    "SELECT event, count(*), count(DISTINCT uid), epoch_us(max(ts)) FROM events "
                    "GROUP BY event ORDER BY count(*) DESC, event LIMIT 1000",
                    limit=1000,
                )
                counts = [EventCount(event=e, rows=n, people=p, last_ts=t) for e, n, p, t in found.rows]
                self._events = (stamp, counts)
            return self._events[1]

    def has_money(self) -> bool:
        """True once any amount is stored, which fixes the currency."""
        return any(e.event in MONEY_EVENTS for e in self.events())

    def span(self) -> tuple[int | None, int | None]:
        """The first and last instant of any event, the unflushed ones included (UTC µs)."""
        stats = self._workspace.lake.stats()
        tail = self._workspace.collect.tail()
        found = [t for t in (stats.first_ts, stats.last_ts) if t is not None]
        if tail.num_rows:
            import pyarrow as pa
            import pyarrow.compute as pc

            ends = pc.min_max(tail.column("ts").cast(pa.int64())).as_py()
            found += [ends["min"], ends["max"]]
        return (min(found), max(found)) if found else (None, None)

    def sales(self) -> Sales:
        stamp = stamp_of(self._workspace)
        with self._lock:
            kept = self._kept
            if kept is not None and kept[0] == stamp:
                return kept[1]
            recent = time.monotonic() - self._kept_at < DURING_IMPORT_S
            if kept is not None and recent and self._background.importing:
                return kept[1]
            from tilth.segments.history import purchase_history

            workspace = self._workspace
            history = purchase_history(workspace.lake, workspace.people, currency=workspace.settings.currency)
            result = sales(history, workspace.settings.timezone)
            self._kept, self._kept_at = (stamp, result), time.monotonic()
            return result
