"""One moment of the lake as the kernels see it: for each bucket, sorted strands that follow each other in time.

A strand is the events of one bucket and month in the order (uid, ts, received_at, event_id). Where a
month is one file, its strand is that file's memory-mapped arrays and nothing is copied. Where it is several files,
or the tail has events of it, the strand is a row order over its parts, made once and kept while those
parts last. A person's slices in strand order are then in time order.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.behavior import columns as cols
from tilth.behavior.columns import Column
from tilth.behavior.kernels.merge import merge_two
from tilth.behavior.kernels.walk import SLOTS, block_rows, slots_of
from tilth.lake import Lake, Overrides
from tilth.lake.overrides import NO_OVERRIDES
from tilth.lake.schema import instants, month_numbers, month_text
from tilth.lake.sequences import run_of_table
from tilth.lake.table import LakeFile, Moved
from tilth.settings import Settings, currency_digits

__all__ = ["Kept", "Snapshot", "Snapshots", "Strand"]

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
# Names that a byte can tell apart.
_BYTE = 256
# Names a person uses for the promoted columns.
PROMOTED_NAMES = (*("order_id", "product", "category", "channel", "store", "quantity", "price", "amount", "currency"),)


class Strand(ABC):
    """Events of one bucket and month, in order. key: names its content; equal keys hold equal rows.

    first, last: the earliest and latest instant (UTC µs).
    """

    key: str
    month: str
    first: int
    last: int
    _blocks: Int64 | None = None
    _slots: npt.NDArray[np.uint8] | None = None

    @property
    @abstractmethod
    def uid(self) -> Int64: ...

    @property
    @abstractmethod
    def ts(self) -> Int64: ...

    @property
    @abstractmethod
    def code(self) -> Int32:
        """Index into `names`."""

    @property
    @abstractmethod
    def names(self) -> list[str]: ...

    @property
    def narrow(self) -> npt.NDArray[np.uint8] | None:
        """`code` in a byte each; None where there are too many names."""
        return self._narrow

    @cached_property
    def _narrow(self) -> npt.NDArray[np.uint8] | None:
        return self.code.astype(np.uint8) if len(self.names) <= _BYTE else None

    def blocks(self, buckets: int) -> Int64:
        """Where the blocks of people begin (see `kernels.walk.block_rows`); buckets: of the lake, always the same."""
        if self._blocks is None:
            self._blocks = block_rows(self.uid, buckets)
        return self._blocks

    def slots(self, buckets: int) -> npt.NDArray[np.uint8]:
        """The place of each row's person in their block (see `kernels.walk.slots_of`)."""
        if self._slots is None:
            self._slots = slots_of(self.uid, buckets)
        return self._slots

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def stored(self, name: str) -> Column:
        """A column of the event table."""

    @abstractmethod
    def json(self, scope: str, key: str) -> Column:
        """A key of the JSON column `scope` ("props" or "context")."""

    @abstractmethod
    def raw(self, name: str) -> pa.ChunkedArray:
        """A column of the event table as Arrow."""


class _FileStrand(Strand):
    """A lake file: its cached arrays."""

    def __init__(self, lake: Lake, file: LakeFile, scale: int) -> None:
        self._lake, self._file, self._scale = lake, file, scale
        self._path = lake.root / file.path
        self.key = self._path.stem
        self.month = file.month
        self.first, self.last = file.min_ts, file.max_ts

    @cached_property
    def _base(self) -> Any:
        return self._lake.cache.run(self._path, ())

    @property
    def uid(self) -> Int64:
        return self._base.uid

    @property
    def ts(self) -> Int64:
        return self._base.ts

    @property
    def code(self) -> Int32:
        return self._base.code

    @property
    def names(self) -> list[str]:
        return self._base.names

    @property
    def narrow(self) -> npt.NDArray[np.uint8] | None:
        if len(self.names) > _BYTE:
            return None
        made = self._lake.cache.derived(self._path, "narrow", lambda: self.code.astype(np.uint8))
        return made  # type: ignore[return-value]

    def blocks(self, buckets: int) -> Int64:
        name = f"blocks-{buckets}-{SLOTS}"
        made = self._lake.cache.derived(self._path, name, lambda: block_rows(self.uid, buckets))
        return made  # type: ignore[return-value]

    def slots(self, buckets: int) -> npt.NDArray[np.uint8]:
        name = f"slots-{buckets}-{SLOTS}"
        made = self._lake.cache.derived(self._path, name, lambda: slots_of(self.uid, buckets))
        return made  # type: ignore[return-value]

    def __len__(self) -> int:
        return self._file.rows

    def stored(self, name: str) -> Column:
        run = self._lake.cache.run(self._path, (name,))
        scale = self._scale if name == "p_amount" else 1
        return cols.promoted(run.columns[name], run.words.get(name), scale)

    def json(self, scope: str, key: str) -> Column:
        words, numbers = cols.json_column_names(scope, key)
        try:
            run = self._lake.cache.run(self._path, (words, numbers))
        except KeyError:
            # Not taken out of this file yet; kept beside the file's other columns and dropped with them.
            made = cols.extract(self.raw(scope), key)
            kept = made.rename_columns([words, numbers])
            self._lake.cache.store_table(self._path, kept, (words, numbers))
            run = self._lake.cache.run(self._path, (words, numbers))
        return cols.of_arrays(run.columns[words], run.words[words], run.columns[numbers])  # type: ignore[arg-type]

    def raw(self, name: str) -> pa.ChunkedArray:
        return self._lake.parquet(self._path).read(columns=[name], use_threads=False).column(name)


