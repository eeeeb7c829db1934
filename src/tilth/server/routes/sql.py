"""Ad-hoc SQL over the event table, read-only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from tilth.measure.saved_sql import SavedSql, SqlChart, SqlToSave
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.exports import ExportFormat, cell, table_file
from tilth.server.instants import instant
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


class ShownSql(msgspec.Struct, frozen=True, kw_only=True):
    """chart: how its result is drawn."""

    id: int
    title: str
    about: str
    sql: str
    chart: SqlChart
    by: str
    created_at: datetime
    changed_at: datetime


class SavedSqlList(msgspec.Struct, frozen=True, kw_only=True):
    queries: list[ShownSql]


def _shown(held: SavedSql) -> ShownSql:
    values = {name: getattr(held, name) for name in ShownSql.__struct_fields__}
    return ShownSql(**{**values, "created_at": instant(held.created_at), "changed_at": instant(held.changed_at)})


@get("/sql/queries", opt={"role": "viewer"}, sync_to_thread=True)
def list_sql(context: Ctx) -> SavedSqlList:
    """Saved SQL, the last changed first."""
    return SavedSqlList(queries=[_shown(one) for one in context.workspace.saved_sql.all()])


@get("/sql/queries/{query_id:int}", opt={"role": "viewer"}, sync_to_thread=True)
def read_sql(query_id: FromPath[int], context: Ctx) -> ShownSql:
    """One saved query."""
    return _shown(context.workspace.saved_sql.get(query_id))


@post("/sql/queries", opt={"role": "analyst"}, status_code=201, sync_to_thread=True)
def save_sql(data: JSONBody[SqlToSave], principal: Who, context: Ctx) -> ShownSql:
    """Save SQL under a title."""
    made = context.workspace.saved_sql.save(data, principal.name)
    context.record(principal, "sql.save", made.title)
    return _shown(made)


@put("/sql/queries/{query_id:int}", opt={"role": "analyst"}, sync_to_thread=True)
def change_sql(query_id: FromPath[int], data: JSONBody[SqlToSave], principal: Who, context: Ctx) -> ShownSql:
    """Change saved SQL, its title or its chart."""
    made = context.workspace.saved_sql.change(query_id, data)
    context.record(principal, "sql.change", made.title)
    return _shown(made)


@delete("/sql/queries/{query_id:int}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_sql(query_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Remove saved SQL."""
    gone = context.workspace.saved_sql.get(query_id)
    context.workspace.saved_sql.delete(query_id)
    context.record(principal, "sql.remove", gone.title)


ROUTES = [query_sql, export_sql, read_schema, list_sql, read_sql, save_sql, change_sql, delete_sql]
