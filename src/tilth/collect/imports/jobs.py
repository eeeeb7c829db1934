"""The book of imports: their state in the database, every change of state one guarded write."""

from __future__ import annotations

import datetime as dt
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.collect.imports.files import InputFile
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.shapes import Failure, FileInfo, Import, Progress, Proposal, Summary
from tilth.collect.imports.tables import import_job
from tilth.errors import Conflict, NotFound
from tilth.state import Database

__all__ = ["Job", "Jobs", "is_process", "iso"]


class _StoredFile(msgspec.Struct, frozen=True):
    path: str
    name: str
    kind: str
    compression: str
    bytes: int
    member: str | None
    modified: int


@dataclass(frozen=True)
class Job:
    """An import as stored. seconds: worked in earlier runs."""

    id: str
    kind: str
    status: str
    tables: list[InputFile]
    uploaded: bool
    dry_run: bool
    plan: Plan | None
    seconds: float
    first_uid: int | None
    parts: int | None
    row: Any


def iso(ts: int | None) -> str | None:
    """An instant in µs as ISO 8601 in UTC."""
    if ts is None:
        return None
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=ts)
    return moment.isoformat(timespec="microseconds" if ts % 1_000_000 else "seconds") + "Z"


class Jobs:
    """Reads and writes `import_job`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        id: str,
        kind: str,
        tables: list[InputFile],
        by: str,
        uploaded: bool,
        proposal: Proposal,
        now: int,
    ) -> Job:
        stored = [
            _StoredFile(str(t.path), t.name, t.kind, t.compression, t.bytes, t.member, _modified(t.path))
            for t in tables
        ]
        values = {
            "id": id,
            "kind": kind,
            "status": "preview",
            "files": _text(stored),
            "uploaded": uploaded,
            "by": by,
            "dry_run": False,
            "created_at": now,
            "proposal": _text(proposal),
            "seconds": 0.0,
        }
        with self._database.begin() as connection:
            connection.execute(sa.insert(import_job).values(**values))
        return self.get(id)

    def get(self, id: str) -> Job:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(import_job).where(import_job.c.id == id)).one_or_none()
        if row is None:
            raise NotFound("import", id)
        return self._job(row)

    def changed_file(self, job: Job) -> str | None:
        """The name of a file that is not what it was when the import was made, if any."""
        for f in msgspec.json.decode(job.row.files, type=list[_StoredFile]):
            path = Path(f.path)
            if not path.exists() or _modified(path) != f.modified:
                return f.name
        return None

    def status(self, id: str) -> str | None:
        """None: there is no such import."""
        try:
            return self.get(id).status
        except NotFound:
            return None

    def page(self, cursor: str | None, limit: int) -> tuple[list[Job], str | None]:
        query = sa.select(import_job).order_by(import_job.c.id.desc()).limit(max(1, min(limit, 200)) + 1)
        if cursor:
            query = query.where(import_job.c.id < cursor)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        size = max(1, min(limit, 200))
        jobs = [self._job(row) for row in rows[:size]]
        return jobs, (jobs[-1].id if len(rows) > size else None)

    def _job(self, row: Any) -> Job:
        status = row.status
        if status in ("running", "cancelling") and not _alive(row.owner):
            # Its process died. Whoever looks first says so.
            with self._database.begin() as connection:
                connection.execute(
                    sa.update(import_job)
                    .where(import_job.c.id == row.id, import_job.c.owner == row.owner, import_job.c.status == status)
                    .values(status="interrupted")
                )
            status = "interrupted"
        files = msgspec.json.decode(row.files, type=list[_StoredFile])
        return Job(
            id=row.id,
            kind=row.kind,
            status=status,
            tables=[InputFile(Path(f.path), f.name, f.kind, f.compression, f.bytes, f.member) for f in files],
            uploaded=row.uploaded,
            dry_run=row.dry_run,
            plan=msgspec.json.decode(row.plan, type=Plan) if row.plan else None,
            seconds=row.seconds,
            first_uid=row.first_uid,
            parts=row.parts,
            row=row,
        )

    def shown(self, job: Job) -> Import:
        """As the API gives it."""
        row = job.row
        return Import(
            id=job.id,
            kind=job.kind,
            status="running" if job.status == "cancelling" else job.status,
            files=[FileInfo(name=t.name, bytes=t.bytes) for t in job.tables],
            created_at=iso(row.created_at) or "",
            started_at=iso(row.started_at),
            finished_at=iso(row.finished_at),
            by=row.by,
            proposal=msgspec.json.decode(row.proposal, type=Proposal) if row.proposal else None,
            progress=(
                msgspec.json.decode(row.progress, type=Progress) if row.progress and job.status == "running" else None
            ),
            summary=msgspec.json.decode(row.summary, type=Summary) if row.summary else None,
            error=msgspec.json.decode(row.error, type=Failure) if row.error else None,
            dry_run=job.dry_run,
        )

    def update(self, id: str, **values: Any) -> None:
        with self._database.begin() as connection:
            connection.execute(sa.update(import_job).where(import_job.c.id == id).values(**values))

    def begin(self, id: str, plan: Plan, proposal: Proposal, dry_run: bool, now: int) -> None:
        """Mark running; only one caller can."""
        self._change(
            id,
            ("preview", "failed", "cancelled"),
            status="running",
            owner=_me(),
            plan=_text(plan),
            columns=_text([c.column for c in proposal.columns]),
            proposal=_text(proposal),
            dry_run=dry_run,
            started_at=now,
            finished_at=None,
            error=None,
            summary=None,
            progress=None,
            seconds=0.0,
            first_uid=None,
            parts=None,
        )

    def take(self, id: str) -> None:
        """Mark an interrupted import running again, by this process."""
        self._change(id, ("interrupted",), status="running", owner=_me(), error=None, finished_at=None)

    def _change(self, id: str, from_: tuple[str, ...], **values: Any) -> None:
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(import_job).where(import_job.c.id == id, import_job.c.status.in_(from_)).values(**values)
            )
            if done.rowcount != 1:
                raise Conflict(f"the import is not {' or '.join(from_)} any more")

    def begin_writing(self, id: str, parts: int, first_uid: int) -> bool:
        """From here on the import is only finished, never cancelled. False: somebody cancelled first."""
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(import_job)
                .where(import_job.c.id == id, import_job.c.status == "running")
                .values(parts=parts, first_uid=first_uid)
            )
            return bool(done.rowcount == 1)

    def ask_to_cancel(self, id: str) -> bool:
        """False: it writes already."""
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(import_job)
                .where(
                    import_job.c.id == id,
                    import_job.c.status.in_(("running", "cancelling")),
                    import_job.c.parts.is_(None),
                )
                .values(status="cancelling")
            )
            return bool(done.rowcount == 1)

    def stop(self, id: str, status: str, failure: Failure | None, now: int, seconds: float | None = None) -> None:
        values: dict[str, Any] = {"status": status, "finished_at": now, "error": _text(failure) if failure else None}
        if seconds is not None:
            values["seconds"] = seconds
        self.update(id, **values)

    def finish(self, id: str, summary: Summary, now: int) -> None:
        """Done; a dry run goes back to its preview, to be started for real."""
        status = "preview" if summary.dry_run else "done"
        self.update(id, status=status, finished_at=now, summary=_text(summary), progress=None)

    def interrupted_like(self, kind: str, tables: list[InputFile], plan: Plan) -> Job | None:
        """An interrupted import of the same, unchanged files under the same plan."""
        wanted = [(str(t.path), t.member, t.bytes, _modified(t.path)) for t in tables]
        query = (
            sa.select(import_job)
            .where(
                import_job.c.kind == kind,
                import_job.c.status.in_(("interrupted", "running", "cancelling")),
                import_job.c.dry_run.is_(False),
            )
            .order_by(import_job.c.id.desc())
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            job = self._job(row)
            files = msgspec.json.decode(row.files, type=list[_StoredFile])
            same = [(f.path, f.member, f.bytes, f.modified) for f in files] == wanted
            if job.status == "interrupted" and same and job.plan == plan:
                return job
        return None


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _me() -> str:
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}"


def _alive(owner: str | None) -> bool:
    """Whether the process that runs an import still does; of another machine's nothing is known."""
    if owner is None:
        return False
    host, pid, started = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return True
    now = _started(int(pid))
    return now == started if now is not None else False


def is_process(pid: int) -> bool:
    """Whether a process with this number runs here."""
    return _started(pid) is not None


def _started(pid: int) -> str | None:
    """When a process began, in the kernel's own unit: tells it from a later one with the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "unknown"
    return "unknown"
