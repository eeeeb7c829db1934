"""Trends by collecting each period's events."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tests.oracles.people_events import Happened, Serves

__all__ = ["trend"]


def trend(
    events: Sequence[Happened],
    *,
    serves: Serves,
    period: Callable[[int], int],
    in_range: Callable[[int], bool],
    periods: int,
    metric: str,
    value: Callable[[Happened], float | None],
) -> list[float | None]:
    """The metric of each period, and of the whole range as the last entry."""
    chosen = [e for e in events if serves(e) and in_range(e.ts)]
    groups = [[e for e in chosen if period(e.ts) == p] for p in range(periods)] + [chosen]
    return [_metric(metric, group, [x for e in group if (x := value(e)) is not None]) for group in groups]


def _metric(metric: str, events: Sequence[Happened], values: Sequence[float]) -> float | None:
    people = len({e.uid for e in events})
    if metric == "count":
        return len(events)
    if metric == "people":
        return people
    if metric == "sum":
        return sum(values)
    if metric == "per_person":
        return sum(values) / people if people else None
    if not values:
        return None
    if metric == "p90":
        ordered = sorted(values)
        at = 0.9 * (len(ordered) - 1)
        low = int(at)
        return ordered[low] + (at - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])
    return {"mean": statistics.fmean, "median": statistics.median, "min": min, "max": max}[metric](values)
