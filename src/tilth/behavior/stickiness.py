"""Stickiness: people by the number of periods of the range in which they were active."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import group_codes, people_groups
from tilth.behavior.feed import feed_of, over_buckets, parse_step
from tilth.behavior.kernels import cohorts
from tilth.behavior.newcomers import Share
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.errors import InvalidInput

__all__ = ["StickinessAnswer", "StickinessParameters", "stickiness", "sticky_people"]

Int64 = npt.NDArray[np.int64]


class StickinessParameters(Asked, frozen=True, kw_only=True):
    """event: what counts (default: anything). at_least: so many times in a period make it an active one.

    cumulative: people active in at least so many periods, not in exactly so many.
    """

    event: Any = "*"
    interval: str = "day"
    at_least: int = 1
    cumulative: bool = False
    week_starts: str = "monday"


class StickinessValue(msgspec.Struct, frozen=True, kw_only=True):
    """The stickiness of one value of the breakdown (of a person's first event in the range)."""

    value: Any
    people: list[int]


class StickinessAnswer(Answer, frozen=True, kw_only=True):
    """people[i] were active in active_periods[i] periods (cumulative: in at least so many).

    shares: what part (0..1) of everybody active that is, with low and high, its 95 % interval (Wilson).
    partial: the period of the range that was not over, in which more people may yet become active.
    """

    active_periods: list[int]
    people: list[int]
    breakdown: list[StickinessValue]
    shares: list[Share] = msgspec.field(default_factory=list)
    partial: str | None = None


def stickiness(question: Question, asked: StickinessParameters, threads: int) -> StickinessAnswer:
    """Answer a stickiness question."""
    values, counts, scanned, _ = _walk(question, asked, threads, 0, 0)
    whole = counts.sum(axis=0)
    everybody = int(whole[1:].sum())
    return StickinessAnswer(
        scanned=scanned,
        active_periods=list(range(1, counts.shape[1])),
        people=_people(whole, asked.cumulative),
        shares=[Share.made(n, everybody) for n in _people(whole, asked.cumulative)],
        partial=question.periods(asked.interval, asked.week_starts).running(question.now),
        breakdown=[
            StickinessValue(value=value, people=_people(counts[g], asked.cumulative)) for g, value in enumerate(values)
        ]
        if question.breakdown
        else [],
    )


def sticky_people(question: Question, asked: StickinessParameters, threads: int, active_periods: int) -> Int64:
    """uids of those active in exactly so many periods, ascending (cumulative: in at least so many)."""
    if active_periods < 1:
        raise InvalidInput("active_periods", "must be at least 1")
    many = len(question.periods(asked.interval, asked.week_starts))
    up_to = max(active_periods, many) if asked.cumulative else active_periods
    return np.sort(_walk(question, asked, threads, active_periods, up_to)[3])


def _walk(
    question: Question, asked: StickinessParameters, threads: int, pick: int, up_to: int
) -> tuple[list[Any], Int64, int, Int64]:
    if not 1 <= asked.at_least <= 1_000_000:
        raise InvalidInput("at_least", "must be between 1 and 1,000,000")
    step = parse_step(asked.event, "event", question).restricted(question.filters)
    periods = question.periods(asked.interval, asked.week_starts)
    nominal = max(1, int(periods.bounds[-1] - periods.bounds[0]) // len(periods))
    groups = people_groups(question, question.breakdown, step, threads)
    codes = group_codes(question, question.breakdown, groups)

    def work(bucket: int) -> tuple[Any, int]:
        feed = feed_of(question, bucket, [(step, 1)], codes=codes)
        found = cohorts.walk_stickiness(
            feed.feed, periods.bounds, nominal, asked.at_least, max(1, len(groups)), pick, up_to
        )
        return found, feed.rows

    parts = over_buckets(question, work, threads)
    counts = np.sum([p[0][0] for p in parts], axis=0)
    return groups.labels, counts, sum(p[1] for p in parts), np.concatenate([p[0][1] for p in parts])


def _people(counts: Int64, cumulative: bool) -> list[int]:
    shown = counts[1:]
    return (np.cumsum(shown[::-1])[::-1] if cumulative else shown).tolist()
