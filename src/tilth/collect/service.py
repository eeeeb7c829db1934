"""Collection as the rest of the product sees it: sources, append, the tail, the flush."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from tilth.collect.events import Event, EventBatch, event_columns
from tilth.collect.intake import IntakeLog
from tilth.collect.tables import source as source_table
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.lake import Lake, empty_events
from tilth.people import People
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["FLUSH_APP", "Collect", "Receipt", "Source"]

# The application name under which the lake's commits carry the last flushed intake number.
FLUSH_APP = "tilth-intake"
_FLUSH_EVENTS = 500_000
# One object, so that a cache can tell by identity that the tail has not changed.
_NOTHING = empty_events()
# Twins of a flushed event are looked for within the de-duplication window (30 days) and a day of clock error.
_TWIN_WINDOW_DAYS = 31


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to an append. as_of: the intake number that includes these events."""

    accepted: int
    duplicate: int
    quarantined: int
    as_of: int


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where events come from. write_key only ingests. created_at, revoked_at: UTC µs."""

    id: int
    name: str
    write_key: str
    created_at: int
    revoked_at: int | None


@dataclass
class _Tail:
    """Acknowledged, unflushed events in memory, in intake order."""

    through: int = 0
    parts: list[tuple[int, pa.Table]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    sorted: pa.Table | None = None


class Collect:
    """Sources, the intake log and what becomes of it. Thread-safe."""

    def __init__(self, database: Database, lake: Lake, people: People, settings: Settings) -> None:
        self._database = database
        self._lake = lake
        self._people = people
        self.settings = settings
        self.log = IntakeLog(database)
        self._tail = _Tail(through=-1)
        self._lock = threading.RLock()
        self.last_flush: int | None = None
        self.last_flush_error: str | None = None
        lake.tail = self.tail

    # -- events ----------------------------------------------------------------------------------

    def append(self, events: list[Event], source: str, quarantined: int = 0) -> Receipt:
        """Acknowledge events: they are durable when this returns, and part of every later answer.

        An event whose (source, event_id) is among the unflushed ones, or earlier in the list, is a duplicate.
        """
        fresh, seen = [], set()
        with self._lock:
            self._catch_up()
            known = self._tail.seen
            for event in events:
                key = (source, event.event_id)
                if key not in known and key not in seen:
                    seen.add(key)
                    fresh.append(event)
        if not fresh:
            return Receipt(accepted=0, duplicate=len(events), quarantined=quarantined, as_of=self.as_of())
        seq = self.log.append(EventBatch(source=source, received_at=time.time_ns() // 1000, events=fresh))
        return Receipt(accepted=len(fresh), duplicate=len(events) - len(fresh), quarantined=quarantined, as_of=seq)

    def as_of(self) -> int:
        """The newest intake number an answer given now includes."""
        return max(self.log.last_seq(), self._lake.transaction_version(FLUSH_APP) or 0)

    def tail(self) -> pa.Table:
        """Unflushed events as rows sorted by (uid, ts); read from the log, so it survives a crash."""
        with self._lock:
            self._catch_up()
            tail = self._tail
            if tail.sorted is None:
                if not tail.parts:
                    return _NOTHING
                tail.sorted = pa.concat_tables([t for _, t in tail.parts]).sort_by(
                    [("uid", "ascending"), ("ts", "ascending"), ("received_at", "ascending"), ("event_id", "ascending")]
                )
            return tail.sorted

    def _catch_up(self) -> None:
        """Bring the in-memory tail to the log: drop what the lake took, add what is new."""
        flushed = self._lake.transaction_version(FLUSH_APP) or 0
        tail = self._tail
        if tail.through < flushed or (tail.parts and tail.parts[0][0] <= flushed):
            tail.parts = [(seq, table) for seq, table in tail.parts if seq > flushed]
            tail.seen = {
                (s, e)
                for _, table in tail.parts
                for s, e in zip(table["source"].to_pylist(), table["event_id"].to_pylist(), strict=True)
            }
            tail.through = max(tail.through, flushed)
            tail.sorted = None
        for seq, table in self._rows(tail.through, None):
            keys = list(zip(table["source"].to_pylist(), table["event_id"].to_pylist(), strict=True))
            keep = [key not in tail.seen for key in keys]
            tail.seen.update(keys)
            tail.parts.append((seq, table if all(keep) else table.filter(pa.array(keep))))
            tail.through = seq
            tail.sorted = None

    def _rows(self, after: int, max_events: int | None) -> list[tuple[int, pa.Table]]:
        batches = list(self.log.read(after, max_events))
        if not batches:
            return []
        events = [e for _, b in batches for e in b.events]
        uids = [0] * len(events)
        for kind in sorted({e.kind for e in events}):
            positions = [i for i, e in enumerate(events) if e.kind == kind]
            found = self._people.resolve(kind, [events[i].distinct_id for i in positions], "observed")
            for position, uid in zip(positions, found.tolist(), strict=True):
                uids[position] = uid
        rows = event_columns([b for _, b in batches], uids, self.settings.currency)
        out, start = [], 0
        for seq, batch in batches:
            out.append((seq, rows.slice(start, len(batch.events))))
            start += len(batch.events)
        return out

    def flush(self) -> int:
        """Move the tail into the lake; returns events written. Needs the writer lock.

        The Delta commit carries the last intake number, so dying between it and the deletion of the
        log's rows only leaves rows that the next start knows to be flushed.
        """
        written = 0
        try:
            while True:
                flushed = self._lake.transaction_version(FLUSH_APP) or 0
                rows = self._rows(flushed, _FLUSH_EVENTS)
                if not rows:
                    break
                last = rows[-1][0]
                done = self._lake.append(
                    pa.concat_tables([t for _, t in rows]), (FLUSH_APP, last), window_days=_TWIN_WINDOW_DAYS
                )
                written += done.accepted
                self.log.delete_through(last)
            self.log.delete_through(self._lake.transaction_version(FLUSH_APP) or 0)
            self.last_flush = time.time_ns() // 1000
            self.last_flush_error = None
        except Exception as error:
            self.last_flush_error = str(error)
            raise
        return written

    def tail_size(self) -> tuple[int, int | None]:
        """(events not flushed yet, when the oldest was received in UTC µs)."""
        with self._lock:
            self._catch_up()
            parts = self._tail.parts
            if not parts:
                return 0, None
            oldest = parts[0][1]["received_at"].cast(pa.int64())[0].as_py() if parts[0][1].num_rows else None
            return sum(t.num_rows for _, t in parts), oldest

    # -- sources ---------------------------------------------------------------------------------

    def create_source(self, name: str) -> Source:
        """A new source with its write key. Raises `Conflict` when the name is taken."""
        name = name.strip()
        if not 1 <= len(name) <= 100:
            raise InvalidInput("name", "must have 1 to 100 characters")
        key = f"tilth_wk_{secrets.token_urlsafe(24)}"
        with self._database.begin() as connection:
            done = connection.execute(
                self._database.insert_or_ignore(source_table).values(
                    name=name, write_key=key, created_at=time.time_ns() // 1000
                )
            )
            if done.rowcount == 0:
                raise Conflict(f"there is a source named {name!r} already")
        return self.source_of_key(key)

    def sources(self) -> list[Source]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(source_table).order_by(source_table.c.id))
            return [Source(**row._mapping) for row in rows]

    def source_of_key(self, key: str) -> Source:
        """The source with this write key, not revoked. Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(source_table).where(source_table.c.write_key == key)).one_or_none()
        if row is None or row.revoked_at is not None:
            raise NotFound("source", "with this write key")
        return Source(**row._mapping)

    def rotate_source(self, source_id: int) -> Source:
        """Give a source a new write key; the old one stops at once."""
        key = f"tilth_wk_{secrets.token_urlsafe(24)}"
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(source_table)
                .where(source_table.c.id == source_id, source_table.c.revoked_at.is_(None))
                .values(write_key=key)
            )
            if done.rowcount == 0:
                raise NotFound("source", str(source_id))
        return self.source_of_key(key)

    def revoke_source(self, source_id: int) -> None:
        """Stop accepting a source's key; what it sent stays."""
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(source_table)
                .where(source_table.c.id == source_id, source_table.c.revoked_at.is_(None))
                .values(revoked_at=time.time_ns() // 1000)
            )
            if done.rowcount == 0:
                raise NotFound("source", str(source_id))
