"""Slow, obviously correct versions of what layerings are made from: plain Python, one person at a time."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

__all__ = [
    "Event",
    "PersonStanding",
    "active_days",
    "adjusted_rand",
    "concentration",
    "fifth_scores",
    "local_day",
    "money_cut",
    "orders_and_refunds",
    "r_squared",
    "silhouette",
    "standings",
]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Event(NamedTuple):
    """ts: UTC µs. amount: minor units or None. order: order number or None."""

    uid: int
    ts: int
    name: str
    amount: int | None = None
    order: str | None = None


class PersonStanding(NamedTuple):
    """Days are None for people without a purchase."""

    orders: int
    revenue: int
    refunds: int
    recency: int | None
    tenure: int | None
    buying_days: int
    gap_logs: float


def local_day(ts: int, timezone: str) -> int:
    """Days from 1970-01-01 to the local date of an instant."""
    moment = (_EPOCH + dt.timedelta(microseconds=ts)).astimezone(ZoneInfo(timezone))
    return (moment.date() - dt.date(1970, 1, 1)).days


def orders_and_refunds(
    events: Sequence[Event], until: int | None = None
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """(uid, ts, amount) of every order and every refund before `until`, sorted; added money in its order.

    Money added to an order that is not there goes to the person's latest order at or before it, else to
    their first, else it is an order of its own.
    """
    kept = [e for e in events if until is None or e.ts < until]
    orders = sorted([e.uid, e.ts, e.amount or 0, e.order] for e in kept if e.name == "purchase")
    lost: list[tuple[int, int, int]] = []
    for event in events:
        if event.name != "purchase_added" or event.amount is None:
            continue
        own = [o for o in orders if o[0] == event.uid]
        named = [o for o in own if event.order is not None and o[3] == event.order]
        if named:
            named[0][2] += event.amount
        elif until is not None and event.ts >= until:
            continue
        elif own:
            before = [o for o in own if o[1] <= event.ts]
            (before[-1] if before else own[0])[2] += event.amount
        else:
            lost.append((event.uid, event.ts, event.amount))
    refunds = sorted((e.uid, e.ts, e.amount or 0) for e in kept if e.name == "refund")
    return sorted([(o[0], o[1], o[2]) for o in orders] + lost), refunds


def standings(
    orders: Sequence[tuple[int, int, int]],
    refunds: Sequence[tuple[int, int, int]],
    people: Sequence[int],
    as_of: int,
    timezone: str,
) -> dict[int, PersonStanding]:
    """Where each of `people` stands at the end of local day `as_of`."""
    found = {}
    for uid in people:
        mine = [(local_day(ts, timezone), amount) for u, ts, amount in orders if u == uid]
        mine = [(day, amount) for day, amount in mine if day <= as_of]
        back = sum(a for u, ts, a in refunds if u == uid and local_day(ts, timezone) <= as_of)
        days = sorted({day for day, _ in mine})
        found[uid] = PersonStanding(
            orders=len(mine),
            revenue=sum(a for _, a in mine),
            refunds=back,
            recency=as_of - days[-1] if days else None,
            tenure=as_of - days[0] if days else None,
            buying_days=len(days),
            gap_logs=sum(math.log(b - a) for a, b in pairwise(days)),
        )
    return found


def active_days(events: Sequence[Event], since: int, until: int, timezone: str) -> dict[int, tuple[int, int, int]]:
    """Per person seen in [since, until): local days with an event, events that are not commerce, last instant."""
    commerce = {"purchase", "purchase_added", "purchase_item", "refund", "refund_item"}
    mine: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if since <= event.ts < until:
            mine[event.uid].append(event)
    return {
        uid: (
            len({local_day(e.ts, timezone) for e in own}),
            sum(e.name not in commerce for e in own),
            max(e.ts for e in own),
        )
        for uid, own in mine.items()
    }


def fifth_scores(values: Sequence[int]) -> list[int]:
    """1..5 for each value: 1 + how many of the four fifth-quantiles lie below it; 3 where all are the same.

    The quantile of share q is the smallest value that at least q of the values do not exceed.
    """
    if len(set(values)) <= 1:
        return [3] * len(values)
    n = len(values)
    edges = [next(v for v in sorted(values) if 5 * sum(w <= v for w in values) >= fifth * n) for fifth in (1, 2, 3, 4)]
    return [1 + sum(edge < v for edge in edges) for v in values]


def money_cut(values: Sequence[int], percent: int) -> int:
    """The largest amount such that those at or above it hold at least `percent` of all."""
    total = sum(values)
    return max(v for v in values if 100 * sum(w for w in values if w >= v) >= percent * total)


def adjusted_rand(a: Sequence[int], b: Sequence[int]) -> float:
    """By looking at every pair of rows."""
    pairs = list(combinations(range(len(a)), 2))
    together_a = sum(a[i] == a[j] for i, j in pairs)
    together_b = sum(b[i] == b[j] for i, j in pairs)
    together = sum(a[i] == a[j] and b[i] == b[j] for i, j in pairs)
    if not pairs:
        return 1.0
    expected = together_a * together_b / len(pairs)
    most = (together_a + together_b) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def r_squared(values: Sequence[float], groups: Sequence[int]) -> float:
    """Share of the variance of `values` that lies between groups."""
    mean = sum(values) / len(values)
    total = sum((v - mean) ** 2 for v in values)
    within = 0.0
    for group in set(groups):
        own = [v for v, g in zip(values, groups, strict=True) if g == group]
        own_mean = sum(own) / len(own)
        within += sum((v - own_mean) ** 2 for v in own)
    return 1 - within / total


def silhouette(points: Sequence[Sequence[float]], labels: Sequence[int]) -> list[float]:
    """Each point's silhouette, from all distances."""
    found = []
    for i, point in enumerate(points):
        means = {}
        for label in set(labels):
            others = [math.dist(point, q) for j, q in enumerate(points) if labels[j] == label and j != i]
            means[label] = sum(others) / len(others) if others else None
        own = means.pop(labels[i])
        nearest = min(m for m in means.values() if m is not None)
        found.append(0.0 if own is None or max(own, nearest) == 0 else (nearest - own) / max(own, nearest))
    return found


def concentration(groups: Sequence[tuple[float, float]]) -> float:
    """Gini coefficient of groups given as (people, money) in the order they are ranked, poorest first."""
    people, money = sum(g[0] for g in groups), sum(g[1] for g in groups)
    area, reached = 0.0, 0.0
    for n, amount in groups:
        area += n / people * (reached + amount / money / 2)
        reached += amount / money
    return 1 - 2 * area
