"""A column of text as byte ranges in one buffer: what every kernel of the import reads.

A CSV field is a range of the block it was read in, an Arrow text column is its own data buffer with
its offsets; neither is copied until a value is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.compiled import njit

__all__ = ["Spans", "text_array"]


@njit(cache=True, nogil=True)
def _lengths(starts, ends, rows, offsets):  # type: ignore[no-untyped-def]
    total = 0
    for i in range(len(rows)):
        offsets[i] = total
        total += ends[rows[i]] - starts[rows[i]]
    offsets[len(rows)] = total
    return total


@njit(cache=True, nogil=True)
def _copy(data, starts, rows, offsets, out):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        source = starts[rows[i]]
        for j in range(offsets[i], offsets[i + 1]):
            out[j] = data[source]
            source += 1


@njit(cache=True, nogil=True)
def _trim(data, starts, ends):  # type: ignore[no-untyped-def]
    for i in range(len(starts)):
        s, e = starts[i], ends[i]
        while s < e and data[s] <= 32:
            s += 1
        while e > s and data[e - 1] <= 32:
            e -= 1
        starts[i], ends[i] = s, e


@njit(cache=True, nogil=True)
def _invalid_utf8(data, starts, ends, out):  # type: ignore[no-untyped-def]
    """out[i] = True where the range is not UTF-8; returns how many."""
    count = 0
    for i in range(len(starts)):
        at, end = starts[i], ends[i]
        bad = False
        while at < end:
            a = data[at]
            if a < 0x80:
                at += 1
                continue
            more = 1 if 0xC2 <= a < 0xE0 else 2 if 0xE0 <= a < 0xF0 else 3 if 0xF0 <= a < 0xF5 else 0
            if more == 0 or at + more >= end:
                bad = True
                break
            for k in range(1, more + 1):
                if data[at + k] & 0xC0 != 0x80:
                    bad = True
                    break
            b = data[at + 1]
            if bad or (a == 0xE0 and b < 0xA0) or (a == 0xED and b > 0x9F):
                bad = True
                break
            if (a == 0xF0 and b < 0x90) or (a == 0xF4 and b > 0x8F):
                bad = True
                break
            at += more + 1
        out[i] = bad
        count += bad
    return count


def text_array(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32]) -> pa.Array:
    """An Arrow string column over a data buffer and n + 1 offsets."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


@dataclass(frozen=True)
class Spans:
    """data: uint8 buffer; value i is data[starts[i]:ends[i]] in UTF-8. An empty range is a missing value."""

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def of(cls, column: pa.Array | pa.ChunkedArray | list[str]) -> Spans:
        """Spans of an Arrow text column; nulls become empty."""
        if isinstance(column, list):
            column = pa.array(column, pa.large_string())
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        column = column.cast(pa.large_string())
        n = len(column)
        _, raw, payload = column.buffers()
        if n == 0 or raw is None:
            empty = np.zeros(n, np.int64)
            return cls(np.zeros(1, np.uint8), empty, empty.copy())
        offsets = np.frombuffer(raw, np.int64)[column.offset : column.offset + n + 1]
        data = np.frombuffer(payload, np.uint8) if payload is not None and payload.size else np.zeros(1, np.uint8)
        starts, ends = offsets[:-1].copy(), offsets[1:].copy()
        if column.null_count:
            ends[column.is_null().to_numpy(zero_copy_only=False)] = 0
            starts[column.is_null().to_numpy(zero_copy_only=False)] = 0
        return cls(data, starts, ends)

    def value(self, row: int) -> str:
        """One value as text; bytes that are not UTF-8 show as the replacement character."""
        return self.data[self.starts[row] : self.ends[row]].tobytes().decode("utf-8", "replace")

    def lengths(self) -> npt.NDArray[np.int64]:
        return self.ends - self.starts

    def trimmed(self) -> Spans:
        """The same column without blanks around the values."""
        starts, ends = self.starts.copy(), self.ends.copy()
        _trim(self.data, starts, ends)
        return Spans(self.data, starts, ends)

    def take(self, rows: npt.NDArray[np.int64]) -> Spans:
        return Spans(self.data, self.starts[rows], self.ends[rows])

    def to_arrow(self, rows: npt.NDArray[np.int64] | None = None) -> pa.Array:
        """A string column of these rows (default: all)."""
        if rows is None:
            rows = np.arange(len(self.starts), dtype=np.int64)
        offsets = np.empty(len(rows) + 1, np.int64)
        total = _lengths(self.starts, self.ends, rows, offsets)
        out = np.empty(max(int(total), 1), np.uint8)
        _copy(self.data, self.starts, rows, offsets, out)
        if total < 2**31:
            return text_array(out, offsets.astype(np.int32))
        return pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(out))

    def not_utf8(self) -> npt.NDArray[np.bool_]:
        """Which values are not UTF-8 text."""
        out = np.zeros(len(self.starts), np.bool_)
        _invalid_utf8(self.data, self.starts, self.ends, out)
        return out
