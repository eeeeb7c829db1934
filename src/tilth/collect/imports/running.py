"""The work of an import in two phases.

Reading: files are cut, checked and staged chunk by chunk in a pipeline of threads; nothing outside the
staging folder and the quarantine of this import changes. Writing: people are resolved, then the staged
rows are turned into events part by part, a part being some buckets' people, each part one commit of the
lake that carries its number. After a crash, reading goes on after the last recorded chunk and writing
after the last number the lake itself names.
"""

from __future__ import annotations

import hashlib
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.collect.imports.chunks import Chunk, TableReader
from tilth.collect.imports.decimals import decimal_text
from tilth.collect.imports.files import InputFile, check_whole
from tilth.collect.imports.jobs import Jobs, iso
from tilth.collect.imports.opening import open_table
from tilth.collect.imports.orders import Clock
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.proposing import validator
from tilth.collect.imports.rows import BadRow, Validated
from tilth.collect.imports.shapes import Money, Progress, Summary
from tilth.collect.imports.staging import Staging
from tilth.collect.imports.tables import import_chunk, import_part, quarantine
from tilth.collect.imports.writing import Totals, Writing
from tilth.errors import InvalidInput, StorageFailed
from tilth.lake import Lake
from tilth.people import People
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["Run"]

_RAW_LIMIT = 65_536
# A file of which nothing can be understood is refused rather than quarantined whole.
_HOPELESS = 1_000


@dataclass
class _Tally:
    """What reading counted, over all recorded chunks."""

    rows: int = 0
    staged: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    chunks: int = 0
    file: int = 0
    end: int = 0
    line: int = 0

    def add(self, counts: dict[str, Any]) -> None:
        self.rows += counts["rows"]
        self.staged += counts["staged"]
        for name in ("quarantined", "skipped"):
            total = getattr(self, name)
            for key, value in counts[name].items():
                total[key] = total.get(key, 0) + value


@dataclass(frozen=True)
class _Read:
    file: int
    columns: list[str]
    chunk: Chunk
    validated: Validated


