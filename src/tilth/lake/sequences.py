"""What the kernels read: each lake file's columns as plain arrays, decoded once and memory-mapped.

Lake files never change, so a decoded column is keyed by the file's name and never goes stale. One
small file holds one column: a JSON header (dtype, rows, words of a text column) and the raw array.
"""

from __future__ import annotations

import json
import mmap
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tilth.lake.schema import BOOKKEEPING

__all__ = ["NULL_INT", "Run", "SequenceCache", "run_of_table"]

NULL_INT = np.iinfo(np.int64).min
_MAGIC = b"TLTHSEQ1"
_ALIGN = 64


@dataclass(frozen=True)
class Run:
    """One sorted run of events of one bucket.

    uid, ts: int64[n], ts in UTC µs; sorted by (uid, ts). code: int32[n], an index into `names`
    (event names of this run). columns: extra arrays, by name: int64 for whole numbers, instants and
    money (null = NULL_INT), float64 for the rest (null = NaN), int32 codes into `words[name]` for text (null = -1).
    """

    uid: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    code: npt.NDArray[np.int32]
    names: list[str]
    columns: dict[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.uid)

    def activity(self) -> Run:
        """The run without rows that only keep the books (`BOOKKEEPING`)."""
        books = [code for code, name in enumerate(self.names) if name in BOOKKEEPING]
        if not books:
            return self
        rows = np.flatnonzero(~np.isin(self.code, books))
        return Run(
            uid=self.uid[rows],
            ts=self.ts[rows],
            code=self.code[rows],
            names=self.names,
            columns={name: values[rows] for name, values in self.columns.items()},
            words=self.words,
        )


@dataclass(frozen=True)
class _Column:
    values: npt.NDArray[np.generic]
    words: list[str] | None


def decode(column: pa.ChunkedArray) -> _Column:
    """An Arrow column as the kernels' array (see `Run`)."""
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = column.combine_chunks() if pa.types.is_dictionary(kind) else pc.dictionary_encode(column)
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.chunk(0) if coded.num_chunks else pa.array([], kind).dictionary_encode()
        codes = pc.fill_null(coded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
        return _Column(codes.astype(np.int32, copy=False), coded.dictionary.to_pylist())
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=kind.tz)).cast(pa.int64())
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        filled = pc.fill_null(column.cast(pa.int64()), NULL_INT)
        return _Column(filled.to_numpy().astype(np.int64, copy=False), None)
    values = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
    return _Column(values.astype(np.float64, copy=False), None)


def run_of_table(table: pa.Table, columns: Sequence[str]) -> Run:
    """A run over rows already sorted by (uid, ts), such as the tail."""
    event = decode(table.column("event"))
    extra = {name: decode(table.column(name)) for name in columns}
    return Run(
        uid=table.column("uid").to_numpy(),
        ts=decode(table.column("ts")).values,  # type: ignore[arg-type]
        code=event.values,  # type: ignore[arg-type]
        names=event.words or [],
        columns={name: c.values for name, c in extra.items()},
        words={name: c.words for name, c in extra.items() if c.words is not None},
    )


class SequenceCache:
    """Decoded columns of lake files in `folder`; safe to use from several threads and processes."""

    def __init__(self, folder: Path, ensure: Callable[[Path], None] = lambda _: None) -> None:
        """ensure: has a lake file at its path before it is read."""
        self.folder = folder
        self._ensure = ensure
        self._open: dict[tuple[str, str], _Column] = {}
        self._lock = threading.Lock()

    def run(self, path: Path, columns: Sequence[str]) -> Run:
        """The run of lake file `path` with the extra `columns` (base columns always)."""
        wanted = ["uid", "ts", "event", *columns]
        found = self._columns(path, wanted)
        return Run(
            uid=found["uid"].values,  # type: ignore[arg-type]
            ts=found["ts"].values,  # type: ignore[arg-type]
            code=found["event"].values,  # type: ignore[arg-type]
            names=found["event"].words or [],
            columns={name: found[name].values for name in columns},
            words={name: words for name in columns if (words := found[name].words) is not None},
        )

    def _columns(self, path: Path, names: Sequence[str]) -> dict[str, _Column]:
        key = path.stem
        found: dict[str, _Column] = {}
        missing: list[str] = []
        for name in names:
            column = self._open.get((key, name)) or self._load(key, name)
            if column is None:
                missing.append(name)
            else:
                found[name] = column
        if missing:
            self._ensure(path)
            # Text is read as dictionaries: Parquet already holds it so, and only codes are wanted.
            table = pq.ParquetFile(path, read_dictionary=[n for n in missing if n not in ("uid", "ts")]).read(
                columns=missing, use_threads=False
            )
            for name in missing:
                column = decode(table.column(name).unify_dictionaries())
                self._store(key, name, column)
                found[name] = self._load(key, name) or column
        return found

    def derived(self, path: Path, name: str, make: Callable[[], npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
        """An array made from lake file `path`, kept under `name` like its columns."""
        column = self._open.get((path.stem, name)) or self._load(path.stem, name)
        if column is None:
            self._store(path.stem, name, _Column(make(), None))
            column = self._load(path.stem, name)
            assert column is not None
        return column.values

    def text(
        self, path: Path, name: str, make: Callable[[], pa.ChunkedArray]
    ) -> tuple[npt.NDArray[np.int32], list[str]]:
        """As `derived` for a text column: codes into words, -1 where null."""
        column = self._open.get((path.stem, name)) or self._load(path.stem, name)
        if column is None:
            column = decode(make())
            self._store(path.stem, name, column)
            column = self._load(path.stem, name) or column
        return column.values, column.words or []  # type: ignore[return-value]

    def store_table(self, path: Path, table: pa.Table, names: Sequence[str]) -> None:
        """Keep columns of a file that is just being written, so that the first question finds them decoded."""
        for name in names:
            self._store(path.stem, name, decode(table.column(name)))

    def _load(self, key: str, name: str) -> _Column | None:
        path = self._path(key, name)
        try:
            with open(path, "rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError):
            return None
        size = int.from_bytes(mapped[8:16], "little")
        if mapped[:8] != _MAGIC or len(mapped) < size:
            return None
        header = json.loads(mapped[16:size].rstrip(b"\0"))
        values = np.frombuffer(mapped, dtype=header["dtype"], count=header["rows"], offset=size)
        column = _Column(values, header["words"])
        with self._lock:
            self._open[(key, name)] = column
        return column

    def _store(self, key: str, name: str, column: _Column) -> None:
        """Write by rename, so that another process sees the whole column or none."""
        path = self._path(key, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        header = json.dumps(
            {"dtype": column.values.dtype.str, "rows": len(column.values), "words": column.words}
        ).encode()
        size = -(-(16 + len(header)) // _ALIGN) * _ALIGN
        temporary = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
        with open(temporary, "wb") as file:
            file.write(_MAGIC + size.to_bytes(8, "little") + header.ljust(size - 16, b"\0"))
            column.values.tofile(file)
        temporary.replace(path)

    def forget(self, path: Path) -> None:
        """Drop a removed file's columns from memory and disk."""
        with self._lock:
            for key in [k for k in self._open if k[0] == path.stem]:
                del self._open[key]
        for cached in self.folder.glob(f"{path.stem[-2:]}/{path.stem}.*"):
            cached.unlink(missing_ok=True)

    def bytes(self) -> int:
        """Disk space the cache takes."""
        return sum(f.stat().st_size for f in self.folder.rglob("*.seq")) if self.folder.exists() else 0

    def _path(self, key: str, name: str) -> Path:
        return self.folder / key[-2:] / f"{key}.{name}.seq"
