"""The tables people write SQL against: what they are called, what is in them, and a few examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from tilth.measure import Text
from tilth.server.sql_events import event_columns, event_views
from tilth.settings import currency_digits

if TYPE_CHECKING:
    from tilth.lake.sql import SqlResult
    from tilth.segments.roster import Roster
    from tilth.workspace import Workspace

__all__ = ["TABLES", "SqlColumn", "SqlExample", "SqlSchema", "SqlView", "run_sql", "sql_schema", "table_batches"]

TABLES = ("orders", "order_items", "people", "events", "segments")


class SqlColumn(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: str
    about: Text


class SqlView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    about: Text
    columns: list[SqlColumn]


class SqlExample(msgspec.Struct, frozen=True, kw_only=True):
    title: Text
    sql: str


class SqlSchema(msgspec.Struct, frozen=True, kw_only=True):
    views: list[SqlView]
    examples: list[SqlExample]


def run_sql(
    workspace: Workspace, statement: str, *, roster: Roster | None = None, limit: int = 1000, timeout: float = 60.0
) -> SqlResult:
    """Run one SELECT over the tables of TABLES and those of the tracking plan; read-only.

    roster: the list of everyone, where the caller keeps one. Raises `InvalidInput("sql", …)` for a
    mistake in the statement and `LimitReached` past the limits.
    """
    from tilth.lake.sql import SqlDoor

    door = SqlDoor(workspace.lake, memory_mb=max(256, workspace.settings.memory_mb // 2))
    frames = _frames(workspace, statement, roster)
    return door.run(statement, frames=frames, views=_views(workspace, statement), limit=limit, timeout=timeout)


@contextmanager
def table_batches(workspace: Workspace, statement: str) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The Arrow schema and batches of one SELECT, a batch in memory at a time, for export. No limits but memory."""
    import duckdb

    from tilth.errors import InvalidInput
    from tilth.lake.sql import SqlDoor

    door = SqlDoor(workspace.lake, memory_mb=max(256, workspace.settings.memory_mb // 2))
    connection = door.connect(_frames(workspace, statement, None), _views(workspace, statement))
    try:
        parsed = connection.extract_statements(statement)
        if len(parsed) != 1 or parsed[0].type != duckdb.StatementType.SELECT:
            raise InvalidInput("sql", "must be exactly one SELECT")
        reader = connection.sql(statement).to_arrow_reader(50_000)
        yield reader.schema, iter(reader)
    except duckdb.Error as error:
        raise InvalidInput("sql", str(error).strip().split("\n\n")[0]) from None
    finally:
        connection.close()


def _frames(workspace: Workspace, statement: str, roster: Roster | None) -> dict[str, Any]:
    # Listing everyone costs a pass over the data, so only for a statement that asks for it.
    frames = {}
    if re.search(r"\bpeople\b", statement, re.IGNORECASE):
        frames["people"] = _people_frame(workspace, roster)
    if re.search(r"\bsegments\b", statement, re.IGNORECASE):
        frames["segments"] = _segments_frame(workspace)
    return frames


def _views(workspace: Workspace, statement: str) -> dict[str, str]:
    settings = workspace.settings
    digits = currency_digits(settings.currency)
    zone = settings.timezone.replace("'", "''")
    amount = f"CAST(({{}})::DECIMAL(18,0) / {10**digits} AS DECIMAL(18,{digits}))"
    day = f"CAST(e.ts AT TIME ZONE '{zone}' AS DATE)"
    return event_views(workspace, statement) | {
        "orders": f"""
            SELECT e.uid, e.p_order_id AS order_id, e.event AS kind, e.ts, {day} AS day,
                   {amount.format("coalesce(e.p_amount, 0) + coalesce(a.added, 0)")} AS amount,
                   e.p_quantity AS quantity, e.p_channel AS channel, e.p_store AS store, e.source
            FROM events e
            LEFT JOIN (
                SELECT uid, p_order_id, sum(p_amount) AS added FROM events
                WHERE event = 'purchase_added' GROUP BY uid, p_order_id
            ) a ON e.event = 'purchase' AND a.uid = e.uid AND a.p_order_id = e.p_order_id
            WHERE e.event IN ('purchase', 'refund')""",
        "order_items": f"""
            SELECT e.uid, e.p_order_id AS order_id,
                   CASE e.event WHEN 'purchase_item' THEN 'purchase' ELSE 'refund' END AS kind,
                   e.ts, {day} AS day, e.p_product AS product,
                   json_extract_string(e.props, '$.name') AS name, e.p_category AS category,
                   e.p_quantity AS quantity, e.p_price AS price, {amount.format("e.p_amount")} AS amount
            FROM events e WHERE e.event IN ('purchase_item', 'refund_item')""",
    }


def _people_frame(workspace: Workspace, roster: Roster | None) -> Any:
    import pyarrow as pa

    from tilth.segments.history import NEVER
    from tilth.segments.roster import Roster

    arrays = (roster or Roster(workspace.lake, workspace.people, workspace.settings)).arrays()
    digits = currency_digits(workspace.settings.currency)

    def instants(values: Any) -> pa.Array:
        return pa.array(values, pa.int64(), mask=values == NEVER).cast(pa.timestamp("us", tz="UTC"))

    def amounts(values: Any) -> pa.Array:
        whole = pa.array(values, pa.int64()).cast(pa.decimal128(19, 0))
        return whole if digits == 0 else _scaled(whole, digits)

    return pa.table(
        {
            "uid": pa.array(arrays.uid),
            "orders": pa.array(arrays.orders),
            "revenue": amounts(arrays.revenue),
            "refunds": amounts(arrays.refunds),
            "first_seen": instants(arrays.first_seen),
            "last_seen": instants(arrays.last_seen),
            "first_purchase": instants(arrays.first_purchase),
            "last_purchase": instants(arrays.last_purchase),
        }
    )


def _segments_frame(workspace: Workspace) -> Any:
    """The members of every saved segment now; keys and names are dictionaries, a row costs its uid and two codes."""
    import numpy as np
    import pyarrow as pa

    listed = workspace.segments.segments()
    members = [workspace.segments.member_uids(one.key) for one in listed]
    of = pa.array(np.repeat(np.arange(len(listed), dtype=np.int32), [len(m) for m in members]))
    return pa.table(
        {
            "segment": pa.DictionaryArray.from_arrays(of, pa.array([one.key for one in listed], pa.string())),
            "name": pa.DictionaryArray.from_arrays(of, pa.array([one.name for one in listed], pa.string())),
            "uid": pa.array(np.concatenate([np.empty(0, np.int64), *members])),
        }
    )


def _scaled(whole: Any, digits: int) -> Any:
    """Minor units as an exact decimal of major units: the same integers read with another scale."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.decimal128(19, digits), len(whole), whole.buffers())


def _column(name: str, kind: str, zh: str, en: str) -> SqlColumn:
    return SqlColumn(name=name, type=kind, about=Text(zh=zh, en=en))


def sql_schema(workspace: Workspace) -> SqlSchema:
    """What the views hold, in words."""
    currency = workspace.settings.currency
    zone = workspace.settings.timezone
    money = f"DECIMAL, {currency}"
    uid = _column("uid", "BIGINT", "用户编号", "the person's number")
    order = _column("order_id", "VARCHAR", "订单号", "order number")
    kind = _column("kind", "VARCHAR", "purchase 购买，refund 退款", "purchase or refund")
    moment = _column("ts", "TIMESTAMPTZ", "发生时间（UTC）", "when it happened (UTC)")
    day = _column("day", "DATE", f"{zone} 的日期", f"calendar day in {zone}")
    amount = _column("amount", money, "金额", "amount")
    quantity = _column("quantity", "DOUBLE", "数量", "quantity")
    return SqlSchema(
        views=[
            SqlView(
                name="orders",
                about=Text(zh="每个订单一行，每次退款一行。", en="One row an order, and one a refund."),
                columns=[
                    uid,
                    order,
                    kind,
                    moment,
                    day,
                    amount,
                    quantity,
                    _column("channel", "VARCHAR", "渠道", "channel"),
                    _column("store", "VARCHAR", "门店", "store"),
                    _column("source", "VARCHAR", "来源", "where the data came from"),
                ],
            ),
            SqlView(
                name="order_items",
                about=Text(zh="每个订单明细一行。", en="One row a line of an order."),
                columns=[
                    uid,
                    order,
                    kind,
                    moment,
                    day,
                    _column("product", "VARCHAR", "商品编码", "product code"),
                    _column("name", "VARCHAR", "商品名称", "product name"),
                    _column("category", "VARCHAR", "类目", "category"),
                    quantity,
                    _column("price", "DECIMAL", "单价", "unit price"),
                    amount,
                ],
            ),
            SqlView(
                name="people",
                about=Text(zh="每个用户一行。", en="One row a person."),
                columns=[
                    uid,
                    _column("orders", "BIGINT", "订单数", "orders"),
                    _column("revenue", money, "消费总额", "money spent"),
                    _column("refunds", money, "退款总额", "money given back"),
                    _column("first_seen", "TIMESTAMPTZ", "第一次出现", "first event of any kind"),
                    _column("last_seen", "TIMESTAMPTZ", "最近一次出现", "last event of any kind"),
                    _column("first_purchase", "TIMESTAMPTZ", "第一次购买", "first purchase"),
                    _column("last_purchase", "TIMESTAMPTZ", "最近一次购买", "last purchase"),
                ],
            ),
            SqlView(
                name="segments",
                about=Text(zh="每个分群的每个成员一行。", en="One row a member of a saved segment."),
                columns=[
                    _column("segment", "VARCHAR", "分群的键", "the segment's key"),
                    _column("name", "VARCHAR", "分群名称", "what it is called"),
                    uid,
                ],
            ),
            SqlView(
                name="events",
                about=Text(
                    zh="所有事件，一行一个；p_amount 以最小货币单位计。",
                    en="Every event, one row each; p_amount is in minor units.",
                ),
                columns=[
                    uid,
                    moment,
                    _column("event", "VARCHAR", "事件名", "what happened"),
                    _column("distinct_id", "VARCHAR", "来源里的标识", "the id it came with"),
                    _column("event_id", "VARCHAR", "去重键", "de-duplication key"),
                    _column("source", "VARCHAR", "来源", "where it came from"),
                    _column("received_at", "TIMESTAMPTZ", "收到时间", "when we got it"),
                    _column("p_order_id", "VARCHAR", "订单号", "order number"),
                    _column("p_product", "VARCHAR", "商品", "product"),
                    _column("p_category", "VARCHAR", "类目", "category"),
                    _column("p_channel", "VARCHAR", "渠道", "channel"),
                    _column("p_store", "VARCHAR", "门店", "store"),
                    _column("p_quantity", "DOUBLE", "数量", "quantity"),
                    _column("p_price", "DECIMAL", "单价", "unit price"),
                    _column("p_amount", "BIGINT", "金额（最小货币单位）", "amount in minor units"),
                    _column("p_currency", "VARCHAR", "币种", "currency"),
                    _column("props", "VARCHAR", "其余属性（JSON）", "other properties, JSON"),
                    _column("context", "VARCHAR", "环境信息（JSON）", "context, JSON"),
                ],
            ),
            *[
                SqlView(
                    name=table,
                    about=Text(
                        zh="埋点方案里的一个事件：每个属性一列，按方案的类型读出。",
                        en="One event of the tracking plan: a column a property, read as the plan says.",
                    ),
                    columns=[
                        uid,
                        moment,
                        day,
                        _column("distinct_id", "VARCHAR", "来源里的标识", "the id it came with"),
                        _column("source", "VARCHAR", "来源", "where it came from"),
                        *[_column(name, kind, "属性", "a property") for name, kind in columns],
                    ],
                )
                for table, columns in event_columns(workspace).items()
            ],
        ],
        examples=[
            SqlExample(
                title=Text(zh="每月销售额", en="Revenue by month"),
                sql="SELECT strftime(day, '%Y-%m') AS month, sum(amount) AS revenue, count(*) AS orders,\n"
                "       count(DISTINCT uid) AS buyers\n"
                "FROM orders WHERE kind = 'purchase' GROUP BY month ORDER BY month",
            ),
            SqlExample(
                title=Text(zh="消费最多的 20 人", en="The 20 people who spent most"),
                sql="SELECT uid, orders, revenue, last_purchase FROM people ORDER BY revenue DESC LIMIT 20",
            ),
            SqlExample(
                title=Text(zh="卖得最好的商品", en="Best-selling products"),
                sql="SELECT product, any_value(name) AS name, sum(quantity) AS sold, sum(amount) AS revenue\n"
                "FROM order_items WHERE kind = 'purchase' GROUP BY product ORDER BY revenue DESC LIMIT 50",
            ),
            SqlExample(
                title=Text(zh="第一单之后多久买第二单", en="How long until the second order"),
                sql="WITH numbered AS (\n"
                "  SELECT uid, day, row_number() OVER (PARTITION BY uid ORDER BY ts) AS n\n"
                "  FROM orders WHERE kind = 'purchase')\n"
                "SELECT date_diff('day', a.day, b.day) // 7 AS weeks, count(*) AS people\n"
                "FROM numbered a JOIN numbered b ON b.uid = a.uid AND b.n = 2\n"
                "WHERE a.n = 1 GROUP BY weeks ORDER BY weeks",
            ),
        ],
    )
