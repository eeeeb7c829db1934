"""The funnel's state machines over one stream of events (one person's, or one value's of a person).

Each takes events [a, b) of the buffers and returns the furthest step an attempt reached, -1 for none,
or SHORT where `nodes` must be larger. The attempt meant is the one that first reached that step; of
those that reach it with the same event the one whose window ends last counts, then the one that began last.

`work` is scratch: rows of WIDTH values. work[BEST] is the node of that attempt's last event;
nodes[2n] is the position of a node's event, nodes[2n + 1] the node before it. `any_order` leaves the
positions in rows OUT.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.matching import add_event, serve_run, single_bits
from tilth.behavior.kernels.memory import top_bit
from tilth.behavior.kernels.times import deadline

__all__ = ["BEST", "OUT", "SHORT", "WIDTH", "WORK", "any_order", "clean_ordered", "ordered", "strict"]

WIDTH = 40
# Where each step's best attempt is kept: the window's end, its start, its newest node (-1: none).
END, START, NODE = 0, WIDTH, 2 * WIDTH
# The same being made for the next instant; which event serves a step; the outcome.
NEW_END, NEW_START, NEW_NODE, BY, OUT, BEST = 3 * WIDTH, 4 * WIDTH, 5 * WIDTH, 6 * WIDTH, 7 * WIDTH, 8 * WIDTH
WORK = 9 * WIDTH
SHORT = -2
_TIED = -3
_NEVER = np.iinfo(np.int64).min
# Before any instant, and far enough from the ends for differences.
_BEFORE = -(1 << 62)


@njit(cache=True, nogil=True)
def _better(end: int, start: int, other_end: int, other_start: int) -> bool:
    return end > other_end or (end == other_end and start > other_start)


@njit(cache=True, nogil=True)
def ordered(
    ts: Any, bits: Any, a: int, b: int, steps: int, length: int, months: int, changes: Any, offsets: Any,
    work: Any, nodes: Any,
) -> int:  # fmt: skip
    """Steps in order, other events between them allowed."""
    if months == 0:
        reach = _plain_ordered(ts, bits, a, b, steps, length, work, nodes)
        if reach != _TIED:
            return reach
    wanted = (1 << steps) - 1
    room = len(nodes) // 2
    for k in range(steps):
        work[NODE + k] = -1
    made = 0
    reach = -1
    p = a
    while p < b:
        t = ts[p]
        e = p + 1
        if e == b or ts[e] != t:
            if made + steps > room:
                return SHORT
            m = bits[p] & wanted
            while m:
                # Later steps first: one event serves one step of an attempt.
                k = top_bit(m)
                m ^= 1 << k
                if k == 0:
                    end = deadline(t, length, months, changes, offsets)
                    if work[NODE] >= 0 and work[END] > end:
                        continue
                    work[END], work[START], work[NODE] = end, t, made
                    nodes[2 * made] = p
                    nodes[2 * made + 1] = -1
                else:
                    up = work[NODE + k - 1]
                    end = work[END + k - 1]
                    if up < 0 or end < t:
                        continue
                    start = work[START + k - 1]
                    if work[NODE + k] >= 0 and not _better(end, start, work[END + k], work[START + k]):
                        continue
                    work[END + k], work[START + k], work[NODE + k] = end, start, made
                    nodes[2 * made] = p
                    nodes[2 * made + 1] = up
                if k > reach:
                    reach = k
                    work[BEST] = made
                made += 1
        else:
            while e < b and ts[e] == t:
                e += 1
            # A group of one instant makes at most one chain from each step.
            if made + steps * (steps + 1) // 2 > room:
                return SHORT
            simple = single_bits(bits, p, e, wanted)
            for k in range(steps):
                work[NEW_END + k], work[NEW_START + k], work[NEW_NODE + k] = (
                    work[END + k],
                    work[START + k],
                    work[NODE + k],
                )
            top = reach
            # From the furthest back: where two ways have one start, the one whose steps came earlier stays.
            for k in range(reach, -2, -1):
                if k == steps - 1 or (k >= 0 and (work[NODE + k] < 0 or work[END + k] < t)):
                    continue
                run = serve_run(bits, p, e, k + 1, steps, simple, work, BY)
                if run == 0:
                    continue
                if k < 0:
                    end, start, up = deadline(t, length, months, changes, offsets), t, -1
                else:
                    end, start, up = work[END + k], work[START + k], work[NODE + k]
                for s in range(k + 1, k + 1 + run):
                    nodes[2 * made] = work[BY + s]
                    nodes[2 * made + 1] = up
                    up = made
                    made += 1
                    if work[NEW_NODE + s] < 0 or _better(end, start, work[NEW_END + s], work[NEW_START + s]):
                        work[NEW_END + s], work[NEW_START + s], work[NEW_NODE + s] = end, start, up
                top = max(top, k + run)
            for k in range(steps):
                work[END + k], work[START + k], work[NODE + k] = (
                    work[NEW_END + k],
                    work[NEW_START + k],
                    work[NEW_NODE + k],
                )
            if top > reach:
                reach = top
                work[BEST] = work[NODE + top]
        if reach == steps - 1:
            break
        p = e
    return reach


@njit(cache=True, nogil=True)
def _plain_ordered(ts: Any, bits: Any, a: int, b: int, steps: int, length: int, work: Any, nodes: Any) -> int:
    """`ordered` for windows of one length and events at different instants; _TIED where two are at one.

    Which window ends last is then which began last, so an attempt is its start. Rows START and NODE are one further on:
    at 0 is the attempt that an event would begin. Whether an event serves is as good as random, so that is no branch.
    """
    wanted = (1 << steps) - 1
    room = len(nodes) // 2
    for k in range(steps + 1):
        work[START + k], work[NODE + k] = _BEFORE, -1
    made = 0
    reach = -1
    last = _NEVER
    for p in range(a, b):
        t = ts[p]
        if t == last:
            return _TIED
        if made + steps > room:
            return SHORT
        last = t
        work[START] = t
        m = bits[p] & wanted
        while m:
            k = top_bit(m)
            m ^= 1 << k
            start, held = work[START + k], work[START + k + 1]
            serves = (start > held) & (t - start <= length)
            nodes[2 * made] = p
            nodes[2 * made + 1] = work[NODE + k]
            work[START + k + 1] = start if serves else held
            work[NODE + k + 1] = made if serves else work[NODE + k + 1]
            if serves & (k > reach):
                reach = k
                work[BEST] = made
                if reach == steps - 1:
                    # Another event of the same instant may begin an attempt that gets as far.
                    return _TIED if p + 1 < b and ts[p + 1] == t else reach
            made += 1 if serves else 0
    return reach


@njit(cache=True, nogil=True)
def strict(
    ts: Any, bits: Any, a: int, b: int, steps: int, length: int, months: int, changes: Any, offsets: Any,
    work: Any, nodes: Any,
) -> int:  # fmt: skip
    """Steps in order with no other event between them; the buffers hold every event of the stream."""
    wanted = (1 << steps) - 1
    room = len(nodes) // 2
    for k in range(steps):
        work[NODE + k] = -1
    made = 0
    reach = -1
    furthest = -1  # the furthest step any attempt that goes on stands at
    p = a
    while p < b:
        t = ts[p]
        e = p + 1
        while e < b and ts[e] == t:
            e += 1
        size = e - p
        if made + steps * (steps + 1) // 2 > room:
            return SHORT
        simple = size == 1 or single_bits(bits, p, e, wanted)
        for k in range(min(steps, furthest + size + 1)):
            work[NEW_NODE + k] = -1
        top, top_node, top_end, top_start = reach, -1, _NEVER, _NEVER
        on = -1
        for k in range(min(furthest, steps - 2), -2, -1):
            if k >= 0 and (work[NODE + k] < 0 or work[END + k] < t):
                continue
            if size == 1:
                work[BY + k + 1] = p
                run = bits[p] >> (k + 1) & 1
            else:
                run = serve_run(bits, p, e, k + 1, steps, simple, work, BY)
            if run == 0:
                continue
            if k < 0:
                end, start, up = deadline(t, length, months, changes, offsets), t, -1
            else:
                end, start, up = work[END + k], work[START + k], work[NODE + k]
            for s in range(k + 1, k + 1 + run):
                nodes[2 * made] = work[BY + s]
                nodes[2 * made + 1] = up
                up = made
                made += 1
                # An attempt goes on past this instant when every event of it was of use, or it began here.
                if (k < 0 or s == k + size) and (
                    work[NEW_NODE + s] < 0 or _better(end, start, work[NEW_END + s], work[NEW_START + s])
                ):
                    work[NEW_END + s], work[NEW_START + s], work[NEW_NODE + s] = end, start, up
                    on = max(on, s)
            if k + run > top or (k + run == top and top > reach and _better(end, start, top_end, top_start)):
                top, top_node, top_end, top_start = k + run, up, end, start
        if top > reach:
            reach = top
            work[BEST] = top_node
            if reach == steps - 1:
                break
        furthest = on
        for k in range(on + 1):
            work[END + k], work[START + k], work[NODE + k] = work[NEW_END + k], work[NEW_START + k], work[NEW_NODE + k]
        p = e
    return reach


@njit(cache=True, nogil=True)
def any_order(
    ts: Any, bits: Any, a: int, b: int, steps: int, length: int, months: int, changes: Any, offsets: Any, work: Any
) -> int:
    """Each step met once, in any order, inside one window; the k-th step reached is the k-th met.

    Among attempts that reach as far with the same event, the one that began last counts.
    work[OUT + k]: the position of the k-th event met.
    """
    wanted = (1 << steps) - 1
    simple = single_bits(bits, a, b, wanted)
    owner, last = work[BY : BY + steps], work[NODE : NODE + steps]
    for s in range(steps):
        last[s] = -1
    met, first, final = 0, -1, -1
    low = a
    low_end = deadline(ts[a], length, months, changes, offsets) if a < b else 0
    for p in range(a, b):
        while low_end < ts[p]:
            low += 1
            low_end = deadline(ts[low], length, months, changes, offsets)
        m = bits[p] & wanted
        while m:
            k = top_bit(m)
            m ^= 1 << k
            last[k] = p
        bound, start = 0, p
        for s in range(steps):
            if last[s] >= low:
                bound += 1
                start = min(start, last[s])
        if bound <= met:
            continue
        if not simple:
            for s in range(steps):
                owner[s] = -1
            bound, start = 0, p
            for q in range(p, low - 1, -1):
                if bits[q] & wanted and add_event(bits, q, steps, owner):
                    bound += 1
                    start = q
                    if bound == steps:
                        break
            if bound <= met:
                continue
        # With calendar months a later start may have an earlier end.
        while deadline(ts[start], length, months, changes, offsets) < ts[p] or not bits[start] & wanted:
            start -= 1
        met, first, final = bound, start, p
        if met == steps:
            break
    if met == 0:
        return -1
    for s in range(steps):
        owner[s] = -1
    k = 0
    for q in range(first, final + 1):
        if bits[q] & wanted and add_event(bits, q, steps, owner):
            work[OUT + k] = q
            k += 1
            if k == met:
                break
    return met - 1


@njit(cache=True, nogil=True)
def clean_ordered(
    ts: Any, bits: Any, a: int, b: int, steps: int, length: int, months: int, changes: Any, offsets: Any,
    excluded: Any, after: Any, before: Any, work: Any, nodes: Any,
) -> int:  # fmt: skip
    """Ordered steps with exclusions, for a stream that has excluded events.

    excluded: int64[x] bits; an event with excluded[x] strictly between (in time) the events of steps
    after[x] and before[x] of an attempt, inside its window, taints it. Every start is followed apart: whether
    an attempt is clean is known only when its window has passed. Of an attempt that went on, only
    what it became counts, so someone with tainted attempts only is not in the funnel at all.
    work[OUT + k]: the position of the event of step k.
    """
    wanted = (1 << steps) - 1
    room = len(nodes) // 2
    # way[k]: the newest node of a clean way to step k that can go on; pending[k]: of one that has stopped there so far.
    way, pending = work[NODE : NODE + steps], work[NEW_NODE : NEW_NODE + steps]
    reach, reach_ts, reach_end, reach_start = -1, _NEVER, _NEVER, _NEVER
    tainting = 0
    for x in range(len(excluded)):
        tainting |= excluded[x]
    p = a
    while p < b:
        begin = ts[p]
        e = p + 1
        serves = bits[p] & 1
        while e < b and ts[e] == begin:
            serves |= bits[e] & 1
            e += 1
        if not serves:
            p = e
            continue
        end = deadline(begin, length, months, changes, offsets)
        made = 0
        fresh = False
        for k in range(steps):
            way[k] = -1
            pending[k] = -1
        q = p
        while q < b and ts[q] <= end:
            t = ts[q]
            f = q + 1
            hit = bits[q]
            while f < b and ts[f] == t:
                hit |= bits[f]
                f += 1
            if made + steps * (steps + 1) // 2 > room:
                return SHORT
            simple = f == q + 1 or single_bits(bits, q, f, wanted)
            taints = hit & tainting != 0
            m = hit & wanted
            # From the furthest back, so that what is new at this instant is not followed in it again.
            while m:
                k = top_bit(m) - 1
                m ^= 1 << (k + 1)
                if (way[k] < 0) if k >= 0 else (q != p):
                    continue
                if f == q + 1:
                    run = 1
                    work[BY + k + 1] = q
                else:
                    run = serve_run(bits, q, f, k + 1, steps, simple, work, BY)
                up = -1
                if k >= 0:
                    pending[k] = -1
                    up = way[k]
                for s in range(k + 1, k + 1 + run):
                    nodes[2 * made] = work[BY + s]
                    nodes[2 * made + 1] = up
                    up = made
                    made += 1
                    tainted = False
                    if taints:
                        for x in range(len(excluded)):
                            if hit & excluded[x] and k >= after[x] and s < before[x]:
                                tainted = True
                        if tainted:
                            continue
                    # -2 - node: new at this instant, not to be followed or tainted in it.
                    if way[s] == -1 or (taints and way[s] >= 0 and _tainted(hit, excluded, after, before, s)):
                        way[s] = -2 - up
                    if s == k + run and (
                        pending[s] == -1 or (taints and pending[s] >= 0 and _tainted(hit, excluded, after, before, s))
                    ):
                        pending[s] = -2 - up
                    fresh = True
            if taints or fresh:
                for k in range(steps):
                    if taints and way[k] >= 0 and _tainted(hit, excluded, after, before, k):
                        way[k] = -1
                    if taints and pending[k] >= 0 and _tainted(hit, excluded, after, before, k):
                        pending[k] = -1
                    if way[k] < -1:
                        way[k] = -2 - way[k]
                    if pending[k] < -1:
                        pending[k] = -2 - pending[k]
                fresh = False
                if way[steps - 1] >= 0:
                    # Nothing taints who has met the last step.
                    break
            q = f
        for k in range(steps - 1, -1, -1):
            if pending[k] >= 0:
                at = ts[nodes[2 * pending[k]]]
                if (
                    k > reach
                    or (k == reach and at < reach_ts)
                    or (k == reach and at == reach_ts and _better(end, begin, reach_end, reach_start))
                ):
                    reach, reach_ts, reach_end, reach_start = k, at, end, begin
                    node = pending[k]
                    for s in range(k, -1, -1):
                        work[OUT + s] = nodes[2 * node]
                        node = nodes[2 * node + 1]
                break
        p = e
    return reach


@njit(cache=True, nogil=True)
def _tainted(hit: int, excluded: Any, after: Any, before: Any, step: int) -> bool:
    """True when an excluded event of an instant taints a way that stands at `step` since before it."""
    for x in range(len(excluded)):  # noqa: SIM110 (compiled)
        if hit & excluded[x] and after[x] <= step < before[x]:
            return True
    return False
