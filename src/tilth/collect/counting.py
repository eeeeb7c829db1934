"""What came of what was sent, by source and hour, and how it differed from the tracking plan.

Counted in memory and added to the tables every few seconds; a crash loses the counts of the last ones,
never an event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from tilth.collect.plan import Difference
from tilth.collect.tables import plan_issue, source_count
from tilth.state import Database

__all__ = ["Counts", "PlanIssue", "SourceCounts"]

HOUR = 3600 * 1_000_000
_MOST_ISSUES = 5_000


class SourceCounts(msgspec.Struct, frozen=True, kw_only=True):
    """received is the sum of the others. last_at: UTC µs of the last request, None where there was none."""

    received: int
    accepted: int
    duplicate: int
    quarantined: int
    dropped: int
    last_at: int | None


class PlanIssue(msgspec.Struct, frozen=True, kw_only=True):
    """So many events differed from the plan in this way. first_at, last_at: UTC µs."""

    event: str
    field: str
    reason: str
    source: str
    events: int
    first_at: int
    last_at: int


class Counts:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._sources: dict[tuple[str, int], list[int]] = {}
        self._issues: dict[tuple[str, str, str, str], list[int]] = {}

    def taken(self, source: str, accepted: int, duplicate: int, quarantined: int, dropped: int) -> None:
        at = time.time_ns() // 1000
        with self._lock:
            cells = self._sources.setdefault((source, at - at % HOUR), [0, 0, 0, 0, 0])
            cells[0] += accepted
            cells[1] += duplicate
            cells[2] += quarantined
            cells[3] += dropped
            cells[4] = at

    def differed(self, source: str, found: Sequence[Difference]) -> None:
        at = time.time_ns() // 1000
        with self._lock:
            for one in found:
                key = (one.event, one.field[:200], one.reason, source)
                if key not in self._issues and len(self._issues) >= _MOST_ISSUES:
                    continue
                cells = self._issues.setdefault(key, [0, at, at])
                cells[0] += 1
                cells[2] = at

    def save(self) -> None:
        """Add what was counted since the last time to the tables."""
        with self._lock:
            sources, self._sources = self._sources, {}
            issues, self._issues = self._issues, {}
        if not sources and not issues:
            return
        with self._database.begin() as connection:
            for (source, hour), (accepted, duplicate, quarantined, dropped, at) in sources.items():
                table = source_count
                values = {
                    "source": source, "hour": hour, "accepted": accepted, "duplicate": duplicate,
                    "quarantined": quarantined, "dropped": dropped, "last_at": at,
                }  # fmt: skip
                if connection.execute(self._database.insert_or_ignore(table).values(**values)).rowcount == 0:
                    connection.execute(
                        sa.update(table)
                        .where(table.c.source == source, table.c.hour == hour)
                        .values(
                            accepted=table.c.accepted + accepted,
                            duplicate=table.c.duplicate + duplicate,
                            quarantined=table.c.quarantined + quarantined,
                            dropped=table.c.dropped + dropped,
                            last_at=at,
                        )
                    )
            held = connection.scalar(sa.select(sa.func.count()).select_from(plan_issue)) if issues else 0
            # Names that strangers make up must not fill the table.
            full = (held or 0) >= _MOST_ISSUES
            for (event, field, reason, source), (events, first_at, last_at) in issues.items():
                row = {
                    "event": event, "field": field, "reason": reason, "source": source,
                    "events": events, "first_at": first_at, "last_at": last_at,
                }  # fmt: skip
                made = (
                    0
                    if full
                    else connection.execute(self._database.insert_or_ignore(plan_issue).values(**row)).rowcount
                )
                if made == 0:
                    connection.execute(
                        sa.update(plan_issue)
                        .where(
                            plan_issue.c.event == event,
                            plan_issue.c.field == field,
                            plan_issue.c.reason == reason,
                            plan_issue.c.source == source,
                        )
                        .values(events=plan_issue.c.events + events, last_at=last_at)
                    )

    def of_sources(self, since: int) -> dict[str, SourceCounts]:
        """What came of what each source sent since the instant `since` (UTC µs; whole hours)."""
        self.save()
        c = source_count.c
        columns = [c.accepted, c.duplicate, c.quarantined, c.dropped]
        query = (
            sa.select(c.source, *(sa.func.sum(one) for one in columns), sa.func.max(c.last_at))
            .where(c.hour >= since - since % HOUR)
            .group_by(c.source)
        )
        with self._database.read() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        return {
            name: SourceCounts(
                received=int(a + d + q + x), accepted=int(a), duplicate=int(d), quarantined=int(q), dropped=int(x),
                last_at=last,
            )
            for name, a, d, q, x, last in rows
        }  # fmt: skip

    def issues(self, limit: int = 200) -> list[PlanIssue]:
        """Where events differ from the plan, latest first."""
        self.save()
        with self._database.read() as connection:
            rows = connection.execute(sa.select(plan_issue).order_by(plan_issue.c.last_at.desc()).limit(limit))
            return [PlanIssue(**row._mapping) for row in rows]

    def forget_issues(self) -> None:
        """Start counting anew, as after a change of the plan."""
        self.save()
        with self._database.begin() as connection:
            connection.execute(sa.delete(plan_issue))
