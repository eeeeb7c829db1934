"""From staged rows of some people to the lake's events: one per order, one per line, each with its own lasting id.

An id is a hash of what the row says, so importing the same or an overlapping file again gives the same
ids and adds nothing. Lines that are equal to the last detail occur in real orders; they are told apart
by how often they came before *in their file*, so that a second copy of the file adds none.

- Files of lines: a row is a `purchase_item`, its order (customer and order number) a `purchase` with the
  sum. Lines that come later for an order the lake knows are `purchase_item`s and one `purchase_added`.
- Files of orders: a row is its order's `purchase`; an order number known already is a duplicate. Without
  order numbers every row is an order of its own.
- Refunds alike: `refund`, `refund_item`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.collect.imports.hashing import CodeTable, hash_column, id_keys, id_text, mix
from tilth.collect.imports.json_text import json_objects, json_strings
from tilth.collect.imports.known import SOURCE, mark_known
from tilth.collect.imports.orders import PURCHASE
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.spans import Spans, text_array
from tilth.collect.rows import promoted_columns
from tilth.compiled import njit
from tilth.lake import NULL_INT, Lake
from tilth.lake.schema import month_numbers

__all__ = ["Built", "Counts", "People", "build_events", "build_orders"]

# What a hash is of, so that an order and a line that say the same have different ids.
_LINE, _ORDER, _ITEM, _ADDED, _ACTIVITY = 11, 12, 13, 14, 15
_INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class People:
    """By code: uid, the two words of the id's hash, the id's text."""

    uid: npt.NDArray[np.int64]
    high: npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint64]
    ids: pa.Array


@dataclass
class Counts:
    """What a part adds. Amounts in minor units; first, last in UTC µs or None."""

    accepted: int = 0
    duplicate: int = 0
    events: int = 0
    buyers: int = 0
    orders: int = 0
    refund_orders: int = 0
    revenue: int = 0
    refunds: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, other: Counts) -> None:
        for name in ("accepted", "duplicate", "events", "buyers", "orders", "refund_orders", "revenue", "refunds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        firsts = [x for x in (self.first, other.first) if x is not None]
        lasts = [x for x in (self.last, other.last) if x is not None]
        self.first, self.last = min(firsts, default=None), max(lasts, default=None)


@dataclass(frozen=True)
class Built:
    """Events to append (EVENT_SCHEMA, sorted by uid and ts) and their counts."""

    table: pa.Table
    counts: Counts


@njit(cache=True, nogil=True)
def _keys(  # type: ignore[no-untyped-def]
    code, kind, who_high, who_low, has_order, order_high, order_low, has_product, product_high, product_low, ts,
    quantity, price, amount, key_high, key_low, line_high, line_low
):  # fmt: skip
    """Per row the key of its order and the key of everything the row says."""
    for i in range(len(code)):
        c = code[i]
        h, w = mix(who_high[c], who_low[c], np.uint64(_ORDER + kind[i] * 256))
        if has_order[i]:
            h, w = mix(h, w, order_high[i])
            h, w = mix(h, w, order_low[i])
        key_high[i], key_low[i] = h, w
        h, w = mix(h, w, np.uint64(_LINE))
        h, w = mix(h, w, np.uint64(ts[i]))
        h, w = mix(h, w, np.uint64(quantity[i]))
        h, w = mix(h, w, np.uint64(price[i]))
        h, w = mix(h, w, np.uint64(amount[i]))
        if has_product[i]:
            h, w = mix(h, w, product_high[i])
            h, w = mix(h, w, product_low[i])
        line_high[i], line_low[i] = h, w


@njit(cache=True, nogil=True)
def _with_file(low, file, out):  # type: ignore[no-untyped-def]
    for i in range(len(low)):
        out[i] = low[i] ^ (np.uint64(file[i]) * np.uint64(0x9E3779B97F4A7C15))


@njit(cache=True, nogil=True)
def _number_lines(codes, count, high, low):  # type: ignore[no-untyped-def]
    """Take into each row's key how many rows of the same key came before it in its file."""
    seen = np.zeros(count, np.int64)
    for i in range(len(codes)):
        high[i], low[i] = mix(high[i], low[i], np.uint64(seen[codes[i]]))
        seen[codes[i]] += 1


