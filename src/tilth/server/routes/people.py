"""People: the list, one person's page, their orders and timeline, erasure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from litestar import get, post
from litestar.params import FromQuery, PathParameter, QueryParameter

from tilth.errors import InvalidInput
from tilth.measure import Money, money
from tilth.measure.calendar import day_start
from tilth.segments import portrait as pages
from tilth.segments.roster import PeopleQuery, PersonRow
from tilth.server.auth import Who
from tilth.server.context import Context, Ctx
from tilth.server.erasure import erase
from tilth.server.instants import instant, instant_or_none
from tilth.server.person import Person, describe_person
from tilth.workspace import Workspace

__all__ = ["ROUTES"]

AnyId = Annotated[str, PathParameter(description="Any id the person is known by, or `uid:123`", max_length=300)]


class ListedId(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    id: str


class ListedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list. revenue in minor units."""

    uid: int
    distinct_ids: list[ListedId]
    traits: dict[str, Any]
    first_seen: datetime | None
    last_seen: datetime | None
    orders: int
    revenue: int
    last_purchase: datetime | None


class PeopleList(msgspec.Struct, frozen=True, kw_only=True):
    """total counts everyone who fits; next is the cursor of the following page."""

    people: list[ListedPerson]
    total: int
    next: str | None


class PersonOrder(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str | None
    ts: datetime
    amount: Money
    kind: Literal["purchase", "refund"]
    channel: str | None
    store: str | None
    items: list[pages.OrderLine]


class PersonOrders(msgspec.Struct, frozen=True, kw_only=True):
    orders: list[PersonOrder]
    total: int
    next: str | None


class PersonEvent(msgspec.Struct, frozen=True, kw_only=True):
    ts: datetime
    event: str
    source: str | None
    properties: dict[str, Any]


class PersonTimeline(msgspec.Struct, frozen=True, kw_only=True):
    events: list[PersonEvent]
    total: int
    next: str | None


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    uid: int
    events_removed: int


def _listed(row: PersonRow) -> ListedPerson:
    return ListedPerson(
        uid=row.uid,
        distinct_ids=[ListedId(kind=i.kind, id=i.id) for i in row.distinct_ids],
        traits=row.traits,
        first_seen=instant_or_none(row.first_seen),
        last_seen=instant_or_none(row.last_seen),
        orders=row.orders,
        revenue=row.revenue,
        last_purchase=instant_or_none(row.last_purchase),
    )


def _chosen(context: Context, layer: str | None, segment: str | None) -> npt.NDArray[np.int64] | None:
    """The uids of a layer (`<layering>:<key>`) and a segment, both where both are given; None for everyone."""
    chosen: npt.NDArray[np.int64] | None = None
    if layer:
        layering_id, colon, key = layer.rpartition(":")
        if not colon:
            raise InvalidInput("layer", "must be <layering id>:<layer key>")
        chosen = context.workspace.segments.layer_uids(layering_id, key)
    if segment:
        members = context.workspace.segments.member_uids(segment)
        chosen = members if chosen is None else np.intersect1d(chosen, members)
    return chosen


@get("/people", opt={"role": "viewer"})
async def list_people(
    context: Ctx,
    q: Annotated[str, QueryParameter(max_length=300)] = "",
    layer: FromQuery[str | None] = None,
    segment: FromQuery[str | None] = None,
    min_orders: FromQuery[int | None] = None,
    max_orders: FromQuery[int | None] = None,
    min_revenue: FromQuery[int | None] = None,
    max_revenue: FromQuery[int | None] = None,
    last_purchase_after: FromQuery[date | None] = None,
    last_purchase_before: FromQuery[date | None] = None,
    sort: FromQuery[Literal["uid", "-last_purchase", "-monetary", "-orders", "-last_seen"]] = "uid",
    cursor: FromQuery[str] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> PeopleList:
    """People by any id or name and by what they bought. Money in minor units; days in the workspace's zone, both
    included; `layer` is `<layering id>:<layer key>`."""
    zone = context.workspace.settings.timezone
    query = PeopleQuery(
        q=q,
        min_orders=min_orders,
        max_orders=max_orders,
        min_revenue=min_revenue,
        max_revenue=max_revenue,
        last_purchase_after=None if last_purchase_after is None else day_start(last_purchase_after, zone),
        last_purchase_before=None
        if last_purchase_before is None
        else day_start(last_purchase_before + timedelta(days=1), zone) - 1,
        sort=sort,
        cursor=cursor,
        limit=limit,
    )

    def read() -> PeopleList:
        page = context.readings.roster.page(query, only=_chosen(context, layer, segment))
        return PeopleList(people=[_listed(row) for row in page.people], total=page.total, next=page.next or None)

    return await context.compute(read)


def _with_newest(context: Ctx) -> Workspace:
    """The workspace, having read the newest events: they may name people nobody asked about yet."""
    context.workspace.collect.tail()
    return context.workspace


@get("/people/{any_id:str}", opt={"role": "viewer"})
async def read_person(any_id: AnyId, context: Ctx) -> Person:
    """All we know of one person."""
    return await context.compute(describe_person, context.workspace, any_id)


def _order(order: pages.PersonOrder, currency: str) -> PersonOrder:
    return PersonOrder(
        order_id=order.order_id,
        ts=instant(order.ts),
        amount=money(order.amount, order.currency or currency),
        kind="refund" if order.kind == "refund" else "purchase",
        channel=order.channel,
        store=order.store,
        items=order.items,
    )


@get("/people/{any_id:str}/orders", opt={"role": "viewer"}, sync_to_thread=True)
def read_orders(
    any_id: AnyId, context: Ctx, cursor: FromQuery[str] = "", limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50
) -> PersonOrders:
    """The person's orders and refunds with their lines, newest first."""
    workspace = _with_newest(context)
    page = pages.orders(workspace.lake, workspace.people.find(any_id), cursor, limit)
    return PersonOrders(
        orders=[_order(o, workspace.settings.currency) for o in page.orders], total=page.total, next=page.next or None
    )


@get("/people/{any_id:str}/timeline", opt={"role": "viewer"}, sync_to_thread=True)
def read_timeline(
    any_id: AnyId,
    context: Ctx,
    event: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> PersonTimeline:
    """Everything the person did, newest first."""
    workspace = _with_newest(context)
    page = pages.timeline(workspace.lake, workspace.people.find(any_id), event, cursor, limit)
    return PersonTimeline(
        events=[
            PersonEvent(ts=instant(e.ts), event=e.event, source=e.source, properties=e.properties) for e in page.events
        ],
        total=page.total,
        next=page.next or None,
    )


@post("/people/{any_id:str}/erase", opt={"role": "admin"}, status_code=200)
async def erase_person(any_id: AnyId, principal: Who, context: Ctx) -> Erased:
    """Remove the person's events, ids and traits for good."""

    def work() -> Erased:
        uid, removed = erase(context.workspace, any_id)
        # The audit log says that somebody was erased, not who: the id would be what was to be forgotten.
        context.record(principal, "person.erase", f"uid {uid}", events_removed=removed)
        return Erased(uid=uid, events_removed=removed)

    return await context.compute(work)


ROUTES = [list_people, read_person, read_orders, read_timeline, erase_person]
