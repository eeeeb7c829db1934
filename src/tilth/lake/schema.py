"""Which columns an event has in the lake, and how rows are put in partitions and in order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.errors import InvalidInput

__all__ = [
    "BOOKKEEPING",
    "EVENT_SCHEMA",
    "MONEY_COLUMNS",
    "PROMOTED",
    "TABLE_SCHEMA",
    "conform",
    "empty_events",
    "month_numbers",
    "month_text",
    "order_rows",
]

INSTANT = pa.timestamp("us", tz="UTC")

EVENT_SCHEMA = pa.schema(
    [
        pa.field("uid", pa.int64(), nullable=False),
        pa.field("distinct_id", pa.string()),
        pa.field("ts", INSTANT, nullable=False),
        pa.field("received_at", INSTANT),
        pa.field("event", pa.string(), nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("session", pa.int64()),
        pa.field("p_order_id", pa.string()),
        pa.field("p_product", pa.string()),
        pa.field("p_category", pa.string()),
        pa.field("p_channel", pa.string()),
        pa.field("p_store", pa.string()),
        pa.field("p_quantity", pa.float64()),
        pa.field("p_price", pa.decimal128(18, 4)),
        pa.field("p_amount", pa.int64()),
        pa.field("p_currency", pa.string()),
        pa.field("props", pa.string()),
        pa.field("context", pa.string()),
    ]
)

# What the Delta table holds: nullability is left open so that any Parquet writer's files fit.
TABLE_SCHEMA = pa.schema(
    [
        *[pa.field(f.name, f.type) for f in EVENT_SCHEMA],
        pa.field("month", pa.string()),
        pa.field("bucket", pa.int32()),
    ]
)

# Typed property columns, and those that hold integer minor units.
PROMOTED = [f.name for f in EVENT_SCHEMA if f.name.startswith("p_")]
MONEY_COLUMNS = ["p_amount"]

# Rows that only keep the books: what a source told about ids, traits and groups. They are no activity.
BOOKKEEPING = frozenset({"$identify", "$alias", "$bind", "$unbind", "$profile", "$group"})


def empty_events() -> pa.Table:
    """A table of no events with every column."""
    # `EVENT_SCHEMA.empty_table()` is the same and imports pandas where there is one.
    return pa.Table.from_batches([], schema=EVENT_SCHEMA)


def conform(table: pa.Table, *, coded: bool = False) -> pa.Table:
    """Give `table` exactly EVENT_SCHEMA's columns in order; missing optional ones become null.

    coded: text that comes as a dictionary stays one, for a writer that stores it so. Raises
    `InvalidInput` for an unknown column or a type that does not convert without loss.
    """
    unknown = [name for name in table.column_names if EVENT_SCHEMA.get_field_index(name) < 0]
    if unknown:
        raise InvalidInput(unknown[0], "is not a column of the event table")
    columns = []
    fields = []
    for field in EVENT_SCHEMA:
        fields.append(field)
        index = table.schema.get_field_index(field.name)
        if index < 0:
            if not field.nullable:
                raise InvalidInput(field.name, "is missing")
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(index)
        if pa.types.is_dictionary(column.type) and not (coded and column.type.value_type == field.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_dictionary(column.type):
            fields[-1] = field.with_type(column.type)
        elif column.type != field.type:
            column = column.cast(field.type)
        if not field.nullable and column.null_count:
            raise InvalidInput(field.name, "must not be null")
        columns.append(column)
    return pa.table(columns, schema=pa.schema(fields))


def month_numbers(ts: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """UTC months since 1970-01 of instants in µs."""
    if len(ts) == 0:
        return np.empty(0, np.int32)
    first, last = (ts.min() // 86_400_000_000, ts.max() // 86_400_000_000)
    if last - first < 400_000:
        # One look-up per day instead of calendar arithmetic per row.
        days = np.arange(first, last + 1).astype("datetime64[D]")
        months: npt.NDArray[np.int32] = days.astype("datetime64[M]").astype(np.int32)
        return months[ts // 86_400_000_000 - first]
    return ts.astype("datetime64[us]").astype("datetime64[M]").astype(np.int32)


def month_text(number: int) -> str:
    """`month_numbers`' value as the partition's text, `YYYY-MM`."""
    return str(np.datetime64(int(number), "M"))


def instants(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A timestamp column as int64 µs."""
    result: npt.NDArray[np.int64] = pc.cast(column, pa.int64()).to_numpy()
    return result


def order_rows(table: pa.Table, buckets: int) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.int64]]:
    """The order that sorts rows by (bucket, month, uid, ts, received_at, event_id), and each sorted row's partition.

    Returns (order or None when the rows are already so, partition number = bucket * 2^32 + month).
    """
    uid = table.column("uid").to_numpy()
    ts = instants(table.column("ts"))
    partition = (uid % buckets).astype(np.int64) << 32 | month_numbers(ts).astype(np.int64)
    if _is_sorted(uid, ts, partition):
        return None, partition
    if _is_sorted(uid, ts):
        # A stable sort by partition keeps the (uid, ts) order inside each.
        if len(partition) == 0 or bool(np.all(partition[1:] >= partition[:-1])):
            return None, partition
        codes = np.unique(partition, return_inverse=True)[1].astype(np.uint16)
        order: npt.NDArray[np.int64] = np.argsort(codes, kind="stable")
        return order, partition[order]
    received = pc.fill_null(pc.cast(table.column("received_at"), pa.int64()), 0).to_numpy()
    order = np.lexsort((received, ts, uid, partition))
    return _break_ties(table, order, uid, ts, received), partition[order]


def _is_sorted(
    uid: npt.NDArray[np.int64], ts: npt.NDArray[np.int64], partition: npt.NDArray[np.int64] | None = None
) -> bool:
    """Whether rows are in order of (partition where given, uid, ts)."""
    if len(uid) < 2:
        return True
    ordered = (uid[1:] > uid[:-1]) | ((uid[1:] == uid[:-1]) & (ts[1:] >= ts[:-1]))
    if partition is not None:
        ordered = (partition[1:] > partition[:-1]) | ((partition[1:] == partition[:-1]) & ordered)
    return bool(np.all(ordered))


def _break_ties(
    table: pa.Table,
    order: npt.NDArray[np.int64],
    uid: npt.NDArray[np.int64],
    ts: npt.NDArray[np.int64],
    received: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Order rows that are equal in (uid, ts, received_at) by event_id."""
    u, t, r = uid[order], ts[order], received[order]
    same = (u[1:] == u[:-1]) & (t[1:] == t[:-1]) & (r[1:] == r[:-1])
    if not same.any():
        return order
    tied = np.zeros(len(order), bool)
    tied[1:] |= same
    tied[:-1] |= same
    group = np.cumsum(np.concatenate(([True], ~same)))[tied]
    ids = table.column("event_id").take(pa.array(order[tied])).to_numpy(zero_copy_only=False).astype(str)
    result = order.copy()
    result[tied] = order[tied][np.lexsort((ids, group))]
    return result
