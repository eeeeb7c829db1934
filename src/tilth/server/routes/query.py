"""Questions with a model in them: customer lifetime value."""

from __future__ import annotations

from litestar import post
from litestar.params import FromQuery, JSONBody
from litestar.response import Stream

from tilth.segments.clv import CLVRequest, CLVResult
from tilth.server.auth import Who
from tilth.server.clv import clv_answer, clv_table
from tilth.server.context import Ctx
from tilth.server.exports import ExportFormat, table_file

__all__ = ["ROUTES"]


@post("/query/clv", opt={"role": "analyst"}, status_code=200)
async def query_clv(data: JSONBody[CLVRequest], context: Ctx) -> CLVResult:
    """Fit a purchase model, forecast everybody, and check the forecasts on the holdout period."""
    return await context.compute(clv_answer, context.workspace, data)


@post("/query/clv/export", opt={"role": "analyst"}, status_code=200)
async def export_clv(
    data: JSONBody[CLVRequest], principal: Who, context: Ctx, format: FromQuery[ExportFormat] = "csv"
) -> Stream:
    """Everybody's forecast as a file."""

    def make() -> Stream:
        columns, rows = clv_table(context.workspace, data)
        context.record(principal, "clv.export", data.model, format=format)
        return table_file(f"clv-{data.model}", columns, rows, format)

    return await context.compute(make)


ROUTES = [query_clv, export_clv]
