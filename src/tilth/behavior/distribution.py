"""Distribution: people by how often, or how much, they did something in the range.

metric: count (events a person), or sum, mean, min, max of a property a person. Only people with such
an event (and a value) are in it. Gini and the share held by the top 20 % are of the people's numbers:
the Lorenz curve at 80 %, the person on the border counted in part.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import Groups, group_codes, people_groups
from tilth.behavior.feed import feed_of, over_buckets, parse_step
from tilth.behavior.kernels.measures import walk_totals
from tilth.behavior.numbers import numbers_of, scale_of
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.quantiles import quantiles
from tilth.behavior.question import Question
from tilth.errors import InvalidInput

__all__ = ["Bin", "DistributionAnswer", "DistributionParameters", "bin_people", "distribution", "gini", "top_share"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
METRICS = ("count", "sum", "mean", "min", "max")


class DistributionParameters(Asked, frozen=True, kw_only=True):
    """event; metric and property: see above. bins: how many, or their edges; automatic by default."""

    event: Any = "*"
    metric: str = "count"
    property: str | None = None
    bins: int | list[float] | None = None


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """People from (included) until to (excluded; included in the last bin)."""

    from_: float = msgspec.field(name="from")
    to: float
    people: int


class DistributionValue(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution of one value of the breakdown (of a person's first event in the range)."""

    value: Any
    people: int
    bins: list[Bin]
    mean: float | None
    median: float | None


class DistributionAnswer(Answer, frozen=True, kw_only=True):
    """gini: 0 (all alike) to 1; top20_share: 0..1. None of nobody, and where numbers are negative or all 0."""

    bins: list[Bin]
    people: int
    total: float
    mean: float | None
    median: float | None
    gini: float | None
    top20_share: float | None
    breakdown: list[DistributionValue]


def distribution(question: Question, asked: DistributionParameters, threads: int) -> DistributionAnswer:
    """Answer a distribution."""
    _, number, group, edges, groups, scanned = _measured(question, asked, threads)
    return DistributionAnswer(
        scanned=scanned,
        bins=_bins(number, edges),
        people=len(number),
        total=float(number.sum()),
        mean=float(number.mean()) if len(number) else None,
        median=quantiles(number, (0.5,))[0] if len(number) else None,
        gini=gini(number),
        top20_share=top_share(number, 0.2),
        breakdown=[_value(label, number[group == g], edges) for g, label in enumerate(groups.labels)]
        if question.breakdown
        else [],
    )


def bin_people(question: Question, asked: DistributionParameters, threads: int, *, bin: int = -1) -> Int64:
    """uids, ascending, of the people of a bin, by its number (-1: of all of them)."""
    uid, number, _, edges, _, _ = _measured(question, asked, threads)
    if not -1 <= bin < len(edges) - 1:
        raise InvalidInput("bin", f"must be between 0 and {len(edges) - 2}, or -1 for all")
    if bin >= 0:
        below = number <= edges[bin + 1] if bin == len(edges) - 2 else number < edges[bin + 1]
        uid = uid[(number >= edges[bin]) & below]
    return np.sort(uid)


def _measured(
    question: Question, asked: DistributionParameters, threads: int
) -> tuple[Int64, Float64, Int64, Float64, Groups, int]:
    """(uid, number and group of each person with one, edges of the bins, the groups, events looked at)."""
    if asked.metric not in METRICS:
        raise InvalidInput("metric", f"{asked.metric[:40]!r} is not a metric of a person", list(METRICS))
    step = parse_step(asked.event, "event", question).restricted(question.filters)
    name = None
    if asked.metric != "count":
        if asked.property is None:
            raise InvalidInput("property", f"is missing: {asked.metric} is of a property")
        name = question.property(asked.property, "property")
    scale = scale_of(question, name)
    given = _given_edges(asked.bins)
    groups: Groups = people_groups(question, question.breakdown, step, threads)
    codes = group_codes(question, question.breakdown, groups)
    values = None if name is None else (lambda strand: numbers_of(question, strand, name))

    def work(bucket: int) -> tuple[Any, int]:
        feed = feed_of(question, bucket, [(step, 1)], codes=codes, values=values)
        return walk_totals(feed.feed), feed.rows

    parts = over_buckets(question, work, threads)
    uid = np.concatenate([p[0][0] for p in parts])
    events = np.concatenate([p[0][1] for p in parts])
    measured = np.concatenate([p[0][2] for p in parts])
    real = np.concatenate([p[0][3] for p in parts], axis=1)
    group = np.concatenate([p[0][4] for p in parts])
    number = _numbers(asked.metric, events, measured, real) / scale
    there = ~np.isnan(number)
    number = number[there]
    edges = given if given is not None else automatic_edges(number, asked.bins if isinstance(asked.bins, int) else None)
    return uid[there], number, group[there], edges, groups, sum(p[1] for p in parts)