class _TableStrand(Strand):
    """Rows in memory, sorted: a part of the tail."""

    def __init__(self, key: str, month: str, table: pa.Table, scale: int) -> None:
        self.key, self.month, self._table, self._scale = key, month, table, scale
        self._base = run_of_table(table, ())
        self.first, self.last = int(self._base.ts.min()), int(self._base.ts.max())

    @property
    def uid(self) -> Int64:
        return self._base.uid

    @property
    def ts(self) -> Int64:
        return self._base.ts

    @property
    def code(self) -> Int32:
        return self._base.code

    @property
    def names(self) -> list[str]:
        return self._base.names

    def __len__(self) -> int:
        return len(self._base)

    def stored(self, name: str) -> Column:
        run = run_of_table(self._table, (name,))
        return cols.promoted(run.columns[name], run.words.get(name), self._scale if name == "p_amount" else 1)

    def json(self, scope: str, key: str) -> Column:
        return cols.of_table(cols.extract(self.raw(scope), key))

    def raw(self, name: str) -> pa.ChunkedArray:
        return self._table.column(name)


class _PartStrand(Strand):
    """Some rows of a file, in order, perhaps under other uids than the file says."""

    def __init__(self, key: str, month: str, base: Strand, rows: Int64, uid: Int64) -> None:
        self.key, self.month, self._source, self._rows, self._uid = key, month, base, rows, uid
        self._ts = base.ts[rows]
        self.first, self.last = int(self._ts.min()), int(self._ts.max())

    @property
    def uid(self) -> Int64:
        return self._uid

    @property
    def ts(self) -> Int64:
        return self._ts

    @cached_property
    def _code(self) -> Int32:
        return self._source.code[self._rows]

    @property
    def code(self) -> Int32:
        return self._code

    @property
    def names(self) -> list[str]:
        return self._source.names

    def __len__(self) -> int:
        return len(self._rows)

    def stored(self, name: str) -> Column:
        return cols.taken(self._source.stored(name), self._rows)

    def json(self, scope: str, key: str) -> Column:
        return cols.taken(self._source.json(scope, key), self._rows)

    def raw(self, name: str) -> pa.ChunkedArray:
        return self._source.raw(name).take(pa.array(self._rows))


def _parts_under(file: LakeFile, strand: _FileStrand, moved: Moved, buckets: int) -> list[tuple[int, Strand]]:
    """(bucket, part) of a file some of whose rows belong to others than it says: what stays, and what went where."""
    if not len(moved.rows):
        return [(file.bucket, strand)]
    parts: list[tuple[int, Strand]] = []
    stay = np.delete(np.arange(len(strand)), moved.rows)
    if len(stay):
        key = f"{strand.key}-{hashlib.sha256(moved.rows.tobytes()).hexdigest()[:16]}"
        parts.append((file.bucket, _PartStrand(key, file.month, strand, stay, strand.uid[stay])))
    received = _received(strand)[moved.rows]
    ids = strand.raw("event_id").cast(pa.string()).take(pa.array(moved.rows)).to_numpy().astype(str)
    order = np.lexsort((ids, received, strand.ts[moved.rows], moved.uid))
    rows, uid = moved.rows[order], moved.uid[order]
    for bucket in np.unique(uid % buckets).tolist():
        here = uid % buckets == bucket
        key = f"{strand.key}-{hashlib.sha256(rows[here].tobytes() + uid[here].tobytes()).hexdigest()[:16]}"
        parts.append((bucket, _PartStrand(key, file.month, strand, rows[here], uid[here])))
    return parts


