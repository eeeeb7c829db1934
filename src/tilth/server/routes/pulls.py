"""Pulls: rows of a database, or files of a folder or bucket, fetched every so often."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from tilth.collect.connectors import MappingRule
from tilth.collect.connectors.mapping import check_rules
from tilth.collect.pulls import Connection, Look, Pull, PullRun, look
from tilth.collect.pulls.model import RunStatus, Trigger
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant, instant_or_none

__all__ = ["ROUTES"]

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]
Title = Annotated[str, msgspec.Meta(max_length=200)]
Secret = Annotated[str, msgspec.Meta(max_length=500)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=44_640)]


class PullInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A pull, without its secret. mark: how far it came. failures: runs that failed in a row, the last with `error`."""

    key: str
    title: str
    source: str
    connection: Connection
    has_secret: bool
    rules: list[MappingRule]
    every_minutes: int | None
    enabled: bool
    running: bool
    created_at: datetime
    mark: str | None
    next_at: datetime | None
    failures: int
    error: str | None
    last_at: datetime | None


class PullList(msgspec.Struct, frozen=True, kw_only=True):
    """folders: what pulls may read on this server (the setting `pull_folders`)."""

    pulls: list[PullInfo]
    folders: list[str]


class NewPull(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """source: whose settings apply to the events; by default the key. secret: password of the database, or secret key
    of the bucket; it is never given back. every_minutes: left out, it runs by hand alone."""

    key: Key
    title: Title = ""
    source: Annotated[str, msgspec.Meta(max_length=100)] = ""
    connection: Connection
    secret: Secret = ""
    rules: list[MappingRule]
    every_minutes: Minutes | None = None
    enabled: bool = True


class PullChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is. every_minutes 0: by hand alone. secret: must be given again where the address
    changes."""

    title: Title | None = None
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    connection: Connection | None = None
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None
    rules: list[MappingRule] | None = None
    every_minutes: Annotated[int, msgspec.Meta(ge=0, le=44_640)] | None = None
    enabled: bool | None = None


class PullTrial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connection to try; nothing is kept. key: of a pull whose secret is used where none is given."""

    connection: Connection
    secret: Secret = ""
    key: Key | None = None
    rules: list[MappingRule] = msgspec.field(default_factory=list)


class PullRunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One run. rows: read; the counts after it are of events; skipped: rows no rule wanted."""

    id: int
    trigger: Trigger
    status: RunStatus
    started_at: datetime
    ended_at: datetime | None
    rows: int
    accepted: int
    duplicate: int
    quarantined: int
    dropped: int
    skipped: int
    files: int
    mark_before: str | None
    mark_after: str | None
    error: str | None


class PullRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The latest runs, newest first."""

    runs: list[PullRunInfo]


def _info(pull: Pull) -> PullInfo:
    told = msgspec.structs.asdict(pull)
    return PullInfo(
        **{
            **told,
            "created_at": instant(pull.created_at),
            "next_at": instant_or_none(pull.next_at),
            "last_at": instant_or_none(pull.last_at),
        }
    )


def _run_info(run: PullRun) -> PullRunInfo:
    told = msgspec.structs.asdict(run)
    return PullRunInfo(**{**told, "started_at": instant(run.started_at), "ended_at": instant_or_none(run.ended_at)})


@get("/pulls", opt={"role": "admin"}, sync_to_thread=True)
def list_pulls(context: Ctx) -> PullList:
    """The pulls, without their secrets."""
    pulls = context.workspace.pulls
    return PullList(pulls=[_info(one) for one in pulls.all()], folders=[str(one) for one in pulls.allowed.folders])


@post("/pulls", opt={"role": "admin"}, sync_to_thread=True)
def create_pull(data: JSONBody[NewPull], principal: Who, context: Ctx) -> PullInfo:
    """A pull. Nothing is connected to yet: try it with the preview first."""
    made = context.workspace.pulls.create(
        data.key, data.connection, data.rules, title=data.title, source=data.source, secret=data.secret,
        every_minutes=data.every_minutes, enabled=data.enabled,
    )  # fmt: skip
    context.record(principal, "pull.create", made.key, kind=_kind(made), source=made.source)
    return _info(made)


@get("/pulls/{key:str}", opt={"role": "admin"}, sync_to_thread=True)
def read_pull(key: FromPath[str], context: Ctx) -> PullInfo:
    """One pull."""
    return _info(context.workspace.pulls.get(key))


@patch("/pulls/{key:str}", opt={"role": "admin"}, sync_to_thread=True)
def change_pull(key: FromPath[str], data: JSONBody[PullChange], principal: Who, context: Ctx) -> PullInfo:
    """Change, pause (`enabled` false) or resume. Where it reads and how cannot change while it runs (409)."""
    given = {name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not None}
    changed = context.workspace.pulls.change(key, **given)
    # The names of what changed; a secret is no word for a log.
    context.record(principal, "pull.change", key, changed=sorted(given))
    return _info(changed)


@delete("/pulls/{key:str}", opt={"role": "admin"}, sync_to_thread=True)
def remove_pull(key: FromPath[str], principal: Who, context: Ctx) -> None:
    """Forget it with its history; its events and its source stay."""
    context.workspace.pulls.remove(key)
    context.record(principal, "pull.remove", key)


@post("/pulls/preview", opt={"role": "admin"}, status_code=200)
async def preview_pull(data: JSONBody[PullTrial], context: Ctx) -> Look:
    """Connect, read the first rows and show the events the rules make of them. Nothing is stored."""
    return await context.compute(_preview, context, data)


def _preview(context: Ctx, data: PullTrial) -> Look:
    pulls = context.workspace.pulls
    if data.rules:
        check_rules(data.rules)
    secret = data.secret
    if not secret and data.key is not None:
        secret = pulls.secret_of(data.key)
        pulls.check_kept(pulls.get(data.key).connection, data.connection, secret)
    connection, secret = pulls.checked(data.connection, secret)
    return look(pulls, connection, secret, data.rules)


@post("/pulls/{key:str}/run", opt={"role": "admin"}, status_code=202, sync_to_thread=True)
def start_pull(key: FromPath[str], principal: Who, context: Ctx) -> PullInfo:
    """Run it now, paused or not; its runs tell what became of it."""
    context.background.pull_soon(key)
    context.record(principal, "pull.run", key)
    return _info(context.workspace.pulls.get(key))


@post("/pulls/{key:str}/reset", opt={"role": "admin"}, status_code=200, sync_to_thread=True)
def reset_pull(key: FromPath[str], principal: Who, context: Ctx) -> PullInfo:
    """Forget how far it came: the next run reads everything again. Events known by their id count once."""
    before = context.workspace.pulls.get(key).mark
    fresh = context.workspace.pulls.reset(key)
    context.record(principal, "pull.reset", key, mark=before)
    return _info(fresh)


@get("/pulls/{key:str}/runs", opt={"role": "admin"}, sync_to_thread=True)
def list_pull_runs(key: FromPath[str], context: Ctx) -> PullRuns:
    """The latest 50 runs."""
    return PullRuns(runs=[_run_info(one) for one in context.workspace.pulls.runs(key)])


def _kind(pull: Pull) -> Any:
    return pull.connection.__struct_config__.tag


ROUTES = [
    list_pulls,
    create_pull,
    read_pull,
    change_pull,
    remove_pull,
    preview_pull,
    start_pull,
    reset_pull,
    list_pull_runs,
]
