"""Identity: a person's ids, the links between them, conflicts, undo."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter

from tilth.collect.model import Alias, Id
from tilth.errors import InvalidInput
from tilth.people.identity import LinkLine, Merge
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant, instant_or_none, now
from tilth.workspace import Workspace

__all__ = ["ROUTES"]

AnyId = Annotated[str, PathParameter(description="Any id the person is known by, or `uid:123`", max_length=300)]


class GraphId(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    id: str


class GraphLink(msgspec.Struct, frozen=True, kw_only=True):
    """What a source said of two ids (of one, for unbind). refused: why it was not applied, "" where it was."""

    key: str
    verb: str
    a: GraphId
    b: GraphId | None
    source: str
    first_at: datetime
    last_at: datetime
    refused: str


class GraphMerge(msgspec.Struct, frozen=True, kw_only=True):
    """Two persons that became one; split_at is set once they were taken apart again."""

    at: datetime
    from_uid: int
    into_uid: int
    verb: str
    link: str
    split_at: datetime | None


class IdentityGraph(msgspec.Struct, frozen=True, kw_only=True):
    """more: links beyond those listed."""

    uid: int
    ids: list[GraphId]
    links: list[GraphLink]
    merges: list[GraphMerge]
    more: int


class IdentityConflict(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was refused, with the persons its two ids belong to."""

    link: GraphLink
    a_uid: int | None
    b_uid: int | None


class ConflictCount(msgspec.Struct, frozen=True, kw_only=True):
    reason: str
    links: int


class IdentityConflicts(msgspec.Struct, frozen=True, kw_only=True):
    conflicts: list[IdentityConflict]
    reasons: list[ConflictCount]
    next: str | None


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """split: False where other links still hold the two ids together."""

    split: bool


class MergeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """person: an id of the one, other: an id of the other."""

    person: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    other: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class MergedPeople(msgspec.Struct, frozen=True, kw_only=True):
    """merged: False where a rule (a cap, ids kept apart) was stronger; the conflict is on record."""

    uid: int
    merged: bool


class IdentitySummary(msgspec.Struct, frozen=True, kw_only=True):
    """people: everyone; several_kinds: those known by ids of two or more kinds; overridden: persons whose stored
    events are read under another number until compaction writes them anew."""

    people: int
    ids: int
    several_kinds: int
    conflicts: int
    merges: int
    overridden: int


def _link(line: LinkLine) -> GraphLink:
    return GraphLink(
        key=line.key,
        verb=line.verb,
        a=GraphId(kind=line.a_kind, id=line.a),
        b=None if line.b_kind is None or line.b is None else GraphId(kind=line.b_kind, id=line.b),
        source=line.source,
        first_at=instant(line.first_at),
        last_at=instant(line.last_at),
        refused=line.refused,
    )


def _merge(merge: Merge) -> GraphMerge:
    return GraphMerge(
        at=instant(merge.at),
        from_uid=merge.from_uid,
        into_uid=merge.into_uid,
        verb=merge.verb,
        link=merge.link,
        split_at=instant_or_none(merge.split_at),
    )


@get("/people/{any_id:str}/identity", opt={"role": "viewer"}, sync_to_thread=True)
def read_identity(any_id: AnyId, context: Ctx) -> IdentityGraph:
    """The ids of a person and why they are one person: every link, its reason, and what was refused."""
    workspace = context.workspace
    workspace.collect.catch_up()
    graph = workspace.identity.graph(workspace.people.find(any_id))
    return IdentityGraph(
        uid=graph.uid,
        ids=[GraphId(kind=kind, id=value) for kind, value in graph.ids],
        links=[_link(line) for line in graph.links],
        merges=[_merge(merge) for merge in graph.merges],
        more=graph.more,
    )


@get("/identity", opt={"role": "viewer"})
async def read_identity_summary(context: Ctx) -> IdentitySummary:
    """How many people are known by how much, and what identity has done."""

    def read() -> IdentitySummary:
        workspace = context.workspace
        workspace.collect.catch_up()
        counts = workspace.identity.counts()
        return IdentitySummary(
            people=counts.people,
            ids=counts.ids,
            several_kinds=counts.several_kinds,
            conflicts=counts.conflicts,
            merges=counts.merges,
            overridden=len(workspace.identity.overrides().old),
        )

    return await context.compute(read)


@get("/identity/conflicts", opt={"role": "viewer"}, sync_to_thread=True)
def list_conflicts(
    context: Ctx,
    reason: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> IdentityConflicts:
    """Links that were recorded and not applied, newest first. reason: `cap`, `both_identified`, `kept_apart` …"""
    context.workspace.collect.catch_up()
    page = context.workspace.identity.conflicts(reason, cursor, limit)
    return IdentityConflicts(
        conflicts=[IdentityConflict(link=_link(c.link), a_uid=c.a_uid, b_uid=c.b_uid) for c in page.conflicts],
        reasons=[ConflictCount(reason=name, links=count) for name, count in page.reasons.items()],
        next=page.next,
    )


@post("/identity/links/{key:str}/undo", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def undo_link(key: FromPath[str], principal: Who, context: Ctx) -> Undone:
    """Take a link back: its two ids are kept apart from now on, and each person's events go back to it."""
    context.workspace.collect.catch_up()
    split = context.workspace.identity.undo(key, principal.name)
    context.record(principal, "identity.undo", key, split=split)
    return Undone(split=split)


@post("/identity/merge", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def merge_people(data: JSONBody[MergeRequest], principal: Who, context: Ctx) -> MergedPeople:
    """Say that two ids are one person, even where both signed in; it can be undone like every link."""
    workspace = context.workspace
    workspace.collect.catch_up()
    workspace.people.find(data.person)
    workspace.people.find(data.other)
    person, other = _id_of(data.person, "person", workspace), _id_of(data.other, "other", workspace)
    workspace.collect.receive(
        [Alias(ids=(person,), ts=now(), event_id=uuid.uuid4().hex, previous=other, forced=True)],
        f"console {principal.name}",
    )
    workspace.collect.catch_up()
    context.record(principal, "identity.merge", f"{data.person} + {data.other}")
    uid = workspace.people.find(data.person)
    return MergedPeople(uid=uid, merged=uid == workspace.people.find(data.other))


def _id_of(text: str, field: str, workspace: Workspace) -> Id:
    """The id as the graph knows it: of the kind it was seen as."""
    found = [one for one in workspace.people.get(text).distinct_ids if one.id == text]
    if not found:
        raise InvalidInput(field, "must be an id of the person, not their number")
    return Id(found[0].kind, found[0].id)


ROUTES = [read_identity, read_identity_summary, list_conflicts, undo_link, merge_people]
