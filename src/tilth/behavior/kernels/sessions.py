"""Sessions over one bucket, and the paths taken in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.memory import grown, load_f64
from tilth.behavior.kernels.times import period_of
from tilth.behavior.kernels.walk import ROW, begin, buffers, gather

__all__ = ["walk_path_people", "walk_paths", "walk_session_people", "walk_sessions"]


@njit(cache=True, nogil=True)
def _session_end(ts: Any, source: Any, campaign: Any, i: int, end: int, gap: int) -> int:
    """Where the session that begins with event i ends (before `end`).

    A new one begins after a pause longer than `gap`, at another source, and at another campaign (NaN:
    none, which leaves it as it is; an empty array: nothing has one).
    """
    e = i + 1
    if len(campaign) == 0:
        while e < end and ts[e] - ts[e - 1] <= gap and source[e] == source[e - 1]:
            e += 1
        return e
    current = campaign[i]
    while e < end and ts[e] - ts[e - 1] <= gap and source[e] == source[e - 1]:
        here = campaign[e]
        if here == here:
            if current == current and here != current:
                break
            current = here
        e += 1
    return e


@njit(cache=True, nogil=True)
def _campaigns(feed: Any, into: Any, events: int) -> Any:
    """float64[events]: feed.value of the gathered events; empty where there is none at all."""
    if not feed.value.any():
        return np.empty(0, np.float64)
    out = np.empty(events, np.float64)
    for i in range(events):
        r = into.ref[i] >> 40
        out[i] = load_f64(feed.value[r], into.ref[i] & ROW) if feed.value[r] else np.nan
    return out


@njit(cache=True, nogil=True)
def walk_sessions(feed: Any, bounds: Any, nominal: int, groups: int, gap: int, at_most: int) -> Any:
    """(counts int64[5, groups, periods + 1], lengths int64[n]).

    counts: sessions, people, events, µs, sessions of one event, by the period a session begins in; the
    last period is the whole range. A session's group (feed.unit) is its first event's. lengths: µs of
    each session, up to at_most + 1.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    periods = len(bounds) - 1
    counts = np.zeros((5, groups, periods + 1), np.int64)
    seen = np.full((groups, periods + 1), -1, np.int64)
    lengths = np.empty(1024, np.int64)
    n = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return counts, lengths[:n]
        campaign = _campaigns(feed, into, into.first[batch])
        for j in range(batch):
            i, end = into.first[j], into.first[j + 1]
            while i < end:
                e = _session_end(into.ts, into.hold, campaign, i, end, gap)
                g = into.unit[i]
                p = period_of(into.ts[i], bounds, nominal)
                if g >= 0 and 0 <= p < periods:
                    length = into.ts[e - 1] - into.ts[i]
                    for c in (p, periods):
                        counts[0, g, c] += 1
                        if seen[g, c] != into.who[j]:
                            seen[g, c] = into.who[j]
                            counts[1, g, c] += 1
                        counts[2, g, c] += e - i
                        counts[3, g, c] += length
                        counts[4, g, c] += 1 if e == i + 1 else 0
                    if n <= at_most:
                        if n == len(lengths):
                            lengths = grown(lengths, n + 1)
                        lengths[n] = length
                        n += 1
                i = e


@njit(cache=True, nogil=True)
def walk_session_people(feed: Any, bounds: Any, nominal: int, gap: int, period: int, bounced: bool) -> Any:
    """uid[n]: people of whom a session began in that period (-1: in any); bounced: a session of one event."""
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    periods = len(bounds) - 1
    uid = np.empty(1024, np.int64)
    n = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return uid[:n]
        campaign = _campaigns(feed, into, into.first[batch])
        for j in range(batch):
            i, end = into.first[j], into.first[j + 1]
            while i < end:
                e = _session_end(into.ts, into.hold, campaign, i, end, gap)
                p = period_of(into.ts[i], bounds, nominal)
                if 0 <= p < periods and (period < 0 or p == period) and (not bounced or e == i + 1):
                    if n == len(uid):
                        uid = grown(uid, n + 1)
                    uid[n] = into.who[j]
                    n += 1
                    break
                i = e


