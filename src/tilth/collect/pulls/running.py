"""One run of a pull, and a look at what it would give.

Rows are read a page at a time, mapped, and sent through the door like a client's request; the mark moves
after the door has answered that they are durable. Dying in between repeats a page under the same
event ids, which counts once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import msgspec

from tilth.collect.connectors.mapping import MappingRule, map_payload
from tilth.collect.door import Door
from tilth.collect.formats import Refused, WireRequest
from tilth.collect.pulls.databases import At, open_rows
from tilth.collect.pulls.folders import Found, fetched, files_of
from tilth.collect.pulls.model import Connection, FolderPlace, PullRun, S3Place, SqlPlace, Trigger
from tilth.collect.pulls.rows import table_rows
from tilth.collect.pulls.service import LEASE, Held, Mark, Pulls
from tilth.collect.sources import Source
from tilth.errors import InvalidInput, StorageFailed, TilthError

__all__ = ["Look", "look", "run_pull"]

logger = logging.getLogger("tilth.pulls")

_PAGE = 1_000
# Events and bytes of one request to the door.
_EVENTS = 1_000
_BYTES = 4 << 20
# Seconds a source that may only send so much is waited for.
_PATIENCE = 600.0
_LOOK_ROWS = 5
_LOOK_FILES = 20
# An object is fetched whole to be looked into.
_LOOK_BYTES = 256 << 20
_encoder = msgspec.json.Encoder(decimal_format="number")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull would read: files (the first ones), rows (the first ones), the events of these rows, why rules gave
    none, and what is no row."""

    files: list[str]
    rows: list[dict[str, Any]]
    events: list[dict[str, Any]]
    skipped: list[str]
    refused: list[str]


class _Stopped(Exception):
    """The server stops, or the pull is gone or another's by now."""


def look(pulls: Pulls, connection: Connection, secret: str, rules: list[MappingRule]) -> Look:
    """Connect and show the first rows; nothing is kept. Raises `InvalidInput` with what is wrong."""
    files: list[str] = []
    rows: list[dict[str, Any]] = []
    refused: list[Refused] = []
    if isinstance(connection, SqlPlace):
        with open_rows(connection, secret, pulls.allowed) as opened:
            rows = opened.page(_LOOK_ROWS).rows
    else:
        found = files_of(connection, secret, pulls.allowed)
        files = [one.name for one in islice(found, _LOOK_FILES)]
        for file in islice(found, 3):
            if isinstance(connection, S3Place) and file.size > _LOOK_BYTES:
                raise InvalidInput("connection", f"{file.name} is over {_LOOK_BYTES >> 20} MB, too large to look into")
            with fetched(connection, secret, pulls.allowed, file) as path:
                for some, bad in table_rows(path, file.name, _LOOK_ROWS):
                    rows += some[:_LOOK_ROWS]
                    refused += bad[:_LOOK_ROWS]
                    break
            if rows:
                break
    events: list[dict[str, Any]] = []
    skipped: list[str] = []
    for number, row in enumerate(rows, 1):
        mapped = map_payload(rules, row)
        events += mapped.events
        skipped += [f"row {number}: {line}" for line in mapped.skipped]
    return Look(
        files=files,
        rows=[_shown(row) for row in rows],
        events=[_shown(event) for event in events],
        skipped=skipped,
        refused=[f"{one.field} {one.reason}" for one in refused],
    )


def run_pull(pulls: Pulls, door: Door, key: str, trigger: Trigger, stopping: Callable[[], bool]) -> PullRun:
    """Run it now; what went wrong is in the run that is returned. Raises `Busy` where it runs already."""
    held = pulls.hold(key, trigger)
    number = pulls.begin_run(held, trigger)
    status, error = "failed", None
    try:
        with _heartbeat(pulls, held) as lost:
            _Run(pulls, door, held, number, lambda: stopping() or lost.is_set()).run()
        status = "done"
    except _Stopped:
        status = "stopped"
    except TilthError as told:
        error = told.message
        logger.warning("pull %s: %s", key, told.message)
    except Exception as told:
        error = f"unexpected {type(told).__name__}"
        logger.exception("pull %s failed", key)
    finally:
        pulls.end_run(held, number, status, error)
    return next(one for one in pulls.runs(key) if one.id == number)


