"""The list of feedback and what is done with each: assigned, noted on, answered, closed, opened again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import sqlalchemy as sa

from tilth.collect.feedback.incoming import MOST_TEXT, bounded
from tilth.collect.model import Id, Message, Track
from tilth.collect.tables import feedback as table
from tilth.collect.tables import feedback_entry as entry_table
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.people.tables import person_id
from tilth.state import Database

__all__ = [
    "Entry",
    "EntryKind",
    "Feedback",
    "FeedbackItem",
    "FeedbackPage",
    "FeedbackStats",
    "Filters",
    "Moved",
    "Status",
    "Topic",
]

SOURCE = "feedback"
_DAY = 86_400_000_000
_CHUNK = 400
MOST_AT_ONCE = 1_000
# Times to a first answer that a figure is made of: the newest.
_MOST_TIMES = 100_000

Status = Literal["open", "answered", "closed"]
EntryKind = Literal["note", "answer", "status", "assignee"]


class FeedbackItem(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of feedback. uid: whose it is now. Instants in UTC µs; first_answer_at: None while unanswered."""

    id: int
    uid: int | None
    distinct_id: str
    at: int
    text: str
    topic: str
    channel: str
    rating: float | None
    source: str
    status: Status
    assignee: str
    first_answer_at: int | None
    closed_at: int | None


class FeedbackPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, oldest first where work waits; total: all that fit the filters."""

    items: list[FeedbackItem]
    total: int
    next: str | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with it. text: of a note or an answer; else what it became."""

    id: int
    at: int
    by: str
    kind: EntryKind
    text: str


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out does not narrow. assignee: `-` for nobody's. older_days: at least so old."""

    status: Status | None = None
    topic: str | None = None
    assignee: str | None = None
    older_days: int | None = None


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A line whose status changed, and what it was."""

    id: int
    was: Status


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    topic: str
    items: int


class FeedbackStats(msgspec.Struct, frozen=True, kw_only=True):
    """Work in figures. median_seconds, p90_seconds: from feedback to its first answer, over `answered_of` that have
    one, of `received` in the last `days`. oldest_open_at: UTC µs."""

    open: int
    answered: int
    closed: int
    oldest_open_at: int | None
    days: int
    received: int
    answered_of: int
    median_seconds: float | None
    p90_seconds: float | None
    topics: list[Topic]
    assignees: list[str]


class Feedback:
    """Reads and moves feedback. Thread-safe. receive(messages, source): makes events durable."""

    def __init__(self, database: Database, receive: Callable[[list[Message], str], Any]) -> None:
        self._database = database
        self._receive = receive

    # -- reading ---------------------------------------------------------------------------------

    def page(
        self, filters: Filters | None = None, cursor: str | None = None, limit: int = 50, now: int | None = None
    ) -> FeedbackPage:
        """Open work oldest first, everything else newest first."""
        chosen = filters or Filters()
        where = _where(chosen, _now() if now is None else now)
        waiting = chosen.status == "open"
        order = (table.c.at, table.c.id) if waiting else (table.c.at.desc(), table.c.id.desc())
        query = _items().where(*where).order_by(*order).limit(limit + 1)
        if cursor is not None:
            at, _, number = cursor.partition("-")
            if not (at.isdecimal() and number.isdecimal() and max(len(at), len(number)) <= 18):
                raise InvalidInput("cursor", "is not one this list gave out")
            here, there = sa.tuple_(table.c.at, table.c.id), sa.tuple_(int(at), int(number))
            query = query.where(here > there if waiting else here < there)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            total = connection.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0
        page = rows[:limit]
        return FeedbackPage(
            items=[_item(row) for row in page],
            total=total,
            next=f"{page[-1].at}-{page[-1].id}" if len(rows) > limit else None,
        )

    def get(self, number: int) -> tuple[FeedbackItem, list[Entry]]:
        """One piece and its history, oldest first. Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(_items().where(table.c.id == number)).one_or_none()
            if row is None:
                raise NotFound("feedback", str(number))
            rows = connection.execute(
                sa.select(entry_table).where(entry_table.c.feedback_id == number).order_by(entry_table.c.id)
            ).all()
        return _item(row), [Entry(id=r.id, at=r.at, by=r.by, kind=r.kind, text=r.text) for r in rows]

    def stats(self, days: int = 90, now: int | None = None) -> FeedbackStats:
        """Counts, how long people wait for a first answer, and what to filter by."""
        since = (_now() if now is None else now) - days * _DAY
        with self._database.read() as connection:
            counts = {
                row[0]: row[1]
                for row in connection.execute(sa.select(table.c.status, sa.func.count()).group_by(table.c.status))
            }
            oldest = connection.scalar(sa.select(sa.func.min(table.c.at)).where(table.c.status == "open"))
            received = connection.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.at >= since)) or 0
            waits = np.array(
                connection.scalars(
                    sa.select(table.c.first_answer_at - table.c.at)
                    .where(table.c.at >= since, table.c.first_answer_at.is_not(None))
                    .order_by(table.c.at.desc())
                    .limit(_MOST_TIMES)
                ).all(),
                np.float64,
            )
            topics = connection.execute(
                sa.select(table.c.topic, sa.func.count().label("items"))
                .where(table.c.topic != "")
                .group_by(table.c.topic)
                .order_by(sa.desc("items"), table.c.topic)
                .limit(100)
            ).all()
            assignees = connection.scalars(
                sa.select(table.c.assignee)
                .where(table.c.assignee != "")
                .distinct()
                .order_by(table.c.assignee)
                .limit(100)
            ).all()
        seconds = np.maximum(waits, 0) / 1e6
        return FeedbackStats(
            open=counts.get("open", 0),
            answered=counts.get("answered", 0),
            closed=counts.get("closed", 0),
            oldest_open_at=oldest,
            days=days,
            received=received,
            answered_of=len(waits),
            median_seconds=float(np.median(seconds)) if len(waits) else None,
            p90_seconds=float(np.quantile(seconds, 0.9)) if len(waits) else None,
            topics=[Topic(topic=row.topic, items=row.items) for row in topics],
            assignees=[*assignees],
        )

    # -- work ------------------------------------------------------------------------------------

    def answer(self, number: int, text: str, by: str, now: int | None = None) -> FeedbackItem:
        """Keep an answer, which also goes to the person's timeline as `feedback_answered`. A closed one cannot be
        answered (reopen it). Sending the words to the person is for whoever holds the channel.

        The entry is written first and told to the lake after; what a killed server did not tell is told with
        the next answer, under the same event id.
        """
        said = _words(text)
        moment = _now() if now is None else now
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.id == number, table.c.status != "closed")
                .values(
                    status="answered",
                    first_answer_at=sa.func.coalesce(table.c.first_answer_at, moment),
                    changed_at=moment,
                )
            )
            if done.rowcount == 0:
                self._refuse(connection, number, "is closed; reopen it to answer")
            self._add(connection, number, "answer", said, by, moment, told=False)
        self.tell()
        return self.get(number)[0]

    def tell(self) -> int:
        """Send the events of answers that have none yet; returns how many."""
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(
                    entry_table.c.id,
                    entry_table.c.at,
                    entry_table.c.text,
                    table.c.id.label("of"),
                    table.c.kind,
                    table.c.distinct_id,
                    table.c.topic,
                    table.c.at.label("asked_at"),
                )
                .join(table, table.c.id == entry_table.c.feedback_id)
                .where(entry_table.c.told.is_(False))
                .order_by(entry_table.c.id)
                .limit(_CHUNK)
            ).all()
        if not rows:
            return 0
        self._receive(
            [
                Track(
                    ids=(Id(row.kind, row.distinct_id),),
                    ts=row.at,
                    event_id=f"feedback_answered:{row.of}:{row.id}",
                    event="feedback_answered",
                    properties={
                        "feedback": row.of,
                        "topic": row.topic,
                        "text": row.text,
                        "seconds": max(0, row.at - row.asked_at) // 1_000_000,
                    },
                )
                for row in rows
            ],
            SOURCE,
        )
        with self._database.begin() as connection:
            connection.execute(
                sa.update(entry_table).where(entry_table.c.id.in_([row.id for row in rows])).values(told=True)
            )
        return len(rows)

    def note(self, number: int, text: str, by: str) -> FeedbackItem:
        """A word for colleagues; the person never sees it."""
        said, moment = _words(text), _now()
        with self._database.begin() as connection:
            done = connection.execute(sa.update(table).where(table.c.id == number).values(changed_at=moment))
            if done.rowcount == 0:
                raise NotFound("feedback", str(number))
            self._add(connection, number, "note", said, by, moment)
        return self.get(number)[0]

    def assign(self, number: int, assignee: str, by: str) -> FeedbackItem:
        """Make it somebody's; an empty name makes it nobody's."""
        name, moment = assignee.strip(), _now()
        if len(name) > 100:
            raise InvalidInput("assignee", "must have at most 100 characters")
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.id == number, table.c.assignee != name)
                .values(assignee=name, changed_at=moment)
            )
            if done.rowcount:
                self._add(connection, number, "assignee", name, by, moment)
        return self.get(number)[0]

    def move(self, numbers: Sequence[int], status: Status, by: str) -> list[Moved]:
        """Give these a status by hand; tells which changed and what they were, so that it can be undone.

        `answered` is only for what has an answer, others stay as they are. Raises `InvalidInput`, and
        `Conflict` where one alone was asked for and cannot.
        """
        if not 1 <= len(numbers) <= MOST_AT_ONCE:
            raise InvalidInput("ids", f"must be 1 to {MOST_AT_ONCE:,}")
        moment, moved = _now(), []
        with self._database.begin() as connection:
            for number in dict.fromkeys(numbers):
                was = connection.scalar(sa.select(table.c.status).where(table.c.id == number))
                if was is None or was == status:
                    continue
                done = connection.execute(
                    sa.update(table)
                    .where(
                        table.c.id == number,
                        table.c.status == was,
                        sa.true() if status != "answered" else table.c.first_answer_at.is_not(None),
                    )
                    .values(status=status, changed_at=moment, closed_at=moment if status == "closed" else None)
                )
                if done.rowcount:
                    self._add(connection, number, "status", status, by, moment)
                    moved.append(Moved(id=number, was=was))
            if not moved and len(numbers) == 1 and status == "answered":
                self._refuse(connection, numbers[0], "has no answer; answer it instead", unless=status)
        return moved

    def forget(self, ids: Sequence[tuple[str, str]]) -> None:
        """Remove the feedback of these (kind, id), with its history."""
        with self._database.begin() as connection:
            for kind, value in ids:
                mine = sa.select(table.c.id).where(table.c.kind == kind, table.c.distinct_id == value)
                connection.execute(sa.delete(entry_table).where(entry_table.c.feedback_id.in_(mine)))
                connection.execute(sa.delete(table).where(table.c.kind == kind, table.c.distinct_id == value))

    def _refuse(self, connection: sa.Connection, number: int, why: str, unless: str = "") -> None:
        found = connection.scalar(sa.select(table.c.status).where(table.c.id == number))
        if found is None:
            raise NotFound("feedback", str(number))
        if found != unless:
            raise Conflict(f"feedback {number} {why}")

    def _add(
        self, connection: sa.Connection, number: int, kind: EntryKind, text: str, by: str, at: int, told: bool = True
    ) -> None:
        connection.execute(
            sa.insert(entry_table).values(feedback_id=number, at=at, by=by, kind=kind, text=text, told=told)
        )