@njit(cache=True, nogil=True)
def _number_orders(line_codes, lines, key_codes, keys, key_high, key_low, has_order, high, low, repeated):  # type: ignore[no-untyped-def]
    """Ids of rows in a file of orders: an order number's first row is the order, another row of it comes on top,
    the very same row again is the same. Rows without a number are told apart as lines are."""
    place = np.full(lines, -1, np.int64)
    seen = np.zeros(keys, np.int64)
    twins = np.zeros(lines, np.int64)
    for i in range(len(line_codes)):
        line, key = line_codes[i], key_codes[i]
        if has_order[i]:
            if place[line] < 0:
                place[line] = seen[key]
                seen[key] += 1
            repeated[i] = place[line] > 0
            high[i], low[i] = mix(key_high[i], key_low[i], np.uint64(place[line]))
        else:
            high[i], low[i] = mix(high[i], low[i], np.uint64(twins[line]))
            twins[line] += 1
            repeated[i] = False


@njit(cache=True, nogil=True)
def _mix_all(high, low, tag, out_high, out_low):  # type: ignore[no-untyped-def]
    for i in range(len(high)):
        out_high[i], out_low[i] = mix(high[i], low[i], np.uint64(tag))


@njit(cache=True, nogil=True)
def _own_orders(has_order, row_high, row_low, key_high, key_low):  # type: ignore[no-untyped-def]
    """A row without an order number is an order of its own."""
    for i in range(len(has_order)):
        if not has_order[i]:
            key_high[i], key_low[i] = mix(row_high[i], row_low[i], np.uint64(_ORDER))


@njit(cache=True, nogil=True)
def _fold(order, rows, ts, amount, quantity, row_high, row_low, once, first_ts, total, units, lines, id_high, id_low):  # type: ignore[no-untyped-def]
    """Add rows up to their orders; once: a row's amount is the order's and counts once."""
    for j in range(len(rows)):
        i, o = rows[j], order[j]
        if lines[o] == 0 or ts[i] < first_ts[o]:
            first_ts[o] = ts[i]
        if once:
            total[o] = max(total[o], amount[i])
        else:
            total[o] += amount[i]
        if not np.isnan(quantity[i]):
            units[o] = quantity[i] if np.isnan(units[o]) else units[o] + quantity[i]
        lines[o] += 1
        id_high[o] ^= row_high[i]
        id_low[o] ^= row_low[i]


@njit(cache=True, nogil=True)
def _mix_pairs(high, low, a, b, tag):  # type: ignore[no-untyped-def]
    for i in range(len(high)):
        h, w = mix(high[i], low[i], np.uint64(tag))
        h, w = mix(h, w, a[i])
        high[i], low[i] = mix(h, w, b[i])


def _text_keys(
    column: pa.Array | None, n: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """(which rows have a value, hash words); a dictionary's words are hashed once."""
    if column is None:
        return np.zeros(n, np.bool_), np.zeros(n, np.uint64), np.zeros(n, np.uint64)
    filled = pc.is_valid(column).to_numpy(zero_copy_only=False)
    if pa.types.is_dictionary(column.type):
        high, low = hash_column(Spans.of(column.dictionary))
        if len(high) == 0:
            return filled, np.zeros(n, np.uint64), np.zeros(n, np.uint64)
        codes = pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)
        return filled, high[codes], low[codes]
    high, low = hash_column(Spans.of(column))
    return filled, high, low


