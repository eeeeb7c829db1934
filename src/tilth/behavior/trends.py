"""Trends: a number of events or people, period by period.

metric: count (events), people (distinct, exact), sum, mean, min, max, median, p90 or a quantile of a property, or
per_person (events, or the property's sum, divided by the people of the period). Where nothing
happened count, people and sum are 0 and the others null. Money is in major units, as the source sent it.
"""

from __future__ import annotations

import copy
import datetime as dt
import math
import string
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import Groups, group_codes, people_groups
from tilth.behavior.calendar import Periods, Span
from tilth.behavior.feed import Step, feed_of, over_buckets, parse_step
from tilth.behavior.filters import Name
from tilth.behavior.formula import parse_formula
from tilth.behavior.kernels.measures import walk_both, walk_measures, walk_present
from tilth.behavior.numbers import numbers_of, scale_of
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.behavior.strands import Strand
from tilth.errors import InvalidInput, LimitReached

__all__ = ["METRICS", "Point", "Series", "TrendSeries", "TrendsAnswer", "TrendsParameters", "trend_people", "trends"]

Int64 = npt.NDArray[np.int64]
Number = float | int | None
METRICS = ("count", "people", "sum", "mean", "min", "max", "median", "p90", "quantile", "per_person")
_QUANTILES = {"median": 0.5, "p90": 0.9}
MAX_SERIES = 26
MAX_VALUES = 30_000_000


