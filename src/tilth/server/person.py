"""One person's page: ids, traits, portrait, forecast, layers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tilth.measure import Money, Text, money
from tilth.measure.summary import buying_summary
from tilth.people import DistinctId
from tilth.segments import PersonLayer
from tilth.segments import portrait as pages
from tilth.server.clv import PersonClv, person_clv
from tilth.server.instants import instant, instant_or_none
from tilth.workspace import Workspace

__all__ = ["KnownId", "KnownTrait", "Person", "PersonPortrait", "describe_person"]


class KnownId(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    id: str
    source: str
    since: datetime


class KnownTrait(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: Any
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
    found = pages.portrait(workspace.people, record.uid, rows)
    return Person(
        uid=record.uid,
        distinct_ids=[_known_id(i) for i in record.distinct_ids],
        traits=[
            KnownTrait(name=t.name, value=t.value, source=t.source, at=instant(t.at), confidence=t.confidence)
            for t in record.traits
        ],
        portrait=_portrait(found, workspace.settings.currency, workspace.settings.timezone),
        clv=person_clv(workspace, record.uid),
        layers=workspace.segments.layers_of(record.uid, rows),
    )


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
