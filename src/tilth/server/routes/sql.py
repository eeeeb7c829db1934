"""Ad-hoc SQL over the event table, read-only."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody
from litestar.response import Stream

from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.exports import ExportFormat, cell, table_file
from tilth.server.sql_views import SqlSchema, run_sql, sql_schema

__all__ = ["ROUTES"]

EXPORT_ROWS = 1_000_000


class SqlQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SELECT; `limit` rows at most come back."""

    sql: Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class ResultColumn(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: str


class SqlAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """truncated: there were more rows than `limit`. as_of: the intake number the answer includes.

    Decimals, days and instants come as text, exactly.
    """

    columns: list[ResultColumn]
    rows: list[list[Any]]
    truncated: bool
    took_ms: float
    as_of: int


@post("/sql", opt={"role": "analyst"}, status_code=200)
async def query_sql(data: JSONBody[SqlQuery], context: Ctx) -> SqlAnswer:
    """Run one SELECT over events, people, segments, orders, order_items and the tables of the tracking plan."""
    as_of = context.workspace.collect.as_of()
    result = await context.compute(
        run_sql, context.workspace, data.sql, roster=context.readings.roster, limit=data.limit
    )
    return SqlAnswer(
        columns=[ResultColumn(name=n, type=t) for n, t in zip(result.columns, result.types, strict=True)],
        rows=result.rows,
        truncated=result.truncated,
        took_ms=result.took_ms,
        as_of=as_of,
    )


@post("/sql/export", opt={"role": "analyst"}, status_code=200)
async def export_sql(
    data: JSONBody[SqlQuery], principal: Who, context: Ctx, format: FromQuery[ExportFormat] = "csv"
) -> Stream:
    """The whole result as a file that is safe to open in a spreadsheet (at most a million rows)."""

    def make() -> Stream:
        result = run_sql(context.workspace, data.sql, roster=context.readings.roster, limit=EXPORT_ROWS, timeout=300)
        context.record(principal, "sql.export", format, sql=data.sql[:2000], rows=len(result.rows))
        rows = ([cell(v, t) for v, t in zip(row, result.types, strict=True)] for row in result.rows)
        return table_file("query", result.columns, rows, format)

    return await context.compute(make)


@get("/sql/schema", opt={"role": "viewer"}, sync_to_thread=False)
def read_schema(context: Ctx) -> SqlSchema:
    """Which tables there are, with their columns and some examples."""
    return sql_schema(context.workspace)


ROUTES = [query_sql, export_sql, read_schema]
