"""LTV curves: what the people of a cohort have brought in, period after period.

A person belongs to the period of the first ever `start`. value[k] is the cohort's revenue up to its k-th
period, less refunds, divided by all its people; a period that has not come is null.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.calendar import Span, extended
from tilth.behavior.feed import Step, feed_of, over_buckets, parse_step
from tilth.behavior.kernels.credit import walk_value
from tilth.behavior.numbers import numbers_of, scale_of
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.errors import InvalidInput

__all__ = ["LtvAnswer", "LtvParameters", "LtvRow", "cohort_people", "ltv"]

Int64 = npt.NDArray[np.int64]
REVENUE = ("purchase", "purchase_added")
REFUND = ("refund",)


class LtvParameters(Asked, frozen=True, kw_only=True):
    """start: what begins a cohort (default: the first purchase). revenue, refund: events whose property is
    added and taken off (default: purchases and refunds)."""

    start: Any = None
    revenue: Any = None
    refund: Any = None
    property: str = "amount"
    interval: str = "month"
    periods: int = 12
    week_starts: str = "monday"


class LtvRow(msgspec.Struct, frozen=True, kw_only=True):
    """value[k]: per person, in major units, cumulative; paying[k]: share (0..1) who had paid anything by then."""

    period: str
    people: int
    value: list[float | None]
    paying: list[float | None]


class LtvAnswer(Answer, frozen=True, kw_only=True):
    """average[k]: of all cohorts whose k-th period has come, by people."""

    rows: list[LtvRow]
    average: list[float | None]


def ltv(question: Question, asked: LtvParameters, threads: int) -> LtvAnswer:
    """Answer an LTV question. Filters are of the events that bring money in, not of the start."""
    return _walk(question, asked, threads, -1, -1)[0]


def cohort_people(
    question: Question, asked: LtvParameters, threads: int, *, period: str, column: int = 0, paying: bool = False
) -> Int64:
    """uids, ascending, of a cohort; paying: of those of it who had paid by the column-th period."""
    if not 0 <= column <= asked.periods:
        raise InvalidInput("column", f"must be between 0 and {asked.periods}")
    at = question.periods(asked.interval, asked.week_starts).at(period)
    return np.sort(_walk(question, asked, threads, at, column if paying else -1)[1])


def _walk(
    question: Question, asked: LtvParameters, threads: int, pick_cohort: int, pick_column: int
) -> tuple[LtvAnswer, Int64]:
    if not 1 <= asked.periods <= 1_000:
        raise InvalidInput("periods", "must be between 1 and 1,000")
    revenue = _step(asked.revenue, REVENUE, "revenue", question)
    refund = _step(asked.refund, REFUND, "refund", question)
    start = _step(asked.start if asked.start is not None else asked.revenue, REVENUE, "start", question)
    name = question.property(asked.property, "property")
    scale = scale_of(question, name)
    periods = question.periods(asked.interval, asked.week_starts)
    longer = extended(periods, asked.periods, question.zone)
    nominal = max(1, int(longer.bounds[-1] - longer.bounds[0]) // len(longer))
    _, end = question.bounds()
    horizon = max((question.snapshot.last or 0) + 1, min(question.now, end))
    bits = [(start, 1), (revenue.restricted(question.filters), 2), (refund.restricted(question.filters), 4)]
    span = Span(question.span.first, int(longer.bounds[-1]))

    def work(bucket: int) -> tuple[Any, int]:
        feed = feed_of(
            question, bucket, bits, span=span, timeless=1, values=lambda strand: numbers_of(question, strand, name)
        )
        found = walk_value(
            feed.feed, longer.bounds, nominal, len(periods), question.span.first, question.span.end, asked.periods,
            pick_cohort, pick_column,
        )  # fmt: skip
        return found, feed.rows

    parts = over_buckets(question, work, threads)
    people = np.sum([p[0][0] for p in parts], axis=0)
    value = np.cumsum(np.sum([p[0][1] for p in parts], axis=0), axis=1) / scale
    payers = np.sum([p[0][2] for p in parts], axis=0)

    def come(c: int, k: int) -> bool:
        return k == 0 or int(longer.bounds[c + k]) < horizon

    rows = [
        LtvRow(
            period=label,
            people=int(people[c]),
            value=[
                float(value[c, k]) / int(people[c]) if people[c] and come(c, k) else None
                for k in range(asked.periods + 1)
            ],
            paying=[
                int(payers[c, k]) / int(people[c]) if people[c] and come(c, k) else None
                for k in range(asked.periods + 1)
            ],
        )
        for c, label in enumerate(periods.labels)
    ]
    average: list[float | None] = []
    for k in range(asked.periods + 1):
        mine = [c for c in range(len(periods)) if come(c, k)]
        many = int(people[mine].sum())
        average.append(float(value[mine, k].sum()) / many if many else None)
    answer = LtvAnswer(scanned=sum(p[1] for p in parts), rows=rows, average=average)
    return answer, np.concatenate([p[0][3] for p in parts])


def _step(raw: Any, usual: tuple[str, ...], path: str, question: Question) -> Step:
    """The event asked for, or those of commerce that this workspace has."""
    if raw is not None:
        return parse_step(raw, path, question)
    names = [n for n in usual if n in question.snapshot.names]
    if not names and path != "refund":
        question.unknown_unless_allowed("event", usual[0], path, question.snapshot.names)
    return parse_step({"any_of": names}, path, question) if names else Step(path, ())
