"""The writing phase: staged rows to people and to the lake, part by part."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from tilth.collect.imports import event_rows
from tilth.collect.imports.event_rows import Built, Counts, build_events, build_orders
from tilth.collect.imports.hashing import CodeTable
from tilth.collect.imports.jobs import Jobs
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.profile_rows import apply_profiles
from tilth.collect.imports.staging import Staging
from tilth.collect.imports.tables import import_part
from tilth.lake import Lake
from tilth.people import People
from tilth.people.tables import person_counter
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["Totals", "Writing"]

# Rows of one part and of what is gathered in one pass, per MB of the memory budget.
_PART_ROWS_PER_MB = 400
_PASS_ROWS_PER_MB = 1_300
_LEAST_PART = 10_000
_PLAIN_PASSES = 6
_RESOLVE = 250_000
_SOURCE = "import"


@dataclass
class Totals:
    """Sums over all parts, and the people of the whole import."""

    counts: Counts
    people: int = 0
    new_people: int = 0


@dataclass(frozen=True)
class _Part:
    number: int
    rows: pa.Table


class Writing:
    """Writes what an import staged; made anew for each attempt."""

    def __init__(
        self,
        *,
        id: str,
        plan: Plan,
        dry_run: bool,
        staging: Staging,
        chunks: int,
        rows: int,
        database: Database,
        lake: Lake,
        people: People,
        jobs: Jobs,
        settings: Settings,
        now: Callable[[], int],
        stopped: type[Exception],
        replay: bool = False,
    ) -> None:
        self._id = id
        self._plan = plan
        self._dry = dry_run
        self._staging = staging
        self._chunks = chunks
        self._rows = rows
        self._database = database
        self._lake = lake
        self._people = people
        self._jobs = jobs
        self._settings = settings
        self._now = now
        self._stopped = stopped
        # A replay of quarantined rows is small and is simply done again after a crash: it keeps no books.
        self._replay = replay
        self._first_uid = 0

    def work(self, report: Callable[[int], None], cancelled: Callable[[], bool]) -> Totals:
        """Write everything; raises `stopped` where the import is cancelled just before."""
        parts = self._begin(cancelled)
        report(0)
        if self._plan.kind == "profiles":
            return self._profiles(report)
        people = self._resolve()
        totals = Totals(Counts())
        used = people.uid
        unique = np.unique(used)
        totals.people = len(unique)
        totals.new_people = int((unique < 0).sum()) if self._dry else int((unique >= self._first_uid).sum())
        self._parts(people, parts, totals, report)
        return totals

    # -- preparation -----------------------------------------------------------------------------

    def _begin(self, cancelled: Callable[[], bool]) -> int:
        """How many parts; decided once, for a resumed import must cut the same ones."""
        limit = max(_PART_ROWS_PER_MB * self._settings.memory_mb, _LEAST_PART)
        parts = max(1, math.ceil(self._rows / limit))
        if parts > self._lake.buckets:
            parts = self._lake.buckets * math.ceil(parts / self._lake.buckets)
        if self._dry or self._replay:
            return parts
        job = self._jobs.get(self._id)
        if job.parts is not None and job.first_uid is not None:
            self._first_uid = job.first_uid
            return job.parts
        with self._database.read() as connection:
            self._first_uid = (
                connection.scalar(sa.select(person_counter.c.next_uid).where(person_counter.c.name == "uid")) or 1
            )
        if cancelled() or not self._jobs.begin_writing(self._id, parts, self._first_uid):
            raise self._stopped("the import was cancelled; nothing of it was kept")
        return parts

    def _part_of(self, uid: npt.NDArray[np.int64], parts: int) -> npt.NDArray[np.int32]:
        """The part of each person: some whole buckets, or, where parts are more, a share of one bucket."""
        # A dry run numbers unknown people below zero.
        number = np.where(uid < 0, -uid, uid)
        buckets = self._lake.buckets
        bucket = number % buckets
        if parts <= buckets:
            return (bucket * parts // buckets).astype(np.int32)
        shares = parts // buckets
        return (bucket * shares + number // buckets % shares).astype(np.int32)

    def _buckets_of(self, part: int, parts: int) -> list[int]:
        buckets = self._lake.buckets
        if parts <= buckets:
            return [b for b in range(buckets) if b * parts // buckets == part]
        return [part // (parts // buckets)]

    # -- people ----------------------------------------------------------------------------------

    def _kinds(self) -> list[str]:
        return [self._plan.id_kind, "device"] if self._plan.kind == "events" else [self._plan.id_kind]

    def _resolve(self) -> event_rows.People:
        """Every customer's uid, by code; what the file says of them as traits and further ids."""
        count = self._staging.codes.count
        uid = np.full(count, -1, np.int64)
        chunks = [self._staging.people(number) for number in range(self._chunks)]
        ids = pa.chunked_array([c.ids.cast(pa.string()) for c in chunks], pa.string())
        kinds = np.concatenate([c.kinds for c in chunks]) if chunks else np.empty(0, np.uint8)
        joined = ids.combine_chunks()
        joined = joined.chunk(0) if isinstance(joined, pa.ChunkedArray) and joined.num_chunks else joined
        if isinstance(joined, pa.ChunkedArray):
            joined = pa.array([], pa.string())
        for kind, name in enumerate(self._kinds()):
            if kind == 1:
                # Anonymous ids seen beside a signed-in one are that person's before they stand for themselves.
                self._join_links(uid)
            chosen = np.flatnonzero(kinds == kind)
            for start in range(0, len(chosen), _RESOLVE):
                part = chosen[start : start + _RESOLVE]
                uid[part] = self._people.resolve(name, joined.take(pa.array(part)), _SOURCE, create=not self._dry)
        unknown = uid < 0
        uid[unknown] = -2 - np.flatnonzero(unknown)
        if not self._dry:
            self._facts(uid)
        return event_rows.People(uid, self._staging.codes.high, self._staging.codes.low, joined)

    def _join_links(self, uid: npt.NDArray[np.int64]) -> None:
        if self._dry:
            return
        for table in self._staging.links(self._chunks):
            codes = table.column("code").to_numpy()
            self._people.join(uid[codes], "device", table.column("other").to_pylist(), _SOURCE)

    def _facts(self, uid: npt.NDArray[np.int64]) -> None:
        """Names, cities … and further ids of the customers, as their first row gives them."""
        start = 0
        for number in range(self._chunks):
            found = self._staging.people(number)
            mine = uid[start : start + len(found.ids)]
            start += len(found.ids)
            for role, values in found.traits.items():
                filled = pc.not_equal(values, "").to_numpy()
                if not filled.any():
                    continue
                rows = np.flatnonzero(filled)
                texts = values.take(pa.array(rows)).to_pylist()
                if role in ("phone", "email"):
                    self._people.join(mine[rows], role, texts, _SOURCE)
                else:
                    self._people.set_traits(mine[rows], {role: texts}, "imported")

    # -- parts -----------------------------------------------------------------------------------

    def _parts(self, people: event_rows.People, parts: int, totals: Totals, report: Callable[[int], None]) -> None:
        app = f"import:{self._id}"
        applied = (None if self._dry or self._replay else self._lake.transaction_version(app)) or 0
        stored = self._stored_counts()
        done_rows = 0
        for number in range(parts):
            if number + 1 <= applied:
                totals.counts.add(stored.get(number, Counts()))
        builder = build_orders if self._plan.kind == "orders" else build_events
        context = msgspec.json.encode({"import": self._id}).decode()
        with ThreadPoolExecutor(max_workers=1) as pool:
            ahead: Future[tuple[_Part, Built]] | None = None
            source = self._gathered(people.uid, parts, applied)

            def build(part: _Part) -> tuple[_Part, Built]:
                buckets = self._buckets_of(part.number, parts)
                return part, builder(self._plan, part.rows, people, self._lake, buckets, context)

            following = next(source, None)
            while following is not None or ahead is not None:
                current = ahead
                ahead = pool.submit(build, following) if following is not None else None
                if current is not None:
                    part, built = current.result()
                    self._append(app, part, built)
                    totals.counts.add(built.counts)
                    done_rows += part.rows.num_rows
                    report(done_rows)
                    del part, built, current
                    # Kept pages of this part would add to the next one's.
                    pa.default_memory_pool().release_unused()
                following = next(source, None) if ahead is not None else None

    def _append(self, app: str, part: _Part, built: Built) -> None:
        if self._dry:
            return
        if not self._replay:
            # Stored first: after a crash between this and the commit below it is overwritten, after it, it is true.
            self._store(part.number, built.counts)
        if built.table.num_rows:
            table = built.table.append_column(
                "received_at", pa.array(np.full(built.table.num_rows, self._now()), pa.int64()).view(_INSTANT)
            )
            self._lake.append(table, None if self._replay else (app, part.number + 1), vouched=True)

    def _store(self, number: int, counts: Counts) -> None:
        values = {"import_id": self._id, "number": number, "counts": msgspec.json.encode(counts).decode()}
        with self._database.begin() as connection:
            self._database.upsert_all(connection, import_part, ["import_id", "number"], [values])

    def _stored_counts(self) -> dict[int, Counts]:
        if self._dry or self._replay:
            return {}
        query = sa.select(import_part).where(import_part.c.import_id == self._id)
        with self._database.read() as connection:
            return {row.number: msgspec.json.decode(row.counts, type=Counts) for row in connection.execute(query)}

    def _gathered(self, uid: npt.NDArray[np.int64], parts: int, applied: int) -> Iterator[_Part]:
        """The rows of each part still to be written, several parts to a pass over the staged chunks."""
        limit = max(_PASS_ROWS_PER_MB * self._settings.memory_mb, _LEAST_PART)
        at_once = max(1, int(limit // max(self._rows / parts, 1)))
        passes = math.ceil(parts / at_once)
        part_of = self._part_of(uid, parts)
        laid = passes > _PLAIN_PASSES
        if laid:
            # Many passes over everything would cost more than laying the rows by pass once.
            for chunk in range(self._chunks):
                if not self._staging.grouped(chunk, passes):
                    codes = self._staging.rows(chunk).column("code").to_numpy()
                    self._staging.regroup(chunk, part_of[codes].astype(np.int64) // at_once, passes)
        for turn in range(passes):
            low, high = max(turn * at_once, applied), min((turn + 1) * at_once, parts)
            pieces: dict[int, list[pa.Table]] = {number: [] for number in range(low, high)}
            for chunk in range(self._chunks) if low < high else ():
                rows = self._staging.group(chunk, turn) if laid else self._staging.rows(chunk)
                mine = part_of[rows.column("code").to_numpy()]
                if parts == 1:
                    pieces[0].append(rows)
                    continue
                order = np.argsort(mine.astype(np.uint16), kind="stable")
                edges = np.searchsorted(mine[order], np.arange(low, high + 1))
                for number in range(low, high):
                    chosen = order[edges[number - low] : edges[number - low + 1]]
                    if len(chosen):
                        pieces[number].append(rows.take(pa.array(chosen)))
            for number in range(low, high):
                tables = pieces.pop(number)
                if tables:
                    yield _Part(number, joined_rows(tables))

    # -- profiles --------------------------------------------------------------------------------

    def _profiles(self, report: Callable[[int], None]) -> Totals:
        """Profiles go to the directory chunk by chunk; doing a chunk twice changes nothing."""
        totals = Totals(Counts())
        stored = self._stored_counts()
        seen = CodeTable(1 << 12)
        uids: list[npt.NDArray[np.int64]] = []
        done = 0
        for number in range(self._chunks):
            rows = self._staging.rows(number)
            outcome = apply_profiles(self._plan, rows, self._people, seen, now=self._now())
            counts = stored.get(number) or outcome.counts
            if not self._dry:
                if not self._replay and number not in stored:
                    self._store(number, counts)
                outcome.write()
            totals.counts.add(counts)
            uids.append(outcome.uids())
            done += rows.num_rows
            report(done)
        unique = np.unique(np.concatenate(uids)) if uids else np.empty(0, np.int64)
        totals.people = len(unique)
        totals.new_people = int((unique < 0).sum()) if self._dry else int((unique >= self._first_uid).sum())
        return totals


_INSTANT = pa.timestamp("us", tz="UTC")


def joined_rows(tables: list[pa.Table]) -> pa.Table:
    """Chunks' rows as one table: dictionaries made one, a column that is plain in one chunk plain in all."""
    if len(tables) == 1:
        return tables[0].combine_chunks()
    names = list(dict.fromkeys(name for t in tables for name in t.column_names))
    columns = []
    for name in names:
        parts = [t.column(name) for t in tables]
        if any(pa.types.is_dictionary(p.type) for p in parts):
            parts = [p if pa.types.is_dictionary(p.type) else p.cast(pa.string()).dictionary_encode() for p in parts]
            parts = [pa.chunked_array(p.chunks, p.type) for p in parts]
            whole = pa.chunked_array([c for p in parts for c in p.chunks], parts[0].type).unify_dictionaries()
            columns.append(whole.combine_chunks())
        else:
            columns.append(pa.chunked_array([c for p in parts for c in p.chunks]).combine_chunks())
    return pa.table(columns, names=names)
