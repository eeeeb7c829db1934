"""Which steps events of one instant can serve: each event serves one step, each step needs one event."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["add_event", "serve_run", "single_bits"]


@njit(cache=True, nogil=True)
def single_bits(bits: Any, a: int, b: int, wanted: int) -> bool:
    """True when no event of [a, b) has more than one of the wanted bits."""
    for p in range(a, b):
        m = bits[p] & wanted
        if m & (m - 1):
            return False
    return True


@njit(cache=True, nogil=True)
def serve_run(bits: Any, a: int, b: int, first: int, steps: int, simple: bool, work: Any, by: int) -> int:
    """How many steps first, first+1, … the events of [a, b) can serve, each event one of them.

    work[by + s] becomes the position of the event that serves step s. simple: no event serves two steps.
    """
    if simple:
        for s in range(first, steps):
            work[by + s] = -1
            for p in range(a, b):
                if bits[p] >> s & 1:
                    work[by + s] = p
                    break
            if work[by + s] < 0:
                return s - first
        return steps - first
    # Events that serve the same steps are one class with as many places as events.
    wanted = (1 << steps) - 1
    mask = np.empty(b - a, np.int64)
    places = np.zeros(b - a, np.int64)
    of = np.empty(b - a, np.int64)
    classes = 0
    for p in range(a, b):
        m = bits[p] & wanted
        c = 0
        while c < classes and mask[c] != m:
            c += 1
        if c == classes:
            mask[c] = m
            classes += 1
        places[c] += 1
        of[p - a] = c
    taken = np.zeros(classes, np.int64)
    chosen = np.full(steps, -1, np.int64)
    run = 0
    while first + run < steps and _augment(mask, places, taken, classes, chosen, first + run):
        run += 1
    used = np.zeros(b - a, np.uint8)
    for s in range(first, first + run):
        for p in range(a, b):
            if of[p - a] == chosen[s] and not used[p - a]:
                used[p - a] = 1
                work[by + s] = p
                break
    return run


@njit(cache=True, nogil=True)
def _augment(mask: Any, places: Any, taken: Any, classes: int, chosen: Any, step: int) -> bool:
    """Give `step` a place, moving earlier steps to other classes where needed (an augmenting path)."""
    via = np.full(classes, -1, np.int64)
    queue = np.empty(len(chosen) + 1, np.int64)
    queue[0] = step
    head, tail = 0, 1
    while head < tail:
        s = queue[head]
        head += 1
        for c in range(classes):
            if via[c] >= 0 or not (mask[c] >> s & 1):
                continue
            via[c] = s
            if taken[c] < places[c]:
                taken[c] += 1
                while True:
                    moved = via[c]
                    before = chosen[moved]
                    chosen[moved] = c
                    if moved == step:
                        return True
                    c = before
            for other in range(len(chosen)):
                if chosen[other] == c:
                    queue[tail] = other
                    tail += 1
    return False


@njit(cache=True, nogil=True)
def add_event(bits: Any, p: int, steps: int, owner: Any) -> bool:
    """Let event p serve some step, others moving where needed; owner[s]: the event that serves s, or -1."""
    via = np.full(steps, -1, np.int64)
    queue = np.empty(steps + 1, np.int64)
    queue[0] = p
    head, tail = 0, 1
    while head < tail:
        event = queue[head]
        head += 1
        for s in range(steps):
            if via[s] >= 0 or not (bits[event] >> s & 1):
                continue
            via[s] = event
            if owner[s] < 0:
                while True:
                    mover = via[s]
                    held = -1
                    for other in range(steps):
                        if owner[other] == mover:
                            held = other
                    owner[s] = mover
                    if mover == p:
                        return True
                    s = held
            queue[tail] = owner[s]
            tail += 1
    return False
