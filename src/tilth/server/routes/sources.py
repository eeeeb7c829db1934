"""Sources: where events come from, their write keys, settings and what came of what they sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from tilth.collect import Source, SourceSettings
from tilth.collect.counting import SourceCounts
from tilth.server.auth import Who
from tilth.server.context import Context, Ctx
from tilth.server.instants import DAY, instant, instant_or_none, now

__all__ = ["ROUTES"]

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class ReceivedCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Events; received is the sum of the others. dropped: not kept, by consent or privacy settings."""

    received: int
    accepted: int
    duplicate: int
    quarantined: int
    dropped: int


class SourceKey(msgspec.Struct, frozen=True, kw_only=True):
    """A source and its write key, which only sends events. previous_until: until when the key before it also works.
    last_week: what came of what it sent in seven days; last_at: when it last sent something."""

    id: int
    name: str
    write_key: str
    created_at: datetime
    revoked_at: datetime | None
    previous_until: datetime | None
    settings: SourceSettings
    last_week: ReceivedCounts
    last_at: datetime | None


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    sources: list[SourceKey]


class NewSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    settings: SourceSettings = msgspec.field(default_factory=SourceSettings)


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """grace_hours: how long the old key also works."""

    grace_hours: Annotated[int, msgspec.Meta(ge=0, le=2_160)] = 0


_NONE = SourceCounts(received=0, accepted=0, duplicate=0, quarantined=0, dropped=0, last_at=None)


def _source(source: Source, counts: SourceCounts = _NONE) -> SourceKey:
    return SourceKey(
        id=source.id,
        name=source.name,
        write_key=source.write_key,
        created_at=instant(source.created_at),
        revoked_at=instant_or_none(source.revoked_at),
        previous_until=instant_or_none(source.previous_until),
        settings=source.settings,
        last_week=ReceivedCounts(
            received=counts.received,
            accepted=counts.accepted,
            duplicate=counts.duplicate,
            quarantined=counts.quarantined,
            dropped=counts.dropped,
        ),
        last_at=instant_or_none(counts.last_at),
    )


def _with_counts(context: Context, source: Source) -> SourceKey:
    return _source(source, context.counts.of_sources(now() - 7 * DAY).get(source.name, _NONE))


@get("/sources", opt={"role": "admin"}, sync_to_thread=True)
def list_sources(context: Ctx) -> Sources:
    """Where events come from, with the write keys and settings, and what came of the last week's events."""
    counts = context.counts.of_sources(now() - 7 * DAY)
    return Sources(sources=[_source(s, counts.get(s.name, _NONE)) for s in context.workspace.collect.sources.all()])


@post("/sources", opt={"role": "admin"}, sync_to_thread=True)
def create_source(data: JSONBody[NewSource], principal: Who, context: Ctx) -> SourceKey:
    """A new source and its write key."""
    source = context.workspace.collect.sources.create(data.name, data.settings)
    context.record(principal, "source.create", source.name)
    return _source(source)


@put("/sources/{source_id:int}/settings", opt={"role": "admin"}, sync_to_thread=True)
def change_source(source_id: FromPath[int], data: JSONBody[SourceSettings], principal: Who, context: Ctx) -> SourceKey:
    """Set origins, limits, time zone, defaults and privacy of a source; they hold for what comes from now on."""
    source = context.workspace.collect.sources.change(source_id, data)
    context.record(principal, "source.change", source.name)
    return _with_counts(context, source)


@post("/sources/{source_id:int}/rotate", opt={"role": "admin"}, status_code=200, sync_to_thread=True)
def rotate_source(
    source_id: FromPath[int], principal: Who, context: Ctx, data: JSONBody[Rotation | None] = None
) -> SourceKey:
    """Give a source a new write key; the old one stops at once, or after the grace asked for."""
    grace = 0 if data is None else data.grace_hours
    source = context.workspace.collect.sources.rotate(source_id, grace)
    context.record(principal, "source.rotate", source.name, grace_hours=grace)
    return _with_counts(context, source)


@delete("/sources/{source_id:int}", opt={"role": "admin"}, sync_to_thread=True)
def revoke_source(source_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Stop a source's write keys; what it sent stays."""
    source = context.workspace.collect.sources.revoke(source_id)
    context.record(principal, "source.revoke", source.name)


ROUTES = [list_sources, create_source, change_source, rotate_source, revoke_source]
