"""Rows that could not be taken: looked through, dismissed, or tried again with a correction.

A replayed row goes the way every row goes, so it is checked, counted and recognised as known exactly as
if it had been right in its file.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from tilth.collect.imports.chunks import Chunk, RowText
from tilth.collect.imports.jobs import Jobs, iso
from tilth.collect.imports.options import check_map, merged_options
from tilth.collect.imports.orders import Clock
from tilth.collect.imports.plan import Plan, check_roles, rule_then
from tilth.collect.imports.proposing import validator
from tilth.collect.imports.shapes import Options, Quarantine, QuarantineRow, ReasonCount, Replayed
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.staging import Staging
from tilth.collect.imports.tables import import_job, quarantine
from tilth.collect.imports.tokens import FEW, WHOLE
from tilth.collect.imports.writing import Writing
from tilth.errors import InvalidInput
from tilth.lake import Lake
from tilth.people import People
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["Quarantined"]

_STATES = ("open", "replayed", "dismissed")
_BATCH = 20_000


class Quarantined:
    """The quarantine of a workspace."""

    def __init__(self, database: Database, lake: Lake, people: People, folder: Path, turn: threading.Lock) -> None:
        self._database = database
        self._lake = lake
        self._people = people
        self._folder = folder
        self._turn = turn

    # -- looking ---------------------------------------------------------------------------------

    def page(
        self,
        import_id: str | None,
        reason: str | None,
        q: str | None,
        state: str | None,
        cursor: str | None,
        limit: int,
    ) -> Quarantine:
        """Newest first."""
        if state is not None and state not in _STATES:
            raise InvalidInput("state", f"{state!r} is not a state of a row", list(_STATES))
        if cursor is not None and not cursor.isdigit():
            raise InvalidInput("cursor", "is not one this list gave")
        size = max(1, min(limit, 500))
        base = _conditions(import_id, None, q, state)
        where = _conditions(import_id, reason, q, state)
        query = sa.select(quarantine).where(*where).order_by(quarantine.c.id.desc()).limit(size + 1)
        if cursor is not None:
            query = query.where(quarantine.c.id < int(cursor))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            total = connection.scalar(sa.select(sa.func.count()).select_from(quarantine).where(*where)) or 0
            reasons = connection.execute(
                sa.select(quarantine.c.reason, sa.func.count().label("rows"))
                .where(*base)
                .group_by(quarantine.c.reason)
                .order_by(sa.desc("rows"), quarantine.c.reason)
            ).all()
        return Quarantine(
            rows=[_shown(row) for row in rows[:size]],
            reasons=[ReasonCount(reason=r.reason, rows=r.rows) for r in reasons],
            total=total,
            next=str(rows[size - 1].id) if len(rows) > size else None,
        )

    def counts(self) -> dict[str, int]:
        """How many rows are in each state."""
        query = sa.select(quarantine.c.state, sa.func.count().label("rows")).group_by(quarantine.c.state)
        with self._database.read() as connection:
            found = {row.state: int(row.rows) for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in _STATES}

    def dismiss(self, ids: list[int] | None, filter: dict[str, Any] | None) -> int:
        where = _chosen(ids, filter)
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(quarantine).where(quarantine.c.state == "open", *where).values(state="dismissed")
            )
            return int(done.rowcount)

    def forget(self, ids: list[str]) -> int:
        """Delete rows in which one of these ids stands as a whole cell; returns how many."""
        wanted = [quarantine.c.cells.contains(msgspec.json.encode(i).decode(), autoescape=True) for i in ids]
        if not wanted:
            return 0
        with self._database.begin() as connection:
            return int(connection.execute(sa.delete(quarantine).where(sa.or_(*wanted))).rowcount)

    # -- trying again ----------------------------------------------------------------------------

    def replay(
        self,
        ids: list[int] | None,
        filter: dict[str, Any] | None,
        replace: dict[str, str] | None,
        options: dict[str, Any] | None,
        map: dict[str, str] | None,
        settings: Settings,
        clock: Clock,
        now: Callable[[], int],
    ) -> Replayed:
        where = _chosen(ids, filter)
        query = (
            sa.select(quarantine.c.import_id, sa.func.count())
            # Rows without an import are events that came over HTTP; who received them replays them.
            .where(quarantine.c.state == "open", quarantine.c.import_id != "", *where)
            .group_by(quarantine.c.import_id)
            .order_by(quarantine.c.import_id)
        )
        with self._database.read() as connection:
            imports = connection.execute(query).all()
        total = Replayed(replayed=0, accepted=0, duplicate=0, skipped=0, still_quarantined=0)
        for import_id, _ in imports:
            plan, columns = self._plan(import_id, map, options, settings)
            _check_replace(replace, columns)
            last = 0
            while True:
                batch = (
                    sa.select(quarantine)
                    .where(quarantine.c.state == "open", quarantine.c.import_id == import_id, *where)
                    .where(quarantine.c.id > last)
                    .order_by(quarantine.c.id)
                    .limit(_BATCH)
                )
                with self._database.read() as connection:
                    rows = connection.execute(batch).all()
                if not rows:
                    break
                last = rows[-1].id
                total = _sum(total, self._replay(plan, columns, rows, replace or {}, settings, clock, now))
        return total

    def _plan(
        self, import_id: str, map: dict[str, str] | None, options: dict[str, Any] | None, settings: Settings
    ) -> tuple[Plan, list[str]]:
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(import_job.c.plan, import_job.c.columns, import_job.c.kind).where(
                    import_job.c.id == import_id
                )
            ).one()
        plan = msgspec.json.decode(row.plan, type=Plan)
        columns: list[str] = msgspec.json.decode(row.columns)
        if map:
            given = check_map(row.kind, columns, map)
            taken = set(given.values())
            roles = {r: c for r, c in plan.roles.items() if r not in given and c not in taken}
            plan = msgspec.structs.replace(plan, roles={**roles, **{r: c for r, c in given.items() if c}})
            check_roles(row.kind, plan.roles)
        if options:
            changed: Options = merged_options(plan, options, settings)
            plan = msgspec.structs.replace(
                plan,
                timezone=changed.timezone,
                date_order=changed.date_order,
                decimal=changed.decimal,
                statuses=changed.statuses,
                rules=rule_then(changed.rules) if changed.rules else plan.rules,
            )
        # A person looks at each of these rows: what does not fit stays here instead of raising a question.
        return msgspec.structs.replace(plan, asked=True), columns

    def _replay(
        self,
        plan: Plan,
        columns: list[str],
        rows: Any,
        replace: dict[str, str],
        settings: Settings,
        clock: Clock,
        now: Callable[[], int],
    ) -> Replayed:
        chunk = _chunk_of(columns, rows, replace)
        validated = validator(plan.kind)(plan, columns, chunk, clock)
        bad_lines = {b.line: b for b in validated.bad}
        staging = Staging(self._folder / "staging" / f"replay-{uuid.uuid4().hex}-{os.getpid()}")
        try:
            staging.open(0)
            staging.add(0, 0, validated)
            writing = Writing(
                id=rows[0].import_id,
                plan=plan,
                dry_run=False,
                staging=staging,
                chunks=1,
                rows=validated.table.num_rows,
                database=self._database,
                lake=self._lake,
                people=self._people,
                jobs=Jobs(self._database),
                settings=settings,
                now=now,
                stopped=RuntimeError,
                replay=True,
            )
            with self._turn:
                counts = writing.work(lambda _: None, lambda: False).counts
        finally:
            shutil.rmtree(staging.folder, ignore_errors=True)
        good = [row.id for i, row in enumerate(rows) if i not in bad_lines]
        with self._database.begin() as connection:
            for start in range(0, len(good), 500):
                connection.execute(
                    sa.update(quarantine).where(quarantine.c.id.in_(good[start : start + 500])).values(state="replayed")
                )
            for place, bad in bad_lines.items():
                connection.execute(
                    sa.update(quarantine)
                    .where(quarantine.c.id == rows[place].id)
                    .values(reason=bad.reason, column=bad.column, detail=bad.detail)
                )
        return Replayed(
            replayed=len(good),
            accepted=counts.accepted,
            duplicate=counts.duplicate,
            skipped=sum(validated.skipped.values()),
            still_quarantined=len(bad_lines),
        )


def _chunk_of(columns: list[str], rows: Any, replace: dict[str, str]) -> Chunk:
    """Quarantined rows as a chunk whose line numbers are their places in it."""
    width = len(columns)
    shape = np.full(len(rows), WHOLE, np.uint8)
    table: list[list[str]] = []
    texts: list[RowText] = []
    for i, row in enumerate(rows):
        cells: list[str] = msgspec.json.decode(row.cells)
        # A row with too few or too many cells has none in a known place, unless a correction names them all.
        if len(cells) != width and not set(columns) <= set(replace):
            shape[i] = FEW
        cells = (cells + [""] * width)[:width]
        for column, value in replace.items():
            cells[columns.index(column)] = value
        table.append(cells)
        texts.append(RowText(i, row.raw, cells))

    def row_text(chosen: npt.NDArray[np.int64]) -> list[RowText]:
        return [texts[i] for i in chosen.tolist()]

    spans = [Spans.of([cells[c] for cells in table]) for c in range(width)]
    return Chunk(
        rows=len(rows),
        columns=list(spans),
        shape=shape,
        end=0,
        next_line=0,
        consumed=0,
        row_text=row_text,
        utf8_checked=True,
    )


def _check_replace(replace: dict[str, str] | None, columns: list[str]) -> None:
    for column in replace or {}:
        if column not in columns:
            raise InvalidInput(f"replace.{column}", "there is no such column", columns)


def _sum(a: Replayed, b: Replayed) -> Replayed:
    return Replayed(**{f: getattr(a, f) + getattr(b, f) for f in Replayed.__struct_fields__})


def _chosen(ids: list[int] | None, filter: dict[str, Any] | None) -> list[Any]:
    if ids is not None:
        return [quarantine.c.id.in_(ids)]
    if filter is None:
        raise InvalidInput("ids", "give ids or a filter")
    unknown = set(filter) - {"import_id", "reason", "q"}
    if unknown:
        raise InvalidInput(f"filter.{sorted(unknown)[0]}", "is not part of a filter", ["import_id", "reason", "q"])
    return _conditions(filter.get("import_id"), filter.get("reason"), filter.get("q"), None)


def _conditions(import_id: str | None, reason: str | None, q: str | None, state: str | None) -> list[Any]:
    where: list[Any] = []
    if import_id:
        where.append(quarantine.c.import_id == import_id)
    if reason:
        where.append(quarantine.c.reason == reason)
    if state:
        where.append(quarantine.c.state == state)
    if q:
        escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        where.append(
            sa.or_(*[c.ilike(pattern, escape="\\") for c in (quarantine.c.raw, quarantine.c.file, quarantine.c.detail)])
        )
    return where


def _shown(row: Any) -> QuarantineRow:
    return QuarantineRow(
        id=row.id,
        import_id=row.import_id,
        file=row.file,
        line=row.line,
        column=row.column,
        reason=row.reason,
        detail=row.detail,
        raw=row.raw,
        state=row.state,
        at=iso(row.at) or "",
    )
