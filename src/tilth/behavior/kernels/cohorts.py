"""Retention, lifecycle and stickiness over one bucket: what each person did period by period."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tilth.behavior.kernels.memory import grown
from tilth.behavior.kernels.times import period_of
from tilth.behavior.kernels.walk import begin, buffers, gather

__all__ = [
    "FIRST_MATCHING",
    "FIRST_TIME",
    "RECURRING",
    "walk_lifecycle",
    "walk_retention",
    "walk_stickiness",
    "walk_values",
]

RECURRING, FIRST_TIME, FIRST_MATCHING = 0, 1, 2
START, BACK, EVER = 1, 2, 4


@njit(cache=True, nogil=True)
def walk_values(feed: Any, values: int) -> Any:
    """int64[values + 1]: people with any event of each value (feed.unit); the last is of those with a missing one."""
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    seen = np.full(values + 1, -1, np.int64)
    people = np.zeros(values + 1, np.int64)
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            return people
        unit = into.unit
        for j in range(batch):
            person, a, b = into.who[j], into.first[j], into.first[j + 1]
            for i in range(a, b):
                value = unit[i] if unit[i] >= 0 else values
                if seen[value] != person:
                    seen[value] = person
                    people[value] += 1


@njit(cache=True, nogil=True)
def walk_retention(
    feed: Any, bounds: Any, nominal: int, cohorts: int, start_from: int, start_until: int, columns: int, first: int,
    rolling: bool, at_least: int, groups: int, pick_cohort: int, pick_column: int, pick_group: int,
) -> Any:  # fmt: skip
    """(cells int64[groups, cohorts, columns + 1], uid[p], came[p]).

    bits: START begins a cohort, BACK is a return, EVER is the start event whatever the filters (first time only).
    bounds: of the cohorts' periods and those after them. Starts count in [start_from, start_until).
    feed.unit: the group of each event. first: RECURRING, FIRST_TIME or FIRST_MATCHING. uid, came: who is in cohort
    pick_cohort (of pick_group, -1: any), and whether they came in column pick_column.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    last = len(bounds) - 1
    cells = np.zeros((groups, cohorts, columns + 1), np.int64)
    began, group, back = np.empty(cohorts, np.int64), np.empty(cohorts, np.int64), np.empty(last + 1, np.int64)
    out_uid, out_came = np.empty(64, np.int64), np.empty(64, np.uint8)
    picked = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            break
        ts, bits, unit = into.ts, into.bits, into.unit
        for j in range(batch):
            person, a, b = into.who[j], into.first[j], into.first[j + 1]
            starts = backs = times = 0
            looking = True
            for i in range(a, b):
                m = bits[i]
                at = -2
                if m & (START | EVER) and looking:
                    inside = start_from <= ts[i] < start_until
                    if first == FIRST_TIME:
                        # Whatever the first ever was decides, also where the filters leave it out.
                        looking = False
                        inside = inside and m & START != 0
                    elif first == FIRST_MATCHING:
                        looking = False
                    elif m & START == 0:
                        inside = False
                    if inside:
                        at = period_of(ts[i], bounds, nominal)
                        if starts == 0 or began[starts - 1] != at:
                            began[starts], group[starts] = at, unit[i]
                            starts += 1
                if m & BACK:
                    if at == -2:
                        at = period_of(ts[i], bounds, nominal)
                    if 0 <= at < last:
                        if backs > 0 and back[backs - 1] == at:
                            times += 1
                        elif times >= at_least or backs == 0:
                            back[backs] = at
                            backs += 1
                            times = 1
                        else:
                            # Not often enough in the period before: this one takes its place.
                            back[backs - 1] = at
                            times = 1
            if backs > 0 and times < at_least:
                backs -= 1
            behind = 0
            for s in range(starts):
                c, g = began[s], group[s]
                if g < 0:
                    continue
                cells[g, c, 0] += 1
                came = pick_column == 0
                while behind < backs and back[behind] <= c:
                    behind += 1
                if rolling:
                    if backs > behind:
                        reach = min(columns, back[backs - 1] - c)
                        cells[g, c, reach] += 1
                        came = came or reach >= pick_column
                else:
                    q = behind
                    while q < backs and back[q] - c <= columns:
                        cells[g, c, back[q] - c] += 1
                        came = came or back[q] - c == pick_column
                        q += 1
                if c == pick_cohort and (pick_group < 0 or g == pick_group):
                    if picked == len(out_uid):
                        out_uid, out_came = grown(out_uid, picked + 1), grown(out_came, picked + 1)
                    out_uid[picked], out_came[picked] = person, came
                    picked += 1
    if rolling:
        # A person is counted at the last column reached; who reached a later one is in all before it.
        for g in range(groups):
            for c in range(cohorts):
                for k in range(columns - 1, 0, -1):
                    cells[g, c, k] += cells[g, c, k + 1]
    return cells, out_uid[:picked], out_came[:picked]


