"""A small workspace with orders and visits over some weeks, for metrics and what stands on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tilth.collect.model import Id, Track
from tilth.settings import Settings
from tilth.workspace import Workspace

__all__ = ["TODAY", "filled", "instant"]

TODAY = dt.date(2026, 6, 30)


def instant(day: dt.date, hour: int = 12, minute: int = 0) -> int:
    """UTC µs."""
    return int(dt.datetime.combine(day, dt.time(hour, minute), dt.UTC).timestamp()) * 1_000_000


def filled(
    folder: Path, visits: Callable[[dt.date], int], days: int = 70, *, settings: Settings | None = None
) -> Workspace:
    """visits(day): how many people visit; every fourth buys for 10, every eighth of them came by "ads"."""
    workspace = Workspace.create(folder, settings or Settings(timezone="UTC", currency="CNY", language="en"))
    told: list[Any] = []
    for back in range(days, 0, -1):
        day = TODAY - dt.timedelta(days=back)
        for person in range(visits(day)):
            ids = (Id("login", f"u{person}"),)
            told.append(
                Track(
                    ids=ids, event="visit", ts=instant(day, 9, person % 60), event_id=f"v{back}-{person}",
                    properties={"channel": "ads" if person % 8 == 0 else "shop"}, context={},
                )
            )  # fmt: skip
            if person % 4 == 0:
                told.append(
                    Track(
                        ids=ids, event="purchase", ts=instant(day, 10, person % 60), event_id=f"p{back}-{person}",
                        properties={"amount": 10, "channel": "ads" if person % 8 == 0 else "shop"}, context={},
                    )
                )  # fmt: skip
    for start in range(0, len(told), 5_000):
        workspace.collect.receive(told[start : start + 5_000], "test")
    workspace.collect.flush()
    return workspace
