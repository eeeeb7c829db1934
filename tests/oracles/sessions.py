"""Sessions by looking at each event and the one before."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracles.people_events import Happened, by_person

__all__ = ["sessions_of"]


def sessions_of(events: Sequence[Happened], gap: int) -> list[list[Happened]]:
    """All sessions: a new one after a pause longer than gap, or when the campaign becomes another."""
    found: list[list[Happened]] = []
    for mine in by_person(events).values():
        current: list[Happened] = []
        campaign = None
        for event in mine:
            here = event.properties.get("utm_campaign")
            new = not current or event.ts - current[-1].ts > gap
            if not new and here is not None and campaign is not None and here != campaign:
                new = True
            if new:
                current, campaign = [], None
                found.append(current)
            current.append(event)
            campaign = here if here is not None else campaign
    return found