class _MergedStrand(Strand):
    """Several parts of one month as one, by a row order over them one after the other."""

    def __init__(self, parts: list[Strand]) -> None:
        self.key = "+".join(p.key for p in parts)
        self.month = parts[0].month
        self._parts = parts
        self.first, self.last = min(p.first for p in parts), max(p.last for p in parts)
        self._size = sum(len(p) for p in parts)
        self._lock = threading.Lock()
        self._made: tuple[Int64, Int64, Int64, Int32, list[str]] | None = None

    def __len__(self) -> int:
        return self._size

    def _arrays(self) -> tuple[Int64, Int64, Int64, Int32, list[str]]:
        with self._lock:
            if self._made is None:
                order = _merged_order(self._parts)
                code = cols.concatenated([Column(len(p), p.code, p.names, None) for p in self._parts])
                assert code.codes is not None
                self._made = (
                    order,
                    np.concatenate([p.uid for p in self._parts])[order],
                    np.concatenate([p.ts for p in self._parts])[order],
                    code.codes[order],
                    code.words,
                )
            return self._made

    @property
    def uid(self) -> Int64:
        return self._arrays()[1]

    @property
    def ts(self) -> Int64:
        return self._arrays()[2]

    @property
    def code(self) -> Int32:
        return self._arrays()[3]

    @property
    def names(self) -> list[str]:
        return self._arrays()[4]

    def stored(self, name: str) -> Column:
        return cols.taken(cols.concatenated([p.stored(name) for p in self._parts]), self._arrays()[0])

    def json(self, scope: str, key: str) -> Column:
        return cols.taken(cols.concatenated([p.json(scope, key) for p in self._parts]), self._arrays()[0])

    def raw(self, name: str) -> pa.ChunkedArray:
        whole = pa.chunked_array([c.cast(c.type) for p in self._parts for c in p.raw(name).chunks])
        return whole.take(pa.array(self._arrays()[0]))


def _merged_order(parts: list[Strand]) -> Int64:
    """Row numbers over the parts laid end to end, in order of (uid, ts, received_at, event_id)."""
    uid = np.concatenate([p.uid for p in parts])
    ts = np.concatenate([p.ts for p in parts])
    received = np.concatenate([_received(p) for p in parts])
    starts = np.cumsum([0, *[len(p) for p in parts]])
    rows = np.arange(starts[-1], dtype=np.int64)
    lists = [rows[a:b] for a, b in itertools.pairwise(starts.tolist())]
    while len(lists) > 1:
        pairs = [merge_two(uid, ts, received, a, b) for a, b in zip(lists[::2], lists[1::2], strict=False)]
        lists = pairs + ([lists[-1]] if len(lists) % 2 else [])
    order: Int64 = lists[0]
    u, t, r = uid[order], ts[order], received[order]
    same = (u[1:] == u[:-1]) & (t[1:] == t[:-1]) & (r[1:] == r[:-1])
    if not same.any():
        return order
    group = np.cumsum(np.concatenate(([True], ~same)))
    tied = np.zeros(len(order), bool)
    tied[1:] |= same
    tied[:-1] |= same
    ids = pa.chunked_array([c for p in parts for c in p.raw("event_id").cast(pa.string()).chunks])
    texts = ids.take(pa.array(order[tied])).to_numpy().astype(str)
    order = order.copy()
    order[tied] = order[tied][np.lexsort((texts, group[tied]))]
    return order


def _received(part: Strand) -> Int64:
    column = part.raw("received_at")
    return pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy()


@dataclass
class Snapshot:
    """The lake at one moment. token: equal tokens hold equal rows; strands: by bucket, in month order."""

    token: tuple[int, int, int]
    strands: list[list[Strand]]
    tail: pa.Table
    rows: int
    first: int | None
    last: int | None
    names: frozenset[str] = field(default_factory=frozenset)
    files: list[LakeFile] = field(default_factory=list)
    overrides: Overrides = NO_OVERRIDES

    def of_bucket(self, bucket: int, first: int, end: int) -> list[Strand]:
        """The bucket's strands that may hold instants from `first` until before `end`."""
        return [s for s in self.strands[bucket] if s.last >= first and s.first < end]


