"""Messages as rows of the event table.

Everything that was sent becomes a row, so that profiles and identity can be rebuilt from the lake. What
only keeps the books (a trait was set, two ids were linked) has a name that begins with `$` and is
no activity of the person: see `BOOKKEEPING` in `tilth.lake`. Groups without people and things have no
person and no row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.collect.model import Alias, Batch, Bind, Group, Identify, Item, Message, Profile, Track, Unbind
from tilth.lake import EVENT_SCHEMA
from tilth.settings import currency_digits

__all__ = ["has_row", "message_rows", "promoted_columns"]

_PROMOTED_TEXT = {
    "order_id": "p_order_id",
    "product": "p_product",
    "category": "p_category",
    "channel": "p_channel",
    "store": "p_store",
    "currency": "p_currency",
}
_NAMES: dict[type[Any], str] = {
    Identify: "$identify",
    Alias: "$alias",
    Bind: "$bind",
    Unbind: "$unbind",
    Profile: "$profile",
    Group: "$group",
}
_TYPED = frozenset({*_PROMOTED_TEXT, "quantity", "price", "amount"})
_NONE: dict[str, Any] = {}
_MOST_PRICE, _MOST_AMOUNT, _PRICE_STEP = Decimal("1e13"), Decimal("1e14"), Decimal("0.0001")
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")
# Decimals go out as JSON numbers with the digits they came with.
_encoder = msgspec.json.Encoder(decimal_format="number")
_INSTANT = EVENT_SCHEMA.field("ts").type


def has_row(message: Message) -> bool:
    """False for what is about no person."""
    return not isinstance(message, Item) and bool(message.ids)


def message_rows(batches: Sequence[Batch], uids: npt.NDArray[np.int64], currency: str) -> pa.Table:
    """The lake's rows of the messages that have one, in order; `uids` are their persons.

    Known commerce properties become typed columns; `amount` is taken in major units and stored in
    the currency's minor unit, rounded half up; the rest stays in `props`.
    """
    told: list[Message] = []
    received: list[int] = []
    sources: list[str] = []
    for batch in batches:
        mine = [message for message in batch.messages if has_row(message)]
        told += mine
        received += [batch.received_at] * len(mine)
        sources += [batch.source] * len(mine)
    ts = [message.ts for message in told]
    split = [_promote(m.properties if isinstance(m, Track) else _particulars(m), currency) for m in told]
    columns: dict[str, list[Any]] = {
        "distinct_id": [m.ids[0].value for m in told],
        "event": [m.event if isinstance(m, Track) else _NAMES[type(m)] for m in told],
        "event_id": [m.event_id for m in told],
        "source": sources,
        "props": [_text(rest) if rest else None for _, rest in split],
        "context": [_text(m.context) if m.context else None for m in told],
    }
    used = frozenset(name for found, _ in split for name in found)
    for field in EVENT_SCHEMA:
        if field.name.startswith("p_"):
            columns[field.name] = [found.get(field.name) for found, _ in split] if field.name in used else []
    arrays = []
    for field in EVENT_SCHEMA:
        if field.name == "uid":
            arrays.append(pa.array(uids, pa.int64()))
        elif field.name == "ts":
            arrays.append(pa.array(np.array(ts, np.int64)).cast(_INSTANT))
        elif field.name == "received_at":
            arrays.append(pa.array(np.array(received, np.int64)).cast(_INSTANT))
        elif field.name == "session" or (field.name.startswith("p_") and not columns[field.name]):
            arrays.append(pa.nulls(len(ts), field.type))
        else:
            arrays.append(pa.array(columns[field.name], field.type))
    return pa.table(arrays, schema=EVENT_SCHEMA)


_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_MENTIONS = f'"({"|".join(sorted(_TYPED))})":'


def promoted_columns(props: pa.Array, currency: str) -> dict[str, pa.Array]:
    """Columns of rows whose properties are JSON texts: the typed ones they mention, and `props` without those.

    As `message_rows` does it, so that a property means the same whichever way it came.
    """
    texts = props.dictionary_decode() if pa.types.is_dictionary(props.type) else props
    rows = np.flatnonzero(
        pc.fill_null(pc.match_substring_regex(texts, _MENTIONS), False).to_numpy(zero_copy_only=False)
    )
    if len(rows) == 0:
        return {"props": props}
    rest: list[str | None] = []
    found: list[dict[str, Any]] = []
    for text in texts.take(pa.array(rows)).to_pylist():
        typed, kept = _promote(_decoder.decode(text), currency)
        found.append(typed)
        rest.append(_text(kept) if kept else None)
    columns = {"props": pc.replace_with_mask(texts, _mask(len(texts), rows), pa.array(rest, texts.type))}
    for name in sorted({name for one in found for name in one}):
        kind = EVENT_SCHEMA.field(name).type
        values = pa.array([one.get(name) for one in found], kind)
        columns[name] = pc.replace_with_mask(pa.nulls(len(texts), kind), _mask(len(texts), rows), values)
    return columns


def _mask(size: int, rows: npt.NDArray[np.int64]) -> pa.Array:
    mask = np.zeros(size, bool)
    mask[rows] = True
    return pa.array(mask)


def _particulars(message: Message) -> dict[str, Any]:
    """What a row of the books says: the ids beside the first, and the changes of traits."""
    told: dict[str, Any] = dict(getattr(message, "properties", {}))
    others = [{"kind": one.kind, "id": one.value} for one in message.ids[1:]]
    if others:
        told["$ids"] = others
    if isinstance(message, Alias):
        told["$previous"] = {"kind": message.previous.kind, "id": message.previous.value}
    if isinstance(message, Group):
        told["$group"] = {"kind": message.group_kind, "id": message.group_id}
    if message.operations:
        told["$operations"] = [{"verb": one.verb, "traits": one.traits} for one in message.operations]
    return told


def _promote(properties: dict[str, Any], currency: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(typed columns, the properties that stay)."""
    if _TYPED.isdisjoint(properties):
        return _NONE, properties
    found: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    amount: Decimal | None = None
    for name, value in properties.items():
        column = _PROMOTED_TEXT.get(name)
        if column is not None:
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                found[column] = str(value)
                continue
        elif name == "quantity":
            quantity = _decimal(value)
            if quantity is not None:
                found["p_quantity"] = float(quantity)
                continue
        elif name == "price":
            price = _decimal(value)
            if price is not None and abs(price) < _MOST_PRICE:
                # The column rounds no more than this; fewer places are as they are.
                exact = -price.as_tuple().exponent <= 4  # type: ignore[operator]
                found["p_price"] = price if exact else price.quantize(_PRICE_STEP)
                continue
        elif name == "amount":
            amount = _decimal(value)
            if amount is not None and abs(amount) < _MOST_AMOUNT:
                continue
            amount = None
        rest[name] = value
    if amount is not None:
        digits = currency_digits(found.get("p_currency") or currency)
        found["p_amount"] = int(amount.scaleb(digits).to_integral_value("ROUND_HALF_UP"))
        found.setdefault("p_currency", currency)
    return found, rest


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
        return None
    if not isinstance(value, (int, str, Decimal)):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def _text(value: Any) -> str:
    return _encoder.encode(value).decode()
