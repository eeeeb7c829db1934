"""AARRR, CSPDD and channel quality, from the workspace's stage settings, and what channels cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import get, post, put
from litestar.params import FromQuery, JSONBody

from tilth.behavior.deal_paths import DealPathsAnswer
from tilth.measure.aarrr import AarrrAnswer
from tilth.measure.channels import ChannelsAnswer
from tilth.measure.costs import ChannelCost, costs_of_csv
from tilth.measure.stage_boards import ask_aarrr, ask_channels, ask_cspdd, current_stages
from tilth.measure.stages import KeptStages, StageSettings
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant
from tilth.settings import currency_digits

__all__ = ["ROUTES"]


class ShownStages(msgspec.Struct, frozen=True, kw_only=True):
    """version: 0 while nobody has set them: then they are guessed from the events there are."""

    settings: StageSettings
    version: int
    by: str
    changed_at: datetime | None


class StagesToSave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """version: the one that was changed."""

    settings: StageSettings
    version: int | None = None


class CostsToPut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """costs: one sum a day and channel, in minor units; or csv: text with the columns day, channel, cost (major
    units). One that is there already is replaced, 0 takes it away."""

    costs: list[ChannelCost] = msgspec.field(default_factory=list)
    csv: str = ""


class CostsPut(msgspec.Struct, frozen=True, kw_only=True):
    """put: how many."""

    put: int


class CostList(msgspec.Struct, frozen=True, kw_only=True):
    """currency: of the minor units."""

    costs: list[ChannelCost]
    currency: str


def _shown(held: KeptStages) -> ShownStages:
    changed = instant(held.changed_at) if held.version else None
    return ShownStages(settings=held.settings, version=held.version, by=held.by, changed_at=changed)


@get("/stages", opt={"role": "viewer"}, sync_to_thread=True)
def read_stages(context: Ctx) -> ShownStages:
    """Which events the stages are."""
    return _shown(current_stages(context.workspace.stages, context.workspace.behavior))


@put("/stages", opt={"role": "analyst"}, sync_to_thread=True)
def change_stages(data: JSONBody[StagesToSave], principal: Who, context: Ctx) -> ShownStages:
    """Set which events the stages are."""
    made = context.workspace.stages.save(data.settings, principal.name, data.version)
    context.record(principal, "stages.change", "stages", version=made.version)
    return _shown(made)


@post("/aarrr", opt={"role": "viewer"}, status_code=200)
async def query_aarrr(data: JSONBody[dict[str, Any]], context: Ctx) -> AarrrAnswer:
    """Acquisition, activation, retention, revenue and referral of a range."""
    ws = context.workspace
    return await context.compute(ask_aarrr, ws.behavior, ws.stages, ws.costs, ws.settings, data)


@post("/channels", opt={"role": "viewer"}, status_code=200)
async def query_channels(data: JSONBody[dict[str, Any]], context: Ctx) -> ChannelsAnswer:
    """What each channel brings, what becomes of it, what it costs and earns."""
    ws = context.workspace
    return await context.compute(ask_channels, ws.behavior, ws.stages, ws.costs, ws.settings, data)


@post("/cspdd", opt={"role": "viewer"}, status_code=200)
async def query_cspdd(data: JSONBody[dict[str, Any]], context: Ctx) -> DealPathsAnswer:
    """From channel over scene, product and decision to the deal, and the cells that stand out."""
    ws = context.workspace
    return await context.compute(ask_cspdd, ws.behavior, ws.stages, data)


@get("/channels/costs", opt={"role": "viewer"}, sync_to_thread=True)
def list_costs(context: Ctx, since: FromQuery[str] = "0001-01-01", to: FromQuery[str] = "9999-12-31") -> CostList:
    """What channels cost, day by day."""
    return CostList(costs=context.workspace.costs.between(since, to), currency=context.workspace.settings.currency)


@put("/channels/costs", opt={"role": "analyst"}, sync_to_thread=True)
def put_costs(data: JSONBody[CostsToPut], principal: Who, context: Ctx) -> CostsPut:
    """Set what channels cost."""
    digits = currency_digits(context.workspace.settings.currency)
    costs = [*data.costs, *(costs_of_csv(data.csv, digits) if data.csv else [])]
    count = context.workspace.costs.put(costs, principal.name)
    context.record(principal, "costs.put", "channels", costs=count)
    return CostsPut(put=count)


ROUTES = [read_stages, change_stages, query_aarrr, query_channels, query_cspdd, list_costs, put_costs]
