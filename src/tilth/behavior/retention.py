"""Retention: of those who started in a period, how many came back in the k-th period after.

Cohorts are of the range; returns count also after it, as far as there is data. A cell whose period
has not begun is null, never 0: a period has come when it begins before the last event known, or before
the range's end and now. Column 0 is always the whole cohort. See semantics.md, Retention.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import Groups, group_codes, people_groups
from tilth.behavior.calendar import Periods, Span, extended
from tilth.behavior.feed import feed_of, over_buckets, parse_step
from tilth.behavior.kernels import cohorts
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.behavior.wilson import wilson
from tilth.errors import InvalidInput, LimitReached

__all__ = ["RetentionAnswer", "RetentionParameters", "RetentionRow", "cell_people", "retention"]

Int64 = npt.NDArray[np.int64]
FIRSTS = {
    "recurring": cohorts.RECURRING,
    "first_time": cohorts.FIRST_TIME,
    "first_matching": cohorts.FIRST_MATCHING,
}
MAX_PERIODS_AFTER = 1_000
MAX_CELLS = 4_000_000


class RetentionParameters(Asked, frozen=True, kw_only=True):
    """start, return: events (a name, `"*"`, `{"event", "filters"}`, `{"any_of": […]}`); return is start by default.

    interval: hour, day, week or month. periods: how many after the first are shown. kind: bounded
    (came back in the k-th period) or rolling (in it or later). first: recurring (everyone who did
    start in the period), first_time (the period of the first ever start) or first_matching (of the first that meets the
    filters). at_least: so many times in a period make a return.
    """

    start: Any
    return_: Any = msgspec.field(default=None, name="return")
    interval: str = "day"
    periods: int = 7
    kind: str = "bounded"
    first: str = "recurring"
    at_least: int = 1
    week_starts: str = "monday"


class RetentionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A cohort. returned[k]: people who came back in column k; low, high: 95 % Wilson bounds of their share. partial:
    the column whose period was not over when it was asked."""

    period: str
    people: int
    returned: list[int | None]
    low: list[float | None]
    high: list[float | None]
    partial: int | None = None


class RetentionValue(msgspec.Struct, frozen=True, kw_only=True):
    """The retention of one value of the breakdown (of the event that put a person in the cohort)."""

    value: Any
    rows: list[RetentionRow]
    average: list[float | None]


class RetentionAnswer(Answer, frozen=True, kw_only=True):
    """average[k]: share (0..1) of all cohorts whose column k is over, weighted by people; low, high: its bounds.

    n_day: average of D1, D7 and D30, with interval day, as far as there are columns.
    """

    rows: list[RetentionRow]
    average: list[float | None]
    average_low: list[float | None]
    average_high: list[float | None]
    n_day: dict[str, float | None]
    breakdown: list[RetentionValue]


def retention(question: Question, asked: RetentionParameters, threads: int) -> RetentionAnswer:
    """Answer a retention question."""
    run = _Run(question, asked, threads)
    cells, scanned, _, _ = run.walk()
    everyone = cells.sum(axis=0)
    rows = run.rows(everyone)
    average, low, high = run.average(everyone)
    n_day = {f"D{k}": average[k] for k in (1, 7, 30) if k < len(average)} if asked.interval == "day" else {}
    return RetentionAnswer(
        scanned=scanned,
        rows=rows,
        average=average,
        average_low=low,
        average_high=high,
        n_day=n_day,
        breakdown=[
            RetentionValue(value=label, rows=run.rows(cells[g]), average=run.average(cells[g])[0])
            for g, label in enumerate(run.groups.labels)
        ]
        if question.breakdown
        else [],
    )


def cell_people(
    question: Question, asked: RetentionParameters, threads: int, period: str, column: int, came: bool
) -> Int64:
    """uids behind a cell, ascending: of the cohort `period`, those who came in `column`, or those who did not."""
    run = _Run(question, asked, threads)
    if period not in run.periods.labels:
        raise InvalidInput("period", f"{period[:40]!r} is not a cohort of this answer")
    if not 0 <= column <= asked.periods:
        raise InvalidInput("column", f"must be between 0 and {asked.periods}")
    _, _, uid, did = run.walk(run.periods.labels.index(period), column)
    return np.sort(uid[did.astype(bool) == came])


