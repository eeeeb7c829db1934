"""Imports: propose, preview, run, cancel, resume; and what they left in quarantine."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tilth.collect.imports.files import InputFile, expand
from tilth.collect.imports.jobs import Job, Jobs, is_process
from tilth.collect.imports.opening import open_table
from tilth.collect.imports.orders import Clock
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.proposing import plan_of, propose, sample
from tilth.collect.imports.quarantine import Quarantined
from tilth.collect.imports.recognition import roles_of
from tilth.collect.imports.running import Run
from tilth.collect.imports.shapes import (
    Failure,
    Import,
    Imported,
    Progress,
    Proposal,
    Quarantine,
    Replayed,
    Summary,
)
from tilth.errors import Conflict, InvalidInput, StorageFailed, TilthError
from tilth.lake import Lake
from tilth.people import People
from tilth.settings import Settings
from tilth.state import Database

__all__ = ["Cancelled", "Imports"]

# Names for what the class below, which has a method `list`, could not name.
Paths = list[str | Path]
Tables = list[InputFile]
Ids = list[int]
Texts = list[str]

# A clock a day fast, or a zone set wrongly, is not a date in the future.
_TOLERANCE_US = 86_400_000_000
_TABLE_OPTIONS = ("encoding", "delimiter", "sheet", "header")


class Cancelled(Conflict):
    """The import was cancelled; nothing of it was kept."""


class Imports:
    """The imports of a workspace.

    `run_files` does everything in one call. The steps of the console are `create` (a preview), `preview`
    (with another map or options), `start`, then `run` in the background; `resume` continues a run that a
    crash or a full disk interrupted. Writing needs the workspace's writer lock; one import writes at a time.
    """

    def __init__(self, database: Database, lake: Lake, people: People, settings: Settings, folder: Path) -> None:
        self._database = database
        self._lake = lake
        self._people = people
        self._settings = settings
        self._folder = folder
        self._jobs = Jobs(database)
        # One import writes at a time: what it finds missing in the lake must still be missing when it appends.
        self._turn = threading.Lock()
        self._quarantined = Quarantined(database, lake, people, folder, self._turn)
        # Cleared by tests that need another now.
        self.now: Callable[[], int] = lambda: time.time_ns() // 1000

    # -- looking ---------------------------------------------------------------------------------

    def propose(
        self,
        kind: str,
        paths: Paths,
        map: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
    ) -> Proposal:
        """How these files would be imported, from a sample of the first. Writes nothing."""
        roles_of(kind)
        return self._propose(kind, expand(paths), map, options)

    def _propose(
        self, kind: str, tables: Tables, map: dict[str, str] | None, options: dict[str, Any] | None
    ) -> Proposal:
        reader = open_table(tables[0], **_table_options(options))
        return propose(kind, sample(reader), self._settings, self._clock(), map, options)

    def _clock(self) -> Clock:
        return Clock(self.now() + _TOLERANCE_US)

    def get(self, id: str) -> Import:
        """Raises `NotFound`."""
        return self._jobs.shown(self._jobs.get(id))

    def list(self, cursor: str | None = None, limit: int = 50) -> Imported:
        """Imports, newest first."""
        found, following = self._jobs.page(cursor, limit)
        return Imported(imports=[self._jobs.shown(job) for job in found], next=following)

    # -- the steps of the console ----------------------------------------------------------------

    def upload_folder(self, id: str) -> Path:
        """Where the uploaded files of an import are kept until it is done."""
        return self._folder / "uploads" / id

    def new_id(self) -> str:
        """An id for an import whose files are uploaded before `create`."""
        return f"{self.now():016x}{uuid.uuid4().hex[:8]}"

    def create(self, kind: str, paths: Paths, by: str = "", *, id: str | None = None, uploaded: bool = False) -> Import:
        """An import in `preview`. uploaded: the files are in `upload_folder(id)` and are removed when it is over."""
        roles_of(kind)
        import_id = id or self.new_id()
        try:
            tables = expand(paths)
            proposal = self._propose(kind, tables, None, None)
        except TilthError:
            if uploaded:
                shutil.rmtree(self.upload_folder(import_id), ignore_errors=True)
            raise
        job = self._jobs.add(import_id, kind, tables, by, uploaded, proposal, self.now())
        return self._jobs.shown(job)

    def preview(self, id: str, map: dict[str, str] | None = None, options: dict[str, Any] | None = None) -> Import:
        """The import with its proposal renewed for another map or options."""
        job = self._jobs.get(id)
        self._expect(job, "preview", "failed")
        proposal = self._propose(job.kind, job.tables, map, options)
        self._jobs.update(id, proposal=_json(proposal), status="preview", error=None)
        return self.get(id)

    def start(
        self,
        id: str,
        map: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
        dry_run: bool = False,
    ) -> Import:
        """Decide how the files are read and mark the import running; `run` then does it. Raises `InvalidInput`."""
        job = self._jobs.get(id)
        self._expect(job, "preview", "failed", "cancelled")
        if job.uploaded and not self.upload_folder(id).exists():
            raise Conflict("the uploaded files of this import are gone; upload them again")
        proposal = self._propose(job.kind, job.tables, map, options)
        plan = plan_of(proposal, options)
        self._run(job.id, job.tables, plan).check_files()
        self._jobs.begin(id, plan, proposal, dry_run, self.now())
        return self.get(id)

    def run(
        self,
        id: str,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Summary:
        """Do the work of an import that was started or resumed.

        Raises `InvalidInput` (the import failed and left nothing), `StorageFailed` (it can be resumed),
        `Cancelled`.
        """
        job = self._jobs.get(id)
        # One cancelled while it waited for its turn is taken up, and stops at the first chunk.
        self._expect(job, "running", "cancelling")
        self._sweep()
        assert job.plan is not None, "start stores the plan"
        run = self._run(id, job.tables, job.plan, dry_run=job.dry_run)
        began = time.monotonic()
        try:
            summary = run.work(
                progress or (lambda _: None),
                lambda: bool(cancelled and cancelled()) or self._jobs.get(id).status == "cancelling",
                job.seconds,
            )
        except StorageFailed as error:
            seconds = job.seconds + time.monotonic() - began
            self._jobs.stop(id, "interrupted", Failure(field="storage", reason=error.message), self.now(), seconds)
            raise
        except InvalidInput as error:
            run.discard()
            failure = Failure(field=error.field, reason=error.reason, choices=error.choices)
            self._jobs.stop(id, "failed", failure, self.now())
            raise
        except Cancelled:
            run.discard()
            self._finish_files(job)
            self._jobs.stop(id, "cancelled", None, self.now())
            raise
        except BaseException as error:
            # Something nobody foresaw: what is staged stays, so that a resume can go on.
            self._jobs.stop(
                id, "interrupted", Failure(field="import", reason=str(error) or type(error).__name__), self.now()
            )
            raise
        self._jobs.finish(id, summary, self.now())
        run.clean()
        if not summary.dry_run:
            self._finish_files(job)
        return summary

    def _sweep(self) -> None:
        """Remove staging folders nobody will go on with: of imports that are over, of dead dry runs and replays."""
        root = self._folder / "staging"
        for folder in root.iterdir() if root.exists() else ():
            transient = re.fullmatch(r"(?:dry|replay)-[0-9a-f]+-(\d+)", folder.name)
            if transient:
                over = not is_process(int(transient.group(1)))
            else:
                over = self._jobs.status(folder.name) not in ("running", "cancelling", "interrupted")
            if over:
                shutil.rmtree(folder, ignore_errors=True)

    def _run(self, id: str, tables: Tables, plan: Plan, dry_run: bool = False) -> Run:
        return Run(
            id=id,
            tables=tables,
            plan=plan,
            dry_run=dry_run,
            folder=self._folder / "staging" / id,
            database=self._database,
            lake=self._lake,
            people=self._people,
            jobs=self._jobs,
            settings=self._settings,
            clock=self._clock(),
            now=self.now,
            turn=self._turn,
            stopped=Cancelled,
        )

    def _finish_files(self, job: Job) -> None:
        if job.uploaded:
            shutil.rmtree(self.upload_folder(job.id), ignore_errors=True)

    def cancel(self, id: str) -> Import:
        """Stop an import. While it reads nothing has been written; once it writes it is too late (`Conflict`)."""
        job = self._jobs.get(id)
        if job.status in ("preview", "failed"):
            self._finish_files(job)
            self._jobs.stop(id, "cancelled", None, self.now())
        elif job.status == "interrupted" and job.parts is None:
            Run.forget(self._database, id, self._folder / "staging" / id)
            self._finish_files(job)
            self._jobs.stop(id, "cancelled", None, self.now())
        elif job.status in ("interrupted", "running", "cancelling"):
            if job.status == "interrupted" or not self._jobs.ask_to_cancel(id):
                raise Conflict("the import is writing its rows already; it can only be finished, not cancelled")
        elif job.status != "cancelled":
            raise Conflict(f"the import is {job.status}")
        return self.get(id)

    def resume(self, id: str) -> Import:
        """Mark an interrupted import running again; `run` continues after the last thing that is durable."""
        job = self._jobs.get(id)
        self._expect(job, "interrupted")
        changed = self._jobs.changed_file(job)
        # Once it writes, everything needed is staged and the files are not looked at again.
        if changed is not None and job.parts is None:
            raise InvalidInput("file", f"{changed} is not there any more or was changed, so the import cannot go on")
        self._jobs.take(id)
        return self.get(id)

    def _expect(self, job: Job, *statuses: str) -> None:
        if job.status not in statuses:
            raise Conflict(f"the import is {job.status}, not {' or '.join(statuses)}")

    # -- in one call -----------------------------------------------------------------------------

    def run_files(
        self,
        kind: str,
        paths: Paths,
        map: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
        dry_run: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        by: str = "",
    ) -> Summary:
        """Import files: propose, decide, run. dry_run: read and check everything, write nothing.

        An interrupted import of the same files under the same options is resumed.
        """
        roles_of(kind)
        tables = expand(paths)
        proposal = self._propose(kind, tables, map, options)
        plan = plan_of(proposal, options)
        if dry_run:
            return self._dry(tables, plan, progress, cancelled)
        self._run("", tables, plan).check_files()
        earlier = self._jobs.interrupted_like(kind, tables, plan)
        if earlier is not None:
            self._jobs.take(earlier.id)
            return self.run(earlier.id, progress, cancelled)
        job = self._jobs.add(self.new_id(), kind, tables, by, False, proposal, self.now())
        self._jobs.begin(job.id, plan, proposal, False, self.now())
        return self.run(job.id, progress, cancelled)

    def _dry(
        self,
        tables: Tables,
        plan: Plan,
        progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> Summary:
        run = self._run(f"dry-{uuid.uuid4().hex[:12]}-{os.getpid()}", tables, plan, dry_run=True)
        run.check_files()
        try:
            return run.work(progress or (lambda _: None), lambda: bool(cancelled and cancelled()), 0.0)
        finally:
            run.clean()

    # -- quarantine ------------------------------------------------------------------------------

    def quarantine(
        self,
        import_id: str | None = None,
        reason: str | None = None,
        q: str | None = None,
        state: str | None = "open",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Quarantine:
        """Rows that could not be taken. q: text in the raw row, its file or its value; state None: all."""
        return self._quarantined.page(import_id, reason, q, state, cursor, limit)

    def forget(self, ids: Texts) -> int:
        """Delete quarantined rows that hold one of these ids (for erasing a person); returns how many."""
        return self._quarantined.forget(ids)

    def dismiss(self, ids: Ids | None = None, filter: dict[str, Any] | None = None) -> int:
        """Take open rows off the list for good; returns how many."""
        return self._quarantined.dismiss(ids, filter)

    def replay(
        self,
        ids: Ids | None = None,
        filter: dict[str, Any] | None = None,
        replace: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
        map: dict[str, str] | None = None,
    ) -> Replayed:
        """Try open rows again, with cells replaced (column -> value), other options or another map."""
        return self._quarantined.replay(ids, filter, replace, options, map, self._settings, self._clock(), self.now)


def _table_options(options: dict[str, Any] | None) -> dict[str, Any]:
    given = {k: v for k, v in (options or {}).items() if k in _TABLE_OPTIONS and v not in (None, "")}
    if "header" in given and not isinstance(given["header"], bool):
        raise InvalidInput("options.header", "must be true or false")
    return given


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