@njit(cache=True, nogil=True)
def walk_path_people(feed: Any, gap: int, steps: int, start_at: int, end_at: int, wanted: Any) -> Any:
    """uid[n]: people with a session whose shown path has one of the edges; wanted: their keys, as `walk_paths` gives
    them, ascending."""
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    node, at = np.empty(1024, np.int64), np.empty(1024, np.int64)
    uid = np.empty(1024, np.int64)
    found = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return uid[:found]
        if len(into.ts) > len(node):
            node, at = np.empty(len(into.ts), np.int64), np.empty(len(into.ts), np.int64)
        campaign = _campaigns(feed, into, into.first[batch])
        for j in range(batch):
            i, end = into.first[j], into.first[j + 1]
            there = False
            while i < end and not there:
                e = _session_end(into.ts, into.hold, campaign, i, end, gap)
                n = _nodes(into, i, e, node, at)
                i = e
                first, last = _shown(node, n, steps, start_at, end_at)
                for s in range(last - first - 1):
                    key = (s << 56) | (node[first + s] << 28) | node[first + s + 1]
                    place = np.searchsorted(wanted, key)
                    if place < len(wanted) and wanted[place] == key:
                        there = True
                        break
            if there:
                if found == len(uid):
                    uid = grown(uid, found + 1)
                uid[found] = into.who[j]
                found += 1


@njit(cache=True, nogil=True)
def _nodes(into: Any, i: int, e: int, node: Any, at: Any) -> int:
    """The nodes of the session of events i until before e, equal neighbours being one, with their first instants."""
    n = 0
    for q in range(i, e):
        label = into.unit[q]
        if label >= 0 and (n == 0 or node[n - 1] != label):
            node[n], at[n] = label, into.ts[q]
            n += 1
    return n


@njit(cache=True, nogil=True)
def walk_paths(feed: Any, gap: int, steps: int, start_at: int, end_at: int) -> Any:
    """(key int64[n], sessions int64[n], µs int64[n], all sessions): edges of the paths taken.

    feed.unit: the node of each event, less than 0 for none. key: step << 56 | from << 28 | to, the
    step of `from` being counted from 0. µs: from first coming to a node to first coming to the next, summed.
    start_at, end_at: nodes, -1 for none.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    size = 1024  # of the hash table, a power of two; linear probing
    key, sessions, total = np.full(size, -1, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64)
    used = taken = 0
    node, at = np.empty(1024, np.int64), np.empty(1024, np.int64)
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            break
        if len(into.ts) > len(node):
            node, at = np.empty(len(into.ts), np.int64), np.empty(len(into.ts), np.int64)
        campaign = _campaigns(feed, into, into.first[batch])
        for j in range(batch):
            i, end = into.first[j], into.first[j + 1]
            while i < end:
                e = _session_end(into.ts, into.hold, campaign, i, end, gap)
                n = _nodes(into, i, e, node, at)
                i = e
                first, last = _shown(node, n, steps, start_at, end_at)
                if first >= last:
                    continue
                taken += 1
                for s in range(last - first - 1):
                    wanted = (s << 56) | (node[first + s] << 28) | node[first + s + 1]
                    slot = _slot(key, wanted)
                    if key[slot] < 0:
                        if 2 * (used + 1) > size:
                            size *= 4
                            old_key, old_sessions, old_total = key, sessions, total
                            key, sessions = np.full(size, -1, np.int64), np.zeros(size, np.int64)
                            total = np.zeros(size, np.int64)
                            for o in range(len(old_key)):
                                if old_key[o] >= 0:
                                    to = _slot(key, old_key[o])
                                    key[to], sessions[to], total[to] = old_key[o], old_sessions[o], old_total[o]
                            slot = _slot(key, wanted)
                        key[slot] = wanted
                        used += 1
                    sessions[slot] += 1
                    total[slot] += at[first + s + 1] - at[first + s]
    there = np.flatnonzero(key >= 0)
    return key[there], sessions[there], total[there], taken


@njit(cache=True, nogil=True)
def _slot(key: Any, wanted: int) -> int:
    """Where a key is in the table, or the free place for it."""
    mask = len(key) - 1
    # Fibonacci hashing: the high bits of the product are well mixed.
    slot = ((wanted * -7046029254386353131) >> 20) & mask
    while key[slot] >= 0 and key[slot] != wanted:
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def _shown(node: Any, n: int, steps: int, start_at: int, end_at: int) -> Any:
    """The part [first, last) of a session's nodes that is shown; empty where it has not the nodes asked for."""
    first, last = 0, n
    if start_at >= 0:
        while first < n and node[first] != start_at:
            first += 1
    if end_at >= 0:
        while last > first and node[last - 1] != end_at:
            last -= 1
        if start_at < 0:
            return max(first, last - steps), last
    return first, min(last, first + steps)