class _Run:
    """One retention question's checked parameters and kernel calls."""

    def __init__(self, question: Question, asked: RetentionParameters, threads: int) -> None:
        if asked.kind not in ("bounded", "rolling"):
            raise InvalidInput("kind", f"{asked.kind!r} is not a kind of retention", ["bounded", "rolling"])
        if asked.first not in FIRSTS:
            raise InvalidInput("first", f"{asked.first!r} is not known", list(FIRSTS))
        if not 1 <= asked.periods <= MAX_PERIODS_AFTER:
            raise InvalidInput("periods", f"must be between 1 and {MAX_PERIODS_AFTER:,}")
        if not 1 <= asked.at_least <= 1_000_000:
            raise InvalidInput("at_least", "must be between 1 and 1,000,000")
        self.question, self.asked, self.threads = question, asked, threads
        start = parse_step(asked.start, "start", question)
        back = parse_step(asked.start if asked.return_ is None else asked.return_, "return", question)
        self.start = start.restricted(question.filters)
        self.bits = [(self.start, cohorts.START), (back.restricted(question.filters), cohorts.BACK)]
        self.timeless = 0
        if asked.first == "first_time":
            self.bits.append((start.bare(), cohorts.EVER))
            self.timeless = cohorts.EVER
        elif asked.first == "first_matching":
            self.timeless = cohorts.START
        self.periods: Periods = question.periods(asked.interval, asked.week_starts)
        last = question.snapshot.last or 0
        first, end = question.bounds()
        self.horizon = max(last + 1, min(question.now, end))
        longer = extended(self.periods, asked.periods + 1, question.zone)
        while asked.kind == "rolling" and longer.bounds[-1] <= last:
            # Later returns count too, so there are periods as far as there are events.
            longer = extended(longer, len(longer), question.zone)
        self.longer = longer
        self.first = first
        self.groups: Groups = people_groups(question, question.breakdown, self.start, threads)
        cells = max(1, len(self.groups)) * len(self.periods) * (asked.periods + 1)
        if cells > MAX_CELLS:
            raise LimitReached(
                f"the answer would have {cells:,} cells, more than {MAX_CELLS:,}; choose fewer periods or values"
            )

    def walk(self, pick_cohort: int = -1, pick_column: int = -1) -> tuple[Int64, int, Int64, npt.NDArray[np.uint8]]:
        """(cells[group, cohort, column], events looked at, the people of a cohort, whether they came)."""
        question, asked = self.question, self.asked
        bounds = self.longer.bounds
        nominal = _nominal(bounds)
        span = Span(question.span.first, int(bounds[-1]))
        codes = group_codes(question, question.breakdown, self.groups)

        def work(bucket: int) -> tuple[Any, int]:
            feed = feed_of(question, bucket, self.bits, span=span, timeless=self.timeless, codes=codes)
            found = cohorts.walk_retention(
                feed.feed, bounds, nominal, len(self.periods), question.span.first, question.span.end,
                asked.periods, FIRSTS[asked.first], asked.kind == "rolling", asked.at_least,
                max(1, len(self.groups)), pick_cohort, pick_column, -1,
            )  # fmt: skip
            return found, feed.rows

        parts = over_buckets(question, work, self.threads)
        return (
            np.sum([p[0][0] for p in parts], axis=0),
            sum(p[1] for p in parts),
            np.concatenate([p[0][1] for p in parts]),
            np.concatenate([p[0][2] for p in parts]),
        )

    def has_come(self, cohort: int, column: int) -> bool:
        return column == 0 or int(self.longer.bounds[cohort + column]) < self.horizon

    def is_over(self, cohort: int, column: int) -> bool:
        return int(self.longer.bounds[cohort + column + 1]) <= self.question.now

    def running(self, cohort: int) -> int | None:
        """The column whose period is not over."""
        columns = range(self.asked.periods + 1)
        return next((k for k in columns if self.has_come(cohort, k) and not self.is_over(cohort, k)), None)

    def rows(self, cells: Int64) -> list[RetentionRow]:
        found = []
        for c, label in enumerate(self.periods.labels):
            people = int(cells[c, 0])
            returned = [int(n) if self.has_come(c, k) else None for k, n in enumerate(cells[c])]
            bounds = [None if n is None else wilson(n, people) for n in returned]
            found.append(
                RetentionRow(
                    period=label,
                    people=people,
                    returned=returned,
                    low=[b[0] if b else None for b in bounds],
                    high=[b[1] if b else None for b in bounds],
                    partial=self.running(c),
                )
            )
        return found

    def average(self, cells: Int64) -> tuple[list[float | None], list[float | None], list[float | None]]:
        shares: list[float | None] = []
        bounds: list[tuple[float, float] | None] = []
        for k in range(self.asked.periods + 1):
            # A period that is not over would only make it look worse; the cohort itself is whole.
            come = [c for c in range(len(self.periods)) if self.has_come(c, k) and (k == 0 or self.is_over(c, k))]
            people = int(cells[come, 0].sum())
            returned = int(cells[come, k].sum())
            shares.append(returned / people if people else None)
            bounds.append(wilson(returned, people))
        return shares, [b[0] if b else None for b in bounds], [b[1] if b else None for b in bounds]


def _nominal(bounds: Int64) -> int:
    """The mean length of a period (µs)."""
    return max(1, int(bounds[-1] - bounds[0]) // (len(bounds) - 1))
