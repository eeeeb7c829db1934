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
import numpy.typing as npt
import pyarrow as pa

from tilth.collect.applying import Applier
from tilth.collect.connectors.service import Connectors
from tilth.collect.converting import Converted, Converter
from tilth.collect.drift import DriftNotices
from tilth.collect.events import Event
from tilth.collect.feedback.service import Feedback
from tilth.collect.intake import IntakeLog
from tilth.collect.model import Batch, Id, Message, Track
from tilth.collect.plan import Plans
from tilth.collect.profiles import Profiles
from tilth.collect.sources import Sources
from tilth.collect.surveys.service import Surveys
from tilth.errors import LimitReached
from tilth.lake import Lake, Overrides, empty_events, twin_key, twin_keys
from tilth.people import Identity, People
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["FLUSH_APP", "MOST_WAITING", "Collect", "Receipt"]

# The application name under which the lake's commits carry the last flushed intake number.
FLUSH_APP = "tilth-intake"
_FLUSH_EVENTS = 500_000
# With more than this acknowledged and not in the lake yet (a full disk, a load beyond the machine), clients are asked
# to come again, so that memory stays bounded.
MOST_WAITING = 3_000_000
_CATCH_UP_EVENTS = 20_000
# Small parts of the tail are put together up to this many rows, so that there are never many of them.
_PART_ROWS = 4_096
# What a page about one person waits for; more than this is taken in beside it.
_LITTLE = 500
_RECENT = 100_000
_ORDER = [(name, "ascending") for name in ("uid", "ts", "received_at", "event_id")]
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
class _Part:
    """Consecutive rows of the tail. last: the intake number they go up to; seq: int64, the one of each row."""

    last: int
    table: pa.Table
    seq: npt.NDArray[np.int64]
    uid: npt.NDArray[np.int64]

    @property
    def first(self) -> int:
        return int(self.seq[0]) if len(self.seq) else self.last

    def after(self, seq: int) -> _Part:
        """The rows with a greater intake number."""
        kept = self.seq > seq
        return self if kept.all() else _part(self.last, self.table.filter(pa.array(kept)), self.seq[kept])


def _part(last: int, table: pa.Table, seq: npt.NDArray[np.int64]) -> _Part:
    return _Part(last, table, seq, table.column("uid").to_numpy())


@dataclass
class _Tail:
    """Acknowledged, unflushed events in memory, in intake order."""

    through: int = 0
    parts: list[_Part] = field(default_factory=list)
    # `twin_key` of everything in it.
    seen: set[str] = field(default_factory=set)
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
        # Held while the tail changes or is looked at; never while anything else is waited for.
        self._lock = threading.RLock()
        # Held by whoever takes rows of the log in, which may take a while.
        self._taking = threading.RLock()
        self.converter = Converter()
        # Messages not in the lake, as of the last look of the thread that takes them in.
        self._waiting = 0
        # Keys acknowledged here lately, so that a client's retry is told what it is at once.
        self._recent: dict[str, None] = {}
        self._remembering = threading.Lock()
        # Held while rows are written under the persons they have now: nobody may change hands for good meanwhile.
        self._writing = threading.RLock()
        self.sources = Sources(database)
        self.plans = Plans(database)
        self.profiles = Profiles(database, people, self.identity, self.plans)
        self.connectors = Connectors(database, self.sources)
        self.drift = DriftNotices(database)
        self.surveys = Surveys(database, people, self.sources, self.receive)
        self.feedback = Feedback(database, self.receive)
        self.last_flush: int | None = None
        self.last_flush_error: str | None = None
        # Called with the rows of every part of the tail when it was taken in, for what reacts to events.
        self.on_taken: list[Callable[[pa.Table], None]] = []
        lake.tail = self.tail
        lake.tail_of = self.tail_of
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
        a duplicate; one that repeats something older is found before it is part of an answer. Raises
        `LimitReached` when too much waits.
        """
        return self.submit(messages, source, quarantined).result()

    def submit(self, messages: list[Message], source: str, quarantined: int = 0) -> Future[Receipt]:
        """As `receive`, without waiting: the future has the receipt once the messages are durable."""
        if self._waiting > MOST_WAITING:
            raise LimitReached("more comes in than can be taken in at the moment; try again", retry_after=2)
        done: Future[Receipt] = Future()
        fresh: list[Message] = []
        seen: dict[str, None] = {}
        known, recent = self._tail.seen, self._recent
        for message in messages:
            key = twin_key(source, message.event_id)
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

    def _remember(self, keys: dict[str, None]) -> None:
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
        with self._taking:
            self._catch_up()

    def settle(self) -> None:
        """As `catch_up`, but where much is coming in at once it is left to whoever takes it in.

        For answers about one person: what was just acknowledged is in them, except under a load where they
        are a moment old.
        """
        if self.log.backlog(self._tail.through) <= _LITTLE:
            self.catch_up()

    def take_in(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for something to be acknowledged here, and take it in."""
        if self.log.wait(self._tail.through, timeout):
            self.catch_up()
            self._waiting = self.log.backlog(self._tail.through) + sum(p.table.num_rows for p in self._tail.parts)
        elif self._waiting:
            self._waiting = self.tail_size()[0]

    def tail(self) -> pa.Table:
        """Unflushed events as rows sorted by (uid, ts); read from the log, so it survives a crash."""
        self.catch_up()
        with self._lock:
            tail = self._tail
            overrides = self.identity.overrides()
            if tail.sorted is None or tail.token != overrides.token:
                tail.token = overrides.token
                rows = [part.table for part in tail.parts if part.table.num_rows]
                if not rows:
                    tail.sorted = _NOTHING
                else:
                    tail.sorted = _under(pa.concat_tables(rows), overrides).sort_by(_ORDER)
            return tail.sorted

    def tail_of(self, uids: list[int]) -> pa.Table:
        """The tail's rows that were written under these uids, in intake order, without a look at the log.

        Overrides are not applied: the caller asks for `Overrides.sources_of` and says whose the rows are.
        """
        flushed = self._lake.transaction_version(FLUSH_APP) or 0
        with self._lock:
            found = []
            for part in self._tail.parts:
                mine = part.uid == uids[0] if len(uids) == 1 else np.isin(part.uid, uids)
                rows = np.flatnonzero(mine & (part.seq > flushed) if part.first <= flushed else mine)
                if len(rows):
                    found.append(part.table.take(pa.array(rows)))
            return pa.concat_tables(found) if found else _NOTHING

    def _catch_up(self) -> None:
        """Bring the in-memory tail to the log: drop what the lake took, add what is new."""
        flushed = self._lake.transaction_version(FLUSH_APP) or 0
        tail = self._tail
        self.identity.refresh()
        if tail.through < flushed or (tail.parts and tail.parts[0].first <= flushed):
            with self._lock:
                tail.parts = [part.after(flushed) for part in tail.parts if part.last > flushed]
                tail.seen = set()
                for part in tail.parts:
                    tail.seen.update(twin_keys(part.table["source"], part.table["event_id"]).to_pylist())
                tail.through = max(tail.through, flushed)
                tail.sorted = None
        # Up to what is there now: under a load there is always more, and others wait for the lock.
        target = self.log.last_seq()
        while tail.through < target:
            taken = self._take(tail.through, tail.seen)
            if taken is None:
                return
            part, keys = taken
            with self._lock:
                tail.seen.update(keys)
                if tail.parts and tail.parts[-1].table.num_rows + part.table.num_rows <= _PART_ROWS:
                    before = tail.parts.pop()
                    together = pa.concat_tables([before.table, part.table]).combine_chunks()
                    tail.parts.append(_part(part.last, together, np.concatenate((before.seq, part.seq))))
                else:
                    tail.parts.append(part)
                tail.through = part.last
                tail.sorted = None
            if part.table.num_rows:
                for react in self.on_taken:
                    react(part.table)

    def _take(self, after: int, seen: set[str]) -> tuple[_Part, list[str]] | None:
        """The next rows of the log that repeat nothing, and their messages' keys; what they say of ids and traits
        is applied first, once for all processes. None when there is nothing new."""
        raw, events = self.log.payloads(after, _CATCH_UP_EVENTS)
        if not raw:
            return None
        found, keys = self._without_twins(self.converter.convert(raw, events, self.settings.currency), seen)
        self._applier.apply([(seq, batch) for seq, _, batch in found.telling], found.last)
        ids = found.rows.column("distinct_id")
        kinds = found.kind.indices.to_numpy()
        uids = np.full(found.rows.num_rows, -1, np.int64)
        for code, kind in enumerate(found.kind.dictionary.to_pylist()):
            mine = kinds == code
            if mine.all():
                uids = self._people.resolve(kind, ids, "observed")
            elif mine.any():
                uids[mine] = self._people.resolve(kind, ids.filter(pa.array(mine)), "observed")
        rows = found.rows.set_column(0, found.rows.schema.field("uid"), pa.array(uids, pa.int64()))
        return _part(found.last, rows, found.seq[found.has_row]), keys

    def _without_twins(self, found: Converted, seen: set[str]) -> tuple[Converted, list[str]]:
        """Leave out messages that repeat an earlier one, of this log or of the lake; and the keys of the others."""
        texts = twin_keys(found.source, found.event_id)
        keys: list[str] = texts.to_pylist()
        probe = pa.table({"source": found.source, "event_id": found.event_id, "ts": found.ts})
        gone = self._lake.twins(probe, _TWIN_WINDOW_DAYS)
        if len(set(keys)) == len(keys) and seen.isdisjoint(keys) and not gone.any():
            return found, keys
        mine: set[str] = set()
        for at, key in enumerate(keys):
            if gone[at] or key in seen or key in mine:
                gone[at] = True
            else:
                mine.add(key)
        return found.without(gone), list(mine)

    def flush(self) -> int:
        """Move the tail into the lake; returns events written. Needs the writer lock.

        The Delta commit carries the last intake number, so dying between it and the deletion of the
        log's rows only leaves rows that the next start knows to be flushed.
        """
        written = 0
        target = self.as_of()
        last: int | None = 0
        try:
            # Up to what is there now: under a load there is always more.
            while last is not None and last < target:
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
        self.catch_up()
        with self._lock:
            taken: list[pa.Table] = []
            count, last = 0, None
            for part in self._tail.parts:
                taken.append(part.table)
                count, last = count + part.table.num_rows, part.last
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
                with self._taking, self._lock:
                    # The tail in memory may hold numbers that only the forgotten overrides explained.
                    self._tail = _Tail(through=-1)
            return moved

    def tail_size(self) -> tuple[int, int | None]:
        """(events not flushed yet, when the oldest was received in UTC µs)."""
        self.catch_up()
        with self._lock:
            parts = self._tail.parts
            if not parts:
                return 0, None
            first = parts[0].table
            oldest = first["received_at"].cast(pa.int64())[0].as_py() if first.num_rows else None
            return sum(part.table.num_rows for part in parts), oldest


def _under(rows: pa.Table, overrides: Overrides) -> pa.Table:
    """The rows under the persons they belong to now."""
    if not overrides:
        return rows
    uid = overrides.owners(rows.column("uid").to_numpy(), lambda: rows.column("distinct_id").to_pylist())
    return rows.set_column(0, rows.schema.field("uid"), pa.array(uid, pa.int64()))
