"""What the oracles work on: a person's events as plain objects in time order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Happened", "Serves", "by_person", "named"]


@dataclass(frozen=True)
class Happened:
    """One event. ts, received: UTC µs."""

    uid: int
    ts: int
    event: str
    event_id: str
    received: int = 0
    properties: dict[str, Any] = field(default_factory=dict, hash=False)


Serves = Callable[[Happened], bool]


def named(*names: str) -> Serves:
    """Events of these names; "*" is any."""
    return lambda e: "*" in names or e.event in names


def by_person(events: Iterable[Happened]) -> dict[int, list[Happened]]:
    """Everyone's events, in time order: ts, then received_at, then event_id."""
    found: dict[int, list[Happened]] = defaultdict(list)
    for event in events:
        found[event.uid].append(event)
    return {uid: sorted(es, key=lambda e: (e.ts, e.received, e.event_id)) for uid, es in found.items()}
