"""Boards sent by themselves: every day, week or month at a time of the workspace's zone."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tilth.behavior import Behavior
from tilth.behavior.boards import Boards
from tilth.behavior.calendar import Zone, zone_of
from tilth.errors import InvalidInput, NotFound, TilthError
from tilth.measure.board_page import html_page, pdf_page
from tilth.measure.board_tiles import panels
from tilth.measure.metrics import Metrics
from tilth.notify import Attachment, Destinations, Message, Outbox
from tilth.settings import Settings
from tilth.state import Database
from tilth.state.database import metadata

__all__ = ["BoardFile", "BoardSchedule", "BoardSchedules", "KeptSchedule", "board_schedule", "next_after"]

board_schedule = sa.Table(
    "board_schedule",
    metadata,
    sa.Column("board", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger),
    sa.Column("error", sa.Text, nullable=False),
)


class BoardSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """every: day, week (on `weekday`, 1 is Monday) or month (on its `day`, 1 to 28) at `at` (HH:MM, workspace's zone).
    destinations: of e-mail. pdf: also as a file."""

    every: Literal["day", "week", "month"] = "week"
    at: str = "08:00"
    weekday: int = 1
    day: int = 1
    destinations: list[int]
    pdf: bool = True


class KeptSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """next_at, last_at: UTC µs. error: why the last one was not made."""

    schedule: BoardSchedule
    by: str
    next_at: int
    last_at: int | None
    error: str


class BoardFile(msgspec.Struct, frozen=True, kw_only=True):
    """A board as a file."""

    name: str
    kind: str
    content: bytes


def next_after(schedule: BoardSchedule, zone: Zone, now: int) -> int:
    """The first time after `now` (UTC µs)."""
    hour, minute = (int(part) for part in schedule.at.split(":"))
    day = zone.date(now)
    for _ in range(70):
        due = (
            schedule.every == "day"
            or (schedule.every == "week" and day.isoweekday() == schedule.weekday)
            or (schedule.every == "month" and day.day == schedule.day)
        )
        at = zone.instant(dt.datetime.combine(day, dt.time(hour, minute)))
        if due and at > now:
            return at
        day += dt.timedelta(days=1)
    raise AssertionError("every schedule comes within two months")


class BoardSchedules:
    """By the board's number."""

    def __init__(
        self,
        database: Database,
        boards: Boards,
        behavior: Callable[[], Behavior],
        metrics: Metrics,
        destinations: Destinations,
        outbox: Outbox,
        settings: Callable[[], Settings],
    ) -> None:
        self._database = database
        self._boards = boards
        self._behavior = behavior
        self._metrics = metrics
        self._destinations = destinations
        self._outbox = outbox
        self._settings = settings

    def get(self, board: int) -> KeptSchedule | None:
        """None where the board is not sent by itself."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(board_schedule).where(board_schedule.c.board == board)).first()
        return None if row is None else _kept(row)

    def set(self, board: int, schedule: BoardSchedule, by: str) -> KeptSchedule:
        """Raises `InvalidInput` and `NotFound`."""
        self._boards.get(board)
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", schedule.at):
            raise InvalidInput("at", "must be a time such as 08:00")
        if not 1 <= schedule.weekday <= 7:
            raise InvalidInput("weekday", "must be 1 (Monday) to 7")
        if not 1 <= schedule.day <= 28:
            raise InvalidInput("day", "must be 1 to 28, a day that every month has")
        self._check(schedule.destinations)
        now = time.time_ns() // 1000
        values = {
            "board": board,
            "definition": msgspec.json.encode(schedule).decode(),
            "changed_by": by,
            "changed_at": now,
            "next_at": next_after(schedule, zone_of(self._settings().timezone), now),
            "error": "",
        }
        with self._database.begin() as connection:
            self._database.upsert_all(connection, board_schedule, ("board",), [values])
        found = self.get(board)
        assert found is not None
        return found

    def clear(self, board: int) -> None:
        """Send it no more."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(board_schedule).where(board_schedule.c.board == board))

    def file(self, board: int, kind: str) -> BoardFile:
        """The board as html or pdf. Raises `NotFound` and `InvalidInput`."""
        if kind not in ("html", "pdf"):
            raise InvalidInput("format", f"{kind[:20]!r} is not one of them", ["html", "pdf"])
        message = self._message(board, with_pdf=kind == "pdf")
        if kind == "pdf":
            one = message.attachments[0]
            return BoardFile(name=one.name, kind=one.kind, content=one.content)
        return BoardFile(name=f"{_file_name(message.title)}.html", kind="text/html", content=message.html.encode())

    def send(self, board: int, destinations: list[int], *, pdf: bool = True) -> int:
        """Send it now; to how many. Raises `NotFound` and `InvalidInput`."""
        self._check(destinations)
        message = self._message(board, with_pdf=pdf)
        stamp = time.time_ns() // 1000
        for destination in destinations:
            self._outbox.put(None, f"board:{board}:now:{stamp}:{destination}", destination, message)
        return len(destinations)

    def send_due(self, now: int | None = None) -> int:
        """Send what is due; how many boards. Of runs missed while nobody was there only the last is made up for."""
        moment = now or time.time_ns() // 1000
        table = board_schedule
        with self._database.read() as connection:
            rows = list(connection.execute(sa.select(table).where(table.c.next_at <= moment).order_by(table.c.next_at)))
        sent = 0
        for row in rows:
            schedule = msgspec.json.decode(row.definition, type=BoardSchedule)
            error, message = "", None
            try:
                message = self._message(row.board, with_pdf=schedule.pdf)
            except NotFound:
                self.clear(row.board)
                continue
            except TilthError as failure:
                error = failure.message[:500]
            following = next_after(schedule, zone_of(self._settings().timezone), moment)
            with self._database.begin() as connection:
                # Of several processes the one that moves it on sends it.
                done = connection.execute(
                    sa.update(table)
                    .where(table.c.board == row.board, table.c.next_at == row.next_at)
                    .values(next_at=following, last_at=moment, error=error)
                )
                if done.rowcount and message is not None:
                    for destination in schedule.destinations:
                        key = f"board:{row.board}:{row.next_at}:{destination}"
                        self._outbox.put(connection, key, destination, message)
                    sent += 1
        return sent

    def _check(self, destinations: list[int]) -> None:
        if not 1 <= len(destinations) <= 20:
            raise InvalidInput("destinations", "must be 1 to 20")
        self._destinations.check(destinations, "destinations")
        for number, id in enumerate(destinations):
            if self._destinations.get(id).kind != "email":
                raise InvalidInput(f"destinations[{number}]", "must be of e-mail: a board is a page and a file")

    def _message(self, id: int, *, with_pdf: bool) -> Message:
        settings = self._settings()
        board = self._boards.get(id)
        shown = panels(board, self._behavior(), self._metrics)
        made = zone_of(settings.timezone).local(time.time_ns() // 1000)
        link = f"{settings.public_url.rstrip('/')}/analysis/boards/{id}" if settings.public_url else ""
        language = settings.language if settings.language in ("zh-CN", "en") else "en"
        page = html_page(board.title, board.about, shown, made=made, language=language, link=link)
        lines = [f"{p.title}: {p.error}" if p.error else p.title for p in shown if p.title]
        attachments = []
        if with_pdf:
            content = pdf_page(board.title, board.about, shown, made=made, language=language, link=link)
            attachments = [Attachment(name=f"{_file_name(board.title)}.pdf", kind="application/pdf", content=content)]
        return Message(title=board.title, text="\n".join(lines), html=page, link=link, attachments=attachments)


def _file_name(title: str) -> str:
    return re.sub(r"[^\w.-]+", "-", title).strip("-.")[:80] or "board"


def _kept(row: sa.Row[Any]) -> KeptSchedule:
    return KeptSchedule(
        schedule=msgspec.json.decode(row.definition, type=BoardSchedule),
        by=row.changed_by,
        next_at=row.next_at,
        last_at=row.last_at,
        error=row.error,
    )
