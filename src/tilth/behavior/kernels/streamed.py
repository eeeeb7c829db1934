"""The ordered funnel of persons, straight from the strands: no event is put anywhere first.

Strands follow each other in time, so whoever keeps a state for each person of a block may read one strand after the
other. A person's state is, for each step, when the attempt that stands there began. With windows of one length the
attempt whose window ends last is the one that began last, and no more need be known. Which of several events at one
instant serves which step is not seen this way: those few people are gathered and asked again by `attempts.ordered`.

Numbers that are indexes are unsigned: Numba would otherwise ask of each whether it counts from the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.attempts import BEST, SHORT, WORK, ordered
from tilth.behavior.kernels.memory import grown, load_i64, load_u8, top_bit
from tilth.behavior.kernels.walk import FORKED, NOBODY, ROW, SLOTS, begin, buffers, forked, gather_block, next_block

__all__ = ["walk_ordered"]

_NEVER = np.iinfo(np.int64).min
_U: Any = np.uint64
_NOT = _U(0)
_ONE = _U(1)


@njit(cache=True, nogil=True)
def walk_ordered(feed: Any, steps: int, length: int, changes: Any, offsets: Any, refs: bool) -> Any:
    """What `funnel.walk_funnel` gives, for a window of `length` µs, names that fit in a byte, and no exclusions."""
    pos, nxt = begin(feed)
    strands = len(pos)
    # Fields of a tuple are counted references, too dear for the loops.
    blocks, parts, code, slot, ts, whole = feed.blocks, feed.parts, feed.code, feed.slot, feed.ts, feed.whole
    names_from, stride, rest, lo, hi, timeless = (
        feed.names_from,
        feed.stride,
        feed.rest,
        feed.lo,
        feed.hi,
        feed.timeless,
    )
    restricted, allowed = feed.restricted, feed.allowed
    mask, asked, most = _names(feed)
    wide = _U(steps + 1)
    last_bit = _ONE << _U(steps - 1)
    # Of each person and step k, at k + 1: when the attempt there began, its newest node, the first node that got there.
    start = np.empty(SLOTS * (steps + 1), np.int64)
    newest, first = np.zeros(len(start), np.int32), np.zeros(len(start), np.int32)
    # Bit k of ready: the attempt before step k began later than the one at it, so an event of step k is of use. Of
    # reached: an attempt got to step k. live: not yet to the last.
    ready, reached = np.empty(SLOTS, np.uint64), np.empty(SLOTS, np.uint64)
    live, tied = np.empty(SLOTS, np.uint8), np.empty(SLOTS, np.uint8)
    # A node is an event that took an attempt a step further, and the node before it.
    event, before = np.empty(1 << 15, np.int64), np.empty(1 << 15, np.int32)
    rows, bits = np.empty(1 << 13, np.int64), np.empty(1 << 13, np.int64)
    out_uid, out_reach = np.empty(1 << 14, np.int64), np.empty(1 << 14, np.int8)
    out_ts, out_ref = np.empty(1 << 15, np.int64), np.empty(1 << 15 if refs else 0, np.int64)
    units = flat = at_allowed = 0
    into = buffers(8, strands)
    work, nodes = np.empty(WORK, np.int64), np.empty(8192, np.int64)
    while True:
        block = next_block(feed, pos)
        if block == NOBODY:
            break
        start[:] = _NEVER
        ready[:] = _ONE
        reached[:] = _NOT
        live[:] = 1
        tied[:] = 0
        any_tied = False
        made = _NOT
        for r in range(strands):
            at, count = pos[r], parts[r]
            nxt[r] = at
            if at == count or load_i64(blocks[r], at) != block:
                continue
            nxt[r] = at + 1
            a, b = load_i64(blocks[r], count + at), load_i64(blocks[r], count + at + 1)
            codes, whose, instants, names, part = code[r], slot[r], ts[r], _U(names_from[r]), whole[r] == 0
            if b - a > len(rows):
                rows, bits = np.empty(2 * (b - a), np.int64), np.empty(2 * (b - a), np.int64)
            # Written always and kept where it is of use: a branch here would be guessed wrong too often.
            kept = _NOT
            for i in range(a, b):
                rows[kept] = i
                kept += _U(asked[names + _U(load_u8(codes, i))] & live[_U(load_u8(whose, i))])
            if part:
                # Some instants are outside, or filters have a say.
                n, kept = np.int64(kept), _NOT
                for q in range(n):
                    i = rows[q]
                    m = mask[names + _U(load_u8(codes, i))]
                    if m < 0:
                        m = forked(feed, r, i, m)
                    m &= -1 if lo <= load_i64(instants, i) < hi else timeless
                    rows[kept], bits[kept] = i, m
                    kept += _U(m != 0)
            n = np.int64(kept)
            room = np.int64(made) + n * most
            if room > len(event):
                event, before = grown(event, room), grown(before, room)
            mark = r << 40
            here, there = _NEVER, _U(SLOTS)
            for q in range(n):
                i = rows[q]
                t = load_i64(instants, i)
                s = _U(load_u8(whose, i))
                if t == here and s == there:
                    tied[s] = 1
                    any_tied = True
                here, there = t, s
                w = ready[s]
                m = _U(bits[q] if part else mask[names + _U(load_u8(codes, i))]) & w
                base = s * wide
                # At 0 is the attempt that this event would begin.
                start[base] = t
                while m:
                    # Later steps first: one event serves one step of an attempt.
                    k = _U(top_bit(np.int64(m)))
                    m ^= _ONE << k
                    w ^= _ONE << k
                    x = base + k
                    y = x + _ONE
                    began = start[x]
                    if t - began <= length:
                        if start[y] == _NEVER:
                            first[y] = np.int32(made)
                            reached[s] |= _ONE << k
                        event[made] = mark | i
                        before[made] = newest[x]
                        start[y], newest[y] = began, np.int32(made)
                        w |= _U(2) << k
                        made += _ONE
                ready[s] = w | _ONE
            for j in range(SLOTS):
                live[j] = reached[j] < last_bit
        people = 0
        if any_tied:
            people = gather_block(feed, block, pos, nxt, into)
            while people < 0:
                into = buffers(2 * len(into.ts), strands)
                people = gather_block(feed, block, pos, nxt, into)
        pos[:] = nxt
        if units + SLOTS > len(out_uid):
            out_uid, out_reach = grown(out_uid, units + SLOTS), grown(out_reach, units + SLOTS)
        if flat + SLOTS * steps > len(out_ts):
            out_ts = grown(out_ts, flat + SLOTS * steps)
            if refs:
                out_ref = grown(out_ref, flat + SLOTS * steps)
        low = block * SLOTS * stride + rest
        among = 0
        for j in range(SLOTS):
            uid = low + j * stride
            if restricted:
                while at_allowed < len(allowed) and allowed[at_allowed] < uid:
                    at_allowed += 1
                if at_allowed == len(allowed) or allowed[at_allowed] != uid:
                    continue
            if tied[j]:
                while among < people and into.who[among] < uid:
                    among += 1
                if among == people or into.who[among] != uid:
                    continue
                a, b = into.first[among], into.first[among + 1]
                reach = ordered(into.ts, into.bits, a, b, steps, length, 0, changes, offsets, work, nodes)
                while reach == SHORT:
                    nodes = grown(nodes, 0)
                    reach = ordered(into.ts, into.bits, a, b, steps, length, 0, changes, offsets, work, nodes)
                if reach < 0:
                    continue
                node = work[BEST]
                for k in range(flat + reach, flat - 1, -1):
                    out_ts[k] = into.ts[nodes[2 * node]]
                    if refs:
                        out_ref[k] = into.ref[nodes[2 * node]]
                    node = nodes[2 * node + 1]
            else:
                if reached[j] == _NOT:
                    continue
                reach = top_bit(np.int64(reached[j]))
                way = _U(first[_U(j) * wide + _U(reach + 1)])
                for k in range(flat + reach, flat - 1, -1):
                    ref = event[way]
                    out_ts[k] = load_i64(ts[ref >> 40], ref & ROW)
                    if refs:
                        out_ref[k] = ref
                    way = _U(before[way])
            out_uid[units], out_reach[units] = uid, reach
            units += 1
            flat += reach + 1
    return out_uid[:units], out_reach[:units], out_ts[:flat], out_ref[:flat]


@njit(cache=True, nogil=True)
def _names(feed: Any) -> Any:
    """(bits int64[n], asked uint8[n], most): of the names of all strands end to end; most steps an event may serve."""
    count = feed.branch.shape[1]
    bits, asked = np.zeros(count, np.int64), np.zeros(count, np.uint8)
    most = 1
    for r in range(len(feed.parts)):
        until = feed.names_from[r + 1] if r + 1 < len(feed.parts) else count
        for name in range(feed.names_from[r], until):
            m = load_i64(feed.table[r], name - feed.names_from[r])
            bits[name], asked[name] = m, m != 0
            m &= ~FORKED
            for f in range(feed.branch.shape[0]):
                m |= feed.branch[f, name]
            steps = 0
            while m:
                m &= m - 1
                steps += 1
            most = max(most, steps)
    return bits, asked, most