def _numbers(metric: str, events: npt.NDArray[np.int64], measured: npt.NDArray[np.int64], real: Float64) -> Float64:
    if metric == "count":
        return events.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"sum": real[0], "mean": real[0] / measured, "min": real[1], "max": real[2]}[metric]
    return np.where(measured > 0, found, np.nan)


def _given_edges(bins: int | list[float] | None) -> Float64 | None:
    if bins is None or isinstance(bins, int):
        if isinstance(bins, int) and not 1 <= bins <= 1000:
            raise InvalidInput("bins", "must be between 1 and 1000")
        return None
    edges = np.array(bins, np.float64)
    if not 2 <= len(edges) <= 1001 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise InvalidInput("bins", "must be 2 to 1001 edges, ascending")
    return edges


def automatic_edges(number: Float64, bins: int | None) -> Float64:
    """Edges of bins: so many of equal width; else one for each whole number up to 20, else 1-2-5 steps where the
    numbers span more than a factor of 20, else ten of equal width."""
    if len(number) == 0:
        return np.array([0.0, 1.0])
    low, high = float(number.min()), float(number.max())
    if bins is not None:
        return np.linspace(low, high if high > low else low + 1, bins + 1)
    if high <= 20 and low >= 0 and bool((number == np.floor(number)).all()):
        return np.arange(low, high + 2)
    if low > 0 and high / low > 20:
        steps = [
            m * 10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)
        ]
        below = max((s for s in steps if s <= low), default=low)
        return np.array([s for s in steps if below <= s <= high] + [next(s for s in [*steps, high * 2] if s > high)])
    return np.linspace(low, high if high > low else low + 1, 11)


def _bins(number: Float64, edges: Float64) -> list[Bin]:
    people, _ = np.histogram(number, edges)
    return [
        Bin(from_=float(a), to=float(b), people=int(n)) for a, b, n in zip(edges[:-1], edges[1:], people, strict=True)
    ]


def _value(label: Any, number: Float64, edges: Float64) -> DistributionValue:
    return DistributionValue(
        value=label,
        people=len(number),
        bins=_bins(number, edges),
        mean=float(number.mean()) if len(number) else None,
        median=quantiles(number, (0.5,))[0] if len(number) else None,
    )


def gini(number: Float64) -> float | None:
    """Gini's coefficient: half the mean difference of all pairs, relative to the mean.

    `gini(np.array([0.0, 0.0, 0.0, 1.0]))` is 0.75.
    """
    if len(number) == 0 or number.min() < 0 or number.sum() == 0:
        return None
    n = len(number)
    rank = np.arange(1, n + 1)
    return float((2 * rank - n - 1) @ np.sort(number) / (n * number.sum()))


def top_share(number: Float64, top: float) -> float | None:
    """The share of the sum that the `top` part (0..1) of the people holds who hold most."""
    if len(number) == 0 or number.min() < 0 or number.sum() == 0:
        return None
    held = np.sort(number)[::-1]
    many = top * len(held)
    whole = int(many + 1e-9)
    part = held[whole] * max(0.0, many - whole) if whole < len(held) else 0.0
    return float((held[:whole].sum() + part) / held.sum())
