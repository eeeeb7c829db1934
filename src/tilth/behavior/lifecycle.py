"""Lifecycle: in each period a person is new, returning, resurrecting or dormant.

new: the period of the first ever activity; returning: active also in the period before; resurrecting:
active now, not in the period before, not new; dormant: active in the period before, not now (shown
negative). Filters choose which activity counts, but never turn an old person into a new one.
"""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import group_codes, people_groups
from tilth.behavior.calendar import Span, before
from tilth.behavior.feed import feed_of, over_buckets, parse_step
from tilth.behavior.kernels import cohorts
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.errors import InvalidInput

__all__ = ["LifecycleAnswer", "LifecycleParameters", "lifecycle", "state_people"]

Int64 = npt.NDArray[np.int64]
STATES = ("new", "returning", "resurrecting", "dormant")


class LifecycleParameters(Asked, frozen=True, kw_only=True):
    """event: what counts as activity (default: anything). interval: hour, day, week or month."""

    event: Any = "*"
    interval: str = "day"
    week_starts: str = "monday"


class LifecycleValue(msgspec.Struct, frozen=True, kw_only=True):
    """The lifecycle of one value of the breakdown (of a person's first activity in a period; dormant: of the last)."""

    value: Any
    new: list[int]
    returning: list[int]
    resurrecting: list[int]
    dormant: list[int]


class LifecycleAnswer(Answer, frozen=True, kw_only=True):
    """People per period; dormant is 0 or less. partial: the period that was not over when it was asked."""

    periods: list[str]
    new: list[int]
    returning: list[int]
    resurrecting: list[int]
    dormant: list[int]
    breakdown: list[LifecycleValue]
    partial: str | None = None


def lifecycle(question: Question, asked: LifecycleParameters, threads: int) -> LifecycleAnswer:
    """Answer a lifecycle question."""
    labels, values, counts, scanned, _ = _walk(question, asked, threads, -1, -1)
    new, returning, resurrecting, dormant = _signed(counts.sum(axis=0))
    return LifecycleAnswer(
        scanned=scanned,
        periods=labels,
        new=new,
        returning=returning,
        resurrecting=resurrecting,
        dormant=dormant,
        breakdown=[_value(value, counts[g]) for g, value in enumerate(values)] if question.breakdown else [],
        partial=question.periods(asked.interval, asked.week_starts).running(question.now),
    )


def state_people(question: Question, asked: LifecycleParameters, threads: int, period: str, state: str) -> Int64:
    """uids of those in a state in a period, ascending."""
    if state not in STATES:
        raise InvalidInput("state", f"{state[:40]!r} is not a state", list(STATES))
    at = question.periods(asked.interval, asked.week_starts).at(period)
    return np.sort(_walk(question, asked, threads, at, STATES.index(state))[4])


def _walk(
    question: Question, asked: LifecycleParameters, threads: int, pick_period: int, pick_state: int
) -> tuple[list[str], list[Any], Int64, int, Int64]:
    step = parse_step(asked.event, "event", question)
    active = step.restricted(question.filters)
    periods = question.periods(asked.interval, asked.week_starts)
    bounds = np.concatenate(([before(periods, question.zone)], periods.bounds))
    nominal = max(1, int(bounds[-1] - bounds[0]) // (len(bounds) - 1))
    # Whole calendar periods, also where the range begins or ends inside one: see docs/adr/0009.
    span = Span(int(bounds[0]), int(bounds[-1]))
    # Values are named over all days that are looked at, so that nobody is lost who has one of another day.
    question = copy.copy(question)
    question.span = span
    groups = people_groups(question, question.breakdown, active, threads)
    codes = group_codes(question, question.breakdown, groups)
    bits = [(active, cohorts.START), (step.bare(), cohorts.EVER)]

    def work(bucket: int) -> tuple[Any, int]:
        feed = feed_of(question, bucket, bits, span=span, timeless=cohorts.EVER, codes=codes)
        found = cohorts.walk_lifecycle(feed.feed, bounds, nominal, max(1, len(groups)), pick_period, pick_state)
        return found, feed.rows

    parts = over_buckets(question, work, threads)
    counts = np.sum([p[0][0] for p in parts], axis=0)
    return periods.labels, groups.labels, counts, sum(p[1] for p in parts), np.concatenate([p[0][1] for p in parts])


def _signed(counts: Int64) -> tuple[list[int], list[int], list[int], list[int]]:
    """The four states' counts, dormant negative."""
    return counts[0].tolist(), counts[1].tolist(), counts[2].tolist(), (-counts[3]).tolist()


def _value(value: Any, counts: Int64) -> LifecycleValue:
    new, returning, resurrecting, dormant = _signed(counts)
    return LifecycleValue(value=value, new=new, returning=returning, resurrecting=resurrecting, dormant=dormant)
