"""Walking a bucket person by person: the events that matter, in time order, in small buffers.

A bucket is several strands in time order, each sorted by (uid, ts). A block of uids at a time, each
strand's slice is read straight through and its events put behind those of the same person from the
strands before. Reading strand by strand keeps memory streaming; going from person to person over all
strands at once would touch three arrays of each for a line of a few events.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from tilth.behavior.kernels.memory import load_i32, load_i64, load_u8

__all__ = ["NOBODY", "NO_KEY", "Buffers", "Feed", "begin", "buffers", "gather"]

NOBODY = np.iinfo(np.int64).max
NO_KEY = np.iinfo(np.int64).min
# The sign of a name's bits says that filters may add to them.
FORKED = np.iinfo(np.int64).min
# People in a block at most.
SLOTS = 512
ROW = (1 << 40) - 1


class Feed(NamedTuple):
    """A bucket's strands for the kernels; k strands, F filters, names of all strands end to end.

    uid, ts (int64), code (int32), unit, hold (int64 keys), value (float64): int64[k] addresses of
    arrays, 0 for none.
    size: rows of each strand. table: int64[k] addresses of the bits of each strand's names; FORKED is
    set where filters may add some. names_from: int64[k], where a strand's names begin in branch.
    branch: int64[F, names], further bits where filter f holds; tests: int64[F, k] addresses of uint8
    arrays. allowed: int64[m] ascending uids, used when restricted. lo, hi: only instants in [lo, hi)
    count; bits in `timeless` count at any instant. keyed: unit and hold are wanted.
    stride: all uids leave the same rest divided by it; shift: its power of two, or -1.
    """

    uid: Any
    ts: Any
    code: Any
    unit: Any
    hold: Any
    value: Any
    size: Any
    table: Any
    names_from: Any
    branch: Any
    tests: Any
    allowed: Any
    restricted: bool
    lo: int
    hi: int
    timeless: int
    keyed: bool
    stride: int
    shift: int


class Buffers(NamedTuple):
    """Gathered events of some people: those of who[j] are first[j] until before first[j + 1].

    ref: strand << 40 | row. unit, hold: keys, 0 where there are none. The other arrays are scratch:
    found_… the events in strand order and their person's slot, end[slot] where that person's events end.
    """

    ts: Any
    bits: Any
    ref: Any
    unit: Any
    hold: Any
    who: Any
    first: Any
    found_ts: Any
    found_bits: Any
    found_ref: Any
    slot: Any
    end: Any


@njit(cache=True, nogil=True)
def buffers(room: int) -> Any:
    """Buffers for so many events."""
    return Buffers(
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.zeros(room, np.int64),
        np.zeros(room, np.int64),
        np.empty(SLOTS, np.int64),
        np.empty(SLOTS + 1, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.int32),
        np.empty(SLOTS + 1, np.int64),
    )


@njit(cache=True, nogil=True)
def begin(feed: Any) -> Any:
    """(pos, nxt): the first row of each strand; scratch of the same size."""
    return np.zeros(len(feed.size), np.int64), np.zeros(len(feed.size), np.int64)


@njit(cache=True, nogil=True)
def gather(feed: Any, pos: Any, nxt: Any, into: Any) -> int:
    """Fill the buffers with the next people's events that have any bit; people without one are passed over.

    Returns how many people; 0 at the end; -1 where larger buffers are needed (nothing is lost).
    """
    while True:
        low = NOBODY
        for r in range(len(pos)):
            if pos[r] < feed.size[r]:
                low = min(low, load_i64(feed.uid[r], pos[r]))
        if low == NOBODY:
            return 0
        count = _collect(feed, low, pos, nxt, into)
        if count < 0:
            return -1
        for r in range(len(pos)):
            pos[r] = nxt[r]
        people = _arrange(feed, low, count, into) if count > 0 else 0
        if people > 0:
            return people


@njit(cache=True, nogil=True)
def _collect(feed: Any, low: int, pos: Any, nxt: Any, into: Any) -> int:
    """Events of the block of uids from `low`, strand by strand; how many, or -1 where they do not fit."""
    room = len(into.ts)
    found_ts, found_bits, found_ref, slots = into.found_ts, into.found_bits, into.found_ref, into.slot
    lo, hi, timeless, shift, stride = feed.lo, feed.hi, feed.timeless, feed.shift, feed.stride
    high = low + SLOTS * stride if low <= NOBODY - SLOTS * stride else NOBODY
    count = 0
    for r in range(len(pos)):
        i = pos[r]
        size = feed.size[r]
        uids, codes, instants, table = feed.uid[r], feed.code[r], feed.ts[r], feed.table[r]
        mark = r << 40
        while i < size:
            uid = load_i64(uids, i)
            if uid >= high:
                break
            if count >= room:
                return -1
            m = load_i64(table, load_i32(codes, i))
            if m < 0:
                m = _forked(feed, r, i, m)
            t = load_i64(instants, i)
            # Written always and kept where there is a bit: a branch here would be guessed wrong too often.
            m &= -1 if lo <= t < hi else timeless
            found_ts[count] = t
            found_bits[count] = m
            found_ref[count] = mark | i
            slots[count] = (uid - low) >> shift if shift >= 0 else (uid - low) // stride
            count += 1 if m != 0 else 0
            i += 1
        nxt[r] = i
    return count


@njit(cache=True, nogil=True)
def _arrange(feed: Any, low: int, count: int, into: Any) -> int:
    """Put the collected events person by person; how many people."""
    end, slots = into.end, into.slot
    ts, bits, ref = into.ts, into.bits, into.ref
    end[:] = 0
    for i in range(count):
        end[slots[i] + 1] += 1
    people = total = 0
    at = np.searchsorted(feed.allowed, low) if feed.restricted else 0
    for s in range(SLOTS):
        here = end[s + 1]
        end[s] = total
        if here == 0:
            continue
        uid = low + s * feed.stride
        if feed.restricted:
            while at < len(feed.allowed) and feed.allowed[at] < uid:
                at += 1
            if at == len(feed.allowed) or feed.allowed[at] != uid:
                end[s] = -1
                continue
        into.who[people] = uid
        into.first[people] = total
        people += 1
        total += here
    into.first[people] = total
    for i in range(count):
        to = end[slots[i]]
        if to < 0:
            continue
        end[slots[i]] = to + 1
        ts[to] = into.found_ts[i]
        bits[to] = into.found_bits[i]
        ref[to] = into.found_ref[i]
        if feed.keyed:
            r, row = ref[to] >> 40, ref[to] & ROW
            into.unit[to] = load_i64(feed.unit[r], row) if feed.unit[r] else 0
            into.hold[to] = load_i64(feed.hold[r], row) if feed.hold[r] else 0
    return people


@njit(cache=True, nogil=True)
def _forked(feed: Any, r: int, i: int, bits: int) -> int:
    """The bits of a row whose name's bits depend on filters."""
    m = bits ^ FORKED
    name = feed.names_from[r] + load_i32(feed.code[r], i)
    for f in range(feed.branch.shape[0]):
        more = feed.branch[f, name]
        if more & ~m and load_u8(feed.tests[f, r], i):
            m |= more
    return m
