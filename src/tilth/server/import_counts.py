"""How imports and the quarantine stand, for the health page and the overview."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = ["import_counts", "interrupted_imports", "last_import", "quarantine_counts"]


def import_counts(workspace: Workspace) -> dict[str, int]:
    """Imports by status (running, done, failed, interrupted)."""
    from tilth.collect.imports.tables import import_job

    query = sa.select(import_job.c.status, sa.func.count()).group_by(import_job.c.status)
    with workspace.database.read() as connection:
        found = {status: int(count) for status, count in connection.execute(query)}
    return {status: found.get(status, 0) for status in ("running", "done", "failed", "interrupted")}


def interrupted_imports(workspace: Workspace) -> list[str]:
    """Ids of imports that stopped half-way, newest first."""
    from tilth.collect.imports.tables import import_job

    query = (
        sa.select(import_job.c.id)
        .where(import_job.c.status == "interrupted")
        .order_by(import_job.c.created_at.desc())
        .limit(5)
    )
    with workspace.database.read() as connection:
        return list(connection.scalars(query))


def last_import(workspace: Workspace) -> int | None:
    """When an import last finished, UTC µs."""
    from tilth.collect.imports.tables import import_job

    query = sa.select(sa.func.max(import_job.c.finished_at)).where(import_job.c.status == "done")
    with workspace.database.read() as connection:
        return connection.scalar(query)


def quarantine_counts(workspace: Workspace) -> dict[str, int]:
    """Quarantined rows by state (open, replayed, dismissed)."""
    from tilth.collect.imports.tables import quarantine

    query = sa.select(quarantine.c.state, sa.func.count()).group_by(quarantine.c.state)
    with workspace.database.read() as connection:
        found = {state: int(count) for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in ("open", "replayed", "dismissed")}
