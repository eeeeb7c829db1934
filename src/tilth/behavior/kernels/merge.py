"""Merging sorted runs that overlap in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["merge_two"]


@njit(cache=True, nogil=True)
def merge_two(uid: Any, ts: Any, received: Any, left: Any, right: Any) -> Any:
    """Merge two lists of row numbers, each in order of (uid, ts, received), into one; `left` wins ties."""
    out = np.empty(len(left) + len(right), np.int64)
    i = j = k = 0
    while i < len(left) and j < len(right):
        a, b = left[i], right[j]
        if uid[a] != uid[b]:
            take_left = uid[a] < uid[b]
        elif ts[a] != ts[b]:
            take_left = ts[a] < ts[b]
        else:
            take_left = received[a] <= received[b]
        if take_left:
            out[k] = a
            i += 1
        else:
            out[k] = b
            j += 1
        k += 1
    out[k : k + len(left) - i] = left[i:]
    k += len(left) - i
    out[k : k + len(right) - j] = right[j:]
    return out
