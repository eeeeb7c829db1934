"""What changed in the data, kept until somebody has looked at it.

`observe` finds drift anew each time it reads; here each finding is one notice from when it was first seen
until it is over. A finding that comes back after it was over is news again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.collect.observed import Drift
from tilth.collect.tables import drift_notice as table
from tilth.errors import NotFound
from tilth.state import Database

__all__ = ["DriftNotices", "Noticed"]

# Notices that are over are kept for so long.
_KEPT = 90 * 86_400 * 1_000_000


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """A drift since first_at; ended_at: from when on it was there no more. Instants in UTC µs."""

    id: int
    drift: Drift
    first_at: int
    last_at: int
    ended_at: int | None
    acknowledged_at: int | None
    acknowledged_by: str | None


class DriftNotices:
    """Reads and writes notices. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, found: Sequence[Drift]) -> None:
        """What is there now: new ones are opened, those that are there no more are over."""
        at = time.time_ns() // 1000
        with self._database.begin() as connection:
            for one in found:
                mine = (
                    (table.c.kind == one.kind)
                    & (table.c.event == one.event)
                    & (table.c.property == (one.property or ""))
                )
                seen = {"before": one.before, "now": one.now, "last_at": at}
                again = {"first_at": at, "ended_at": None, "acknowledged_at": None, "acknowledged_by": None}
                for where, values in (
                    (table.c.ended_at.is_(None), seen),
                    (table.c.ended_at.is_not(None), seen | again),
                ):
                    if connection.execute(sa.update(table).where(mine, where).values(**values)).rowcount:
                        break
                else:
                    connection.execute(
                        self._database.insert_or_ignore(table).values(
                            kind=one.kind, event=one.event, property=one.property or "", first_at=at, **seen
                        )
                    )
            connection.execute(
                sa.update(table).where(table.c.ended_at.is_(None), table.c.last_at < at).values(ended_at=at)
            )
            connection.execute(sa.delete(table).where(table.c.ended_at < at - _KEPT))

    def all(self) -> list[Noticed]:
        """Those nobody has looked at first, then those still there, then those that are over; the newest first."""
        done = (table.c.ended_at.is_not(None), table.c.acknowledged_at.is_not(None))
        with self._database.read() as connection:
            return [
                _noticed(row)
                for row in connection.execute(sa.select(table).order_by(*done, table.c.first_at.desc(), table.c.id))
            ]

    def open(self) -> list[Drift]:
        """Those still there that nobody has looked at."""
        return [one.drift for one in self.all() if one.ended_at is None and one.acknowledged_at is None]

    def acknowledge(self, notice_id: int, by: str) -> Noticed:
        """Somebody has looked at it; the first to say so is remembered. Raises `NotFound`."""
        at = time.time_ns() // 1000
        with self._database.begin() as connection:
            connection.execute(
                sa.update(table)
                .where(table.c.id == notice_id, table.c.acknowledged_at.is_(None))
                .values(acknowledged_at=at, acknowledged_by=by)
            )
            row = connection.execute(sa.select(table).where(table.c.id == notice_id)).one_or_none()
        if row is None:
            raise NotFound("notice", str(notice_id))
        return _noticed(row)


def _noticed(row: Any) -> Noticed:
    return Noticed(
        id=row.id,
        drift=Drift(kind=row.kind, event=row.event, property=row.property or None, before=row.before, now=row.now),
        first_at=row.first_at,
        last_at=row.last_at,
        ended_at=row.ended_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )
