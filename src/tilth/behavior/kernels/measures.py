"""Numbers of events and people per period and group, and per person, over one bucket."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.memory import grown, load_f64
from tilth.behavior.kernels.times import period_of
from tilth.behavior.kernels.walk import ROW, begin, buffers, gather

__all__ = ["walk_both", "walk_measures", "walk_present", "walk_totals"]


@njit(cache=True, nogil=True)
def walk_measures(feed: Any, bounds: Any, nominal: int, groups: int, collect: bool, at_most: int) -> Any:
    """(whole int64[3, groups, periods + 1], real float64[3, groups, periods + 1], cell int64[n], value float64[n]).

    whole: events, distinct people, events with a value; real: sum, least, greatest value. The last
    period is the whole range. collect: give every value with its cell (group * (periods + 1) + period),
    up to at_most of them; one more tells that there were too many. feed.unit: groups, less than 0 for none.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    periods = len(bounds) - 1
    whole = np.zeros((3, groups, periods + 1), np.int64)
    real = np.zeros((3, groups, periods + 1), np.float64)
    real[1], real[2] = np.inf, -np.inf
    seen = np.full((groups, periods + 1), -1, np.int64)
    cell, value = np.empty(1024 if collect else 0, np.int64), np.empty(1024 if collect else 0, np.float64)
    held = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            break
        for j in range(batch):
            person = into.who[j]
            for i in range(into.first[j], into.first[j + 1]):
                g = into.unit[i]
                p = period_of(into.ts[i], bounds, nominal)
                if g < 0 or p < 0 or p >= periods:
                    continue
                r = into.ref[i] >> 40
                x = load_f64(feed.value[r], into.ref[i] & ROW) if feed.value[r] else np.nan
                for c in (p, periods):
                    whole[0, g, c] += 1
                    if seen[g, c] != person:
                        seen[g, c] = person
                        whole[1, g, c] += 1
                    if x == x:
                        whole[2, g, c] += 1
                        real[0, g, c] += x
                        real[1, g, c] = min(real[1, g, c], x)
                        real[2, g, c] = max(real[2, g, c], x)
                if collect and x == x and held <= at_most:
                    if held == len(cell):
                        cell, value = grown(cell, held + 1), grown(value, held + 1)
                    cell[held], value[held] = g * (periods + 1) + p, x
                    held += 1
    return whole, real, cell[:held], value[:held]


@njit(cache=True, nogil=True)
def walk_both(feed: Any, bounds: Any, nominal: int, groups: int) -> Any:
    """int64[groups, periods + 1]: people with events of both bits (1 and 2) in a period; the last is the whole range.

    feed.unit: groups, less than 0 for none; a person's group in a period is that of its first event with bit 1.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    periods = len(bounds) - 1
    counts = np.zeros((groups, periods + 1), np.int64)
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return counts
        ts, bits, unit, first = into.ts, into.bits, into.unit, into.first
        for j in range(batch):
            a, b = first[j], first[j + 1]
            all_seen, all_group = 0, -1
            at, seen, group = -1, 0, -1
            for i in range(a, b + 1):
                now = period_of(ts[i], bounds, nominal) if i < b else -2
                if now != at:
                    if 0 <= at < periods and seen & 3 == 3 and group >= 0:
                        counts[group, at] += 1
                    at, seen, group = now, 0, -1
                if i == b:
                    break
                if now < 0 or now >= periods:
                    continue
                if bits[i] & 1:
                    if seen & 1 == 0:
                        group = unit[i]
                    if all_seen & 1 == 0:
                        all_group = unit[i]
                seen |= bits[i]
                all_seen |= bits[i]
            if all_seen & 3 == 3 and all_group >= 0:
                counts[all_group, periods] += 1


@njit(cache=True, nogil=True)
def walk_present(feed: Any, bits: int, valued: bool) -> Any:
    """uid[n]: people who have all of these bits among their events; valued: among those with a value."""
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    uid = np.empty(1024, np.int64)
    n = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return uid[:n]
        if n + batch > len(uid):
            uid = grown(uid, n + batch)
        for j in range(batch):
            seen = 0
            for i in range(into.first[j], into.first[j + 1]):
                if valued:
                    r = into.ref[i] >> 40
                    x = load_f64(feed.value[r], into.ref[i] & ROW) if feed.value[r] else np.nan
                    if x != x:
                        continue
                seen |= into.bits[i]
            if seen & bits == bits:
                uid[n] = into.who[j]
                n += 1


@njit(cache=True, nogil=True)
def walk_totals(feed: Any) -> Any:
    """(uid[n], events int64[n], measured int64[n], real float64[3, n], group int64[n]): one entry a person with events.

    measured: events with a value; real: sum, least, greatest; group: feed.unit of the first event.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    uid, events, measured = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024, np.int64)
    total, least, greatest = np.empty(1024, np.float64), np.empty(1024, np.float64), np.empty(1024, np.float64)
    group = np.empty(1024, np.int64)
    n = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            break
        if n + batch > len(uid):
            uid, events, measured = grown(uid, n + batch), grown(events, n + batch), grown(measured, n + batch)
            total, least, greatest = grown(total, n + batch), grown(least, n + batch), grown(greatest, n + batch)
            group = grown(group, n + batch)
        for j in range(batch):
            a, b = into.first[j], into.first[j + 1]
            uid[n], events[n], measured[n], group[n] = into.who[j], b - a, 0, into.unit[a]
            total[n], least[n], greatest[n] = 0.0, np.inf, -np.inf
            for i in range(a, b):
                r = into.ref[i] >> 40
                x = load_f64(feed.value[r], into.ref[i] & ROW) if feed.value[r] else np.nan
                if x == x:
                    measured[n] += 1
                    total[n] += x
                    least[n] = min(least[n], x)
                    greatest[n] = max(greatest[n], x)
            n += 1
    real = np.empty((3, n), np.float64)
    real[0], real[1], real[2] = total[:n], least[:n], greatest[:n]
    return uid[:n], events[:n], measured[:n], real, group[:n]
