"""An exact in-memory map from id text to uid for millions of ids, probed a column at a time.

Open addressing over a 64-bit FNV-1a-like hash; the ids' bytes are kept in one arena and compared on
every hit, so two ids with one hash stay two. About 40 bytes an id beside its text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.compiled import njit

__all__ = ["IdIndex"]


@njit(cache=True, nogil=True)
def _hash(data, start, end):  # type: ignore[no-untyped-def]
    h = np.uint64(14695981039346656037)
    for i in range(start, end):
        h = (h ^ np.uint64(data[i])) * np.uint64(1099511628211)
    # FNV's low bits are weak for short keys; fold the high half in.
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    return h ^ (h >> np.uint64(32))


@njit(cache=True, nogil=True)
def _find(slots, offsets, arena, data, start, end):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    at = _hash(data, start, end) & mask
    while True:
        entry = slots[at]
        if entry < 0:
            return entry, at
        low = offsets[entry]
        if offsets[entry + 1] - low == end - start:
            same = True
            for i in range(end - start):
                if arena[low + i] != data[start + i]:
                    same = False
                    break
            if same:
                return entry, at
        at = (at + np.uint64(1)) & mask


@njit(cache=True, nogil=True)
def _lookup(slots, offsets, arena, uids, data, ends, base, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        entry, _ = _find(slots, offsets, arena, data, ends[i] - base, ends[i + 1] - base)
        out[i] = uids[entry] if entry >= 0 else -1


@njit(cache=True, nogil=True)
def _insert(slots, offsets, arena, uids, count, data, ends, base, new_uids):  # type: ignore[no-untyped-def]
    """Add ids; one that is there already keeps its uid. Returns the new count."""
    for i in range(len(new_uids)):
        start, end = ends[i] - base, ends[i + 1] - base
        entry, at = _find(slots, offsets, arena, data, start, end)
        if entry >= 0:
            continue
        low = offsets[count]
        for j in range(end - start):
            arena[low + j] = data[start + j]
        offsets[count + 1] = low + (end - start)
        uids[count] = new_uids[i]
        slots[at] = count
        count += 1
    return count


@njit(cache=True, nogil=True)
def _update(slots, offsets, arena, uids, data, ends, base, new_uids):  # type: ignore[no-untyped-def]
    for i in range(len(new_uids)):
        entry, _ = _find(slots, offsets, arena, data, ends[i] - base, ends[i + 1] - base)
        if entry >= 0:
            uids[entry] = new_uids[i]


@njit(cache=True, nogil=True)
def _rehash(slots, offsets, arena, count):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    for entry in range(count):
        at = _hash(arena, offsets[entry], offsets[entry + 1]) & mask
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = entry


def _buffers(ids: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes and the n + 1 byte offsets of a text array without nulls."""
    ids = ids.cast(pa.large_string())
    _, ends, data = ids.buffers()
    offsets = np.frombuffer(ends, np.int64)[ids.offset : ids.offset + len(ids) + 1] if ends else np.zeros(1, np.int64)
    payload = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    return payload, offsets


class IdIndex:
    """Text -> uid. Not for concurrent writers; the owner holds a lock."""

    def __init__(self) -> None:
        self._slots = np.full(1024, -1, np.int64)
        self._offsets = np.zeros(513, np.int64)
        self._arena = np.zeros(8192, np.uint8)
        self._uids = np.zeros(512, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def lookup(self, ids: pa.Array) -> npt.NDArray[np.int64]:
        """uids of a text array (no nulls); -1 where unknown."""
        out = np.empty(len(ids), np.int64)
        if len(ids):
            data, offsets = _buffers(ids)
            _lookup(self._slots, self._offsets, self._arena, self._uids, data, offsets, 0, out)
        return out

    def insert(self, ids: pa.Array, uids: npt.NDArray[np.int64]) -> None:
        """Add ids with their uids; ids already there are left as they are."""
        if len(ids) == 0:
            return
        data, offsets = _buffers(ids)
        self._reserve(len(ids), int(offsets[-1] - offsets[0]))
        self._count = int(
            _insert(self._slots, self._offsets, self._arena, self._uids, self._count, data, offsets, 0, uids)
        )

    def update(self, ids: pa.Array, uids: npt.NDArray[np.int64]) -> None:
        """Give known ids to other persons; unknown ones stay unknown."""
        if len(ids):
            data, offsets = _buffers(ids)
            _update(self._slots, self._offsets, self._arena, self._uids, data, offsets, 0, uids)

    def _reserve(self, more: int, more_bytes: int) -> None:
        need = self._count + more
        if need > len(self._uids):
            size = max(need, len(self._uids) * 2)
            self._uids = np.resize(self._uids, size)
            self._offsets = np.resize(self._offsets, size + 1)
        used = int(self._offsets[self._count])
        if used + more_bytes > len(self._arena):
            self._arena = np.resize(self._arena, max(used + more_bytes, len(self._arena) * 2))
        if need * 2 > len(self._slots):
            size = 1 << int(need * 2).bit_length()
            self._slots = np.full(size, -1, np.int64)
            _rehash(self._slots, self._offsets, self._arena, self._count)
