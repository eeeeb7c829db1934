"""Which events people had in a time of their own, over one bucket."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.walk import begin, buffers, gather

__all__ = ["walk_did"]


@njit(cache=True, nogil=True)
def walk_did(feed: Any, uid: Any, begins: Any, ends: Any, side: Any, names: int) -> Any:
    """int64[2, names]: people of each side (0 or 1) with an event of a name (feed.unit) inside (begins, ends).

    uid: int64[n] ascending, one entry a person; begins, ends: instants, both left out; side: int64[n].
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    seen = np.full(names, -1, np.int64)
    people = np.zeros((2, names), np.int64)
    at = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return people
        for j in range(batch):
            person = into.who[j]
            while at < len(uid) and uid[at] < person:
                at += 1
            if at == len(uid) or uid[at] != person:
                continue
            for i in range(into.first[j], into.first[j + 1]):
                name = into.unit[i]
                if begins[at] < into.ts[i] < ends[at] and name >= 0 and seen[name] != person:
                    seen[name] = person
                    people[side[at], name] += 1
