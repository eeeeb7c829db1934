"""What became of people who came for the first time: one pass over each person's events."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.memory import load_f64
from tilth.behavior.kernels.times import period_of
from tilth.behavior.kernels.walk import ROW, begin, buffers, gather

__all__ = ["ACTIVATED", "ANY", "COUNTS", "INVITED", "PAID", "PAID_BACK", "walk_newcomers"]

ANY, ACTIVATED, PAID, PAID_BACK, INVITED = 1, 2, 4, 8, 16
# Columns of the counts: people, those whose time to be activated is over, of them activated, payers, those with two
# orders or more, orders, those invited, those whose time of value is over.
COUNTS = 8
PEOPLE, TIMED, DONE, PAYERS, REPEATERS, ORDERS, ASKED, VALUED = range(COUNTS)
_DAY = 86_400_000_000


@njit(cache=True, nogil=True)
def walk_newcomers(
    feed: Any, bounds: Any, nominal: int, start_from: int, start_until: int, horizon: int, activation: int, value: int,
    days: Any, groups: int,
) -> Any:  # fmt: skip
    """(counts int64[groups + 1, COUNTS], money float64[groups + 1, 3], kept int64[groups + 1, len(days), 2]).

    People whose first event ever lies in [start_from, start_until). bounds: of days, from the first on, past the
    horizon (the instant until which everything is known). activation, value: µs after the first event. days: ascending
    numbers of days after the first one. feed.unit: groups; a person's is the first of its first day, the last
    group is of those without. money: value of all orders, of those in `value` µs, and the square of that, less what was
    paid back. kept: people whose k-th day is over, and those who came on it.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    counts = np.zeros((groups + 1, COUNTS), np.int64)
    money = np.zeros((groups + 1, 3), np.float64)
    kept = np.zeros((groups + 1, len(days), 2), np.int64)
    last = len(bounds) - 1
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return counts, money, kept
        ts, bits, unit, ref, first = into.ts, into.bits, into.unit, into.ref, into.first
        for j in range(batch):
            a, b = first[j], first[j + 1]
            while a < b and bits[a] & ANY == 0:
                a += 1
            if a == b or not start_from <= ts[a] < start_until or ts[a] >= horizon:
                continue
            begins = ts[a]
            group = groups
            for i in range(a, b):
                if ts[i] - begins > _DAY:
                    break
                if unit[i] >= 0:
                    group = unit[i]
                    break
            day = period_of(begins, bounds, nominal)
            activated = invited = False
            orders = 0
            earned, early = 0.0, 0.0
            k = 0
            for i in range(a, b):
                t = ts[i]
                if t >= horizon:
                    break
                m = bits[i]
                if m & ACTIVATED and t - begins <= activation:
                    activated = True
                if m & INVITED:
                    invited = True
                if m & (PAID | PAID_BACK):
                    x = load_f64(feed.value[ref[i] >> 40], ref[i] & ROW) if feed.value[ref[i] >> 40] else 0.0
                    if m & PAID:
                        orders += 1
                    else:
                        x = -x
                    if x == x:
                        earned += x
                        if t - begins <= value:
                            early += x
                if m & ANY:
                    at = period_of(t, bounds, nominal) - day
                    while k < len(days) and days[k] < at:
                        k += 1
                    if k < len(days) and days[k] == at:
                        kept[group, k, 1] += 1 if day + at < last and bounds[day + at + 1] <= horizon else 0
                        k += 1
            for d in range(len(days)):
                if day + days[d] < last and bounds[day + days[d] + 1] <= horizon:
                    kept[group, d, 0] += 1
            counts[group, PEOPLE] += 1
            if begins + activation < horizon:
                counts[group, TIMED] += 1
                counts[group, DONE] += 1 if activated else 0
            counts[group, PAYERS] += 1 if orders > 0 else 0
            counts[group, REPEATERS] += 1 if orders > 1 else 0
            counts[group, ORDERS] += orders
            counts[group, ASKED] += 1 if invited else 0
            money[group, 0] += earned
            if begins + value < horizon:
                counts[group, VALUED] += 1
                money[group, 1] += early
                money[group, 2] += early * early
