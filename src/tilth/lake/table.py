"""The event table itself: what is in it, appending to it, scanning it.

Every change is one Delta commit. The commit can carry an application transaction `(app, version)`
(Delta protocol, `txn` action), so the table alone says what has been written: the flusher stores the
last intake number, an import its last part, and a crash at any point neither loses nor doubles.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction, RemoveAction

from tilth.errors import StorageFailed
from tilth.lake.keys import hashes, twin_keys
from tilth.lake.overrides import NO_OVERRIDES, Overrides
from tilth.lake.person import NO_MADE, Made, PersonRows, in_order, rows_of_run, rows_of_table
from tilth.lake.schema import (
    EVENT_SCHEMA,
    TABLE_SCHEMA,
    conform,
    empty_events,
    instants,
    month_text,
    order_rows,
)
from tilth.lake.sequences import Run, SequenceCache, run_of_table
from tilth.lake.store import FolderStore, store_of

__all__ = ["Appended", "Lake", "LakeFile", "LakeStats"]

# A column with few values is stored as codes; ids are all different and would only waste the attempt.
# What the kernels and the page of a person read first is decoded while the file is written.
_DECODED = ("uid", "ts", "event", "p_amount", "p_product", "p_channel", "p_quantity")
_DICTIONARY_COLUMNS = [
    f.name for f in EVENT_SCHEMA if f.name not in ("uid", "ts", "received_at", "event_id", "session", "p_amount")
]


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of one append. `applied` is False when its transaction had been written before."""

    accepted: int
    duplicate: int
    version: int
    applied: bool = True


class LakeStats(msgspec.Struct, frozen=True, kw_only=True):
    """Size of the table: rows and bytes of Parquet; `small_files` are files compaction would merge."""

    version: int
    files: int
    rows: int
    bytes: int
    partitions: int
    small_files: int
    first_ts: int | None
    last_ts: int | None
    sequence_cache_bytes: int


@dataclass(frozen=True)
class LakeFile:
    """A Parquet file of the current version. path is relative to the table's folder; ts in UTC µs."""

    path: str
    month: str
    bucket: int
    rows: int
    bytes: int
    min_ts: int
    max_ts: int


@dataclass(frozen=True)
class View:
    """The lake at one moment: its files, what is acknowledged and in none of them, and whose rows changed hands."""

    files: list[LakeFile]
    tail: pa.Table
    overrides: Overrides


