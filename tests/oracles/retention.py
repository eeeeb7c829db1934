"""Retention, person by person and cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.oracles.people_events import Happened, Serves, by_person

__all__ = ["retention"]


def retention(
    events: Sequence[Happened],
    *,
    start: Serves,
    start_name: Serves,
    back: Serves,
    period: Callable[[int], int],
    in_range: Callable[[int], bool],
    cohorts: int,
    columns: int,
    rolling: bool,
    first: str,
    at_least: int,
) -> list[list[set[int]]]:
    """cells[cohort][column]: the people in it.

    period(ts): number of the period an instant is in, 0 being the first cohort. start_name is start
    without its filters.
    """
    cells: list[list[set[int]]] = [[set() for _ in range(columns + 1)] for _ in range(cohorts)]
    for uid, mine in by_person(events).items():
        if first == "recurring":
            begins = [e for e in mine if start(e)]
        elif first == "first_time":
            begins = [e for e in mine if start_name(e)][:1]
            begins = [e for e in begins if start(e)]
        else:
            begins = [e for e in mine if start(e)][:1]
        returns = [period(e.ts) for e in mine if back(e)]
        often = {p for p in returns if returns.count(p) >= at_least}
        for c in {period(e.ts) for e in begins if in_range(e.ts)}:
            cells[c][0].add(uid)
            for k in range(1, columns + 1):
                if any(p == c + k or (rolling and p > c + k) for p in often):
                    cells[c][k].add(uid)
    return cells
