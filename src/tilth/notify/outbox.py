"""The outbox: what must be told is a row, written with what it is about, and delivered afterwards.

A row's key says what it is for, so that the same cause never makes two. A deliverer claims a row for a while before
it sends; where it dies in between, the claim runs out and another one sends: at least once, and once as long as
nobody dies between the sending and the noting of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.errors import NotFound
from tilth.notify.destinations import Destinations
from tilth.notify.http import Refused
from tilth.notify.message import Message
from tilth.state import Database
from tilth.state.database import BigId, metadata

__all__ = ["Delivery", "Outbox", "outbox_table"]

logger = logging.getLogger("tilth.notify")
outbox_table = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("destination", sa.BigInteger, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),
    # waiting, sent or dead.
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("sent_at", sa.BigInteger),
    sa.Index("ix_outbox_state_due_at", "state", "due_at"),
    sqlite_autoincrement=True,
)
_SECOND = 1_000_000
# A claim lasts longer than any sending takes.
_CLAIM = 120 * _SECOND
# Pauses before each further attempt; after the last a row is dead.
_PAUSES = (10, 60, 300, 1800, 7200, 21600)
_KEPT = 90 * 86_400 * _SECOND


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A row as people see it. state: waiting, sent or dead. created_at, due_at, sent_at: UTC µs."""

    id: int
    key: str
    destination: int
    title: str
    state: str
    attempts: int
    error: str
    created_at: int
    due_at: int
    sent_at: int | None


class Outbox:
    """Rows to be delivered. Several processes may deliver at once."""

    def __init__(self, database: Database, destinations: Destinations) -> None:
        self._database = database
        self._destinations = destinations

    def put(self, connection: sa.Connection | None, key: str, destination: int, message: Message) -> bool:
        """A row, in the caller's transaction or one of its own; False where that key was put before."""
        if connection is None:
            with self._database.begin() as own:
                return self.put(own, key, destination, message)
        now = time.time_ns() // 1000
        made = connection.execute(
            self._database.insert_or_ignore(outbox_table).values(
                key=key,
                destination=destination,
                title=message.title,
                message=msgspec.msgpack.encode(message),
                state="waiting",
                attempts=0,
                due_at=now,
                error="",
                created_at=now,
            )
        )
        return bool(made.rowcount)

    def deliver(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """Send what is due, one after the other; how many were sent."""
        sent = 0
        while not stopping():
            claimed = self._claim()
            if claimed is None:
                return sent
            sent += self._send(*claimed)
        return sent

    def recent(self, limit: int = 100) -> list[Delivery]:
        """The newest first; what is dead or waits is there however old."""
        table = outbox_table
        columns = [c for c in table.c if c.name != "message"]
        query = sa.select(*columns).order_by((table.c.state == "sent").asc(), table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def retry(self, id: int) -> None:
        """Try a dead one again now. Raises `NotFound`."""
        table = outbox_table
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.id == id, table.c.state == "dead")
                .values(state="waiting", attempts=0, due_at=time.time_ns() // 1000)
            )
        if done.rowcount == 0:
            raise NotFound("dead delivery", str(id))

    def tidy(self) -> None:
        """Forget what was sent long ago."""
        table = outbox_table
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(table).where(table.c.state == "sent", table.c.sent_at < time.time_ns() // 1000 - _KEPT)
            )

    def _claim(self) -> tuple[int, str, int, Message, int] | None:
        """The next row that is due, made this caller's for a while."""
        table = outbox_table
        while True:
            now = time.time_ns() // 1000
            with self._database.begin() as connection:
                row = connection.execute(
                    sa.select(table)
                    .where(table.c.state == "waiting", table.c.due_at <= now)
                    .order_by(table.c.due_at, table.c.id)
                    .limit(1)
                ).first()
                if row is None:
                    return None
                # Whoever finds the row as it was read has it; the others look further.
                done = connection.execute(
                    sa.update(table)
                    .where(table.c.id == row.id, table.c.state == "waiting", table.c.due_at == row.due_at)
                    .values(due_at=now + _CLAIM, attempts=row.attempts + 1)
                )
                if done.rowcount:
                    message = msgspec.msgpack.decode(row.message, type=Message)
                    return row.id, row.key, row.destination, message, row.attempts + 1

    def _send(self, id: int, key: str, destination: int, message: Message, attempt: int) -> int:
        table = outbox_table
        now = time.time_ns() // 1000
        try:
            if not self._destinations.get(destination).enabled:
                raise Refused("the destination is switched off", again=False)
            self._destinations.send(destination, message, key)
        except NotFound:
            values: dict[str, Any] = {"state": "dead", "error": "the destination is no longer there"}
        except Refused as error:
            again = error.again and attempt <= len(_PAUSES)
            due = now + (_PAUSES[attempt - 1] * _SECOND if again else 0)
            values = {"state": "waiting" if again else "dead", "error": str(error)[:500], "due_at": due}
            logger.warning("a notice was not sent (attempt %d): %s", attempt, error)
        else:
            values = {"state": "sent", "error": "", "sent_at": time.time_ns() // 1000}
        with self._database.begin() as connection:
            connection.execute(sa.update(table).where(table.c.id == id).values(**values))
        return int(values["state"] == "sent")


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        key=row.key,
        destination=row.destination,
        title=row.title,
        state=row.state,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        due_at=row.due_at,
        sent_at=row.sent_at,
    )
