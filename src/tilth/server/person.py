"""One person's page: ids, traits, portrait, forecast, layers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from tilth.collect.plan import PropertyType, type_of
from tilth.collect.sources import PiiClass
from tilth.measure import Money, Text, money
from tilth.measure.summary import buying_summary
from tilth.people import DistinctId, Trait
from tilth.segments import PersonLayer
from tilth.segments import portrait as pages
from tilth.server.clv import PersonClv, person_clv
from tilth.server.instants import instant, instant_or_none
from tilth.workspace import Workspace

__all__ = ["KnownId", "KnownTrait", "Person", "PersonPortrait", "describe_person", "known_traits"]


class KnownId(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    id: str
    source: str
    since: datetime


class KnownTrait(msgspec.Struct, frozen=True, kw_only=True):
    """type: as planned, else what the value is. pii: its class in the tracking plan."""

    name: str
    value: Any
    type: PropertyType
    pii: PiiClass | None
    source: str
    at: datetime
    confidence: float


class PersonPortrait(msgspec.Struct, frozen=True, kw_only=True):
    """usual_gap_days: median days between buying days, null below two. active_days: days with any event.
    amount of a favourite product in minor units."""

    orders: int
    revenue: Money
    refunds: Money
    average_order: Money | None
    first_purchase: datetime | None
    last_purchase: datetime | None
    usual_gap_days: float | None
    favourite_products: list[pages.FavouriteProduct]
    channels: list[pages.ChannelCount]
    active_days: int
    completeness: pages.Completeness
    summary: Text


class Person(msgspec.Struct, frozen=True, kw_only=True):
    uid: int
    distinct_ids: list[KnownId]
    traits: list[KnownTrait]
    portrait: PersonPortrait
    clv: PersonClv | None
    layers: list[PersonLayer]


def describe_person(workspace: Workspace, any_id: str) -> Person:
    """The page of the person with this id, of whatever kind (`uid:123` is the number itself). Raises `NotFound`."""
    # The newest events may name people nobody asked about yet.
    workspace.collect.settle()
    record = workspace.people.get(any_id)
    rows = pages.person_rows(workspace.lake, record.uid)
    found = pages.portrait(rows, record, workspace.portraits.fields())
    return Person(
        uid=record.uid,
        distinct_ids=[_known_id(i) for i in record.distinct_ids],
        traits=known_traits(workspace, record.traits),
        portrait=_portrait(found, workspace.settings.currency, workspace.settings.timezone),
        clv=person_clv(workspace, record.uid),
        layers=workspace.segments.layers_of(record.uid, rows),
    )


def known_traits(workspace: Workspace, traits: Sequence[Trait], planned: bool = True) -> list[KnownTrait]:
    """Traits with their types. planned: the tracking plan's traits are meant (it plans those of people only)."""
    plan = workspace.collect.plans.current().plan.traits if planned else {}
    found = []
    for one in traits:
        of = plan.get(one.name)
        found.append(
            KnownTrait(
                name=one.name,
                value=one.value,
                type=of.type if of is not None and of.type != "any" else type_of(one.value),
                pii=of.pii if of is not None else None,
                source=one.source,
                at=instant(one.at),
                confidence=one.confidence,
            )
        )
    return found


def _known_id(known: DistinctId) -> KnownId:
    return KnownId(kind=known.kind, id=known.id, source=known.source, since=instant(known.since))


def _portrait(found: pages.Portrait, currency: str, timezone: str) -> PersonPortrait:
    return PersonPortrait(
        orders=found.orders,
        revenue=money(found.revenue, currency),
        refunds=money(found.refunds, currency),
        average_order=None if found.average_order is None else money(found.average_order, currency),
        first_purchase=instant_or_none(found.first_purchase),
        last_purchase=instant_or_none(found.last_purchase),
        usual_gap_days=found.usual_gap_days,
        favourite_products=found.favourite_products,
        channels=found.channels,
        active_days=found.active_days,
        completeness=found.completeness,
        summary=buying_summary(
            orders=found.orders,
            revenue=found.revenue,
            currency=currency,
            first=found.first_purchase,
            last=found.last_purchase,
            usual_gap_days=found.usual_gap_days,
            timezone=timezone,
        ),
    )