@contextmanager
def _heartbeat(pulls: Pulls, held: Held) -> Iterator[threading.Event]:
    """Say every few seconds that this process runs the pull; the event is set where it may no longer."""
    lost, ended = threading.Event(), threading.Event()

    def beat() -> None:
        while not ended.wait(LEASE / 4e6):
            try:
                if not pulls.still(held):
                    lost.set()
                    return
            except Exception:
                # The next beat tries again; the mark moves only while the pull is held.
                logger.exception("the pull %s could not be held on to", held.pull.key)

    thread = threading.Thread(target=beat, name="tilth-pull-beat", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        ended.set()
        thread.join(10)


class _Run:
    def __init__(self, pulls: Pulls, door: Door, held: Held, number: int, stopping: Callable[[], bool]) -> None:
        self._pulls = pulls
        self._door = door
        self._held = held
        self._number = number
        self._stopping = stopping
        self._mark: Mark | None = held.mark
        self._counts = dict.fromkeys(("rows", "accepted", "duplicate", "quarantined", "dropped", "skipped", "files"), 0)
        self._source: Source = pulls.source_of(held.pull)

    def run(self) -> None:
        place = self._held.pull.connection
        if isinstance(place, SqlPlace):
            self._read_rows(place)
        else:
            self._read_files(place)

    # -- rows of a database ----------------------------------------------------------------------

    def _read_rows(self, place: SqlPlace) -> None:
        with open_rows(place, self._held.secret, self._pulls.allowed) as rows:
            mark = self._mark
            assert mark is None or isinstance(mark, At), "the mark of a database"
            if mark is not None and place.overlap:
                # Rows that were committed late stand before the mark; those known count once. The mark waits.
                start, at = rows.before(mark, place.overlap), None
                while True:
                    page = rows.page(_PAGE, after=at, start=start, through=mark)
                    if page.at is None:
                        break
                    at = page.at
                    self._take(page.rows, [])
                    self._note()
            while True:
                page = rows.page(_PAGE, after=mark)
                if page.at is None:
                    break
                self._take(page.rows, [])
                mark = page.at
                self._move(mark)

    def _move(self, mark: At) -> None:
        if not self._pulls.move(self._held, mark):
            raise _Stopped
        self._mark = mark
        self._note()

    # -- files -----------------------------------------------------------------------------------

    def _read_files(self, place: FolderPlace | S3Place) -> None:
        taken = self._pulls.taken(self._held.pull.key)

        def new() -> list[Found]:
            found = files_of(place, self._held.secret, self._pulls.allowed)
            return [one for one in found if taken.get(one.name) != (one.size, one.modified)]

        files = new()
        if files and isinstance(place, FolderPlace):
            # An object of a bucket is whole or not there; a file may still be written. Looked at twice, it stays.
            self._pause(place.settle)
            before = set(files)
            files = [one for one in new() if one in before]
        wrong: list[str] = []
        for file in files:
            try:
                self._read_file(place, file)
            except (InvalidInput, StorageFailed) as error:
                # One damaged file must not keep the others waiting.
                wrong.append(error.message)
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise InvalidInput("file", f"{wrong[0].removeprefix('file: ')}{more}")

    def _read_file(self, place: FolderPlace | S3Place, file: Found) -> None:
        before = self._counts["rows"]
        with fetched(place, self._held.secret, self._pulls.allowed, file) as path:
            for rows, refused in table_rows(path, file.name):
                self._take(rows, refused)
                self._note()
            if isinstance(place, FolderPlace):
                now = path.stat()
                if (now.st_size, now.st_mtime_ns // 1000) != (file.size, file.modified):
                    # Written to meanwhile: the next run reads it again.
                    return
        last = self._mark
        mark = file if not isinstance(last, Found) else max(last, file)
        if not self._pulls.took(self._held, file, self._counts["rows"] - before, mark):
            raise _Stopped
        self._mark = mark
        self._counts["files"] += 1
        self._note()

    # -- events ----------------------------------------------------------------------------------

    def _take(self, rows: list[dict[str, Any]], refused: list[Refused]) -> None:
        """Map rows and make their events durable."""
        self._check()
        rules = self._held.pull.rules
        batch: list[bytes] = []
        size = 0
        bad = list(refused)
        limit = min(_BYTES, self._source.settings.batch_bytes or _BYTES)
        for row in rows:
            mapped = map_payload(rules, row)
            if mapped.nameless:
                bad.append(Refused("event_id", "a piece of it finds nothing in this row", _raw(row)))
            elif not mapped.events:
                self._counts["skipped"] += 1
            for event in mapped.events:
                # Without a time the event would happen when it was read; an empty one is refused and kept.
                raw = _encoder.encode({"timestamp": "", **event})
                if batch and (len(batch) >= _EVENTS or size + len(raw) + 2 > limit):
                    self._send(batch)
                    batch, size = [], 0
                batch.append(raw)
                size += len(raw) + 1
        if batch:
            self._send(batch)
        if bad:
            quarantined, dropped = self._door.refuse(self._source, bad)
            self._counts["quarantined"] += quarantined
            self._counts["dropped"] += dropped
        self._counts["rows"] += len(rows) + len(refused)

    def _send(self, events: list[bytes]) -> None:
        request = WireRequest(
            method="POST",
            path="/api/v1/events",
            headers={"authorization": f"Bearer {self._source.write_key}"},
            body=b"[" + b",".join(events) + b"]",
        )
        until = time.monotonic() + _PATIENCE
        while True:
            answer = self._door.take(request)
            if answer.status not in (429, 503) or time.monotonic() > until:
                break
            self._pause(float(answer.headers.get("Retry-After", "1")))
        if answer.status == 413 and len(events) == 1:
            # Too large by itself: it is in quarantine.
            self._counts["quarantined"] += 1
            return
        if answer.status != 200:
            told = msgspec.json.decode(answer.body)
            raise InvalidInput("source", f"{self._source.name} takes nothing: {told.get('detail', answer.status)}")
        told = msgspec.json.decode(answer.body)
        for name in ("accepted", "duplicate", "quarantined", "dropped"):
            self._counts[name] += told[name]

    def _note(self) -> None:
        self._pulls.note_run(self._number, self._counts, self._mark)

    def _check(self) -> None:
        if self._stopping():
            raise _Stopped

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            self._check()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.2, left))


def _raw(row: dict[str, Any]) -> str:
    # As properties, which the source's privacy settings are about.
    return _encoder.encode({"properties": row}).decode()


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """The same with numbers that JSON answers can carry."""
    found: dict[str, Any] = msgspec.json.decode(_encoder.encode(row))
    return found