def build_orders(plan: Plan, rows: pa.Table, people: People, lake: Lake, buckets: list[int], context: str) -> Built:
    """The events of staged order rows (one table of one part) that the lake does not hold yet."""
    n = rows.num_rows
    code, kind = rows.column("code").to_numpy(), rows.column("kind").to_numpy()
    ts, file = rows.column("ts").to_numpy(), rows.column("file").to_numpy()
    quantity, price, amount = (rows.column(c).to_numpy() for c in ("quantity", "price", "amount"))
    order_text, product, name = (_one(rows, c) for c in ("order", "product", "name"))
    by_order = plan.level == "order"
    has_order, order_high, order_low = _text_keys(order_text, n)
    has_product, product_high, product_low = _text_keys(product if product is not None else name, n)
    key_high, key_low = np.empty(n, np.uint64), np.empty(n, np.uint64)
    row_high, row_low = np.empty(n, np.uint64), np.empty(n, np.uint64)
    _keys(
        code, kind, people.high, people.low, has_order, order_high, order_low, has_product, product_high, product_low,
        ts, quantity.view(np.int64), price, amount, key_high, key_low, row_high, row_low,
    )  # fmt: skip
    del order_high, order_low, product_high, product_low
    line_codes, lines = _per_file(row_high, row_low, file)
    repeated = np.zeros(n, np.bool_)
    if by_order:
        key_codes, keys = _per_file(key_high, key_low, file)
        _number_orders(
            line_codes, lines, key_codes, keys, key_high, key_low, has_order, row_high, row_low, repeated
        )  # fmt: skip
        key_high, key_low = row_high, row_low
    else:
        _number_lines(line_codes, lines, row_high, row_low)
        # The same id as a file of orders gives the order, so either kind of file may come first.
        _mix_all(key_high, key_low, 0, key_high, key_low)
        _own_orders(has_order, row_high, row_low, key_high, key_low)
    del line_codes
    ids, orders = CodeTable(n), CodeTable(n // 2 + 16)
    _, first_rows = ids.codes(row_high, row_low)
    order_codes, _ = orders.codes(key_high, key_low)
    known_rows, known_orders = mark_known(lake, buckets, [ids, orders])
    # The first row of each id, unless the lake has it: a row in two files is one event.
    new = np.sort(first_rows[~known_rows])
    counts = Counts(accepted=len(new), duplicate=n - len(new))
    if len(new) == 0:
        return Built(_no_events(), counts)
    # Orders with new rows, numbered densely in order of their first new row.
    first_new = np.full(orders.count, -1, np.int64)
    first_new[order_codes[new][::-1]] = new[::-1]
    touched = np.flatnonzero(first_new >= 0)
    dense = np.full(orders.count, -1, np.int32)
    dense[touched] = np.arange(len(touched), dtype=np.int32)
    first_row = first_new[touched]
    mine = dense[order_codes[new]]
    k = len(touched)
    order_ts, total, units = np.zeros(k, np.int64), np.zeros(k, np.int64), np.full(k, np.nan)
    line_count = np.zeros(k, np.int64)
    sum_high, sum_low = np.zeros(k, np.uint64), np.zeros(k, np.uint64)
    once = plan.amount_per == "order" and not by_order
    _fold(
        mine, new, ts, amount, quantity, row_high, row_low, once, order_ts, total, units, line_count, sum_high, sum_low
    )
    added = repeated[first_row] if by_order else known_orders[touched]
    order_high, order_low = orders.high[touched].copy(), orders.low[touched].copy()
    if not by_order and added.any():
        again_high, again_low = order_high[added], order_low[added]
        _mix_pairs(again_high, again_low, sum_high[added], sum_low[added], _ADDED)
        order_high[added], order_low[added] = again_high, again_low
        if once:
            total[added] = 0
    refund = kind[first_row] != PURCHASE
    counts.orders = int((~refund & ~added).sum())
    counts.refund_orders = int((refund & ~added).sum())
    counts.revenue, counts.refunds = int(total[~refund].sum()), int(total[refund].sum())
    counts.buyers = _different(people.uid[code[first_row[~refund]]])
    counts.first, counts.last = int(ts[new].min()), int(ts[new].max())
    names = np.where(refund, 2, np.where(added, 1, 0)).astype(np.int8)
    sources = [first_row]
    event_codes, times, id_high, id_low = [names], [order_ts], [order_high], [order_low]
    amounts, unit_counts, prices = [total], [units], [_single_price(price, first_row, line_count)]
    order_of = [np.arange(k, dtype=np.int32)]
    if plan.items:
        item_high, item_low = row_high[new], row_low[new]
        if by_order:
            item_high, item_low = item_high.copy(), item_low.copy()
            _mix_all(item_high, item_low, _ITEM, item_high, item_low)
        sources.append(new)
        event_codes.append(np.where(kind[new] == PURCHASE, 3, 4).astype(np.int8))
        times.append(ts[new])
        id_high.append(item_high)
        id_low.append(item_low)
        amounts.append(np.full(len(new), NULL_INT) if once else amount[new])
        unit_counts.append(quantity[new])
        prices.append(price[new])
        order_of.append(mine)
    row_of = np.concatenate(sources)
    event_ts = np.concatenate(times)
    uid = people.uid[code[row_of]]
    sequence = lake_order(uid, event_ts, lake.buckets)
    row_of, event_ts, uid = row_of[sequence], event_ts[sequence], uid[sequence]
    is_item = sequence >= k
    counts.events = len(sequence)
    event_words = pa.array(["purchase", "purchase_added", "refund", "purchase_item", "refund_item"])
    table = {
        "uid": pa.array(uid),
        # Plain text: a dictionary of all people would be written into every file.
        "distinct_id": people.ids.take(pa.array(code[row_of])),
        "ts": pa.array(event_ts).view(_INSTANT) if len(event_ts) else pa.array(event_ts, _INSTANT),
        "event": pa.DictionaryArray.from_arrays(pa.array(np.concatenate(event_codes)[sequence]), event_words),
        "event_id": _ids(np.concatenate(id_high)[sequence], np.concatenate(id_low)[sequence]),
        "source": _constant(SOURCE, len(sequence)),
        "p_amount": _nulled(np.concatenate(amounts)[sequence]),
        "p_price": _decimal(np.concatenate(prices)[sequence]),
        "p_quantity": pa.array(np.concatenate(unit_counts)[sequence], from_pandas=True),
        "p_currency": _constant(plan.currency, len(sequence)),
        "context": _constant(context, len(sequence)),
        "props": _props(name, line_count, row_of, is_item, np.concatenate(order_of)[sequence]),
    }
    if order_text is not None:
        table["p_order_id"] = _decoded(order_text.take(pa.array(row_of)))
    item_only = pa.array(is_item | (line_count[np.concatenate(order_of)[sequence]] == 1) if by_order else is_item)
    shown = product if product is not None else name
    if shown is not None:
        table["p_product"] = _where(item_only, shown.take(pa.array(row_of)))
    category = _one(rows, "category")
    if category is not None:
        table["p_category"] = _where(item_only, category.take(pa.array(row_of)))
    for column, field in (("channel", "p_channel"), ("store", "p_store")):
        values = _one(rows, column)
        if values is not None:
            table[field] = values.take(pa.array(row_of))
    return Built(pa.table(table), counts)


def _per_file(
    high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64], file: npt.NDArray[np.int16]
) -> tuple[npt.NDArray[np.int32], int]:
    """(code of each key within its file, how many codes)."""
    mixed = np.empty(len(low), np.uint64)
    _with_file(low, file, mixed)
    table = CodeTable(len(low))
    codes, _ = table.codes(high, mixed)
    return codes, table.count


