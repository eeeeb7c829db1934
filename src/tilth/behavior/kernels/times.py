"""Calendar arithmetic for kernels: deadlines of windows, periods of instants."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["deadline", "deadlines", "period_of"]

_DAY = 86_400_000_000
_FOREVER = np.iinfo(np.int64).max


@njit(cache=True, nogil=True)
def deadline(ts: int, length: int, months: int, changes: Any, offsets: Any) -> int:
    """The last instant of a window that begins at ts: `length` µs, or calendar months in the zone of the tables.

    changes, offsets: see `calendar.Zone`.
    """
    if months == 0:
        return ts + length if ts <= _FOREVER - length else _FOREVER
    at = np.searchsorted(changes, ts, side="right")
    local = ts + offsets[at]
    day = local // _DAY
    clock = local - day * _DAY
    # Civil calendar from days, after Howard Hinnant's days_from_civil (public domain).
    z = day + 719_468
    era = z // 146_097
    doe = z - era * 146_097
    yoe = (doe - doe // 1_460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    d = doy - (153 * mp + 2) // 5 + 1
    m = mp + 3 if mp < 10 else mp - 9
    y = yoe + era * 400 + (1 if m <= 2 else 0)
    number = y * 12 + (m - 1) + months
    y = number // 12
    m = number - y * 12 + 1
    d = min(d, _length(y, m))
    later = _days(y, m, d) * _DAY + clock
    # A local time that does not exist or exists twice takes the offset before the change.
    low, high = 0, len(changes)
    while low < high:
        middle = (low + high) // 2
        if later >= changes[middle] + max(offsets[middle], offsets[middle + 1]):
            low = middle + 1
        else:
            high = middle
    return later - offsets[low]


@njit(cache=True, nogil=True)
def deadlines(ts: Any, length: int, months: int, changes: Any, offsets: Any) -> Any:
    """`deadline` of each instant."""
    out = np.empty(len(ts), np.int64)
    for i in range(len(ts)):
        out[i] = deadline(ts[i], length, months, changes, offsets)
    return out


@njit(cache=True, nogil=True)
def _days(y: int, m: int, d: int) -> int:
    if m <= 2:
        y -= 1
    era = y // 400
    yoe = y - era * 400
    mp = m - 3 if m > 2 else m + 9
    doy = (153 * mp + 2) // 5 + d - 1
    return era * 146_097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719_468


@njit(cache=True, nogil=True)
def _length(y: int, m: int) -> int:
    if m == 2:
        return 29 if (y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)) else 28
    return 30 if m in (4, 6, 9, 11) else 31


@njit(cache=True, nogil=True)
def period_of(ts: int, bounds: Any, nominal: int) -> int:
    """Which period an instant is in: -1 before the first, len(bounds) - 1 after the last.

    nominal: the usual length of a period (µs); periods differ from it by a little, so the guess is
    a step or two off at most.
    """
    last = len(bounds) - 1
    if ts < bounds[0]:
        return -1
    if ts >= bounds[last]:
        return last
    # A division would cost more than all the rest.
    at = min(int((ts - bounds[0]) * (1.0 / nominal)), last - 1)
    while bounds[at] > ts:
        at -= 1
    while bounds[at + 1] <= ts:
        at += 1
    return at
