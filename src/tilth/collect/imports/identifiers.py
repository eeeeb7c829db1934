"""Ids of people as they stand in files: trimmed, `17850.0` as 17850, and the words that name nobody."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from tilth.collect.imports.spans import Spans
from tilth.compiled import njit
from tilth.people.directory import REFUSED_IDS

__all__ = ["NAMED", "NOBODY", "REFUSED", "canonical_ids"]

NAMED, NOBODY, REFUSED = 0, 1, 2

# A missing value, as programs write it. The other refused words are wrong ids rather than none.
_MISSING = ["null", "none", "nil", "nan", "undefined", "n/a", "na", "#n/a", "\\n", "(null)", "<na>", "-", "--", "无"]
_MAX_LENGTH = 255


@njit(cache=True, nogil=True)
def _word_hash(data, start, end):  # type: ignore[no-untyped-def]
    h = np.uint64(14695981039346656037)
    for i in range(start, end):
        c = data[i]
        if 65 <= c <= 90:
            c |= 32
        h = (h ^ np.uint64(c)) * np.uint64(1099511628211)
    return h


@functools.cache
def _hashes() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Hashes of the words for a missing value, and of the other refused ones."""

    def of(words: list[str]) -> npt.NDArray[np.uint64]:
        return np.array([_word_hash(np.frombuffer(w.encode(), np.uint8), 0, len(w.encode())) for w in words], np.uint64)

    return of(_MISSING), of(sorted(REFUSED_IDS - set(_MISSING) - {""}))


@njit(cache=True, nogil=True)
def _canonical(data, starts, ends, missing, refused, out):  # type: ignore[no-untyped-def]
    for i in range(len(starts)):
        s, e = starts[i], ends[i]
        while s < e and data[s] <= 32:
            s += 1
        while e > s and data[e - 1] <= 32:
            e -= 1
        # `17850.0`: a whole number that went through a program without a missing value for those.
        j = e
        while j > s and data[j - 1] == 48:
            j -= 1
        if j < e and j - 1 > s and data[j - 1] == 46:
            digits = True
            for k in range(s, j - 1):
                if not 48 <= data[k] <= 57:
                    digits = False
                    break
            if digits:
                e = j - 1
        starts[i], ends[i] = s, e
        size = e - s
        state = NAMED
        if size == 0:
            state = NOBODY
        elif size <= 16:
            if not 49 <= data[s] <= 57:
                h = _word_hash(data, s, e)
                for k in range(len(missing)):
                    if missing[k] == h:
                        state = NOBODY
                for k in range(len(refused)):
                    if refused[k] == h:
                        state = REFUSED
        elif size > _MAX_LENGTH:
            characters = 0
            for k in range(s, e):
                characters += (data[k] & 0xC0) != 0x80
            if characters > _MAX_LENGTH:
                state = REFUSED
        out[i] = state


def canonical_ids(column: Spans) -> tuple[Spans, npt.NDArray[np.uint8]]:
    """(the ids to store, per row NAMED, NOBODY or REFUSED)."""
    starts, ends = column.starts.copy(), column.ends.copy()
    state = np.empty(len(column), np.uint8)
    _canonical(column.data, starts, ends, *_hashes(), state)
    return Spans(column.data, starts, ends), state