def _single_price(
    price: npt.NDArray[np.int64], first_row: npt.NDArray[np.int64], lines: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    return np.where(lines == 1, price[first_row], NULL_INT)


def _props(
    name: pa.Array | None,
    lines: npt.NDArray[np.int64],
    row_of: npt.NDArray[np.int64],
    is_item: npt.NDArray[np.bool_],
    order_of: npt.NDArray[np.int32],
) -> pa.Array:
    """Orders say how many lines they have, items what the product is called."""
    most = int(lines.max())
    words = [f'{{"lines":{i}}}' for i in range(most + 1)] if most < 100_000 else []
    if name is None and words:
        codes = pa.array(lines[order_of].astype(np.int32), mask=is_item)
        return pa.DictionaryArray.from_arrays(codes, pa.array(words))
    if name is None or not words:
        return pa.nulls(len(row_of), pa.string())
    coded = name if pa.types.is_dictionary(name.type) else name.dictionary_encode()
    objects = json_objects([("name", json_strings(coded.dictionary))], len(coded.dictionary))
    picked = coded.indices.take(pa.array(row_of))
    product = pc.fill_null(picked, -1).to_numpy(zero_copy_only=False)
    merged = np.where(is_item, product, lines[order_of] + len(objects)).astype(np.int32)
    all_words = pa.concat_arrays([objects.cast(pa.string()), pa.array(words, pa.string())])
    return pa.DictionaryArray.from_arrays(pa.array(merged, mask=merged < 0), all_words)


def build_events(plan: Plan, rows: pa.Table, people: People, lake: Lake, buckets: list[int], context: str) -> Built:
    """The events of staged activity rows that the lake does not hold yet."""
    n = rows.num_rows
    code, ts, file = (rows.column(c).to_numpy() for c in ("code", "ts", "file"))
    event, props, given = (_one(rows, c) for c in ("event", "props", "event_id"))
    assert event is not None, "activity rows have an event"
    filled, event_high, event_low = _text_keys(event, n)
    _, props_high, props_low = _text_keys(props, n)
    none = np.zeros(n, np.int64)
    row_high, row_low = np.empty(n, np.uint64), np.empty(n, np.uint64)
    kind = np.full(n, _ACTIVITY, np.uint8)
    _keys(
        code, kind, people.high, people.low, filled, event_high, event_low, np.ones(n, np.bool_), props_high, props_low,
        ts, none, none, none, np.empty(n, np.uint64), np.empty(n, np.uint64), row_high, row_low,
    )  # fmt: skip
    own = np.zeros(n, np.bool_)
    if given is not None:
        own = pc.is_valid(given).to_numpy(zero_copy_only=False)
    line_codes, lines = _per_file(row_high, row_low, file)
    _number_lines(line_codes, lines, row_high, row_low)
    if given is not None and own.any():
        high, low = id_keys(Spans.of(_decoded(given)))
        row_high[own], row_low[own] = high[own], low[own]
    ids = CodeTable(n)
    _, first = ids.codes(row_high, row_low)
    (known,) = mark_known(lake, buckets, [ids])
    new = np.sort(first[~known])
    counts = Counts(accepted=len(new), duplicate=n - len(new), events=len(new))
    if len(new) == 0:
        return Built(_no_events(), counts)
    counts.first, counts.last = int(ts[new].min()), int(ts[new].max())
    uid = people.uid[code[new]]
    sequence = lake_order(uid, ts[new], lake.buckets)
    row_of, uid = new[sequence], uid[sequence]
    taken = pa.array(row_of)
    event_id = _ids(row_high[row_of], row_low[row_of])
    if given is not None and own.any():
        event_id = pc.coalesce(_decoded(given.take(taken)), event_id)
    table = {
        "uid": pa.array(uid),
        "distinct_id": people.ids.take(pa.array(code[row_of])),
        "ts": pa.array(ts[row_of]).view(_INSTANT),
        "event": event.take(taken),
        "event_id": event_id,
        "source": _constant(SOURCE, len(row_of)),
        "context": _constant(context, len(row_of)),
    }
    if props is not None:
        table |= promoted_columns(props.take(taken), plan.currency)
    return Built(pa.table(table), counts)


def lake_order(uid: npt.NDArray[np.int64], ts: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    """The order in which the lake stores rows: bucket, month, uid, ts. One sort of one number where they fit in it."""
    months = month_numbers(ts).astype(np.int64)
    months -= months.min()
    partition = (uid % buckets) * (int(months.max()) + 1) + months
    step = 1_000_000 if not (ts % 1_000_000).any() else 1
    who, when = uid - uid.min(), (ts - ts.min()) // step
    who_bits, when_bits = int(who.max()).bit_length(), int(when.max()).bit_length()
    if int(partition.max()).bit_length() + who_bits + when_bits > 62:
        return np.lexsort((ts, uid, partition))
    return np.argsort(partition << (who_bits + when_bits) | who << when_bits | when)


def _different(uid: npt.NDArray[np.int64]) -> int:
    """How many different people; uids are dense, so marking them beats sorting them."""
    if len(uid) == 0:
        return 0
    low, high = int(uid.min()), int(uid.max())
    if high - low > 64 * len(uid) + 1_000_000:
        return len(np.unique(uid))
    seen = np.zeros(high - low + 1, np.bool_)
    seen[uid - low] = True
    return int(seen.sum())


def _no_events() -> pa.Table:
    return pa.table({"uid": pa.array([], pa.int64())})


def _one(rows: pa.Table, name: str) -> pa.Array | None:
    if name not in rows.column_names:
        return None
    column = rows.column(name)
    column = column.combine_chunks()
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _where(keep: pa.Array, values: pa.Array) -> pa.Array:
    """values where `keep`, else null."""
    if pa.types.is_dictionary(values.type):
        codes = pc.if_else(keep, values.indices, pa.scalar(None, values.indices.type))
        return pa.DictionaryArray.from_arrays(codes, values.dictionary)
    return pc.if_else(keep, values, pa.scalar(None, values.type))


def _constant(word: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array([word]))


def _nulled(values: npt.NDArray[np.int64]) -> pa.Array:
    missing = values == NULL_INT
    return pa.array(values, mask=missing) if missing.any() else pa.array(values)


def _decimal(scaled: npt.NDArray[np.int64]) -> pa.Array:
    """decimal128(18, 4) from units of 1/10000; NULL_INT is null."""
    words = np.empty((len(scaled), 2), np.int64)
    words[:, 0] = scaled
    words[:, 1] = scaled >> 63
    missing = scaled == NULL_INT
    mask = None
    if missing.any():
        words[missing] = 0
        mask = pa.array(~missing).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(18, 4), len(scaled), [mask, pa.py_buffer(words)])


def _ids(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> pa.Array:
    offsets = np.arange(0, 22 * len(high) + 1, 22, dtype=np.int32)
    return text_array(id_text(high, low), offsets)
