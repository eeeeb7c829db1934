"""Attribution of conversions to touches, and money by cohort, over one bucket."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.memory import grown, load_f64
from tilth.behavior.kernels.times import period_of
from tilth.behavior.kernels.walk import ROW, begin, buffers, gather

__all__ = ["RULES", "walk_credit", "walk_value"]

# The rules worked out here, in the order of walk_credit's answer.
RULES = ("first", "last", "last_non_direct", "linear", "time_decay", "position")
TOUCH, CONVERSION = 1, 2


@njit(cache=True, nogil=True)
def walk_credit(
    feed: Any, values: int, direct: Any, lookback: int, half_life: int, first: int, pick_value: int, pick_rule: int
) -> Any:
    """(credit float64[2, rules, values + 1], moves int64[values + 3, values + 3], conversions, revenue, uid[n]).

    bits: TOUCH (feed.unit: its value, less than 0 for none), CONVERSION (feed.value: its revenue). Touches
    up to `lookback` µs before a conversion, or of its instant, share it; conversions count from instant
    `first` on. credit[0]: conversions, [1]: revenue; the last value is for conversions nothing touched.
    direct: uint8[values].
    moves: how often a path goes from a value (rows; `values` is the start) to a value, or to values + 1
    (converted) or values + 2 (never). Touches that share in no conversion make one path to never.
    uid: people of whose conversions pick_value has a part by rule number pick_rule.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    credit = np.zeros((2, 6, values + 1), np.float64)
    moves = np.zeros((values + 3, values + 3), np.int64)
    conversions = 0
    revenue = 0.0
    shared = np.zeros(8192, np.uint8)
    weight = np.zeros(8192, np.float64)
    touch = np.zeros(8192, np.int64)
    uid = np.empty(1024, np.int64)
    named = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            shared = np.zeros(len(into.ts), np.uint8)
            weight = np.zeros(len(into.ts), np.float64)
            touch = np.zeros(len(into.ts), np.int64)
            continue
        if batch == 0:
            return credit, moves, conversions, revenue, uid[:named]
        ts, bits, unit = into.ts, into.bits, into.unit
        for j in range(batch):
            a, b = into.first[j], into.first[j + 1]
            for i in range(a, b):
                shared[i] = 0
            low = a
            picked = False
            for i in range(a, b):
                if not bits[i] & CONVERSION or ts[i] < first:
                    continue
                r = into.ref[i] >> 40
                worth = load_f64(feed.value[r], into.ref[i] & ROW) if feed.value[r] else 0.0
                worth = worth if worth == worth else 0.0
                conversions += 1
                revenue += worth
                while ts[low] < ts[i] - lookback:
                    low += 1
                n = 0
                q = low
                while q < b and ts[q] <= ts[i]:
                    if bits[q] & TOUCH and not bits[q] & CONVERSION and unit[q] >= 0:
                        touch[n] = q
                        shared[q] = 1
                        n += 1
                    q += 1
                if n == 0:
                    picked = picked or pick_value == values
                    for rule in range(6):
                        credit[0, rule, values] += 1
                        credit[1, rule, values] += worth
                    continue
                last = n - 1
                while last >= 0 and direct[unit[touch[last]]]:
                    last -= 1
                total = 0.0
                for q in range(n):
                    # From the last touch, not from the conversion: the shares are the same and never 0/0.
                    weight[q] = 2.0 ** (-float(ts[touch[n - 1]] - ts[touch[q]]) / half_life)
                    total += weight[q]
                at = values
                for q in range(n):
                    v = unit[touch[q]]
                    moves[at, v] += 1
                    at = v
                    if n == 1:
                        place = 1.0
                    elif n == 2:
                        place = 0.5
                    else:
                        place = 0.4 if q == 0 or q == n - 1 else 0.2 / (n - 2)
                    for rule in range(6):
                        if rule == 0:
                            part = 1.0 if q == 0 else 0.0
                        elif rule == 1:
                            part = 1.0 if q == n - 1 else 0.0
                        elif rule == 2:
                            part = 1.0 if q == (last if last >= 0 else n - 1) else 0.0
                        elif rule == 3:
                            part = 1.0 / n
                        elif rule == 4:
                            part = weight[q] / total
                        else:
                            part = place
                        credit[0, rule, v] += part
                        if v == pick_value and rule == pick_rule and part > 0:
                            picked = True
                        credit[1, rule, v] += part * worth
                moves[at, values + 1] += 1
            if picked:
                if named == len(uid):
                    uid = grown(uid, named + 1)
                uid[named] = into.who[j]
                named += 1
            at = values
            for i in range(a, b):
                if bits[i] & TOUCH and not bits[i] & CONVERSION and unit[i] >= 0 and not shared[i]:
                    moves[at, unit[i]] += 1
                    at = unit[i]
            if at != values:
                moves[at, values + 2] += 1


@njit(cache=True, nogil=True)
def walk_value(
    feed: Any,
    bounds: Any,
    nominal: int,
    cohorts: int,
    start_from: int,
    start_until: int,
    columns: int,
    pick_cohort: int,
    pick_column: int,
) -> Any:
    """(people int64[cohorts], value float64[cohorts, columns + 1], payers int64[cohorts, columns + 1], uid[n]).

    bits: 1 may begin a cohort (the first ever decides), 2 brings feed.value in, 4 takes it away. value[c, k]:
    what came in period c + k; payers: people with any value by then. uid: people of pick_cohort, all (pick_column
    less than 0) or those among the payers of that column.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    people = np.zeros(cohorts, np.int64)
    value = np.zeros((cohorts, columns + 1), np.float64)
    payers = np.zeros((cohorts, columns + 1), np.int64)
    uid = np.empty(1024, np.int64)
    named = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return people, value, payers, uid[:named]
        ts, bits = into.ts, into.bits
        for j in range(batch):
            a, b = into.first[j], into.first[j + 1]
            i = a
            while i < b and not bits[i] & 1:
                i += 1
            if i == b or not start_from <= ts[i] < start_until:
                continue
            c = period_of(ts[i], bounds, nominal)
            people[c] += 1
            paid = False
            picked = c == pick_cohort and pick_column < 0
            for q in range(a, b):
                if not bits[q] & 6:
                    continue
                k = period_of(ts[q], bounds, nominal) - c
                r = into.ref[q] >> 40
                x = load_f64(feed.value[r], into.ref[q] & ROW) if feed.value[r] else np.nan
                if k < 0 or k > columns or x != x:
                    continue
                if bits[q] & 2:
                    value[c, k] += x
                    if not paid:
                        paid = True
                        picked = picked or (c == pick_cohort and k <= pick_column)
                        for later in range(k, columns + 1):
                            payers[c, later] += 1
                if bits[q] & 4:
                    value[c, k] -= x
            if picked:
                if named == len(uid):
                    uid = grown(uid, named + 1)
                uid[named] = into.who[j]
                named += 1