class Series(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a trend: an event, a metric, the property it is of, filters of its own.

    quantile: which one, with the metric quantile (0..1). cap: larger values of the property count as this one.
    also: with the metric people, only those who did this event too, in the same period.
    """

    label: str | None = None
    event: Any = "*"
    metric: str = "count"
    property: str | None = None
    filters: Any = None
    quantile: float | None = None
    cap: float | None = None
    also: Any = None


class TrendsParameters(Asked, frozen=True, kw_only=True):
    """event, metric, property: one series; or series: up to 26, with formula (`A / B`) over them.

    compare: also the range of the same length just before. moving_average: over so many periods, the
    last of them the point's own.
    """

    event: Any = "*"
    metric: str = "count"
    property: str | None = None
    interval: str = "day"
    series: list[Series] | None = None
    formula: str | None = None
    compare: bool = False
    moving_average: int | None = None
    week_starts: str = "monday"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a period; None where there is none. moving_average: None unless asked for."""

    period: str
    value: Number
    moving_average: float | None = None


class TrendSeries(msgspec.Struct, frozen=True, kw_only=True):
    """A line. breakdown: its value, None without one or where it is missing. total: over the whole range
    (people: distinct in it). previous: the points of the range before, when compared."""

    label: str
    breakdown: Any
    points: list[Point]
    total: Number
    previous: list[Point]


class TrendsAnswer(Answer, frozen=True, kw_only=True):
    """series by label, each by breakdown value. partial: the period that was not over when it was asked."""

    series: list[TrendSeries]
    partial: str | None = None


@dataclass(frozen=True)
class _Line:
    label: str
    step: Step
    metric: str
    property: Name | None
    scale: int
    quantile: float | None
    cap: float | None
    also: Step | None


# One line's values: [group][period], the whole range being the last period.
_Grid = list[list[Number]]


def trends(question: Question, asked: TrendsParameters, threads: int) -> TrendsAnswer:
    """Answer a trend."""
    lines = _lines(question, asked)
    if asked.moving_average is not None and not 1 <= asked.moving_average <= 1000:
        raise InvalidInput("moving_average", "must be between 1 and 1,000 periods")
    formula = parse_formula(asked.formula, len(lines), "formula") if asked.formula is not None else None
    everything = Step("", tuple(a for line in lines for a in line.step.atoms))
    groups = people_groups(question, question.breakdown, everything, threads)
    periods = question.periods(asked.interval, asked.week_starts)
    grids, scanned = _grids(question, lines, groups, periods, threads)
    before: list[_Grid] = []
    earlier: Periods | None = None
    if asked.compare:
        past = _past(question)
        earlier = past.periods(asked.interval, asked.week_starts)
        before, more = _grids(past, lines, groups, earlier, threads)
        scanned += more
    labels = [line.label for line in lines]
    if formula is not None:
        assert asked.formula is not None
        labels = [asked.formula]
        grids, before = [_applied(formula, grids)], [_applied(formula, before)] if before else []
    shown = groups.labels if question.breakdown else [None]
    return TrendsAnswer(
        scanned=scanned,
        partial=periods.running(question.now),
        series=[
            TrendSeries(
                label=label,
                breakdown=value,
                points=_points(periods, grids[i][g], asked.moving_average),
                total=grids[i][g][-1],
                previous=_points(earlier, before[i][g], asked.moving_average) if earlier is not None else [],
            )
            for i, label in enumerate(labels)
            for g, value in enumerate(shown)
        ],
    )


def trend_people(
    question: Question, asked: TrendsParameters, threads: int, *, series: int = 0, period: str = ""
) -> Int64:
    """uids, ascending, of those with an event of a series in a period ("": in the range); of a metric of a property,
    of those with a value of it. Without regard to a breakdown."""
    lines = _lines(question, asked)
    if not 0 <= series < len(lines):
        raise InvalidInput("series", f"must be between 0 and {len(lines) - 1}")
    line, name = lines[series], lines[series].property
    periods = question.periods(asked.interval, asked.week_starts)
    at = periods.at(period) if period else 0
    span = Span(int(periods.bounds[at]), int(periods.bounds[at + 1])) if period else question.span
    bits = [(line.step, 1)] if line.also is None else [(line.step, 1), (line.also, 2)]
    values = None if name is None else (lambda strand: numbers_of(question, strand, name))

    def work(bucket: int) -> Int64:
        feed = feed_of(question, bucket, bits, span=span, values=values)
        found: Int64 = walk_present(feed.feed, sum(b for _, b in bits), name is not None)
        return found

    return np.sort(np.concatenate(over_buckets(question, work, threads)))


def _lines(question: Question, asked: TrendsParameters) -> list[_Line]:
    if asked.series is None:
        if asked.formula is not None:
            raise InvalidInput("formula", "needs series to compute with")
        one = Series(event=asked.event, metric=asked.metric, property=asked.property)
        return [_line(question, one, "", "")]
    if not 1 <= len(asked.series) <= MAX_SERIES:
        raise InvalidInput("series", f"must be 1 to {MAX_SERIES}")
    return [_line(question, s, f"series[{i}].", string.ascii_uppercase[i]) for i, s in enumerate(asked.series)]


def _line(question: Question, series: Series, path: str, letter: str) -> _Line:
    if series.metric not in METRICS:
        raise InvalidInput(f"{path}metric", f"{series.metric[:40]!r} is not a metric", list(METRICS))
    step = parse_step(series.event, f"{path}event", question)
    own = question.parse(series.filters, f"{path}filters")
    name: Name | None = None
    if series.property is not None:
        name = question.property(series.property, f"{path}property")
    if series.metric in ("count", "people"):
        name = None
    elif name is None and series.metric != "per_person":
        raise InvalidInput(f"{path}property", f"is missing: {series.metric} is of a property")
    label = series.label or (f"{letter} {step.label}".strip() if letter else step.label)
    full = step.restricted(own).restricted(question.filters)
    if (series.metric == "quantile") != (series.quantile is not None):
        raise InvalidInput(f"{path}quantile", "goes with the metric quantile, and only with it")
    if series.quantile is not None and not 0 < series.quantile < 1:
        raise InvalidInput(f"{path}quantile", "must be between 0 and 1, both excluded")
    if series.cap is not None and (name is None or not math.isfinite(series.cap)):
        raise InvalidInput(f"{path}cap", "must be a number, and goes with a property")
    also: Step | None = None
    if series.also is not None:
        if series.metric != "people":
            raise InvalidInput(f"{path}also", "goes with the metric people")
        also = parse_step(series.also, f"{path}also", question).restricted(question.filters)
    scale = scale_of(question, name)
    cap = None if series.cap is None else series.cap * scale
    quantile = _QUANTILES.get(series.metric, series.quantile)
    return _Line(label, full, series.metric, name, scale, quantile, cap, also)


def _past(question: Question) -> Question:
    """The same question over the days just before the range."""
    if question.span.first == Span.OPEN_FIRST or question.span.end == Span.OPEN_END:
        raise InvalidInput("compare", "needs a range with both ends")
    past = copy.copy(question)
    zone, span = question.zone, question.span
    first, end = zone.date(span.first), zone.date(span.end)
    if zone.start(first) == span.first and zone.start(end) == span.end:
        begin = zone.start(first - dt.timedelta(days=(end - first).days))
    else:
        begin = span.first - (span.end - span.first)
    past.span = Span(begin, span.first)
    return past


def _grids(
    question: Question, lines: list[_Line], groups: Groups, periods: Periods, threads: int
) -> tuple[list[_Grid], int]:
    """Each line's values, and how many events were looked at."""
    nominal = max(1, int(periods.bounds[-1] - periods.bounds[0]) // len(periods))
    codes = group_codes(question, question.breakdown, groups)
    count = max(1, len(groups))
    if count * len(periods) * len(lines) > 2_000_000:
        raise LimitReached("the answer would have more than 2,000,000 points; choose a longer interval")
    found, scanned = [], 0
    for line in lines:
        collect = line.quantile is not None

        def numbers(strand: Strand, line: _Line = line) -> npt.NDArray[np.float64]:
            assert line.property is not None
            found = numbers_of(question, strand, line.property)
            return found if line.cap is None else np.minimum(found, line.cap)

        values = None if line.property is None else numbers

        def work(bucket: int, line: _Line = line, values: Any = values, collect: bool = collect) -> tuple[Any, int]:
            if line.also is not None:
                feed = feed_of(question, bucket, [(line.step, 1), (line.also, 2)], codes=codes)
                both = walk_both(feed.feed, periods.bounds, nominal, count)
                none = np.zeros_like(both)
                return ((none, both, none), np.zeros((3, *both.shape)), none[:0, 0], np.zeros(0)), feed.rows
            feed = feed_of(question, bucket, [(line.step, 1)], codes=codes, values=values)
            return walk_measures(feed.feed, periods.bounds, nominal, count, collect, MAX_VALUES), feed.rows

        parts = over_buckets(question, work, threads)
        scanned = max(scanned, sum(p[1] for p in parts))
        found.append(_grid(line, [p[0] for p in parts]))
    return found, scanned


def _grid(line: _Line, parts: list[Any]) -> _Grid:
    events, people, measured = np.sum([p[0] for p in parts], axis=0)
    total = np.sum([p[1][0] for p in parts], axis=0)
    least = np.min([p[1][1] for p in parts], axis=0)
    greatest = np.max([p[1][2] for p in parts], axis=0)
    if line.metric == "count":
        return events.tolist()
    if line.metric == "people":
        return people.tolist()
    if line.metric == "sum":
        return [[_major(x, line.scale) for x in row] for row in total.tolist()]
    if line.quantile is not None:
        return _quantiles(line, parts, events.shape, line.quantile)
    above = {"mean": total, "min": least, "max": greatest}.get(line.metric, events if line.property is None else total)
    below = {"mean": measured, "per_person": people}.get(line.metric, np.ones_like(events))
    there = people > 0 if line.metric == "per_person" else measured > 0
    return [
        [_major(a / b, line.scale) if ok else None for a, b, ok in zip(*rows, strict=True)]
        for rows in zip(above.tolist(), below.tolist(), there.tolist(), strict=True)
    ]


def _major(value: float, scale: int) -> Number:
    """A number in major units, whole where it is whole."""
    number = value / scale
    return int(number) if float(number).is_integer() and abs(number) < 2**53 else number


def _quantiles(line: _Line, parts: list[Any], shape: tuple[int, int], q: float) -> _Grid:
    cell = np.concatenate([p[2] for p in parts])
    value = np.concatenate([p[3] for p in parts])
    if len(cell) > MAX_VALUES:
        raise LimitReached(f"{line.metric} over more than {MAX_VALUES:,} values; choose a shorter range")
    groups, width = shape
    grid: _Grid = [[None] * width for _ in range(groups)]
    order = np.lexsort((value, cell))
    cell, value = cell[order], value[order]
    cuts = np.searchsorted(cell, np.arange(groups * width + 1))
    for g in range(groups):
        for p in range(width - 1):
            mine = value[cuts[g * width + p] : cuts[g * width + p + 1]]
            if len(mine):
                grid[g][p] = _major(float(np.quantile(mine, q)), line.scale)
        whole = value[cuts[g * width] : cuts[(g + 1) * width]]
        if len(whole):
            grid[g][width - 1] = _major(float(np.quantile(whole, q)), line.scale)
    return grid


def _applied(formula: Any, grids: list[_Grid]) -> _Grid:
    return [[formula(values) for values in zip(*rows, strict=True)] for rows in zip(*grids, strict=True)]


def _points(periods: Periods, values: list[Number], window: int | None) -> list[Point]:
    points = []
    for i, label in enumerate(periods.labels):
        average = None
        if window is not None:
            known = [v for v in values[max(0, i - window + 1) : i + 1] if v is not None]
            average = sum(known) / len(known) if known else None
        points.append(Point(period=label, value=values[i], moving_average=average))
    return points
