"""The funnel over one bucket: for every person (or other unit) the attempt that got furthest first."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from tilth.behavior.kernels.attempts import BEST, OUT, SHORT, WORK, any_order, clean_ordered, ordered, strict
from tilth.behavior.kernels.memory import grown
from tilth.behavior.kernels.streamed import walk_ordered
from tilth.behavior.kernels.walk import NO_KEY, begin, buffers, gather

__all__ = ["ANY", "ORDERED", "STRICT", "Plan", "walk_funnel"]

ORDERED, STRICT, ANY = 0, 1, 2


class Plan(NamedTuple):
    """A funnel for the kernel. Bits 0..steps-1 are the steps.

    order: ORDERED, STRICT or ANY. length (µs) or months: the window; changes, offsets: the zone's tables.
    excluded: int64[x] bits, tainting between the steps after[x] and before[x]. by_unit, by_hold: streams
    are the events with one unit (hold) key; events without a key are left out. refs: give rows too.
    """

    steps: int
    order: int
    length: int
    months: int
    changes: Any
    offsets: Any
    excluded: Any
    after: Any
    before: Any
    by_unit: bool
    by_hold: bool
    refs: bool


@njit(cache=True, nogil=True)
def walk_funnel(feed: Any, plan: Any) -> Any:
    """(uid[n], reach[n], ts[…], ref[…]): one entry per unit that reached any step.

    ts holds reach+1 instants an entry, one after the other; ref the rows (strand << 40 | row) of the
    same events where plan.refs, else it is empty.
    """
    plain = plan.order == ORDERED and plan.months == 0 and len(plan.excluded) == 0
    if plain and not plan.by_unit and not plan.by_hold and np.all(feed.narrow):
        return walk_ordered(feed, plan.steps, plan.length, plan.changes, plan.offsets, plan.refs)
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    # Fields of a tuple are counted references; in the loop that would cost more than the state machine.
    steps, order, length, months, refs = plan.steps, plan.order, plan.length, plan.months, plan.refs
    changes, offsets, excluded, after, before = plan.changes, plan.offsets, plan.excluded, plan.after, plan.before
    by_unit = plan.by_unit
    split = by_unit or plan.by_hold
    ts, bits, ref, unit, hold, who, first = into.ts, into.bits, into.ref, into.unit, into.hold, into.who, into.first
    work, nodes = np.empty(WORK, np.int64), np.empty(8192, np.int64)
    found, best_at = np.empty(steps + 1, np.int64), np.empty(steps + 1, np.int64)
    out_uid, out_reach = np.empty(1024, np.int64), np.empty(1024, np.int8)
    out_ts, out_ref = np.empty(4096, np.int64), np.empty(4096 if refs else 0, np.int64)
    units = flat = 0
    tainting = 0
    for x in range(len(excluded)):
        tainting |= excluded[x]
    while True:
        people = gather(feed, pos, nxt, into)
        if people < 0:
            into = buffers(2 * len(into.ts), len(pos))
            ts, bits, ref, unit, hold, who, first = (
                into.ts,
                into.bits,
                into.ref,
                into.unit,
                into.hold,
                into.who,
                into.first,
            )
            continue
        if people == 0:
            break
        for j in range(people):
            a, n = first[j], first[j + 1]
            if split:
                n = _by_stream(a, n, ts, bits, ref, unit, hold)
            best = -1
            while a < n:
                b = n
                if split:
                    b = a + 1
                    while b < n and unit[b] == unit[a] and hold[b] == hold[a]:
                        b += 1
                seen = 0
                for p in range(a, b):
                    seen |= bits[p]
                reach = -1
                # Without the first step's event there is no attempt; in any order every event may begin one.
                while seen & 1 or order == ANY:
                    if order == STRICT:
                        reach = strict(ts, bits, a, b, steps, length, months, changes, offsets, work, nodes)
                    elif order == ANY:
                        reach = any_order(ts, bits, a, b, steps, length, months, changes, offsets, work)
                    elif seen & tainting:
                        reach = clean_ordered(
                            ts, bits, a, b, steps, length, months, changes, offsets,
                            excluded, after, before, work, nodes,
                        )  # fmt: skip
                    else:
                        reach = ordered(ts, bits, a, b, steps, length, months, changes, offsets, work, nodes)
                    if reach != SHORT:
                        break
                    nodes = grown(nodes, 0)
                if reach >= 0:
                    if order == ANY or (order == ORDERED and seen & tainting):
                        for k in range(reach + 1):
                            found[k] = work[OUT + k]
                    else:
                        node = work[BEST]
                        for k in range(reach, -1, -1):
                            found[k] = nodes[2 * node]
                            node = nodes[2 * node + 1]
                    if reach > best or (reach == best and _sooner(found, best_at, reach, ts, ref)):
                        best = reach
                        for k in range(reach + 1):
                            best_at[k] = found[k]
                if best >= 0 and (b == n or (by_unit and unit[b] != unit[a])):
                    if units == len(out_uid):
                        out_uid, out_reach = grown(out_uid, units + 1), grown(out_reach, units + 1)
                    if flat + steps > len(out_ts):
                        out_ts = grown(out_ts, flat + steps)
                        if refs:
                            out_ref = grown(out_ref, flat + steps)
                    out_uid[units], out_reach[units] = who[j], best
                    units += 1
                    for k in range(best + 1):
                        out_ts[flat] = ts[best_at[k]]
                        if refs:
                            out_ref[flat] = ref[best_at[k]]
                        flat += 1
                    best = -1
                a = b
    return out_uid[:units], out_reach[:units], out_ts[:flat], out_ref[:flat]


@njit(cache=True, nogil=True)
def _sooner(found: Any, held: Any, reach: int, ts: Any, ref: Any) -> bool:
    """Which of two streams' attempts at one step counts: reached earlier, then begun later, then the earlier row."""
    if ts[found[reach]] != ts[held[reach]]:
        return ts[found[reach]] < ts[held[reach]]
    if ts[found[0]] != ts[held[0]]:
        return ts[found[0]] > ts[held[0]]
    return ref[found[0]] < ref[held[0]]


@njit(cache=True, nogil=True)
def _by_stream(a: int, n: int, ts: Any, bits: Any, ref: Any, unit: Any, hold: Any) -> int:
    """Order events [a, n) by (unit, hold), then time; those without a key go. Returns the new end."""
    kept = a
    for p in range(a, n):
        if unit[p] != NO_KEY and hold[p] != NO_KEY:
            ts[kept], bits[kept], ref[kept], unit[kept], hold[kept] = ts[p], bits[p], ref[p], unit[p], hold[p]
            kept += 1
    if kept - a <= 32:
        for p in range(a + 1, kept):
            t, m, f, u, h = ts[p], bits[p], ref[p], unit[p], hold[p]
            q = p
            while q > a and (unit[q - 1] > u or (unit[q - 1] == u and hold[q - 1] > h)):
                ts[q], bits[q], ref[q], unit[q], hold[q] = ts[q - 1], bits[q - 1], ref[q - 1], unit[q - 1], hold[q - 1]
                q -= 1
            ts[q], bits[q], ref[q], unit[q], hold[q] = t, m, f, u, h
        return kept
    order = np.argsort(hold[a:kept], kind="mergesort")
    order = order[np.argsort(unit[a:kept][order], kind="mergesort")]
    for values in (ts, bits, ref, unit, hold):
        moved = values[a:kept][order]
        values[a:kept] = moved
    return kept
