"""Newcomers: of the people who came for the first time in the range, who was activated, stayed, paid and was invited.

Everybody is followed from the first event ever until the horizon: the end of the last day that is over, or the
last event known, whichever is earlier. A share is of those whose time for it is over, so that yesterday's people
do not make it look worse.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from tilth.behavior.breakdown import Groups, group_codes, groups_of
from tilth.behavior.calendar import Span, parse_duration, periods_of
from tilth.behavior.feed import Step, feed_of, over_buckets, parse_step
from tilth.behavior.kernels import newcomers as kernel
from tilth.behavior.numbers import numbers_of, scale_of
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.behavior.wilson import wilson
from tilth.errors import InvalidInput

__all__ = ["Newcomers", "NewcomersAnswer", "NewcomersParameters", "Share", "newcomers"]

_MOST_DAYS = 40


class NewcomersParameters(Asked, frozen=True, kw_only=True):
    """activity: what counts as coming (default: any event). activation: the event that shows somebody has seen what it
    is good for, within the duration `activation_within`. revenue, refund: events whose `property` is added and taken
    off; value_within: how long after the first event. invited: the event of somebody who came by a friend.
    days: after which retention is measured."""

    activity: Any = "*"
    activation: Any = None
    activation_within: str = "7d"
    revenue: Any = None
    refund: Any = None
    property: str = "amount"
    value_within: str = "30d"
    invited: Any = None
    days: list[int] = msgspec.field(default_factory=lambda: [1, 7, 30])


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """people of `of`; share is None of nobody. low, high: 95 % Wilson bounds."""

    people: int
    of: int
    share: float | None
    low: float | None
    high: float | None

    @classmethod
    def made(cls, people: int, of: int) -> Share:
        bounds = wilson(people, of)
        low, high = bounds or (None, None)
        return cls(people=people, of=of, share=people / of if of else None, low=low, high=high)


class Newcomers(msgspec.Struct, frozen=True, kw_only=True):
    """people: who came for the first time. activated, kept (by day, of `days`): of those whose time for it is over.
    payers, repeaters (two orders or more): until now. revenue: until now, less refunds, in major units. value: revenue
    a person in value_within, of `valued` people whose time is over, with 95 % bounds. invited: came by a friend."""

    people: int
    activated: Share
    kept: dict[str, Share]
    payers: Share
    repeaters: Share
    orders: int
    revenue: float
    valued: int
    value: float | None
    value_low: float | None
    value_high: float | None
    invited: Share


class NewcomersValue(msgspec.Struct, frozen=True, kw_only=True):
    """The newcomers of one value of the breakdown, that of their first day."""

    value: Any
    newcomers: Newcomers


class NewcomersAnswer(Answer, frozen=True, kw_only=True):
    """horizon: UTC µs until which people were followed."""

    newcomers: Newcomers
    breakdown: list[NewcomersValue]
    horizon: int


def newcomers(question: Question, asked: NewcomersParameters, threads: int) -> NewcomersAnswer:
    """Follow the range's newcomers. Filters are of the activity; who is new is decided without them."""
    if not 1 <= len(asked.days) <= _MOST_DAYS or any(not 1 <= d <= 366 for d in asked.days):
        raise InvalidInput("days", f"must be 1 to {_MOST_DAYS} numbers of days between 1 and 366")
    days = np.unique(np.array(asked.days, np.int64))
    bits: list[tuple[Step, int]] = [(parse_step(asked.activity, "activity", question), kernel.ANY)]
    for raw, field, bit in (
        (asked.activation, "activation", kernel.ACTIVATED),
        (asked.revenue, "revenue", kernel.PAID),
        (asked.refund, "refund", kernel.PAID_BACK),
        (asked.invited, "invited", kernel.INVITED),
    ):
        if raw is not None:
            bits.append((parse_step(raw, field, question).restricted(question.filters), bit))
    priced = asked.revenue is not None or asked.refund is not None
    name = question.property(asked.property, "property") if priced else None
    scale = scale_of(question, name)
    first, end = question.bounds()
    known = (question.snapshot.last or 0) + 1
    horizon = min(known, question.now)
    last = max(end, horizon)
    bounds = periods_of("day", first, last + int(days[-1] + 2) * 86_400_000_000, question.zone).bounds
    nominal = max(1, int(bounds[-1] - bounds[0]) // (len(bounds) - 1))
    groups = _groups(question, bits[0][0], threads)
    codes = group_codes(question, question.breakdown, groups)
    activation = _length(asked.activation_within, "activation_within")
    value = _length(asked.value_within, "value_within")
    everything = 0
    for _, bit in bits:
        everything |= bit
    span = Span(question.span.first, question.span.end)

    def work(bucket: int) -> tuple[Any, int]:
        feed = feed_of(
            question,
            bucket,
            bits,
            span=span,
            timeless=everything,
            codes=codes,
            values=None if name is None else lambda strand: numbers_of(question, strand, name),
        )
        found = kernel.walk_newcomers(
            feed.feed, bounds, nominal, first, end, horizon, activation, value, days, len(groups)
        )
        return found, feed.rows

    parts = over_buckets(question, work, threads)
    counts = np.sum([p[0][0] for p in parts], axis=0)
    money = np.sum([p[0][1] for p in parts], axis=0) / np.array([scale, scale, scale * scale])
    kept = np.sum([p[0][2] for p in parts], axis=0)

    def of(chosen: Any) -> Newcomers:
        return _newcomers(counts[chosen].sum(axis=0), money[chosen].sum(axis=0), kept[chosen].sum(axis=0), days)

    broken = []
    if question.breakdown:
        for g, label in enumerate([*groups.labels, None]):
            if counts[g, kernel.PEOPLE]:
                broken.append(NewcomersValue(value=label, newcomers=of([g])))
        broken.sort(key=lambda v: -v.newcomers.people)
    return NewcomersAnswer(
        scanned=sum(p[1] for p in parts), newcomers=of(slice(None)), breakdown=broken, horizon=horizon
    )


def _length(text: str, field: str) -> int:
    length = parse_duration(text, field)
    if length.months:
        raise InvalidInput(field, "must be of one length, such as 30d")
    return length.us


def _groups(question: Question, step: Step, threads: int) -> Groups:
    """The values newcomers may have, the largest by themselves; without a breakdown one for all."""
    if not question.breakdown:
        return Groups(np.zeros(1, np.int64), [None])
    from tilth.behavior.kernels.cohorts import walk_values

    names = question.breakdown
    values = question.know(names)
    known = len(values.values)
    if known == 0:
        return Groups(np.full(1, -1, np.int64), [])

    def count(bucket: int) -> Any:
        feed = feed_of(question, bucket, [(step, 1)], codes=lambda s: question.codes(s, names)[0].astype(np.int64))
        return walk_values(feed.feed, known)

    sizes = np.sum(over_buckets(question, count, threads), axis=0)
    return groups_of(sizes[:-1], 0, values, question.limit)


def _newcomers(counts: Any, money: Any, kept: Any, days: Any) -> Newcomers:
    people, valued = int(counts[kernel.PEOPLE]), int(counts[kernel.VALUED])
    value = low = high = None
    if valued:
        value = float(money[1]) / valued
        spread = max(0.0, float(money[2]) / valued - value * value) * valued / max(1, valued - 1)
        half = 1.959963984540054 * (spread / valued) ** 0.5
        low, high = value - half, value + half
    return Newcomers(
        people=people,
        activated=Share.made(int(counts[kernel.DONE]), int(counts[kernel.TIMED])),
        kept={f"D{d}": Share.made(int(kept[i, 1]), int(kept[i, 0])) for i, d in enumerate(days.tolist())},
        payers=Share.made(int(counts[kernel.PAYERS]), people),
        repeaters=Share.made(int(counts[kernel.REPEATERS]), int(counts[kernel.PAYERS])),
        orders=int(counts[kernel.ORDERS]),
        revenue=float(money[0]),
        valued=valued,
        value=value,
        value_low=low,
        value_high=high,
        invited=Share.made(int(counts[kernel.ASKED]), people),
    )
