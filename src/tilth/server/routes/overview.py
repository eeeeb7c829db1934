"""The overview page in one answer, and the command palette's search."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import get
from litestar.params import FromQuery

from tilth.measure import (
    AttentionItem,
    Change,
    Facts,
    LayerAtRisk,
    Money,
    Month,
    Repeat,
    Text,
    attention,
    money,
)
from tilth.segments import Layer, Layering, Segment
from tilth.segments.saved import SavedLayering
from tilth.server.context import Ctx
from tilth.server.health import disk_health
from tilth.server.import_counts import interrupted_imports, last_import, quarantine_counts
from tilth.server.instants import instant_or_none, now

__all__ = ["ROUTES"]

# Layers of people who were worth much and are leaving, by kind.
_LEAVING = {
    "rfm": {"cannot_lose", "at_risk", "important_keep", "important_win_back"},
    "stage": {"at_risk", "lapsing"},
}
# The kinds whose mix the overview shows, the first that has been computed.
_MIX = ("rfm", "stage", "value", "pareto", "matrix", "clusters")


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How new the numbers are. tail_events: accepted and not flushed yet, included; quarantined: not included."""

    last_event: datetime | None
    last_import: datetime | None
    tail_events: int
    as_of: int
    quarantined: int


class LayerMix(msgspec.Struct, frozen=True, kw_only=True):
    layering_id: int
    kind: str
    as_of: str
    layers: list[Layer]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """revenue and orders of all data; months in minor units of the currency."""

    people: int
    buyers: int
    orders: int
    revenue: Money
    refunds: Money
    refund_orders: int
    repeat: Repeat
    average_order: Money
    first_ts: datetime | None
    last_ts: datetime | None
    freshness: Freshness
    months: list[Month]
    layer_mix: LayerMix | None
    changes: list[Change]
    attention: list[AttentionItem]


class FoundPerson(msgspec.Struct, frozen=True, kw_only=True):
    uid: int
    name: str | None
    id: str | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the command palette offers: at most five people, and the segments and layerings that fit."""

    people: list[FoundPerson]
    segments: list[Segment]
    layerings: list[SavedLayering]


@get("/overview", opt={"role": "viewer"})
async def read_overview(context: Ctx) -> Overview:
    """Who and how much, what changed, and what to look at first."""
    return await context.compute(overview, context)


def overview(context: Ctx) -> Overview:
    workspace = context.workspace
    currency = workspace.settings.currency
    sales = context.readings.sales()
    first, last = context.readings.span()
    newest = _newest(context)
    tail_events, _ = workspace.collect.tail_size()
    quarantined = quarantine_counts(workspace)["open"]
    interrupted = interrupted_imports(workspace)
    facts = Facts(
        now=now(),
        last_event=last,
        quarantined=quarantined,
        interrupted_imports=interrupted,
        at_risk=[risk for kind, layering in newest.items() for risk in _at_risk(kind, layering)][:2],
        layerings=len(newest),
        failed_work=workspace.collect.last_flush_error or context.background.compaction_error,
        disk_free=disk_health(workspace).free,
        drift=[one.event for one in workspace.collect.drift.open()],
    )
    mix = next((newest[kind] for kind in _MIX if kind in newest), None)
    return Overview(
        people=sales.people,
        buyers=sales.buyers,
        orders=sales.orders,
        revenue=money(sales.revenue, currency),
        refunds=money(sales.refunds, currency),
        refund_orders=sales.refund_orders,
        repeat=sales.repeat,
        average_order=money(sales.average_order, currency),
        first_ts=instant_or_none(first),
        last_ts=instant_or_none(last),
        freshness=Freshness(
            last_event=instant_or_none(last),
            last_import=instant_or_none(last_import(workspace)),
            tail_events=tail_events,
            as_of=workspace.collect.as_of(),
            quarantined=quarantined,
        ),
        months=sales.months,
        layer_mix=None
        if mix is None or mix.id is None
        else LayerMix(layering_id=mix.id, kind=mix.kind, as_of=mix.as_of, layers=mix.layers),
        changes=sales.changes,
        attention=attention(sales, facts),
    )


def _newest(context: Ctx) -> dict[str, Layering]:
    """The newest saved layering of each kind that the overview speaks of."""
    segments = context.workspace.segments
    newest: dict[str, Layering] = {}
    for line in segments.saved():
        if line.kind in _MIX and line.kind not in newest:
            newest[line.kind] = segments.get(line.id)
    return newest


def _at_risk(kind: str, layering: Layering) -> list[LayerAtRisk]:
    """The leaving layer that holds most revenue, where it holds a noticeable share."""
    leaving = [layer for layer in layering.layers if layer.key in _LEAVING.get(kind, ()) and layer.people]
    if not leaving or layering.id is None:
        return []
    worst = max(leaving, key=lambda layer: layer.revenue_share)
    if worst.revenue_share < 0.02:
        return []
    return [
        LayerAtRisk(
            layering_id=str(layering.id),
            key=worst.key,
            name=Text(zh=worst.name.zh, en=worst.name.en),
            people=worst.people,
            revenue_share=worst.revenue_share,
            as_of=layering.as_of,
        )
    ]


@get("/search", opt={"role": "viewer"}, sync_to_thread=True)
def search(context: Ctx, q: FromQuery[str] = "") -> Found:
    """What the command palette finds for some typed letters."""
    workspace = context.workspace
    text = q.strip()
    if not text or len(text) > 300:
        return Found(people=[], segments=[], layerings=[])
    uids = workspace.people.search(text, 5)
    ids, traits = workspace.people.distinct_ids(uids), workspace.people.traits(uids)
    folded = text.casefold()
    kinds = {
        info.kind
        for info in workspace.segments.kinds()
        if folded in f"{info.kind} {info.name.zh} {info.name.en}".casefold()
    }
    return Found(
        people=[
            FoundPerson(
                uid=uid,
                name=next((str(t.value) for t in traits[uid] if t.name == "name"), None),
                id=ids[uid][0].id if ids[uid] else None,
            )
            for uid in uids
        ],
        segments=[s for s in workspace.segments.segments() if folded in f"{s.key} {s.name}".casefold()][:5],
        layerings=[line for line in workspace.segments.saved() if line.kind in kinds][:5],
    )


ROUTES = [read_overview, search]
