"""Validated rows on disk between reading and writing: one Arrow file a chunk, durable once recorded.

Reading decides nothing about people or the lake, so a file that turns out unreadable half-way, or an
import that is cancelled, leaves nothing behind but this folder, which is removed.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.collect.imports.hashing import CodeTable, hash_column
from tilth.collect.imports.rows import Validated
from tilth.collect.imports.spans import Spans
from tilth.errors import StorageFailed

__all__ = ["People", "Staging"]

_KEEP_FREE = 64 << 20
_LINK = "anonymous"


@dataclass(frozen=True)
class People:
    """Newly met ids of a chunk, in code order. traits: role -> text, empty where there was none."""

    ids: pa.Array
    kinds: npt.NDArray[np.uint8]
    traits: dict[str, pa.Array]


class Staging:
    """The staging folder of one import, and the codes its customers got in order of appearance."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.codes = CodeTable(1 << 16)
        self._links = CodeTable(1 << 10)

    def open(self, chunks: int) -> None:
        """Make the folder, keep the first `chunks` recorded chunks, drop what a dead process left half-written."""
        with storage(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.iterdir():
                if (
                    path.suffix != ".arrow"
                    or not path.stem.rsplit("-", 1)[-1].isdigit()
                    or int(path.stem.rsplit("-", 1)[-1]) >= chunks
                ):
                    path.unlink()
        for number in range(chunks):
            people = self.people(number)
            self._codes_of(Spans.of(people.ids), people.kinds)

    def _codes_of(
        self, ids: Spans, kinds: npt.NDArray[np.uint8] | None
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        high, low = hash_column(ids)
        if kinds is not None:
            # One text as two kinds of id names two people.
            high = high ^ (kinds.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        return self.codes.codes(high, low)

    def add(self, number: int, file: int, validated: Validated) -> None:
        """Write a chunk's rows and the people first met in it."""
        codes, first = self._codes_of(validated.customers, validated.kinds)
        own = codes[validated.kept]
        rows = validated.table
        if len(validated.customers) or "ts" in rows.column_names:
            rows = rows.append_column("code", pa.array(own)).append_column(
                "file", pa.array(np.full(rows.num_rows, file, np.int16))
            )
        kinds = validated.kinds[first] if validated.kinds is not None else np.zeros(len(first), np.uint8)
        people = {"id": validated.customers.to_arrow(first), "kind": pa.array(kinds)}
        for role, spans in validated.traits.items():
            if role != _LINK:
                people[f"trait:{role}"] = spans.take(first).trimmed().to_arrow()
        self._check_space(rows.nbytes)
        self._write(f"people-{number:06d}.arrow", pa.table(people))
        if _LINK in validated.traits:
            self._write(f"links-{number:06d}.arrow", self._new_links(codes, validated.traits[_LINK]))
        self._write(f"rows-{number:06d}.arrow", rows)
        with storage(self.folder):
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _new_links(self, codes: npt.NDArray[np.int32], other: Spans) -> pa.Table:
        """Pairs (code, other id) not met before."""
        high, low = hash_column(other)
        _, first = self._links.codes(high ^ codes.astype(np.uint64), low, other.lengths() > 0)
        return pa.table({"code": pa.array(codes[first]), "other": other.to_arrow(first)})

    def _check_space(self, size: int) -> None:
        if shutil.disk_usage(self.folder).free < size + _KEEP_FREE:
            raise StorageFailed("the disk is full: the import cannot stage its rows; free some space and resume it")

    def _write(self, name: str, table: pa.Table) -> None:
        with storage(self.folder), open(self.folder / name, "wb") as file:
            with pa.ipc.new_file(file, table.schema) as writer:
                for batch in table.combine_chunks().to_batches():
                    writer.write_batch(batch)
            file.flush()
            os.fsync(file.fileno())

    def rows(self, number: int) -> pa.Table:
        """A chunk's rows, in memory."""
        return self._read(f"rows-{number:06d}.arrow")

    def grouped(self, number: int, groups: int) -> bool:
        """Whether a chunk's rows lie in this many groups already."""
        with storage(self.folder), pa.OSFile(str(self.folder / f"rows-{number:06d}.arrow")) as file:
            kept = pa.ipc.open_file(file).schema.metadata or {}
        return kept.get(b"groups") == str(groups).encode()

    def regroup(self, number: int, group: npt.NDArray[np.int64], groups: int) -> None:
        """Lay a chunk's rows by group, one batch each, so that a group is read without the others.

        By rename: the file holds all its rows at any moment, in one order or the other.
        """
        name = f"rows-{number:06d}.arrow"
        rows = self.rows(number)
        order = np.argsort(group, kind="stable")
        edges = np.searchsorted(group[order], np.arange(groups + 1))
        rows = rows.take(pa.array(order))
        self._check_space(rows.nbytes)
        with storage(self.folder):
            with open(self.folder / f"{name}.new", "wb") as file:
                whole = _one_batch(rows.replace_schema_metadata({"groups": str(groups)}))
                with pa.ipc.new_file(file, whole.schema) as writer:
                    for low, high in pairwise(edges.tolist()):
                        writer.write_batch(whole.slice(low, high - low))
                file.flush()
                os.fsync(file.fileno())
            os.replace(self.folder / f"{name}.new", self.folder / name)

    def group(self, number: int, group: int) -> pa.Table:
        """The rows of one group of a chunk that was laid by groups."""
        with storage(self.folder), pa.OSFile(str(self.folder / f"rows-{number:06d}.arrow")) as file:
            return pa.Table.from_batches([pa.ipc.open_file(file).get_batch(group)])

    def people(self, number: int) -> People:
        """The people first met in a chunk."""
        table = self._read(f"people-{number:06d}.arrow")
        traits = {
            name.removeprefix("trait:"): table.column(name) for name in table.column_names if name.startswith("trait:")
        }
        return People(table.column("id").combine_chunks(), table.column("kind").to_numpy(), traits)

    def links(self, chunks: int) -> Iterator[pa.Table]:
        """(code, other) of ids that belong to a person already named by the code."""
        for number in range(chunks):
            if (self.folder / f"links-{number:06d}.arrow").exists():
                yield self._read(f"links-{number:06d}.arrow")

    def _read(self, name: str) -> pa.Table:
        with storage(self.folder):
            try:
                # Read rather than mapped: mapped pages would count as this process's memory.
                with pa.OSFile(str(self.folder / name)) as file:
                    return pa.ipc.open_file(file).read_all()
            except pa.ArrowInvalid as error:
                raise StorageFailed(f"the staged rows in {self.folder} are damaged: {error}") from None

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    if batches:
        return batches[0]
    return pa.RecordBatch.from_arrays([pa.array([], f.type) for f in table.schema], schema=table.schema)


class storage:  # noqa: N801 - reads as a statement: `with storage(folder):`
    """Turn a refused write into `StorageFailed`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFailed(
                    "the disk is full: the import cannot stage its rows; free some space and resume it"
                ) from error
            raise StorageFailed(f"{self._folder} cannot be written: {error.strerror or error}") from error
