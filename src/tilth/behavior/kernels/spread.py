"""How long steps took, without sorting all durations: counted by size first, and only the sizes asked for looked into.

Counts of different buckets add up, so quantiles over all of them are exact and no bucket hands its durations on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.memory import grown, top_bit

__all__ = ["SIZES", "between", "binned", "sizes_of_steps", "values_of_sizes"]

# A size is the first seven binary digits of a duration and how many follow: 1.6 % wide at most.
_DIGITS = 6
SIZES = 58 << _DIGITS
# Sums are kept in two parts that cannot run over.
SUM_SHIFT = 20
_LONGEST = np.iinfo(np.int64).max


@njit(cache=True, nogil=True)
def _size(us: int) -> int:
    if us < 1 << _DIGITS:
        return us
    e = top_bit(us) - _DIGITS
    return (e << _DIGITS) + (us >> e)


@njit(cache=True, nogil=True)
def sizes_of_steps(reach: Any, ts: Any, steps: int) -> Any:
    """(people int64[steps], sums int64[2, steps, 2], counts int64[2, steps, SIZES], extremes int64[2]) of what
    `walk_funnel` gives.

    First axis: µs since the step before, since the first step. sums: what is above and below SUM_SHIFT bits.
    extremes: the shortest and the longest time from the first step to the last; the second below the first where there
    is none.
    """
    people = np.zeros(steps, np.int64)
    sums = np.zeros((2, steps, 2), np.int64)
    counts = np.zeros((2, steps, SIZES), np.int64)
    extremes = np.array([_LONGEST, -1])
    low = (1 << SUM_SHIFT) - 1
    at = 0
    for i in range(len(reach)):
        people[0] += 1
        begin = before = ts[at]
        for k in range(1, reach[i] + 1):
            t = ts[at + k]
            people[k] += 1
            d = t - before
            sums[0, k, 0] += d >> SUM_SHIFT
            sums[0, k, 1] += d & low
            counts[0, k, _size(d)] += 1
            d = t - begin
            sums[1, k, 0] += d >> SUM_SHIFT
            sums[1, k, 1] += d & low
            counts[1, k, _size(d)] += 1
            before = t
        if reach[i] == steps - 1:
            extremes[0], extremes[1] = min(extremes[0], before - begin), max(extremes[1], before - begin)
        at += reach[i] + 1
    return people, sums, counts, extremes


@njit(cache=True, nogil=True)
def values_of_sizes(reach: Any, ts: Any, wanted: Any) -> Any:
    """(which int32[n], µs int64[n]): the durations whose size is wanted (uint8[2, steps, SIZES]).

    which: 2 * step, and one more for those since the first step.
    """
    which, us = np.empty(256, np.int32), np.empty(256, np.int64)
    n = at = 0
    for i in range(len(reach)):
        begin = before = ts[at]
        for k in range(1, reach[i] + 1):
            t = ts[at + k]
            if n + 2 > len(us):
                which, us = grown(which, n + 2), grown(us, n + 2)
            if wanted[0, k, _size(t - before)]:
                which[n], us[n] = 2 * k, t - before
                n += 1
            if wanted[1, k, _size(t - begin)]:
                which[n], us[n] = 2 * k + 1, t - begin
                n += 1
            before = t
        at += reach[i] + 1
    return which[:n], us[:n]


@njit(cache=True, nogil=True)
def between(reach: Any, ts: Any, last: int) -> Any:
    """µs from the first step to step `last` of those who reached it."""
    out = np.empty(len(reach), np.int64)
    n = at = 0
    for i in range(len(reach)):
        if reach[i] >= last:
            out[n] = ts[at + last] - ts[at]
            n += 1
        at += reach[i] + 1
    return out[:n]


@njit(cache=True, nogil=True)
def binned(values: Any, edges: Any, even: bool) -> Any:
    """int64[len(edges) - 1]: how many values from an edge (included) until the next (included in the last bin only).

    even: the edges are as good as evenly apart, so a guess is a step off at most.
    """
    last = len(edges) - 1
    out = np.zeros(last, np.int64)
    low, high = edges[0], edges[last]
    per = last / (high - low)
    for v in values:
        if v < low or v > high:
            continue
        if even:
            at = min(int((v - low) * per), last - 1)
            while at > 0 and edges[at] > v:
                at -= 1
            while at < last - 1 and edges[at + 1] <= v:
                at += 1
        else:
            at = min(np.searchsorted(edges, v, side="right") - 1, last - 1)
        out[at] += 1
    return out
