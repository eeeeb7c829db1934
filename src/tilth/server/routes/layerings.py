"""Layerings: what can be computed, computing, reading, comparing, exporting."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from tilth.segments import Comparison, Layering, Segment
from tilth.segments.kinds import KindInfo
from tilth.segments.listing import PeoplePage
from tilth.segments.saved import SavedLayering
from tilth.server.auth import Principal, Who
from tilth.server.context import Context, Ctx
from tilth.server.exports import ExportFormat, attachment

__all__ = ["ROUTES"]


class Layerings(msgspec.Struct, frozen=True, kw_only=True):
    """kinds: what can be computed; saved: what has been, newest first."""

    kinds: list[KindInfo]
    saved: list[SavedLayering]


class NewLayering(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """as_of: a day, `YYYY-MM-DD`; the last day with data when left out. parameters: those of the kind."""

    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    as_of: Annotated[str, msgspec.Meta(max_length=10)] | None = None
    parameters: dict[str, Any] | None = None


class NewSegment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """key: a-z, 0-9, - and _; it stays in addresses. name: what people read."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


@get("/layerings", opt={"role": "viewer"}, sync_to_thread=True)
def list_layerings(context: Ctx) -> Layerings:
    """The kinds of layering with their parameters, and the saved ones."""
    segments = context.workspace.segments
    return Layerings(kinds=segments.kinds(), saved=segments.saved())


@post("/layerings", opt={"role": "analyst"}, status_code=201)
async def compute_layering(data: JSONBody[NewLayering], principal: Who, context: Ctx) -> Layering:
    """Compute a layering with its quality report, and keep it."""

    def compute() -> Layering:
        made = context.workspace.segments.layering(data.kind, data.as_of, data.parameters)
        context.record(principal, "layering.create", f"{made.kind} {made.id}", as_of=made.as_of)
        return made

    return await context.compute(compute)


@get("/layerings/{layering_id:int}", opt={"role": "viewer"})
async def read_layering(layering_id: FromPath[int], context: Ctx) -> Layering:
    """A saved layering; its warnings say how stale it is now."""
    return await context.compute(context.workspace.segments.get, layering_id)


@delete("/layerings/{layering_id:int}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_layering(layering_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Remove a saved layering. Segments made from it stay."""
    context.workspace.segments.delete(layering_id)
    context.record(principal, "layering.delete", str(layering_id))


@get("/layerings/{layering_id:int}/layers/{key:str}/people", opt={"role": "viewer"})
async def list_layer_people(
    layering_id: FromPath[int],
    key: FromPath[str],
    context: Ctx,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> PeoplePage:
    """The people of a layer, those who spent most first."""
    return await context.compute(context.workspace.segments.layer_people, layering_id, key, cursor, limit)


@get("/layerings/{layering_id:int}/layers/{key:str}/export", opt={"role": "analyst"})
async def export_layer(
    layering_id: FromPath[int],
    key: FromPath[str],
    principal: Who,
    context: Ctx,
    format: FromQuery[ExportFormat] = "csv",
) -> Stream:
    """The people of a layer as a file that is safe to open in a spreadsheet."""
    return await _export(layering_id, key, principal, context, format)


@get("/layerings/{layering_id:int}/export", opt={"role": "analyst"})
async def export_layering(
    layering_id: FromPath[int], principal: Who, context: Ctx, format: FromQuery[ExportFormat] = "csv"
) -> Stream:
    """Everyone with the name of their layer, as a file."""
    return await _export(layering_id, None, principal, context, format)


async def _export(
    layering_id: int, key: str | None, principal: Principal, context: Context, format: ExportFormat
) -> Stream:
    def make() -> Stream:
        name, pieces = context.workspace.segments.export_layer(layering_id, key, format)
        context.record(principal, "layering.export", f"{layering_id} {key or 'all'}", format=format)
        return attachment(name, pieces)

    return await context.compute(make)


@post("/layerings/{layering_id:int}/layers/{key:str}/segment", opt={"role": "analyst"}, status_code=201)
async def save_layer(
    layering_id: FromPath[int], key: FromPath[str], data: JSONBody[NewSegment], principal: Who, context: Ctx
) -> Segment:
    """Keep a layer's people of today as a static segment."""

    def save() -> Segment:
        made = context.workspace.segments.save_segment(layering_id, key, data.key, data.name, principal.name)
        context.record(principal, "segment.create", data.key, layering=layering_id, layer=key)
        return made

    return await context.compute(save)


@get("/layerings/{layering_id:int}/compare/{other:int}", opt={"role": "viewer"})
async def compare_layerings(layering_id: FromPath[int], other: FromPath[int], context: Ctx) -> Comparison:
    """Where the people of one layering are in another."""
    return await context.compute(context.workspace.segments.compare, layering_id, other)


ROUTES = [
    list_layerings,
    compute_layering,
    read_layering,
    delete_layering,
    list_layer_people,
    export_layer,
    export_layering,
    save_layer,
    compare_layerings,
]