class Lake:
    """The event table in `folder`/lake/events or at `url` (see `store.py`), its sequence cache in `folder`/cache.

    Reading is safe beside one writer, also from other processes. Writing expects the workspace's
    writer lock to be held. `tail` gives the rows acknowledged but not flushed yet.
    """

    def __init__(self, folder: Path, buckets: int, url: str = "") -> None:
        self.folder = folder
        self.root = folder / "lake" / "events"
        self.store = store_of(self.root, url)
        self.buckets = buckets
        self.cache = SequenceCache(folder / "cache" / "sequences", self.store.ensure)
        self.tail: Callable[[], pa.Table] = empty_events
        # Of a few uids, unsorted and without overrides: see `person`.
        self.tail_of: Callable[[list[int]], pa.Table] = lambda _: empty_events()
        self.overrides: Callable[[], Overrides] = lambda: NO_OVERRIDES
        self._moved: dict[str, Moved] = {}
        self._write_lock = threading.RLock()
        self._snapshot_lock = threading.Lock()
        self._table: DeltaTable | None = None
        self._transactions: dict[str, tuple[int, int | None]] = {}
        self._files: tuple[int, list[LakeFile]] | None = None
        self._uids: tuple[list[LakeFile], list[tuple[LakeFile, npt.NDArray[np.int64]]]] | None = None

    # -- what is there ---------------------------------------------------------------------------

    def create(self) -> None:
        """Make the empty table; does nothing where there is one."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not DeltaTable.is_deltatable(self.store.uri, storage_options=self.store.options):
            DeltaTable.create(
                self.store.uri,
                storage_options=self.store.options,
                schema=TABLE_SCHEMA,
                mode="ignore",
                partition_by=["month", "bucket"],
                name="events",
                configuration={"delta.logRetentionDuration": "interval 30 days"},
            )

    def _fresh(self) -> DeltaTable:
        with self._snapshot_lock:
            if self._table is None:
                self._table = DeltaTable(self.store.uri, storage_options=self.store.options)
            elif self.store.exists(f"_delta_log/{self._table.version() + 1:020d}.json"):
                # Commits are numbered without gaps, so a look for the next one tells whether there is news.
                self._table.update_incremental()
            return self._table

    @property
    def version(self) -> int:
        """The table's version now, including other processes' commits."""
        return self._fresh().version()

    def transaction_version(self, app: str) -> int | None:
        """The last version committed under application `app`, or None."""
        table = self._fresh()
        version = table.version()
        held = self._transactions.get(app)
        if held is None or held[0] != version:
            held = self._transactions[app] = version, table.transaction_version(app)
        return held[1]

    def files(self) -> list[LakeFile]:
        """The files of the current version, in (bucket, month, path) order."""
        table = self._fresh()
        with self._snapshot_lock:
            version = table.version()
            if self._files is not None and self._files[0] == version:
                return self._files[1]
            files = sorted(_lake_files(table), key=lambda f: (f.bucket, f.month, f.path))
            self._files = (version, files)
            return files

    def stats(self) -> LakeStats:
        files = self.files()
        per_partition: dict[tuple[str, int], int] = {}
        for file in files:
            per_partition[file.month, file.bucket] = per_partition.get((file.month, file.bucket), 0) + 1
        return LakeStats(
            version=self.version,
            files=len(files),
            rows=sum(f.rows for f in files),
            bytes=sum(f.bytes for f in files),
            partitions=len(per_partition),
            small_files=sum(n for n in per_partition.values() if n > 1),
            first_ts=min((f.min_ts for f in files), default=None),
            last_ts=max((f.max_ts for f in files), default=None),
            sequence_cache_bytes=self.cache.bytes(),
        )

    def parquet(self, path: Path) -> pq.ParquetFile:
        """A file of the table, by its local path."""
        self.store.ensure(path)
        return pq.ParquetFile(path)

    # -- writing ---------------------------------------------------------------------------------

    def append(
        self,
        table: pa.Table,
        txn: tuple[str, int] | None = None,
        *,
        window_days: int | None = None,
        vouched: bool = False,
    ) -> Appended:
        """Write events; one commit, or none when nothing is new.

        table: EVENT_SCHEMA's columns in any order of rows; optional ones may be missing.
        txn: (application, version); where that application is already at `version` or beyond,
        nothing is written. Rows whose (source, event_id) occurs earlier in the table or already in
        the lake are left out and counted. window_days: look for those twins only in months within
        so many days of the new rows (None: in all).
        """
        table = conform(table, coded=vouched)
        with self._write_lock:
            version = self.version
            if txn is not None and self._has_applied(txn):
                return Appended(accepted=0, duplicate=0, version=version, applied=False)
            before = table.num_rows
            if not vouched:
                table = self._without_known(_without_twins(table), window_days)
            order, partition = order_rows(table, self.buckets)
            if order is not None:
                table = table.take(pa.array(order))
            added = self._write_files(table, partition)
            if added or txn is not None:
                self._commit(added, [], txn)
            return Appended(accepted=table.num_rows, duplicate=before - table.num_rows, version=self.version)

    def _has_applied(self, txn: tuple[str, int]) -> bool:
        done = self.transaction_version(txn[0])
        return done is not None and done >= txn[1]

    def _without_known(self, table: pa.Table, window_days: int | None) -> pa.Table:
        known = self.twins(table, window_days)
        return table.filter(pa.array(~known)) if known.any() else table

    def twins(self, table: pa.Table, window_days: int | None) -> npt.NDArray[np.bool_]:
        """Which rows repeat the (source, event_id) of a row in the lake, within so many days of the rows' instants."""
        found = np.zeros(table.num_rows, bool)
        files = self.files() if table.num_rows else []
        if window_days is not None and files:
            ts = instants(table.column("ts"))
            margin = window_days * 86_400_000_000
            low, high = int(ts.min()) - margin, int(ts.max()) + margin
            files = [f for f in files if f.max_ts >= low and f.min_ts <= high]
        if not files:
            return found
        keys = twin_keys(table.column("source"), table.column("event_id"))
        wanted = hashes(keys)
        for file in files:
            held = self._keys(file)
            at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
            likely = np.flatnonzero((held[at] == wanted) & ~found)
            if len(likely):
                texts = keys.take(pa.array(likely))
                ids = self.parquet(self.root / file.path).read(columns=["event_id", "source"], use_threads=True)
                known = twin_keys(ids.column("source"), ids.column("event_id"))
                found[likely] = pc.is_in(texts, value_set=known).to_numpy()
        return found

    def _keys(self, file: LakeFile) -> npt.NDArray[np.uint64]:
        """The hashes of a file's de-duplication keys, ascending."""

        def make() -> npt.NDArray[np.uint64]:
            ids = self.parquet(self.root / file.path).read(columns=["event_id", "source"], use_threads=True)
            return np.sort(hashes(twin_keys(ids.column("source"), ids.column("event_id"))))

        return self.cache.derived(self.root / file.path, "twin_keys", make)  # type: ignore[return-value]

    def _write_files(self, table: pa.Table, partition: Any) -> list[AddAction]:
        """Write one Parquet file per partition of the sorted `table`; nothing is visible until committed."""
        if table.num_rows == 0:
            return []
        starts = np.flatnonzero(np.concatenate(([True], partition[1:] != partition[:-1])))
        ends = np.concatenate((starts[1:], [len(partition)]))
        table = table.combine_chunks()
        jobs = [
            (table.slice(int(s), int(e - s)), month_text(int(partition[s] & 0xFFFFFFFF)), int(partition[s] >> 32))
            for s, e in zip(starts, ends, strict=True)
        ]
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            return list(pool.map(lambda job: self._write_file(*job), jobs))

    def _write_file(self, rows: pa.Table, month: str, bucket: int) -> AddAction:
        relative = f"month={month}/bucket={bucket}/{uuid.uuid4().hex}.parquet"
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(path, "wb") as file:
                pq.write_table(
                    rows,
                    file,
                    compression="zstd",
                    compression_level=1,
                    use_dictionary=_DICTIONARY_COLUMNS,
                    row_group_size=131_072,
                    write_statistics=["uid", "ts"],
                    store_schema=False,
                )
                file.flush()
                os.fsync(file.fileno())
            self.store.publish(path)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StorageFailed(f"the event table cannot be written: {error.strerror or error}") from error
        self.cache.store_table(path, rows, _DECODED)
        ts = instants(rows.column("ts"))
        uid = rows.column("uid")
        stats = {
            "numRecords": rows.num_rows,
            "minValues": {"uid": uid[0].as_py(), "ts": _iso(int(ts.min()))},
            "maxValues": {"uid": uid[-1].as_py(), "ts": _iso(int(ts.max()))},
            "nullCount": {"uid": 0, "ts": 0},
        }
        return AddAction(
            path=relative,
            size=path.stat().st_size,
            partition_values={"month": month, "bucket": str(bucket)},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps(stats),
        )

    def _commit(self, added: list[AddAction], removed: Iterable[LakeFile], txn: tuple[str, int] | None) -> None:
        table = self._fresh()
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [*added]
        actions += [
            RemoveAction(
                path=f.path,
                data_change=True,
                deletion_timestamp=now,
                size=f.bytes,
                partition_values={"month": f.month, "bucket": str(f.bucket)},
            )
            for f in removed
        ]
        properties = CommitProperties(
            app_transactions=[Transaction(app_id=txn[0], version=txn[1])] if txn is not None else None
        )
        try:
            table.create_write_transaction(
                actions,
                mode="append",
                schema=TABLE_SCHEMA,
                partition_by=["month", "bucket"],
                commit_properties=properties,
            )
        except OSError as error:
            raise StorageFailed(f"the event table cannot be written: {error}") from error
        self._sync_log()

    def _sync_log(self) -> None:
        """Make the newest log entry durable before anything relies on it."""
        if not isinstance(self.store, FolderStore):
            return  # what the storage has acknowledged is durable there
        log = self.root / "_delta_log"
        newest = max(log.glob("*.json"))
        for path in (newest, log):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    # -- maintenance -----------------------------------------------------------------------------

    def compact(self, cancelled: Callable[[], bool] = lambda: False) -> int:
        """Merge the files of each partition that has several into one sorted file; returns partitions merged.

        A bucket is a commit: stopping or dying in between leaves a whole table.
        """
        groups: dict[int, dict[str, list[LakeFile]]] = {}
        for file in self.files():
            groups.setdefault(file.bucket, {}).setdefault(file.month, []).append(file)
        merged = 0
        for bucket, months in groups.items():
            added: list[AddAction] = []
            removed: list[LakeFile] = []
            with self._write_lock:
                for month, files in months.items():
                    if len(files) < 2 or cancelled():
                        continue
                    rows = pa.concat_tables([self._read(f, EVENT_SCHEMA.names) for f in files])
                    order, _ = order_rows(rows, self.buckets)
                    rows = rows if order is None else rows.take(pa.array(order))
                    added.append(self._write_file(rows.combine_chunks(), month, bucket))
                    removed += files
                if removed:
                    self._commit(added, removed, None)
            merged += len(added)
        if merged:
            self._forget_removed()
        return merged

    def erase(self, uids: Sequence[int]) -> int:
        """Remove every row of these people and the old files that hold them; returns rows removed."""
        wanted = pa.array(sorted(set(uids)), pa.int64())
        touched = {u % self.buckets for u in uids}
        removed = 0
        added: list[AddAction] = []
        gone: list[LakeFile] = []
        with self._write_lock:
            for file in self.files():
                if file.bucket not in touched:
                    continue
                rows = self._read(file, EVENT_SCHEMA.names)
                keep = rows.filter(pc.invert(pc.is_in(rows.column("uid"), value_set=wanted)))
                if keep.num_rows == rows.num_rows:
                    continue
                removed += rows.num_rows - keep.num_rows
                gone.append(file)
                if keep.num_rows:
                    added.append(self._write_file(keep.combine_chunks(), file.month, file.bucket))
            if gone:
                self._commit(added, gone, None)
                self._forget_removed(hours=0)
        return removed

    def _forget_removed(self, hours: int = 1) -> None:
        """Delete files no version within `hours` refers to (a query that started before may still read them)."""
        live = {f.path for f in self.files()}
        removed = self._fresh().vacuum(
            retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=False
        )
        for path in removed:
            self._moved.pop(path, None)
            if path not in live:
                self.cache.forget(Path(path))
                if not isinstance(self.store, FolderStore):
                    (self.root / path).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Delete Parquet files that no commit names: what a crash before its commit left behind."""
        named = {f.path for f in self.files()}
        recent = time.time() - 3600
        swept = 0
        with self._write_lock:
            named |= {uri.rpartition("/month=")[2] for uri in self._fresh().file_uris()}
            for path, written in list(self.store.data_files()):
                if path not in named and path.removeprefix("month=") not in named and written < recent:
                    self.store.delete(path)
                    self.cache.forget(self.root / path)
                    swept += 1
        return swept

    # -- reading ---------------------------------------------------------------------------------

    def scan(
        self,
        columns: Sequence[str],
        *,
        buckets: Iterable[int] | None = None,
        uids: Sequence[int] | None = None,
        events: Sequence[str] | None = None,
        view: View | None = None,
    ) -> Iterator[pa.Table]:
        """One table per bucket with these columns, sorted by (uid, ts), the tail included.

        uids, events: only rows of these people or event names. Only buckets that can hold rows are read.
        """
        wanted = list(range(self.buckets)) if buckets is None else sorted(set(buckets))
        if uids is not None:
            homes = {u % self.buckets for u in uids}
            wanted = [b for b in wanted if b in homes]
        names = list(dict.fromkeys(["uid", "ts", "event", "received_at", "event_id", *columns]))
        view = view or self.view()
        tail, overrides = view.tail, view.overrides
        sources = uids if uids is None or not overrides else overrides.sources_of(uids)
        by_bucket: dict[int, list[LakeFile]] = {}
        moved: list[pa.Table] = []
        for file in view.files:
            by_bucket.setdefault(file.bucket, []).append(file)
            if overrides and (sources is None or self._may_hold(file, sources)):
                moved += self._moved_rows(file, names, overrides)
        for bucket in wanted:
            parts = []
            for file in by_bucket.get(bucket, []):
                if self._may_hold(file, uids):
                    rows = self._read(file, names, uids)
                    if overrides and len(self.moved(file, overrides).rows):
                        rows = rows.filter(pc.invert(pc.is_in(rows.column("uid"), value_set=pa.array(overrides.old))))
                        # Rows of a split person that stay with it come back with the moved ones.
                    parts.append(rows)
            parts += [_of_bucket(table, bucket, self.buckets) for table in moved]
            parts.append(_of_bucket(tail, bucket, self.buckets).select(names).cast(_nullable(names)))
            rows = pa.concat_tables(parts)
            if uids is not None:
                rows = rows.filter(pc.is_in(rows.column("uid"), value_set=pa.array(list(uids), pa.int64())))
            if events is not None:
                rows = rows.filter(pc.is_in(rows.column("event"), value_set=pa.array(list(events), pa.string())))
            rows = rows.sort_by([("uid", "ascending"), ("ts", "ascending"), ("received_at", "ascending"),
                                 ("event_id", "ascending")])  # fmt: skip
            yield rows.select(list(columns))

    def person(self, uid: int, columns: Sequence[str], made: Mapping[str, Made] = NO_MADE) -> PersonRows:
        """One person's events in time order, from the decoded columns: fit for a page that opens at once.

        columns: of the event table, no JSON ones; made: text columns made of others, decoded once a
        file like them. What was acknowledged but not taken in yet is not there (`Collect.settle`).
        """
        while True:
            overrides, files = self.overrides(), self.files()
            found = self._person(uid, columns, made, overrides)
            # Neither may somebody have changed hands between the looks, nor the tail have become a file.
            if self.overrides().token == overrides.token and self.files() is files:
                return found

    def _person(self, uid: int, columns: Sequence[str], made: Mapping[str, Made], overrides: Overrides) -> PersonRows:
        sources = overrides.sources_of([uid]) if overrides else [uid]
        homes = {source % self.buckets for source in sources}
        parts = []
        for file, held in self._uid_arrays():
            if file.bucket not in homes:
                continue
            spans = [(int(held.searchsorted(s, "left")), int(held.searchsorted(s, "right"))) for s in sources]
            found = [np.arange(a, b) for a, b in spans if b > a]
            if found:
                part = self._person_in_file(file, uid, np.concatenate(found), columns, made, overrides)
                if part is not None:
                    parts.append(part)
        tail = self.tail_of(sources)
        if tail.num_rows:
            whose = overrides.owners(tail.column("uid").to_numpy(), lambda: tail.column("distinct_id").to_pylist())
            mine = tail.filter(pa.array(whose == uid)).sort_by(
                [("ts", "ascending"), ("received_at", "ascending"), ("event_id", "ascending")]
            )
            if mine.num_rows:
                parts.append(rows_of_table(mine, columns, made))
        return in_order(parts, [*columns, *made])

    def _uid_arrays(self) -> list[tuple[LakeFile, npt.NDArray[np.int64]]]:
        """Every file with its uids, ascending; the list is made once a version."""
        files = self.files()
        held = self._uids
        if held is None or held[0] is not files:
            held = self._uids = files, [(file, self.cache.run(self.root / file.path, ()).uid) for file in files]
        return held[1]

    def _person_in_file(
        self,
        file: LakeFile,
        uid: int,
        rows: npt.NDArray[np.int64],
        columns: Sequence[str],
        made: Mapping[str, Made],
        overrides: Overrides,
    ) -> PersonRows | None:
        path = self.root / file.path
        held = self.cache.run(path, ()).uid
        if overrides and np.isin(held[rows], overrides.old).any():

            def distinct_ids() -> list[str | None]:
                texts = self.parquet(path).read(columns=["distinct_id"]).column("distinct_id")
                known: list[str | None] = texts.take(pa.array(rows)).to_pylist()
                return known

            rows = rows[overrides.owners(held[rows], distinct_ids) == uid]
        if not len(rows):
            return None

        def make(one: Made) -> pa.ChunkedArray:
            return pa.chunked_array([one.make(self.parquet(path).read(columns=list(one.of)))])

        run = self.cache.run(path, columns)
        texts = {name: self.cache.text(path, name, partial(make, one)) for name, one in made.items()}
        return rows_of_run(run, rows, texts)

    def view(self) -> View:
        """Files, tail and overrides of one moment, for an answer that looks at several buckets."""
        while True:
            files = self.files()
            tail, overrides = self.unwritten()
            # A flush between the looks at the files and at the tail would show events twice or not at all.
            if self.files() is files:
                return View(files, tail, overrides)

    def unwritten(self) -> tuple[pa.Table, Overrides]:
        """What the files do not say yet, of one moment: the tail, and whose rows changed hands."""
        overrides = self.overrides()
        while True:
            tail = self.tail()
            now = self.overrides()
            if now.token == overrides.token:
                return tail, now
            overrides = now

    def moved(self, file: LakeFile, overrides: Overrides) -> Moved:
        """The file's rows whose uid is overridden: their numbers, ascending, and whom they belong to now."""
        held = self._moved.get(file.path)
        if held is not None and held.token == overrides.token:
            return held
        uid = self.cache.run(self.root / file.path, ()).uid
        checked = held.checked if held is not None else np.empty(0, np.int64)
        fresh = np.setdiff1d(overrides.old, checked, assume_unique=True)
        at = np.minimum(np.searchsorted(uid, fresh), len(uid) - 1)
        present = fresh[uid[at] == fresh]
        if held is not None:
            present = np.union1d(present, np.intersect1d(held.present, overrides.old, assume_unique=True))
        if len(present):
            starts, ends = np.searchsorted(uid, present, "left"), np.searchsorted(uid, present, "right")
            rows = np.concatenate([np.arange(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])
        else:
            rows = np.empty(0, np.int64)

        def distinct_ids() -> list[str | None]:
            texts = self.parquet(self.root / file.path).read(columns=["distinct_id"]).column("distinct_id")
            found: list[str | None] = texts.take(pa.array(rows)).to_pylist()
            return found

        made = Moved(
            token=overrides.token,
            checked=overrides.old,
            present=present,
            rows=rows,
            uid=overrides.owners(np.asarray(uid[rows]), distinct_ids),
        )
        self._moved[file.path] = made
        return made

    def _moved_rows(self, file: LakeFile, names: Sequence[str], overrides: Overrides) -> list[pa.Table]:
        """The file's overridden rows under their present uids."""
        moved = self.moved(file, overrides)
        if not len(moved.rows):
            return []
        rows = self._read(file, names).take(pa.array(moved.rows))
        return [rows.set_column(rows.schema.get_field_index("uid"), _nullable(["uid"]).field(0), pa.array(moved.uid))]

    def _may_hold(self, file: LakeFile, uids: Sequence[int] | None) -> bool:
        """False when none of a few people has a row in the file, by binary search in its uid array."""
        if uids is None or len(uids) > 64:
            return True
        held = self.cache.run(self.root / file.path, ()).uid
        return any(at < len(held) and held[at] == u for u in uids for at in [int(np.searchsorted(held, u))])

    def _read(self, file: LakeFile, names: Sequence[str], uids: Sequence[int] | None = None) -> pa.Table:
        source = self.parquet(self.root / file.path)
        if uids is not None and len(uids) <= 64:
            groups = _row_groups(source, min(uids), max(uids))
            table = source.read_row_groups(groups, columns=list(names), use_threads=True)
        else:
            table = source.read(columns=list(names), use_threads=True)
        return table.select(list(names)).cast(_nullable(names))

    def runs(self, bucket: int, columns: Sequence[str] = (), view: View | None = None) -> list[Run]:
        """The bucket's sorted runs for kernels, in month order, the tail last; of the moment of `view`, where given.

        Several runs may hold one person's events of the same month (files not compacted yet, the tail).
        """
        view = view or self.view()
        unflushed, overrides = view.tail, view.overrides
        dated: list[tuple[str, Run]] = []
        for file in view.files:
            if file.bucket == bucket:
                run = self.cache.run(self.root / file.path, columns)
                if overrides and len(gone := self.moved(file, overrides).rows):
                    run = _taken(run, np.delete(np.arange(len(run)), gone), None)
                if len(run):
                    dated.append((file.month, run))
            if overrides:
                moved = self.moved(file, overrides)
                here = np.flatnonzero(moved.uid % self.buckets == bucket)
                if len(here):
                    run = self.cache.run(self.root / file.path, columns)
                    rows, uid = moved.rows[here], moved.uid[here]
                    order = np.lexsort((run.ts[rows], uid))
                    dated.append((file.month, _taken(run, rows[order], uid[order])))
        # What came from other buckets takes its place among the months.
        found = [run for _, run in sorted(dated, key=lambda one: one[0])]
        tail = _of_bucket(unflushed, bucket, self.buckets)
        if tail.num_rows:
            found.append(run_of_table(tail, columns))
        return found

    def squash(self, overrides: Overrides, cancelled: Callable[[], bool] = lambda: False) -> int:
        """Write overridden rows under their present uids, a commit a file; returns rows moved.

        Rows that were moved already are not found again, so it may die at any point and be repeated.
        """
        total = 0
        with self._write_lock:
            for file in self.files():
                moved = self.moved(file, overrides)
                if not len(moved.rows) or cancelled():
                    continue
                rows = self._read(file, EVENT_SCHEMA.names)
                uid = rows.column("uid").to_numpy().copy()
                if np.array_equal(uid[moved.rows], moved.uid):
                    continue
                uid[moved.rows] = moved.uid
                rows = rows.set_column(0, EVENT_SCHEMA.field("uid"), pa.array(uid)).cast(EVENT_SCHEMA)
                order, partition = order_rows(rows, self.buckets)
                rows = rows if order is None else rows.take(pa.array(order))
                self._commit(self._write_files(rows, partition), [file], None)
                total += len(moved.rows)
        if total:
            self._forget_removed()
        return total


@dataclass(frozen=True)
class Moved:
    """What overrides do to one file. checked: overridden uids looked for; present: those it has."""

    token: int
    checked: npt.NDArray[np.int64]
    present: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    uid: npt.NDArray[np.int64]


def _taken(run: Run, rows: npt.NDArray[np.int64], uid: npt.NDArray[np.int64] | None) -> Run:
    return Run(
        uid=run.uid[rows] if uid is None else uid,
        ts=run.ts[rows],
        code=run.code[rows],
        names=run.names,
        columns={name: values[rows] for name, values in run.columns.items()},
        words=run.words,
    )


def _nullable(names: Sequence[str]) -> pa.Schema:
    return pa.schema([pa.field(n, EVENT_SCHEMA.field(n).type) for n in names])


def _lake_files(table: DeltaTable) -> list[LakeFile]:
    # `pa.table` and lists of instants would do the same and import pandas where there is one.
    actions = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()

    def whole(name: str) -> list[int]:
        column = actions.column(name)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz))
        found: list[int] = column.cast(pa.int64()).to_pylist()
        return found

    return [
        LakeFile(path=path, month=str(month), bucket=bucket, rows=rows, bytes=size, min_ts=first, max_ts=last)
        for path, month, bucket, rows, size, first, last in zip(
            actions.column("path").to_pylist(),
            actions.column("partition.month").to_pylist(),
            whole("partition.bucket"),
            whole("num_records"),
            whole("size_bytes"),
            whole("min.ts"),
            whole("max.ts"),
            strict=True,
        )
    ]


