"""Saved segments: static sets of people."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import delete, get
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from tilth.segments import Segment
from tilth.segments.listing import PeoplePage
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.exports import ExportFormat, attachment

__all__ = ["ROUTES"]


class SegmentList(msgspec.Struct, frozen=True, kw_only=True):
    segments: list[Segment]


@get("/segments", opt={"role": "viewer"}, sync_to_thread=True)
def list_segments(context: Ctx) -> SegmentList:
    """All segments, newest first."""
    return SegmentList(segments=context.workspace.segments.segments())


@get("/segments/{key:str}", opt={"role": "viewer"}, sync_to_thread=True)
def read_segment(key: FromPath[str], context: Ctx) -> Segment:
    """One segment and where it comes from."""
    return context.workspace.segments.segment(key)


@get("/segments/{key:str}/people", opt={"role": "viewer"})
async def list_segment_people(
    key: FromPath[str],
    context: Ctx,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> PeoplePage:
    """The people of a segment, those who spent most first."""
    return await context.compute(context.workspace.segments.segment_people, key, cursor, limit)


@get("/segments/{key:str}/export", opt={"role": "analyst"})
async def export_segment(
    key: FromPath[str], principal: Who, context: Ctx, format: FromQuery[ExportFormat] = "csv"
) -> Stream:
    """The people of a segment as a file that is safe to open in a spreadsheet."""

    def make() -> Stream:
        name, pieces = context.workspace.segments.export_segment(key, format)
        context.record(principal, "segment.export", key, format=format)
        return attachment(name, pieces)

    return await context.compute(make)


@delete("/segments/{key:str}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_segment(key: FromPath[str], principal: Who, context: Ctx) -> None:
    """Remove a segment; the people stay."""
    context.workspace.segments.delete_segment(key)
    context.record(principal, "segment.delete", key)


ROUTES = [list_segments, read_segment, list_segment_people, export_segment, delete_segment]
