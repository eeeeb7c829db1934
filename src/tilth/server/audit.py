"""Who did what and when: one line for everything that changes access, settings or data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.errors import InvalidInput
from tilth.server.instants import instant, now
from tilth.server.tables import audit
from tilth.state import Database

__all__ = ["AuditEntry", "AuditPage", "entries", "record"]


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`who` did `action` (`user.create`, `import.start` …) to `what` at `at`; `detail` has no secrets."""

    at: datetime
    who: str
    action: str
    what: str
    detail: dict[str, Any]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, newest first; `next` is the cursor of the following page."""

    entries: list[AuditEntry]
    next: str | None = None


def record(
    database: Database, who: str, action: str, what: str, detail: dict[str, Any] | None = None, *, inside: Any = None
) -> None:
    """Write one entry, in the transaction `inside` when there is one."""
    row = {
        "at": now(),
        "who": who,
        "action": action,
        "what": what,
        "detail": msgspec.json.encode(detail or {}).decode(),
    }
    if inside is not None:
        inside.execute(audit.insert().values(**row))
        return
    with database.begin() as connection:
        connection.execute(audit.insert().values(**row))


def entries(database: Database, cursor: str | None = None, limit: int = 50) -> AuditPage:
    """A page of the audit log, newest first."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit + 1)
    if cursor is not None:
        if not cursor.isdecimal():
            raise InvalidInput("cursor", "is not one this list gave out")
        query = query.where(audit.c.id < int(cursor))
    with database.read() as connection:
        rows = connection.execute(query).all()
    page = rows[:limit]
    return AuditPage(
        entries=[
            AuditEntry(
                at=instant(row.at),
                who=row.who,
                action=row.action,
                what=row.what,
                detail=msgspec.json.decode(row.detail),
            )
            for row in page
        ],
        next=str(page[-1].id) if len(rows) > limit else None,
    )
