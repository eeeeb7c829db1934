"""The durable intake log: acknowledged means committed here.

Requests that arrive at the same time share one transaction (grouped commits): a disk sync costs the
same for one row or a hundred.
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from tilth.collect.model import Batch
from tilth.collect.tables import intake
from tilth.errors import LimitReached
from tilth.state import Database

__all__ = ["IntakeLog"]

# JSON keeps a decimal's digits exactly as they came, which msgpack's binary floats would not.
_encoder = msgspec.json.Encoder(decimal_format="number")
_FRESH = 100_000
_DELETE = 200
_INSERT = "INSERT INTO intake (source, received_at, events, payload) VALUES (?, ?, ?, ?)"
# Held while a group commits on PostgreSQL, so that numbers become visible in the order they were given.
_COMMIT_ORDER = 0x74696C74685F6C


@dataclass
class _Waiting:
    batch: Batch
    payload: bytes
    done: Future[int]


class IntakeLog:
    """Appends batches and reads them back in order of `seq`.

    queue_limit: batches that may wait for a commit; beyond it `append` raises `LimitReached` at
    once, so memory stays bounded when the disk is slower than the clients.
    """

    def __init__(self, database: Database, queue_limit: int = 10_000) -> None:
        self._database = database
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(maxsize=queue_limit)
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()
        self._fresh: dict[int, tuple[int, bytes]] = {}
        self._fresh_messages = 0
        self._news = threading.Condition()
        self._committed = 0

    def append(self, batch: Batch) -> int:
        """Store a batch durably; returns its seq once it is committed."""
        return self.submit(batch).result()

    def submit(self, batch: Batch) -> Future[int]:
        """Store a batch with the next commit; the future has its seq once it is durable."""
        waiting = _Waiting(batch, _encoder.encode(batch), Future())
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._commit_groups, name="intake", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise LimitReached("too many requests are waiting for the disk; try again", retry_after=1) from None
        return waiting.done

    def _commit_groups(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group = [first]
            stop = False
            while len(group) < 256:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                    break
                group.append(more)
            try:
                with self._database.begin() as connection:
                    if not self._database.is_sqlite:
                        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _COMMIT_ORDER})
                    seqs = [self._insert(connection, w) for w in group]
            except Exception as error:  # noqa: BLE001 - handed to every caller that waits for this commit
                for waiting in group:
                    waiting.done.set_exception(error)
            else:
                for waiting, seq in zip(group, seqs, strict=True):
                    self._keep(seq, len(waiting.batch.messages), waiting.payload)
                    waiting.done.set_result(seq)
                with self._news:
                    self._committed = max(self._committed, *seqs)
                    self._news.notify_all()
            if stop:
                return

    def _insert(self, connection: sa.Connection, waiting: _Waiting) -> int:
        batch = waiting.batch
        if self._database.is_sqlite:
            # The driver's own call: building the statement would take longer than running it.
            cursor = connection.connection.cursor()
            try:
                cursor.execute(_INSERT, (batch.source, batch.received_at, len(batch.messages), waiting.payload))
                seq = cursor.lastrowid
            finally:
                cursor.close()
            assert seq is not None
            return int(seq)
        result = connection.execute(
            sa.insert(intake).values(
                source=batch.source,
                received_at=batch.received_at,
                events=len(batch.messages),
                payload=waiting.payload,
            )
        )
        key = result.inserted_primary_key
        assert key is not None
        return int(key[0])

    def payloads(self, after: int, max_events: int | None = None) -> tuple[list[tuple[int, bytes]], int]:
        """The rows (seq, payload) with seq > after, in order, until `max_events` is passed, and their messages' number.

        A payload is a `Batch` as JSON, numbers with the digits they came with.
        """
        wanted: dict[int, int] = {}
        taken = 0
        query = sa.select(intake.c.seq, intake.c.events).where(intake.c.seq > after).order_by(intake.c.seq)
        with self._database.read() as connection:
            for seq, events in connection.execution_options(yield_per=1_000).execute(query):
                wanted[seq] = events
                taken += events
                if max_events is not None and taken >= max_events:
                    break
        # What this process committed a moment ago need not be read again.
        held = {seq: fresh[1] for seq in wanted if (fresh := self._fresh.get(seq)) is not None}
        missing = [seq for seq in wanted if seq not in held]
        for start in range(0, len(missing), 500):
            payloads = sa.select(intake.c.seq, intake.c.payload).where(intake.c.seq.in_(missing[start : start + 500]))
            with self._database.read() as connection:
                held |= {row.seq: row.payload for row in connection.execute(payloads)}
        # A row that is gone since was flushed by another process meanwhile.
        return [(seq, held[seq]) for seq in wanted if seq in held], sum(n for seq, n in wanted.items() if seq in held)

    def backlog(self, after: int) -> int:
        """How many messages are in rows with seq > after."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.sum(intake.c.events)).where(intake.c.seq > after)) or 0

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until this process has committed a row with seq > after; False when it has not in `timeout` s."""
        with self._news:
            return self._news.wait_for(lambda: self._committed > after, timeout)

    def _keep(self, seq: int, messages: int, payload: bytes) -> None:
        """Remember what was just committed, the newest `_FRESH` messages."""
        self._fresh[seq] = (messages, payload)
        self._fresh_messages += messages
        while self._fresh_messages > _FRESH and self._fresh:
            oldest = next(iter(self._fresh))
            self._fresh_messages -= self._fresh.pop(oldest)[0]

    def last_seq(self) -> int:
        """The highest seq in the log now (0 when it is empty)."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.max(intake.c.seq))) or 0

    def rows(self) -> int:
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(intake)) or 0

    def delete_through(self, seq: int) -> None:
        """Forget rows that the lake holds, a few at a time: commits of new ones must not wait for all of them."""
        while True:
            some = sa.select(intake.c.seq).where(intake.c.seq <= seq).order_by(intake.c.seq).limit(_DELETE)
            with self._database.begin() as connection:
                gone = connection.execute(sa.delete(intake).where(intake.c.seq.in_(some))).rowcount
            if gone < _DELETE:
                return
            time.sleep(0.002)

    def close(self) -> None:
        """Finish what waits and stop the committing thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=30)
            self._thread = None
