"""Lifecycle by its definition, one period after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.oracles.people_events import Happened, Serves, by_person

__all__ = ["lifecycle"]


def lifecycle(
    events: Sequence[Happened],
    *,
    active: Serves,
    ever: Serves,
    period: Callable[[int], int],
    periods: int,
) -> list[dict[str, set[int]]]:
    """For each period the people in each state."""
    found: list[dict[str, set[int]]] = []
    people = by_person(events)
    for p in range(periods):
        states: dict[str, set[int]] = {"new": set(), "returning": set(), "resurrecting": set(), "dormant": set()}
        for uid, mine in people.items():
            when = {period(e.ts) for e in mine if active(e)}
            born = min((period(e.ts) for e in mine if ever(e)), default=None)
            if p in when:
                state = "new" if born == p else "returning" if p - 1 in when else "resurrecting"
                states[state].add(uid)
            elif p - 1 in when:
                states["dormant"].add(uid)
        found.append(states)
    return found
