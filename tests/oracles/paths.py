"""Paths by writing each session's nodes down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tests.oracles.people_events import Happened
from tests.oracles.sessions import sessions_of

__all__ = ["edges"]


def edges(
    events: Sequence[Happened], *, gap: int, steps: int, start_at: str | None, end_at: str | None
) -> tuple[dict[tuple[str, str], tuple[int, float]], int]:
    """((source, target) -> (sessions, mean seconds), paths looked at)."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    looked_at = 0
    for session in sessions_of(events, gap):
        nodes: list[Happened] = []
        for event in session:
            if not nodes or nodes[-1].event != event.event:
                nodes.append(event)
        names = [n.event for n in nodes]
        if start_at is not None:
            if start_at not in names:
                continue
            first = names.index(start_at)
            nodes, names = nodes[first:], names[first:]
        if end_at is not None:
            if end_at not in names:
                continue
            nodes = nodes[: len(names) - names[::-1].index(end_at)]
        nodes = nodes[-steps:] if end_at is not None and start_at is None else nodes[:steps]
        looked_at += 1
        for i in range(len(nodes) - 1):
            edge = (f"{i + 1}_{nodes[i].event}", f"{i + 2}_{nodes[i + 1].event}")
            found[edge].append(nodes[i + 1].ts - nodes[i].ts)
    return {e: (len(t), sum(t) / len(t) / 1e6) for e, t in found.items()}, looked_at