class Run:
    """One import at work; made anew for each attempt."""

    def __init__(
        self,
        *,
        id: str,
        tables: list[InputFile],
        plan: Plan,
        dry_run: bool,
        folder: Path,
        database: Database,
        lake: Lake,
        people: People,
        jobs: Jobs,
        settings: Settings,
        clock: Clock,
        now: Callable[[], int],
        turn: threading.Lock,
        stopped: type[Exception],
    ) -> None:
        self._id = id
        self._tables = tables
        self._plan = plan
        self._dry = dry_run
        self._database = database
        self._lake = lake
        self._people = people
        self._jobs = jobs
        self._settings = settings
        self._clock = clock
        self._now = now
        self._turn = turn
        self._stopped = stopped
        self._staging = Staging(folder)
        self._bytes_total = sum(t.bytes for t in tables)
        self._before = [sum(t.bytes for t in tables[:i]) for i in range(len(tables))]

    # -- before anything -------------------------------------------------------------------------

    def check_files(self) -> None:
        """Every file opens and has the columns of the map. Raises `InvalidInput` naming the file."""
        for table in self._tables:
            self._open(table)

    def _open(self, table: InputFile) -> TableReader:
        plan = self._plan
        reader = open_table(
            table, encoding=plan.encoding, delimiter=plan.delimiter, sheet=plan.sheet, header=plan.header
        )
        for role, column in plan.roles.items():
            if column not in reader.columns:
                raise InvalidInput(
                    f"map.{role}", f"{table.name} has no column {column!r}, which the first file has", reader.columns
                )
        return reader

    # -- all of it -------------------------------------------------------------------------------

    def work(
        self, progress: Callable[[Progress], None], cancelled: Callable[[], bool], seconds_before: float
    ) -> Summary:
        """Read, then write. Raises what `Imports.run` does."""
        began = time.monotonic()
        tally = self._recorded()
        self._check_disk()
        self._staging.open(tally.chunks)
        meter = _Meter(self, progress, self._bytes_total)
        if not self._writing_began():
            self._read(tally, meter, cancelled)
            if tally.rows and tally.rows == sum(tally.quarantined.values()):
                self._refuse_hopeless(tally)
        totals = self._write(tally, meter, cancelled)
        return self._summary(tally, totals, seconds_before + time.monotonic() - began)

    def _writing_began(self) -> bool:
        return not self._dry and self._jobs.get(self._id).parts is not None

    def _check_disk(self) -> None:
        """Staged rows take about what the unpacked file takes; a disk without room for the packed one is refused."""
        where = self._staging.folder
        while not where.exists():
            where = where.parent
        if shutil.disk_usage(where).free < self._bytes_total:
            raise StorageFailed("the disk has less free space than the files are large; free some space and try again")

    def _recorded(self) -> _Tally:
        """What an earlier attempt read durably."""
        tally = _Tally()
        if self._dry:
            return tally
        query = sa.select(import_chunk).where(import_chunk.c.import_id == self._id).order_by(import_chunk.c.number)
        with self._database.read() as connection:
            for row in connection.execute(query):
                tally.add(msgspec.json.decode(row.counts))
                tally.chunks, tally.file, tally.end, tally.line = row.number + 1, row.file, row.end, row.next_line
        return tally

    # -- reading ---------------------------------------------------------------------------------

    def _read(self, tally: _Tally, meter: _Meter, cancelled: Callable[[], bool]) -> None:
        stop = threading.Event()
        lane = _Lane(stop)
        start = (tally.file, tally.end, tally.line)
        threads = [
            threading.Thread(target=lane.pump, args=(self._cut(*start), lane.cut), daemon=True),
            threading.Thread(target=lane.pump, args=(self._checked(lane), lane.checked), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            for item in lane.items(lane.checked):
                if cancelled():
                    raise self._stopped("the import was cancelled; nothing of it was kept")
                self._record(item, tally)
                meter.reading(tally.rows, self._before[item.file] + item.chunk.consumed)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        if cancelled():
            raise self._stopped("the import was cancelled; nothing of it was kept")

    def _cut(self, file: int, end: int, line: int) -> Iterator[tuple[int, list[str], Chunk]]:
        for number in range(file, len(self._tables)):
            reader = self._open(self._tables[number])
            wanted = set(range(len(reader.columns)))
            if self._plan.kind == "orders":
                wanted = {reader.columns.index(c) for c in self._plan.roles.values()}
            resumed = number == file and end > 0
            for chunk in reader.chunks(wanted, start=end if resumed else 0, line=line if resumed else 0):
                yield number, reader.columns, chunk

    def _checked(self, lane: _Lane) -> Iterator[_Read]:
        check = validator(self._plan.kind)
        for file, columns, chunk in lane.items(lane.cut):
            try:
                validated = check(self._plan, columns, chunk, self._clock)
            except InvalidInput as error:
                # A damaged archive may unpack to nonsense before its checksum shows it: say that instead.
                check_whole(self._tables[file])
                name = self._tables[file].name
                raise InvalidInput(error.field, f"{name}: {error.reason}", error.choices) from None
            yield _Read(file, columns, chunk, validated)

    def _record(self, item: _Read, tally: _Tally) -> None:
        """Stage a chunk, then record it and its bad rows in one transaction."""
        validated = item.validated
        reasons: dict[str, int] = {}
        for bad in validated.bad:
            reasons[bad.reason] = reasons.get(bad.reason, 0) + 1
        if tally.chunks == 0 and len(validated.bad) == validated.rows >= _HOPELESS:
            tally.add({"rows": validated.rows, "staged": 0, "quarantined": reasons, "skipped": {}})
            self._refuse_hopeless(tally)
        self._staging.add(tally.chunks, item.file, validated)
        counts = {
            "rows": validated.rows,
            "staged": validated.table.num_rows,
            "quarantined": reasons,
            "skipped": validated.skipped,
        }
        if not self._dry:
            with self._database.begin() as connection:
                connection.execute(
                    sa.insert(import_chunk).values(
                        import_id=self._id,
                        number=tally.chunks,
                        file=item.file,
                        end=item.chunk.end,
                        next_line=item.chunk.next_line,
                        counts=msgspec.json.encode(counts).decode(),
                    )
                )
                if validated.bad:
                    rows = quarantine_rows(self._id, self._tables[item.file].name, validated.bad, self._now())
                    connection.execute(self._database.insert_or_ignore(quarantine), rows)
        tally.add(counts)
        tally.chunks += 1

    def _refuse_hopeless(self, tally: _Tally) -> None:
        reason, rows = max(tally.quarantined.items(), key=lambda kv: kv[1])
        raise InvalidInput(
            "file", f"no row could be understood; {rows:,} of the first {tally.rows:,} rows for this reason: {reason}"
        )

    # -- writing ---------------------------------------------------------------------------------

    def _write(self, tally: _Tally, meter: _Meter, cancelled: Callable[[], bool]) -> Totals:
        writing = Writing(
            id=self._id,
            plan=self._plan,
            dry_run=self._dry,
            staging=self._staging,
            chunks=tally.chunks,
            rows=tally.staged,
            database=self._database,
            lake=self._lake,
            people=self._people,
            jobs=self._jobs,
            settings=self._settings,
            now=self._now,
            stopped=self._stopped,
        )
        with self._turn:
            return writing.work(lambda done: meter.writing(tally.rows, done, tally.staged), cancelled)

    def _store_progress(self, progress: Progress) -> None:
        self._jobs.update(self._id, progress=msgspec.json.encode(progress).decode())

    # -- after -----------------------------------------------------------------------------------

    def _summary(self, tally: _Tally, totals: Totals, seconds: float) -> Summary:
        counts, plan = totals.counts, self._plan
        return Summary(
            kind=plan.kind,
            rows_read=tally.rows,
            rows_accepted=counts.accepted,
            rows_duplicate=counts.duplicate,
            rows_quarantined=sum(tally.quarantined.values()),
            rows_skipped=sum(tally.skipped.values()),
            skipped=tally.skipped,
            quarantined=tally.quarantined,
            people=totals.people,
            new_people=totals.new_people,
            buyers=counts.buyers,
            orders=counts.orders,
            refund_orders=counts.refund_orders,
            revenue=_money(counts.revenue, plan),
            refunds=_money(counts.refunds, plan),
            events=counts.events,
            first=iso(counts.first),
            last=iso(counts.last),
            seconds=round(seconds, 3),
            dry_run=self._dry,
        )

    def clean(self) -> None:
        """Remove what only the work needed."""
        self._staging.remove()
        if not self._dry:
            with self._database.begin() as connection:
                connection.execute(sa.delete(import_chunk).where(import_chunk.c.import_id == self._id))
                connection.execute(sa.delete(import_part).where(import_part.c.import_id == self._id))

    def discard(self) -> None:
        """Remove everything of an import that came to nothing, its quarantined rows too."""
        self.forget(self._database, self._id, self._staging.folder)

    @staticmethod
    def forget(database: Database, id: str, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        with database.begin() as connection:
            for table in (import_chunk, import_part, quarantine):
                connection.execute(sa.delete(table).where(table.c.import_id == id))


def _money(minor: int, plan: Plan) -> Money:
    return Money(amount=decimal_text(minor, plan.digits), currency=plan.currency, minor=minor)


def quarantine_rows(import_id: str, file: str, bad: list[BadRow], now: int) -> list[dict[str, Any]]:
    """Rows for the quarantine table."""
    return [
        {
            "import_id": import_id,
            "file": file,
            "line": b.line,
            "column": b.column,
            "reason": b.reason,
            "detail": _storable(b.detail),
            "raw": _storable(b.raw[:_RAW_LIMIT]),
            "cells": _storable(msgspec.json.encode(b.cells).decode()),
            "state": "open",
            "at": now,
            "key": hashlib.blake2b(f"{b.line}\0{b.raw}".encode("utf-8", "replace"), digest_size=16).hexdigest(),
        }
        for b in bad
    ]


def _storable(text: str) -> str:
    # PostgreSQL refuses NUL in text.
    return text.replace("\0", "�")


class _Lane:
    """The queues between the threads of reading; an exception travels along and ends them."""

    def __init__(self, stop: threading.Event) -> None:
        self.cut: queue.Queue[Any] = queue.Queue(maxsize=2)
        self.checked: queue.Queue[Any] = queue.Queue(maxsize=2)
        self._stop = stop

    def pump(self, source: Iterator[Any], sink: queue.Queue[Any]) -> None:
        """Move everything from a generator into a queue, then its end or its failure."""
        try:
            for item in source:
                if not self._put(sink, ("item", item)):
                    return
            self._put(sink, ("end", None))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that receives it
            self._put(sink, ("error", error))

    def _put(self, sink: queue.Queue[Any], item: tuple[str, Any]) -> bool:
        while not self._stop.is_set():
            try:
                sink.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def items(self, source: queue.Queue[Any]) -> Iterator[Any]:
        """Everything that arrives in a queue; raises what its sender raised."""
        while not self._stop.is_set():
            try:
                what, item = source.get(timeout=0.2)
            except queue.Empty:
                continue
            if what == "end":
                return
            if what == "error":
                raise item
            yield item


class _Meter:
    """Progress with rate and time left; also stored, so that any process can show it."""

    def __init__(self, run: Run, report: Callable[[Progress], None], total: int) -> None:
        self._run = run
        self._report = report
        self._total = total
        self._began = time.monotonic()
        self._stored = 0.0
        self._rows_before: int | None = None
        self._read_seconds = 0.0
        self._write_began = 0.0

    def reading(self, rows: int, done: int) -> None:
        elapsed = max(time.monotonic() - self._began, 1e-6)
        self._read_seconds = elapsed
        if self._rows_before is None:
            self._rows_before = 0
        share = min(done / self._total, 1.0) if self._total else 1.0
        # Writing takes about as long as reading.
        left = elapsed / share * 2 - elapsed if share > 0 else None
        self._tell("reading", rows, min(done, self._total), rows / elapsed, left)

    def writing(self, rows: int, done: int, total: int) -> None:
        now = time.monotonic()
        self._write_began = self._write_began or now
        elapsed = max(now - self._began, 1e-6)
        spent = now - self._write_began
        left = spent / done * (total - done) if done and spent > 0.5 else (self._read_seconds if not done else None)
        self._tell("writing", rows, self._total, rows / elapsed, left)

    def _tell(self, phase: str, rows: int, done: int, rate: float, left: float | None) -> None:
        progress = Progress(
            phase=phase,
            rows_read=rows,
            bytes_done=done,
            bytes_total=self._total,
            rate=round(rate, 1),
            seconds_left=round(left, 1) if left is not None else None,
        )
        self._report(progress)
        now = time.monotonic()
        if now - self._stored > 1.0 and not self._run._dry:
            self._stored = now
            self._run._store_progress(progress)
