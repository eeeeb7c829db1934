"""128-bit content hashes (MurmurHash3 x64 128, A. Appleby, public domain) and exact-enough tables over them.

An event's id is a hash of what it says, so the same row in another file is the same event. At 128
bits, a billion rows meet by accident with a chance below 1e-20.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tilth.collect.imports.spans import Spans
from tilth.compiled import njit

__all__ = ["CodeTable", "hash_bytes", "hash_column", "id_keys", "id_text", "mix"]

_C1 = np.uint64(0x87C37B91114253D5)
_C2 = np.uint64(0x4CF5AD432745937F)
_F1 = np.uint64(0xFF51AFD7ED558CCD)
_F2 = np.uint64(0xC4CEB9FE1A85EC53)
_N1 = np.uint64(0x52DCE729)
_N2 = np.uint64(0x38495AB5)
_U5 = np.uint64(5)
_U33, _U31, _U27 = np.uint64(33), np.uint64(31), np.uint64(27)
_ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8).copy()
_VALUES = np.full(256, 255, np.uint8)
_VALUES[_ALPHABET] = np.arange(64)


@njit(cache=True, nogil=True)
def _rotate(x, r):  # type: ignore[no-untyped-def]
    return (x << np.uint64(r)) | (x >> np.uint64(64 - r))


@njit(cache=True, nogil=True)
def _final(k):  # type: ignore[no-untyped-def]
    k ^= k >> _U33
    k *= _F1
    k ^= k >> _U33
    k *= _F2
    return k ^ (k >> _U33)


@njit(cache=True, nogil=True)
def _word(data, at, count):  # type: ignore[no-untyped-def]
    k = np.uint64(0)
    for j in range(count):
        k |= np.uint64(data[at + j]) << np.uint64(8 * j)
    return k


@njit(cache=True, nogil=True)
def hash_bytes(data, start, end):  # type: ignore[no-untyped-def]
    """(high, low) words of the hash of data[start:end]."""
    h1, h2 = np.uint64(0), np.uint64(0)
    length = end - start
    at = start
    for _ in range(length // 16):
        k1, k2 = _word(data, at, 8), _word(data, at + 8, 8)
        h1 ^= _rotate(k1 * _C1, 31) * _C2
        h1 = (_rotate(h1, 27) + h2) * _U5 + _N1
        h2 ^= _rotate(k2 * _C2, 33) * _C1
        h2 = (_rotate(h2, 31) + h1) * _U5 + _N2
        at += 16
    rest = length - (length // 16) * 16
    if rest > 8:
        h2 ^= _rotate(_word(data, at + 8, rest - 8) * _C2, 33) * _C1
    if rest > 0:
        h1 ^= _rotate(_word(data, at, min(rest, 8)) * _C1, 31) * _C2
    size = np.uint64(length)
    h1 ^= size
    h2 ^= size
    h1 += h2
    h2 += h1
    h1, h2 = _final(h1), _final(h2)
    h1 += h2
    h2 += h1
    return h1, h2


@njit(cache=True, nogil=True)
def mix(h1, h2, k):  # type: ignore[no-untyped-def]
    """Take one more 64-bit word into a hash."""
    h1 ^= _rotate(k * _C1, 31) * _C2
    h1 = (_rotate(h1, 27) + h2) * _U5 + _N1
    h2 ^= _rotate(_final(k ^ h1) * _C2, 33) * _C1
    h2 = (_rotate(h2, 31) + h1) * _U5 + _N2
    return h1, h2


@njit(cache=True, nogil=True)
def _hash_column(data, starts, ends, high, low):  # type: ignore[no-untyped-def]
    for i in range(len(starts)):
        high[i], low[i] = hash_bytes(data, starts[i], ends[i])


def hash_column(column: Spans) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """The two words of each value's hash."""
    high, low = np.empty(len(column), np.uint64), np.empty(len(column), np.uint64)
    _hash_column(column.data, column.starts, column.ends, high, low)
    return high, low


@njit(cache=True, nogil=True)
def _code(slots, key_high, key_low, count, high, low, chosen, codes, first):  # type: ignore[no-untyped-def]
    """Give each chosen key its code, new ones the next; first[] gets the row of each new key."""
    mask = np.uint64(len(slots) - 1)
    fresh = 0
    for i in range(len(high)):
        if not chosen[i]:
            codes[i] = -1
            continue
        h, w = high[i], low[i]
        at = w & mask
        while True:
            entry = slots[at]
            if entry < 0:
                slots[at] = count
                key_high[count] = h
                key_low[count] = w
                codes[i] = count
                first[fresh] = i
                fresh += 1
                count += 1
                break
            if key_low[entry] == w and key_high[entry] == h:
                codes[i] = entry
                break
            at = (at + np.uint64(1)) & mask
    return fresh