class Snapshots:
    """Takes snapshots of a lake and keeps what later ones can use again. Thread-safe."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake = lake
        self._scale = 10 ** currency_digits(settings.currency)
        self._lock = threading.Lock()
        self._last: Snapshot | None = None
        self._files: dict[str, _FileStrand] = {}
        self._merged: dict[str, _MergedStrand] = {}
        self._parts: dict[str, tuple[int, list[tuple[int, Strand]]]] = {}
        self._serial = 0

    def take(self) -> Snapshot:
        """The lake now, with every event acknowledged before the call."""
        while True:
            version = self._lake.version
            tail, overrides = self._lake.unwritten()
            with self._lock:
                last = self._last
                if last is not None and last.token[::2] == (version, overrides.token) and last.tail is tail:
                    return last
            files = self._lake.files()
            # A flush between the look at the tail and at the files would show events twice or not at all.
            if self._lake.version == version:
                break
        with self._lock:
            self._serial += 1
            return self._make(version, files, tail, overrides)

    def _make(self, version: int, files: list[LakeFile], tail: pa.Table, overrides: Overrides) -> Snapshot:
        used_files: dict[str, _FileStrand] = {}
        used_merged: dict[str, _MergedStrand] = {}
        parts: list[dict[str, list[Strand]]] = [{} for _ in range(self._lake.buckets)]
        for file in files:
            strand = self._files.get(file.path) or _FileStrand(self._lake, file, self._scale)
            used_files[file.path] = strand
            for bucket, one in self._present(file, strand, overrides):
                parts[bucket].setdefault(one.month, []).append(one)
        for bucket, part in self._tail_strands(tail):
            parts[bucket].setdefault(part.month, []).append(part)
        strands: list[list[Strand]] = []
        for months in parts:
            row: list[Strand] = []
            for _, group in sorted(months.items()):
                if len(group) == 1:
                    row.append(group[0])
                    continue
                key = "+".join(p.key for p in group)
                merged = self._merged.get(key) or _MergedStrand(group)
                used_merged[key] = merged
                row.append(merged)
            strands.append(row)
        self._files, self._merged = used_files, used_merged
        self._parts = {path: kept for path, kept in self._parts.items() if path in used_files}
        every = [s for row in strands for s in row]
        names = frozenset(n for p in parts for group in p.values() for s in group for n in s.names)
        self._last = Snapshot(
            token=(version, self._serial, overrides.token),
            strands=strands,
            tail=tail,
            rows=sum(len(s) for s in every),
            first=min((s.first for s in every), default=None),
            last=max((s.last for s in every), default=None),
            names=names,
            files=files,
            overrides=overrides,
        )
        return self._last

    def make(self, version: int, files: list[LakeFile], tail: pa.Table, overrides: Overrides) -> Snapshot:
        """A snapshot that somebody else took, over this process's copies of the files."""
        with self._lock:
            self._serial += 1
            return self._make(version, files, tail, overrides)

    def _present(self, file: LakeFile, strand: _FileStrand, overrides: Overrides) -> list[tuple[int, Strand]]:
        """The file's rows where they belong now."""
        if not overrides:
            return [(file.bucket, strand)]
        held = self._parts.get(file.path)
        if held is None or held[0] != overrides.token:
            moved = self._lake.moved(file, overrides)
            held = (overrides.token, _parts_under(file, strand, moved, self._lake.buckets))
            self._parts[file.path] = held
        return held[1]

    def _tail_strands(self, tail: pa.Table) -> list[tuple[int, Strand]]:
        if tail.num_rows == 0:
            return []
        bucket = tail.column("uid").to_numpy() % self._lake.buckets
        month = month_numbers(instants(tail.column("ts"))).astype(np.int64)
        group = bucket << 32 | month
        order = np.argsort(group, kind="stable")  # rows stay sorted inside each
        cuts = np.flatnonzero(np.diff(group[order])) + 1
        found: list[tuple[int, Strand]] = []
        for rows in np.split(order, cuts):
            number, name = int(bucket[rows[0]]), month_text(int(month[rows[0]]))
            key = f"tail-{self._serial}-{number}-{name}"
            found.append((number, _TableStrand(key, name, tail.take(pa.array(rows)), self._scale)))
        return found


class Kept:
    """Arrays worth keeping between questions, the least recently used ones dropped over `budget` bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: OrderedDict[tuple[str, ...], tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...]) -> Any | None:
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def take(self, key: tuple[str, ...]) -> Any | None:
        """As `get`, and it is kept no longer."""
        with self._lock:
            value, size = self._held.pop(key, (None, 0))
            self._bytes -= size
            return value

    def put(self, key: tuple[str, ...], value: Any, size: int) -> None:
        with self._lock:
            if key in self._held or size > self._budget:
                return
            self._held[key] = (value, size)
            self._bytes += size
            while self._bytes > self._budget:
                _, (_, freed) = self._held.popitem(last=False)
                self._bytes -= freed
