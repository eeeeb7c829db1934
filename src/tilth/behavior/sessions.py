"""Sessions: how many, how long, how full; a session ends after a pause, or at another source or campaign."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import group_codes, people_groups
from tilth.behavior.calendar import parse_duration
from tilth.behavior.feed import Step, feed_of, over_buckets, parse_step
from tilth.behavior.filters import Name
from tilth.behavior.kernels.sessions import walk_session_people, walk_sessions
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.quantiles import quantiles
from tilth.behavior.question import Question
from tilth.behavior.strands import Strand
from tilth.behavior.wilson import wilson
from tilth.errors import InvalidInput

__all__ = ["SessionsAnswer", "SessionsParameters", "campaigns", "gap_of", "session_people", "sessions"]

Int64 = npt.NDArray[np.int64]
SOURCE = Name("column", "source")
CAMPAIGN = Name("event", "utm_campaign")
MAX_LENGTHS = 30_000_000


class SessionsParameters(Asked, frozen=True, kw_only=True):
    """event: the events sessions are made of (default: all). gap: the pause that ends one (fixed length)."""

    event: Any = "*"
    gap: str = "30m"
    interval: str = "day"
    week_starts: str = "monday"


class SessionNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """mean_seconds: first to last event; bounced: share (0..1) of sessions of one event, bounced_low and
    bounced_high its 95 % interval (Wilson); None of none."""

    sessions: int
    people: int
    mean_seconds: float | None
    mean_events: float | None
    per_person: float | None
    bounced: float | None
    bounced_low: float | None = None
    bounced_high: float | None = None


class SessionPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that began in a period."""

    period: str
    numbers: SessionNumbers


class SessionValue(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions whose first event has a value of the breakdown."""

    value: Any
    numbers: SessionNumbers


class SessionsAnswer(Answer, frozen=True, kw_only=True):
    """total: the whole range; median_seconds: of all sessions. partial: the period that was not over."""

    total: SessionNumbers
    median_seconds: float | None
    periods: list[SessionPeriod]
    breakdown: list[SessionValue]
    partial: str | None = None


def gap_of(text: str) -> int:
    """The pause in µs; calendar months are refused."""
    length = parse_duration(text, "gap")
    if length.months:
        raise InvalidInput("gap", "must be a fixed length, not months")
    return length.us


def campaigns(question: Question) -> Any:
    """For `feed_of`: the campaign of each row as a number, NaN for none; None where no event has one."""
    if not question.seen(CAMPAIGN):
        return None

    def of(strand: Strand) -> npt.NDArray[np.float64]:
        codes = question.codes(strand, [CAMPAIGN])[0]
        return np.where(codes < 0, np.nan, codes.astype(np.float64))

    return of


def sessions(question: Question, asked: SessionsParameters, threads: int) -> SessionsAnswer:
    """Answer a question about sessions."""
    step: Step = parse_step(asked.event, "event", question).restricted(question.filters)
    gap = gap_of(asked.gap)
    periods = question.periods(asked.interval, asked.week_starts)
    nominal = max(1, int(periods.bounds[-1] - periods.bounds[0]) // len(periods))
    campaign = campaigns(question)

    def run(groups: int, codes: Any) -> tuple[Int64, Int64, int]:
        def work(bucket: int) -> tuple[Any, int]:
            feed = feed_of(question, bucket, [(step, 1)], codes=codes, hold=[SOURCE], values=campaign)
            return walk_sessions(feed.feed, periods.bounds, nominal, groups, gap, MAX_LENGTHS), feed.rows

        parts = over_buckets(question, work, threads)
        counts = np.sum([p[0][0] for p in parts], axis=0)
        return counts, np.concatenate([p[0][1] for p in parts]), sum(p[1] for p in parts)

    counts, lengths, scanned = run(1, None)
    breakdown: list[SessionValue] = []
    if question.breakdown:
        # People may have sessions of several values, so the total is not the sum of these.
        groups = people_groups(question, question.breakdown, step, threads)
        by_value, _, _ = run(max(1, len(groups)), group_codes(question, question.breakdown, groups))
        breakdown = [SessionValue(value=v, numbers=_numbers(by_value[:, g, -1])) for g, v in enumerate(groups.labels)]
    return SessionsAnswer(
        scanned=scanned,
        total=_numbers(counts[:, 0, -1]),
        median_seconds=quantiles(lengths, (0.5,))[0] / 1e6 if 0 < len(lengths) <= MAX_LENGTHS else None,
        periods=[
            SessionPeriod(period=label, numbers=_numbers(counts[:, 0, p])) for p, label in enumerate(periods.labels)
        ],
        breakdown=breakdown,
        partial=periods.running(question.now),
    )


def session_people(
    question: Question, asked: SessionsParameters, threads: int, *, period: str = "", bounced: bool = False
) -> Int64:
    """uids, ascending, of those of whom a session began in a period ("": in the range); bounced: one of one event."""
    step: Step = parse_step(asked.event, "event", question).restricted(question.filters)
    gap = gap_of(asked.gap)
    periods = question.periods(asked.interval, asked.week_starts)
    at = -1 if not period else periods.at(period)
    nominal = max(1, int(periods.bounds[-1] - periods.bounds[0]) // len(periods))
    campaign = campaigns(question)

    def work(bucket: int) -> Int64:
        feed = feed_of(question, bucket, [(step, 1)], hold=[SOURCE], values=campaign)
        found: Int64 = walk_session_people(feed.feed, periods.bounds, nominal, gap, at, bounced)
        return found

    return np.sort(np.concatenate(over_buckets(question, work, threads)))


def _numbers(counts: Int64) -> SessionNumbers:
    many, people, events, us, bounced = counts.tolist()
    low, high = wilson(bounced, many) or (None, None)
    return SessionNumbers(
        sessions=many,
        people=people,
        mean_seconds=us / many / 1e6 if many else None,
        mean_events=events / many if many else None,
        per_person=many / people if people else None,
        bounced=bounced / many if many else None,
        bounced_low=low,
        bounced_high=high,
    )