@njit(cache=True, nogil=True)
def _refill(slots, key_low, count):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    for entry in range(count):
        at = key_low[entry] & mask
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = entry


class CodeTable:
    """128-bit keys to dense codes 0, 1, 2, … in order of first appearance. About 28 bytes a key."""

    def __init__(self, expected: int = 1024) -> None:
        self.count = 0
        self._high, self._low = np.empty(0, np.uint64), np.empty(0, np.uint64)
        self._grow(max(expected, 16))

    def _grow(self, keys: int) -> None:
        slots = 1 << int(keys * 3 // 2).bit_length()
        self._slots = np.full(slots, -1, np.int32)
        high, low = np.empty(keys, np.uint64), np.empty(keys, np.uint64)
        if self.count:
            high[: self.count] = self._high[: self.count]
            low[: self.count] = self._low[: self.count]
            _refill(self._slots, low, self.count)
        self._high, self._low = high, low

    @property
    def high(self) -> npt.NDArray[np.uint64]:
        return self._high[: self.count]

    @property
    def low(self) -> npt.NDArray[np.uint64]:
        return self._low[: self.count]

    def codes(
        self,
        high: npt.NDArray[np.uint64],
        low: npt.NDArray[np.uint64],
        chosen: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """(code of each key, or -1 where not chosen; rows where a new key appeared first, in code order)."""
        n = len(high)
        if self.count + n > len(self._high):
            self._grow(max(self.count + n, len(self._high) * 3 // 2))
        codes, first = np.empty(n, np.int32), np.empty(n, np.int64)
        if chosen is None:
            chosen = np.ones(n, np.bool_)
        fresh = int(_code(self._slots, self._high, self._low, self.count, high, low, chosen, codes, first))
        self.count += fresh
        return codes, first[:fresh]

    def find(self, high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """The codes of keys, -1 where a key is not in the table; adds none."""
        out = np.empty(len(high), np.int32)
        _find(self._slots, self._high, self._low, high, low, out)
        return out


@njit(cache=True, nogil=True)
def _find(slots, key_high, key_low, high, low, out):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    for i in range(len(high)):
        at = low[i] & mask
        while True:
            entry = slots[at]
            if entry < 0 or (key_low[entry] == low[i] and key_high[entry] == high[i]):
                out[i] = entry
                break
            at = (at + np.uint64(1)) & mask


@njit(cache=True, nogil=True)
def _id_text(high, low, alphabet, out):  # type: ignore[no-untyped-def]
    for i in range(len(high)):
        h, w = high[i], low[i]
        at = i * 22
        for j in range(10):
            out[at + j] = alphabet[(h >> np.uint64(58 - 6 * j)) & np.uint64(63)]
        out[at + 10] = alphabet[((h & np.uint64(15)) << np.uint64(2)) | (w >> np.uint64(62))]
        for j in range(10):
            out[at + 11 + j] = alphabet[(w >> np.uint64(56 - 6 * j)) & np.uint64(63)]
        out[at + 21] = alphabet[(w & np.uint64(3)) << np.uint64(4)]


@njit(cache=True, nogil=True)
def _id_keys(data, starts, ends, values, high, low):  # type: ignore[no-untyped-def]
    """Inverse of _id_text for the ranges that are ours, a hash of the text for the others."""
    for i in range(len(starts)):
        good = ends[i] - starts[i] == 22
        h, w = np.uint64(0), np.uint64(0)
        if good:
            for j in range(22):
                v = np.uint64(values[data[starts[i] + j]])
                if v > np.uint64(63):
                    good = False
                    break
                if j < 10:
                    h = (h << np.uint64(6)) | v
                elif j == 10:
                    h = (h << np.uint64(4)) | (v >> np.uint64(2))
                    w = v & np.uint64(3)
                elif j < 21:
                    w = (w << np.uint64(6)) | v
                else:
                    w = (w << np.uint64(2)) | (v >> np.uint64(4))
        if good:
            high[i], low[i] = h, w
        else:
            high[i], low[i] = hash_bytes(data, starts[i], ends[i])


def id_text(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Hashes as 22 characters each (base64url of 16 bytes, no padding), one after another."""
    out = np.empty(len(high) * 22, np.uint8)
    _id_text(high, low, _ALPHABET, out)
    return out


def id_keys(column: Spans) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Event ids as 128-bit keys: ours are their own key, a foreign id's is the hash of its text."""
    high, low = np.empty(len(column), np.uint64), np.empty(len(column), np.uint64)
    _id_keys(column.data, column.starts, column.ends, _VALUES, high, low)
    return high, low