@njit(cache=True, nogil=True)
def walk_lifecycle(feed: Any, bounds: Any, nominal: int, groups: int, pick_period: int, pick_state: int) -> Any:
    """(counts int64[groups, 4, periods], uid[p]): new, returning, resurrecting, dormant people.

    bounds[0] begins the period before the first one shown. bits: START is activity, EVER activity
    whatever the filters. feed.unit: groups; a
    person's group in a period is that of its first event there. uid: who is in pick_state in pick_period.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    periods = len(bounds) - 2
    counts = np.zeros((groups, 4, periods), np.int64)
    out_uid = np.empty(64, np.int64)
    picked = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            break
        ts, bits, unit = into.ts, into.bits, into.unit
        for j in range(batch):
            person, a, b = into.who[j], into.first[j], into.first[j + 1]
            born = period_of(ts[a], bounds, nominal)  # any event here is one of the event's, filters or not
            before, before_group = -2, -1
            for i in range(a, b + 1):
                at = periods + 5
                if i < b:
                    if not bits[i] & START:
                        continue
                    at = period_of(ts[i], bounds, nominal)
                    if at == before:
                        continue
                if before >= 0 and before + 1 < at and before + 1 <= periods and before_group >= 0:
                    counts[before_group, 3, before] += 1
                    if before == pick_period and pick_state == 3:
                        if picked == len(out_uid):
                            out_uid = grown(out_uid, picked + 1)
                        out_uid[picked] = person
                        picked += 1
                if i == b:
                    break
                if 1 <= at <= periods and unit[i] >= 0:
                    state = 0 if born == at else (1 if before == at - 1 else 2)
                    counts[unit[i], state, at - 1] += 1
                    if at - 1 == pick_period and state == pick_state:
                        if picked == len(out_uid):
                            out_uid = grown(out_uid, picked + 1)
                        out_uid[picked] = person
                        picked += 1
                before, before_group = at, unit[i]
    return counts, out_uid[:picked]


@njit(cache=True, nogil=True)
def walk_stickiness(feed: Any, bounds: Any, nominal: int, at_least: int, groups: int, pick: int, up_to: int) -> Any:
    """(counts int64[groups, periods + 1], uid[p]): people by how many periods they were active in.

    A period counts with at least so many events. uid: those active in `pick` (0: nobody) to `up_to` periods. The group
    (feed.unit) is that of a person's first event.
    """
    pos, nxt = begin(feed)
    into = buffers(8192, len(pos))
    periods = len(bounds) - 1
    counts = np.zeros((groups, periods + 1), np.int64)
    out_uid = np.empty(64, np.int64)
    picked = 0
    while True:
        batch = gather(feed, pos, nxt, into)
        if batch < 0:
            into = buffers(2 * len(into.ts), len(pos))
            continue
        if batch == 0:
            break
        ts, unit = into.ts, into.unit
        for j in range(batch):
            person, a, b = into.who[j], into.first[j], into.first[j + 1]
            active, current, times = 0, -1, 0
            for i in range(a, b):
                at = period_of(ts[i], bounds, nominal)
                if at != current:
                    current, times = at, 0
                times += 1
                if times == at_least:
                    active += 1
            if active > 0 and unit[a] >= 0:
                counts[unit[a], active] += 1
                if 0 < pick <= active <= up_to:
                    if picked == len(out_uid):
                        out_uid = grown(out_uid, picked + 1)
                    out_uid[picked] = person
                    picked += 1
    return counts, out_uid[:picked]
