"""Walking a bucket person by person: the events that matter, in time order, in small buffers.

A bucket is several strands in time order, each sorted by (uid, ts). A block of uids at a time, each
strand's part is read straight through and its events put behind those of the same person from the
strands before. Reading strand by strand keeps memory streaming; going from person to person over all
strands at once would touch three arrays of each for a line of a few events. Where the blocks begin is known
beforehand, so of an event that no step asks for one byte is read: the code of its name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from tilth.behavior.kernels.memory import load_i32, load_i64, load_u8

__all__ = [
    "FORKED",
    "NOBODY",
    "NO_KEY",
    "ROW",
    "SLOTS",
    "Buffers",
    "Feed",
    "begin",
    "block_rows",
    "buffers",
    "forked",
    "gather",
    "gather_block",
    "next_block",
    "slots_of",
]

NOBODY = np.iinfo(np.int64).max
NO_KEY = np.iinfo(np.int64).min
# The sign of a name's bits says that filters may add to them.
FORKED = np.iinfo(np.int64).min
# People in a block at most.
SLOTS = 256
ROW = (1 << 40) - 1


class Feed(NamedTuple):
    """A bucket's strands for the kernels; k strands, F filters, names of all strands end to end.

    uid, ts (int64), code, unit, hold (int64 keys), value (float64): int64[k] addresses of
    arrays, 0 for none. code: uint8 where narrow, else int32. whole: all instants are inside and no filter
    is asked.
    blocks: int64[k] addresses of what `block_rows` gives; parts: its blocks. table: int64[k] addresses of the
    bits of each strand's names; FORKED is
    set where filters may add some. names_from: int64[k], where a strand's names begin in branch.
    branch: int64[F, names], further bits where filter f holds; tests: int64[F, k] addresses of uint8
    arrays. allowed: int64[m] ascending uids, used when restricted. lo, hi: only instants in [lo, hi)
    count; bits in `timeless` count at any instant. keyed: unit and hold are wanted.
    stride: all uids leave `rest` divided by it.
    """

    slot: Any
    ts: Any
    code: Any
    narrow: Any
    whole: Any
    unit: Any
    hold: Any
    value: Any
    blocks: Any
    parts: Any
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
    rest: int


class Buffers(NamedTuple):
    """Gathered events of some people: those of who[j] are first[j] until before first[j + 1].

    ref: strand << 40 | row. unit, hold: keys, 0 where there are none. The other arrays are scratch (see `_collect`).
    """

    ts: Any
    bits: Any
    ref: Any
    unit: Any
    hold: Any
    who: Any
    first: Any
    slot: Any
    row: Any
    end: Any
    ends: Any


def block_rows(uid: npt.NDArray[np.int64], stride: int) -> npt.NDArray[np.int64]:
    """int64[2b + 1]: the numbers of the b blocks of SLOTS people that have rows, ascending, then the row each begins
    at, then the number of rows. uid: ascending, of one bucket of `stride`."""
    number = uid // (stride * SLOTS)
    starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1]))) if len(uid) else np.empty(0, np.int64)
    return np.concatenate((number[starts], starts, [len(uid)])).astype(np.int64)


def slots_of(uid: npt.NDArray[np.int64], stride: int) -> npt.NDArray[np.uint8]:
    """uint8[n]: the place of each row's person in their block."""
    return (uid // stride % SLOTS).astype(np.uint8)


@njit(cache=True, nogil=True)
def buffers(room: int, strands: int) -> Any:
    """Buffers for so many events of so many strands."""
    return Buffers(
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.zeros(room, np.int64),
        np.zeros(room, np.int64),
        np.empty(SLOTS, np.int64),
        np.empty(SLOTS + 1, np.int64),
        np.empty(room, np.int32),
        np.empty(room, np.int64),
        np.empty(SLOTS + 1, np.int64),
        np.empty(strands, np.int64),
    )


@njit(cache=True, nogil=True)
def begin(feed: Any) -> Any:
    """(pos, nxt): the first block of each strand; scratch of the same size."""
    return np.zeros(len(feed.parts), np.int64), np.zeros(len(feed.parts), np.int64)


@njit(cache=True, nogil=True)
def gather(feed: Any, pos: Any, nxt: Any, into: Any) -> int:
    """Fill the buffers with the next people's events that have any bit; people without one are passed over.

    Returns how many people; 0 at the end; -1 where larger buffers are needed (nothing is lost).
    """
    while True:
        block = next_block(feed, pos)
        if block == NOBODY:
            return 0
        people = gather_block(feed, block, pos, nxt, into)
        if people < 0:
            return -1
        pos[:] = nxt
        if people > 0:
            return people


@njit(cache=True, nogil=True)
def next_block(feed: Any, pos: Any) -> int:
    """The block of people that comes next, NOBODY after the last."""
    block = NOBODY
    for r in range(len(pos)):
        if pos[r] < feed.parts[r]:
            block = min(block, load_i64(feed.blocks[r], pos[r]))
    return block


@njit(cache=True, nogil=True)
def gather_block(feed: Any, block: int, pos: Any, nxt: Any, into: Any) -> int:
    """As `gather`, of one block; pos: where it begins, or a later one. nxt: where the next one begins."""
    count = _collect(feed, block, pos, nxt, into)
    return _arrange(feed, block, into) if count > 0 else count


@njit(cache=True, nogil=True)
def _collect(feed: Any, block: int, pos: Any, nxt: Any, into: Any) -> int:
    """Rows of a block of people that have a bit, strand by strand; how many, or -1 where they may not fit.

    row: strand by strand those of strand r end at ends[r]; slot: whose each is; end[s + 1]: how many slot s has.
    """
    room = len(into.ts)
    slots, rows, end, ends = into.slot, into.row, into.end, into.ends
    lo, hi, timeless = feed.lo, feed.hi, feed.timeless
    end[:] = 0
    count = 0
    for r in range(len(pos)):
        at, parts, blocks = pos[r], feed.parts[r], feed.blocks[r]
        nxt[r], ends[r] = at, count
        if at == parts or load_i64(blocks, at) != block:
            continue
        a, b = load_i64(blocks, parts + at), load_i64(blocks, parts + at + 1)
        nxt[r] = at + 1
        if count + b - a > room:
            return -1
        codes, table, whose, instants = feed.code[r], feed.table[r], feed.slot[r], feed.ts[r]
        n = count
        # Written always and kept where there is a bit: a branch here would be guessed wrong too often.
        if feed.narrow[r]:
            for i in range(a, b):
                rows[n] = i
                n += 1 if load_i64(table, load_u8(codes, i)) != 0 else 0
        else:
            for i in range(a, b):
                rows[n] = i
                n += 1 if load_i64(table, load_i32(codes, i)) != 0 else 0
        if feed.whole[r] == 0:
            # Some instants are outside, or filters have a say.
            kept = count
            for q in range(count, n):
                i = rows[q]
                m = load_i64(table, load_u8(codes, i) if feed.narrow[r] else load_i32(codes, i))
                if m < 0:
                    m = forked(feed, r, i, m)
                m &= -1 if lo <= load_i64(instants, i) < hi else timeless
                rows[kept] = i
                kept += 1 if m != 0 else 0
            n = kept
        for q in range(count, n):
            s = np.int64(load_u8(whose, rows[q]))
            slots[q] = s
            end[s + 1] += 1
        count = n
        ends[r] = n
    return count


@njit(cache=True, nogil=True)
def _arrange(feed: Any, block: int, into: Any) -> int:
    """Put the collected events person by person; how many people."""
    end, slots, rows, ends = into.end, into.slot, into.row, into.ends
    ts, bits, ref = into.ts, into.bits, into.ref
    low = block * SLOTS * feed.stride + feed.rest
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
    lo, hi, timeless = feed.lo, feed.hi, feed.timeless
    q = 0
    for r in range(len(feed.parts)):
        codes, table, instants, whole = feed.code[r], feed.table[r], feed.ts[r], feed.whole[r]
        units, holds = feed.unit[r], feed.hold[r]
        mark = r << 40
        while q < ends[r]:
            i = rows[q]
            s = slots[q]
            q += 1
            to = end[s]
            if to < 0:
                continue
            end[s] = to + 1
            m = load_i64(table, load_u8(codes, i) if feed.narrow[r] else load_i32(codes, i))
            t = load_i64(instants, i)
            if whole == 0:
                if m < 0:
                    m = forked(feed, r, i, m)
                m &= -1 if lo <= t < hi else timeless
            ts[to] = t
            bits[to] = m
            ref[to] = mark | i
            if feed.keyed:
                into.unit[to] = load_i64(units, i) if units else 0
                into.hold[to] = load_i64(holds, i) if holds else 0
    return people


@njit(cache=True, nogil=True)
def forked(feed: Any, r: int, i: int, bits: int) -> int:
    """The bits of a row whose name's bits depend on filters."""
    m = bits ^ FORKED
    code = load_u8(feed.code[r], i) if feed.narrow[r] else load_i32(feed.code[r], i)
    name = feed.names_from[r] + code
    for f in range(feed.branch.shape[0]):
        more = feed.branch[f, name]
        if more & ~m and load_u8(feed.tests[f, r], i):
            m |= more
    return m
