"""Stickiness by counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from tests.oracles.people_events import Happened, Serves, by_person

__all__ = ["stickiness"]


def stickiness(
    events: Sequence[Happened],
    *,
    active: Serves,
    period: Callable[[int], int],
    in_range: Callable[[int], bool],
    at_least: int,
) -> Counter[int]:
    """How many people were active in how many periods (0 left out)."""
    found: Counter[int] = Counter()
    for mine in by_person(events).values():
        times = Counter(period(e.ts) for e in mine if active(e) and in_range(e.ts))
        periods = sum(1 for n in times.values() if n >= at_least)
        if periods:
            found[periods] += 1
    return found
