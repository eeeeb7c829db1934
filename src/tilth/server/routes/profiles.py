"""Profiles of many people at once, how complete they are, and what is known of groups and things."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post, put
from litestar.params import FromQuery, JSONBody, QueryParameter

from tilth.collect.profiles import MOST_ROWS, ProfileRow, TraitSource, Updated
from tilth.people.portraits import ChannelCount, ChannelPortrait, KnownField, PortraitField
from tilth.people.things import Thing, ThingKind
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant
from tilth.server.person import KnownTrait, known_traits

__all__ = ["ROUTES"]


class ProfileUpdate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """source: who says so (imported unless told); confidence: above 0, at most 1. create: an id nobody has becomes
    a person, instead of being counted as unknown."""

    rows: Annotated[list[ProfileRow], msgspec.Meta(min_length=1, max_length=MOST_ROWS)]
    source: TraitSource = "imported"
    confidence: float = 1.0
    create: bool = False


class Portraits(msgspec.Struct, frozen=True, kw_only=True):
    """completeness: the mean of everyone's weighted share of known fields, 0..1. several: people known in two
    channels or more; a channel is a kind of id."""

    at: datetime
    people: int
    completeness: float
    several: int
    fields: list[KnownField]
    channels: list[ChannelPortrait]
    known_in: list[ChannelCount]


class PortraitFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields a portrait should have, in order; an empty list brings back the usual ones."""

    fields: list[PortraitField]


class ListedThing(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    id: str
    traits: list[KnownTrait]


class ThingList(msgspec.Struct, frozen=True, kw_only=True):
    """next is the cursor of the following page."""

    things: list[ListedThing]
    next: str | None


class ThingKinds(msgspec.Struct, frozen=True, kw_only=True):
    """kind: `group:company`, `item:product` and so on."""

    kinds: list[ThingKind]


@post("/people/traits", opt={"role": "operator"}, status_code=200)
async def update_profiles(data: JSONBody[ProfileUpdate], principal: Who, context: Ctx) -> Updated:
    """Change traits of up to 10,000 people: set, set_once, increment, append, remove, unset. What is wrong with a
    row is told and the other rows are applied, all of them or, where the server dies, none."""

    def change() -> Updated:
        workspace = context.workspace
        # Rows may name people who are known from the newest events only.
        workspace.collect.catch_up()
        done = workspace.collect.profiles.update(data.rows, data.source, data.create, data.confidence)
        context.record(
            principal, "people.traits", data.source, people=done.people, traits=done.written, refused=len(done.refused)
        )
        return done

    return await context.compute(change)


@get("/portraits", opt={"role": "viewer"})
async def read_portraits(context: Ctx) -> Portraits:
    """How complete our picture of everyone is, by field and by channel."""

    def read() -> Portraits:
        context.workspace.collect.settle()
        found = context.workspace.portraits.report()
        return Portraits(
            at=instant(found.at),
            people=found.people,
            completeness=found.completeness,
            several=found.several,
            fields=found.fields,
            channels=found.channels,
            known_in=found.known_in,
        )

    return await context.compute(read)


@put("/portraits/fields", opt={"role": "operator"}, sync_to_thread=True)
def choose_portrait_fields(data: JSONBody[PortraitFields], principal: Who, context: Ctx) -> PortraitFields:
    """Choose the fields a portrait should have and how much each counts."""
    chosen = context.workspace.portraits.choose(data.fields)
    context.record(principal, "portraits.fields", "portraits", fields=[f"{f.name} × {f.weight:g}" for f in data.fields])
    return PortraitFields(fields=chosen)


def _listed(context: Ctx, thing: Thing) -> ListedThing:
    return ListedThing(
        kind=thing.kind, id=thing.id, traits=known_traits(context.workspace, thing.traits, planned=False)
    )


@get("/things/kinds", opt={"role": "viewer"}, sync_to_thread=True)
def read_thing_kinds(context: Ctx) -> ThingKinds:
    """The kinds of groups and things sources have told of."""
    context.workspace.collect.settle()
    return ThingKinds(kinds=context.workspace.things.kinds())


@get("/things", opt={"role": "viewer"}, sync_to_thread=True)
def list_things(
    context: Ctx,
    kind: Annotated[str, QueryParameter(max_length=300)],
    q: Annotated[str, QueryParameter(max_length=300)] = "",
    cursor: FromQuery[str] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> ThingList:
    """Groups or things of one kind, in order of id; `q` is how the id begins."""
    context.workspace.collect.settle()
    page = context.workspace.things.page(kind, q, cursor, limit)
    return ThingList(things=[_listed(context, one) for one in page.things], next=page.next or None)


ROUTES = [
    update_profiles,
    read_portraits,
    choose_portrait_fields,
    read_thing_kinds,
    list_things,
]
