"""Collection as the rest of the product sees it: sources, append, the tail, the flush."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa

from tilth.collect.applying import Applier
from tilth.collect.connectors.service import Connectors
from tilth.collect.events import Event
from tilth.collect.intake import IntakeLog
from tilth.collect.model import Batch, Id, Message, Track
from tilth.collect.plan import Plans
from tilth.collect.rows import has_row, message_rows
from tilth.collect.sources import Sources
from tilth.lake import Lake, Overrides, empty_events
from tilth.people import Identity, People
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["FLUSH_APP", "Collect", "Receipt"]

# The application name under which the lake's commits carry the last flushed intake number.
FLUSH_APP = "tilth-intake"
_FLUSH_EVENTS = 500_000
_CATCH_UP_EVENTS = 50_000
_RECENT = 100_000
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


@dataclass
class _Tail:
    """Acknowledged, unflushed events in memory, in intake order."""

    through: int = 0
    parts: list[tuple[int, pa.Table]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    sorted: pa.Table | None = None
    # The overrides that `sorted` was made under.
    token: int = -1


class Collect:
    """Sources, the intake log and what becomes of it. Thread-safe."""

    def __init__(
        self, database: Database, lake: Lake, people: People, settings: Settings, identity: Identity | None = None
    ) -> None:
        self.database = database
        self._lake = lake
        self._people = people
        self.identity = identity or Identity(database, people)
        self.settings = settings
        self.log = IntakeLog(database)
        self._applier = Applier(database, people, self.identity)
        self._tail = _Tail(through=-1)
        self._lock = threading.RLock()
        # Keys acknowledged here lately, so that a client's retry is told what it is at once.
        self._recent: dict[tuple[str, str], None] = {}
        self._remembering = threading.Lock()
        # Held while rows are written under the persons they have now: nobody may change hands for good meanwhile.
        self._writing = threading.RLock()
        self.sources = Sources(database)
        self.plans = Plans(database)
        self.connectors = Connectors(database, self.sources)
        self.last_flush: int | None = None
        self.last_flush_error: str | None = None
        lake.tail = self.tail
        lake.overrides = self.identity.overrides

    # -- events ----------------------------------------------------------------------------------

    def append(self, events: list[Event], source: str, quarantined: int = 0) -> Receipt:
        """Acknowledge events of our own making. See `receive`."""
        messages: list[Message] = [
            Track(
                ids=(Id(e.kind, e.distinct_id),),
                ts=e.ts,
                event_id=e.event_id,
                context=e.context,
                event=e.event,
                properties=e.properties,
            )
            for e in events
        ]
        return self.receive(messages, source, quarantined)

    def receive(self, messages: list[Message], source: str, quarantined: int = 0) -> Receipt:
        """Acknowledge messages: they are durable when this returns, and part of every later answer.

        A message whose (source, event_id) is among those known in memory, or earlier in the list, is
        a duplicate; one that repeats something older is found before it is part of an answer.
        """
        return self.submit(messages, source, quarantined).result()

    def submit(self, messages: list[Message], source: str, quarantined: int = 0) -> Future[Receipt]:
        """As `receive`, without waiting: the future has the receipt once the messages are durable."""
        done: Future[Receipt] = Future()
        fresh: list[Message] = []
        seen: dict[tuple[str, str], None] = {}
        known, recent = self._tail.seen, self._recent
        for message in messages:
            key = (source, message.event_id)
            if key not in seen and key not in recent and key not in known:
                seen[key] = None
                fresh.append(message)
        accepted, duplicate = len(fresh), len(messages) - len(fresh)
        if not fresh:
            done.set_result(Receipt(accepted=0, duplicate=duplicate, quarantined=quarantined, as_of=self.as_of()))
            return done

        def committed(of: Future[int]) -> None:
            error = of.exception()
            if error is not None:
                done.set_exception(error)
                return
            self._remember(seen)
            done.set_result(Receipt(accepted=accepted, duplicate=duplicate, quarantined=quarantined, as_of=of.result()))

        self.log.submit(Batch(source=source, received_at=time.time_ns() // 1000, messages=fresh)).add_done_callback(
            committed
        )
        return done

    def _remember(self, keys: dict[tuple[str, str], None]) -> None:
        recent = self._recent
        with self._remembering:
            recent.update(keys)
            for old in list(itertools.islice(recent, max(0, len(recent) - _RECENT))):
                del recent[old]

    def as_of(self) -> int:
        """The newest intake number an answer given now includes."""
        return max(self.log.last_seq(), self._lake.transaction_version(FLUSH_APP) or 0)

    def catch_up(self) -> None:
        """Take in what has been acknowledged: who is who, traits, the tail. Every answer does it first."""
        with self._lock:
            self._catch_up()

    def tail(self) -> pa.Table:
        """Unflushed events as rows sorted by (uid, ts); read from the log, so it survives a crash."""
        with self._lock:
            self._catch_up()
            tail = self._tail
            overrides = self.identity.overrides()
            if tail.sorted is None or tail.token != overrides.token:
                tail.token = overrides.token
                rows = [t for _, t in tail.parts if t.num_rows]
                if not rows:
                    tail.sorted = _NOTHING
                else:
                    tail.sorted = _under(pa.concat_tables(rows), overrides).sort_by(
                        [
                            ("uid", "ascending"),
                            ("ts", "ascending"),
                            ("received_at", "ascending"),
                            ("event_id", "ascending"),
                        ]
                    )
            return tail.sorted

    def _catch_up(self) -> None:
        """Bring the in-memory tail to the log: drop what the lake took, add what is new."""
        flushed = self._lake.transaction_version(FLUSH_APP) or 0
        tail = self._tail
        self.identity.refresh()
        if tail.through < flushed or (tail.parts and tail.parts[0][0] <= flushed):
            tail.parts = [(seq, table) for seq, table in tail.parts if seq > flushed]
            tail.seen = {
                (s, e)
                for _, table in tail.parts
                for s, e in zip(table["source"].to_pylist(), table["event_id"].to_pylist(), strict=True)
            }
            tail.through = max(tail.through, flushed)
            tail.sorted = None
        while True:
            taken = self._take(tail.through, tail.seen, _CATCH_UP_EVENTS)
            for seq, table, keys in taken:
                tail.seen.update(keys)
                tail.parts.append((seq, table))
                tail.through = seq
                tail.sorted = None
            if not taken:
                return

    def _take(
        self, after: int, seen: set[tuple[str, str]], max_events: int | None
    ) -> list[tuple[int, pa.Table, list[tuple[str, str]]]]:
        """The next rows of the log as (seq, rows that repeat nothing, their keys); what they say of ids and traits
        is applied first, once for all processes."""
        batches = list(self.log.read(after, max_events))
        if not batches:
            return []
        kept = self._without_twins(batches, seen)
        self._applier.apply(kept)
        messages = [m for _, batch in kept for m in batch.messages if has_row(m)]
        uids = np.full(len(messages), -1, np.int64)
        by_kind: dict[str, list[int]] = {}
        for position, message in enumerate(messages):
            by_kind.setdefault(message.ids[0].kind, []).append(position)
        for kind, positions in by_kind.items():
            ids = [messages[i].ids[0].value for i in positions]
            uids[positions] = self._people.resolve(kind, ids, "observed")
        rows = message_rows([batch for _, batch in kept], uids, self.settings.currency)
        found, start = [], 0
        for seq, batch in kept:
            mine = [m for m in batch.messages if has_row(m)]
            keys = [(batch.source, m.event_id) for m in batch.messages]
            found.append((seq, rows.slice(start, len(mine)), keys))
            start += len(mine)
        return found

    def _without_twins(self, batches: list[tuple[int, Batch]], seen: set[tuple[str, str]]) -> list[tuple[int, Batch]]:
        """Leave out messages that repeat an earlier one: of this log, or of the lake."""
        keys = [(batch.source, m.event_id) for _, batch in batches for m in batch.messages]
        probe = pa.table(
            {
                "source": pa.array([k[0] for k in keys], pa.string()),
                "event_id": pa.array([k[1] for k in keys], pa.string()),
                "ts": pa.array([m.ts for _, batch in batches for m in batch.messages], pa.int64()),
            }
        )
        known = self._lake.twins(probe, _TWIN_WINDOW_DAYS)
        mine: set[tuple[str, str]] = set()
        kept: list[tuple[int, Batch]] = []
        at = 0
        for seq, batch in batches:
            messages = []
            for message in batch.messages:
                key = keys[at]
                if not (known[at] or key in seen or key in mine):
                    mine.add(key)
                    messages.append(message)
                at += 1
            kept.append((seq, msgspec.structs.replace(batch, messages=messages)))
        return kept

    def flush(self) -> int:
        """Move the tail into the lake; returns events written. Needs the writer lock.

        The Delta commit carries the last intake number, so dying between it and the deletion of the
        log's rows only leaves rows that the next start knows to be flushed.
        """
        written = 0
        try:
            while True:
                with self._writing:
                    rows, last = self._first_rows()
                    if last is None:
                        break
                    done = self._lake.append(rows, (FLUSH_APP, last), window_days=_TWIN_WINDOW_DAYS)
                    written += done.accepted
                self.log.delete_through(last)
            self.log.delete_through(self._lake.transaction_version(FLUSH_APP) or 0)
            self.last_flush = time.time_ns() // 1000
            self.last_flush_error = None
        except Exception as error:
            self.last_flush_error = str(error)
            raise
        return written

    def _first_rows(self) -> tuple[pa.Table, int | None]:
        """The oldest rows of the tail, under the persons they belong to now, and the last intake number among them."""
        with self._lock:
            self._catch_up()
            taken: list[pa.Table] = []
            count, last = 0, None
            for seq, table in self._tail.parts:
                taken.append(table)
                count, last = count + table.num_rows, seq
                if count >= _FLUSH_EVENTS:
                    break
            if last is None:
                return _NOTHING, None
            return _under(pa.concat_tables(taken), self.identity.overrides()), last

    def squash(self, cancelled: Callable[[], bool] = lambda: False) -> int:
        """Write rows that changed hands under their present persons; returns rows moved. Needs the writer lock."""
        with self._writing:
            self.catch_up()
            overrides = self.identity.overrides()
            if not overrides:
                return 0
            moved = self._lake.squash(overrides, cancelled)
            if not cancelled():
                self.identity.squashed(overrides)
                with self._lock:
                    # The tail in memory may hold numbers that only the forgotten overrides explained.
                    self._tail = _Tail(through=-1)
            return moved

    def tail_size(self) -> tuple[int, int | None]:
        """(events not flushed yet, when the oldest was received in UTC µs)."""
        with self._lock:
            self._catch_up()
            parts = self._tail.parts
            if not parts:
                return 0, None
            oldest = parts[0][1]["received_at"].cast(pa.int64())[0].as_py() if parts[0][1].num_rows else None
            return sum(t.num_rows for _, t in parts), oldest


def _under(rows: pa.Table, overrides: Overrides) -> pa.Table:
    """The rows under the persons they belong to now."""
    if not overrides:
        return rows
    uid = overrides.owners(rows.column("uid").to_numpy(), lambda: rows.column("distinct_id").to_pylist())
    return rows.set_column(0, rows.schema.field("uid"), pa.array(uid, pa.int64()))