def _items() -> sa.Select[Any]:
    owner = sa.and_(person_id.c.kind == table.c.kind, person_id.c.value == table.c.distinct_id)
    return sa.select(table, person_id.c.uid).join(person_id, owner, isouter=True)


def _where(filters: Filters, now: int) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.status is not None:
        found.append(table.c.status == filters.status)
    if filters.topic is not None:
        found.append(table.c.topic == filters.topic)
    if filters.assignee is not None:
        found.append(table.c.assignee == ("" if filters.assignee == "-" else filters.assignee))
    if filters.older_days is not None:
        found.append(table.c.at <= now - filters.older_days * _DAY)
    return found


def _item(row: Any) -> FeedbackItem:
    return FeedbackItem(
        id=row.id, uid=row.uid, distinct_id=row.distinct_id, at=row.at, text=row.text, topic=row.topic,
        channel=row.channel, rating=row.rating, source=row.source, status=row.status, assignee=row.assignee,
        first_answer_at=row.first_answer_at, closed_at=row.closed_at,
    )  # fmt: skip


def _words(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise InvalidInput("text", f"must have at most {MOST_TEXT:,} characters")
    said = bounded(text, MOST_TEXT)
    if not said:
        raise InvalidInput("text", "is empty")
    return said


def _now() -> int:
    return time.time_ns() // 1000
