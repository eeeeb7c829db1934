"""What a touch has brought, told from people who were held out from it.

Of those a channel was meant for, some were picked at random and not touched. Were the channel without
effect, both would convert alike; what the others have more, times how many they are, is incremental. The
interval is Welch's for the difference of two means (B. L. Welch, Biometrika 34, 1947), with the normal
distribution for Student's. Everybody of a segment counts, also who did nothing.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.feed import Step, feed_of, over_buckets
from tilth.behavior.filters import Name
from tilth.behavior.kernels.measures import walk_totals
from tilth.behavior.numbers import numbers_of
from tilth.behavior.question import Question
from tilth.errors import InvalidInput

__all__ = ["Holdout", "Incremental", "shown_by_holdouts"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
_Z = 1.959963984540054  # two-sided 95 %
MAX_HOLDOUTS = 50


class Holdout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of two segments: whom the value was meant for, and who was held out from it."""

    treated: str
    held_out: str


class Incremental(msgspec.Struct, frozen=True, kw_only=True):
    """What a value has brought: conversions and revenue more than without it, each with a 95 % interval.

    Its bounds are None where all people are alike, as when nobody converted: that tells nothing of how far it may be
    off. treated, held_out: people; treated_rate, held_out_rate: conversions a person. cac: cost per incremental
    conversion, None where there is no cost or nothing more, with its bounds; cac_high is None where there may be
    nothing more, and with it no bound. roi: (revenue - cost) / cost with its bounds, None without a cost.
    """

    value: str
    treated: int
    held_out: int
    treated_rate: float
    held_out_rate: float
    conversions: float
    conversions_low: float | None
    conversions_high: float | None
    revenue: float
    revenue_low: float | None
    revenue_high: float | None
    cost: float | None
    cac: float | None
    cac_low: float | None
    cac_high: float | None
    roi: float | None
    roi_low: float | None
    roi_high: float | None


def shown_by_holdouts(
    question: Question,
    holdouts: Mapping[str, Holdout],
    conversion: Step,
    worth: Name,
    scale: int,
    threads: int,
    costs: Mapping[str, float],
) -> list[Incremental]:
    """What each holdout shows, by value. Raises `InvalidInput` where people cannot be compared."""
    if len(holdouts) > MAX_HOLDOUTS:
        raise InvalidInput("holdouts", f"takes at most {MAX_HOLDOUTS} values")
    found = []
    for value, holdout in sorted(holdouts.items()):
        path = f"holdouts.{value}"
        treated = _members(question, holdout.treated, f"{path}.treated")
        held_out = _members(question, holdout.held_out, f"{path}.held_out")
        both = len(np.intersect1d(treated, held_out, assume_unique=True))
        if both:
            raise InvalidInput(path, f"{both:,} people are in both segments")
        rate, without = (_of_people(question, uids, conversion, worth, scale, threads) for uids in (treated, held_out))
        many = len(treated)
        effects = [_difference(a, b, many) for a, b in zip(rate, without, strict=True)]
        (conversions, low, high), (revenue, least, most) = effects
        cost = costs.get(value)
        found.append(
            Incremental(
                value=value,
                treated=many,
                held_out=len(held_out),
                treated_rate=rate[0][0],
                held_out_rate=without[0][0],
                conversions=conversions,
                conversions_low=low,
                conversions_high=high,
                revenue=revenue,
                revenue_low=least,
                revenue_high=most,
                cost=cost,
                cac=_each(cost, conversions),
                cac_low=_each(cost, high) if conversions > 0 else None,
                cac_high=_each(cost, low) if conversions > 0 else None,
                roi=_return(revenue, cost),
                roi_low=_return(least, cost),
                roi_high=_return(most, cost),
            )
        )
    return found


def _members(question: Question, key: str, path: str) -> Int64:
    uids = question.members(key, path)
    if question.people is not None:
        uids = np.intersect1d(uids, question.people, assume_unique=True)
    if len(uids) < 2:
        raise InvalidInput(path, f"has {len(uids)} of the people asked about; two are the least to compare")
    return uids


# Mean and variance of the mean.
_Mean = tuple[float, float]


def _of_people(
    question: Question, uids: Int64, conversion: Step, worth: Name, scale: int, threads: int
) -> tuple[_Mean, _Mean]:
    """Conversions and revenue a person."""
    other = copy.copy(question)
    other.people = uids

    def work(bucket: int) -> Any:
        feed = feed_of(other, bucket, [(conversion, 1)], values=lambda strand: numbers_of(other, strand, worth))
        _, events, _, real, _ = walk_totals(feed.feed)
        return events.astype(np.float64), real[0]

    parts = over_buckets(other, work, threads)
    events = np.concatenate([p[0] for p in parts])
    money = np.concatenate([p[1] for p in parts]) / scale
    return _mean(events, len(uids)), _mean(money, len(uids))


def _mean(number: Float64, people: int) -> _Mean:
    """Of so many people, of whom those not in `number` have 0."""
    mean = float(number.sum()) / people
    squares = float(((number - mean) ** 2).sum()) + (people - len(number)) * mean**2
    return mean, squares / (people - 1) / people


def _difference(a: _Mean, b: _Mean, people: int) -> tuple[float, float | None, float | None]:
    """(difference of so many people, low, high)."""
    effect, half = people * (a[0] - b[0]), people * _Z * math.sqrt(a[1] + b[1])
    return (effect, effect - half, effect + half) if half > 0 else (effect, None, None)


def _return(revenue: float | None, cost: float | None) -> float | None:
    return (revenue - cost) / cost if cost and revenue is not None else None


def _each(cost: float | None, conversions: float | None) -> float | None:
    return cost / conversions if cost is not None and conversions is not None and conversions > 0 else None