def _iso(ts: int) -> str:
    return f"{np.datetime64(ts, 'us')}Z"


def _without_twins(table: pa.Table) -> pa.Table:
    """Leave out rows whose (source, event_id) occurred in an earlier row."""
    if table.num_rows < 2:
        return table
    ids = table.column("event_id")
    if pc.count_distinct(ids).as_py() == table.num_rows:
        return table
    coded = twin_keys(table.column("source"), ids).combine_chunks().dictionary_encode()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    _, first = np.unique(coded.indices.to_numpy(), return_index=True)
    return table.take(pa.array(np.sort(first)))


def _of_bucket(table: pa.Table, bucket: int, buckets: int) -> pa.Table:
    if table.num_rows == 0:
        return table
    return table.filter(pa.array(table.column("uid").to_numpy() % buckets == bucket))


def _row_groups(source: pq.ParquetFile, low: int, high: int) -> list[int]:
    """Row groups that may hold uids in [low, high]; rows are sorted by uid, so they are few."""
    metadata = source.metadata
    column = metadata.schema.to_arrow_schema().get_field_index("uid")
    groups = []
    for i in range(metadata.num_row_groups):
        statistics = metadata.row_group(i).column(column).statistics
        if statistics is None or (statistics.min <= high and statistics.max >= low):
            groups.append(i)
    return groups
