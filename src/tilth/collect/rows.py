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

from tilth.collect.model import Alias, Batch, Bind, Group, Identify, Item, Message, Profile, Track, Unbind
from tilth.lake import EVENT_SCHEMA
from tilth.settings import currency_digits

__all__ = ["has_row", "message_rows"]

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
    names = [field.name for field in EVENT_SCHEMA]
    columns: dict[str, list[Any]] = {name: [] for name in names if name not in ("uid", "ts", "received_at", "session")}
    ts: list[int] = []
    received: list[int] = []
    append = {name: column.append for name, column in columns.items()}
    promoted = [name for name in columns if name.startswith("p_")]
    for batch in batches:
        for message in batch.messages:
            if not has_row(message):
                continue
            ts.append(message.ts)
            received.append(batch.received_at)
            append["distinct_id"](message.ids[0].value)
            append["event_id"](message.event_id)
            append["source"](batch.source)
            if isinstance(message, Track):
                append["event"](message.event)
                properties = message.properties
            else:
                append["event"](_NAMES[type(message)])
                properties = _particulars(message)
            found, rest = _promote(properties, currency)
            for name in promoted:
                append[name](found.get(name))
            append["props"](_text(rest) if rest else None)
            append["context"](_text(message.context) if message.context else None)
    arrays = []
    for field in EVENT_SCHEMA:
        if field.name == "uid":
            arrays.append(pa.array(uids, pa.int64()))
        elif field.name == "ts":
            arrays.append(pa.array(np.array(ts, np.int64)).cast(_INSTANT))
        elif field.name == "received_at":
            arrays.append(pa.array(np.array(received, np.int64)).cast(_INSTANT))
        elif field.name == "session":
            arrays.append(pa.nulls(len(ts), field.type))
        else:
            arrays.append(pa.array(columns[field.name], field.type))
    return pa.table(arrays, schema=EVENT_SCHEMA)


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
    found: dict[str, Any] = {}
    if not properties:
        return found, properties
    rest = properties
    for name, column in _PROMOTED_TEXT.items():
        value = properties.get(name)
        if value is not None and isinstance(value, (str, int)) and not isinstance(value, bool):
            found[column] = str(value)
            rest = _without(rest, properties, name)
    quantity = _decimal(properties.get("quantity"))
    if quantity is not None:
        found["p_quantity"] = float(quantity)
        rest = _without(rest, properties, "quantity")
    price = _decimal(properties.get("price"))
    if price is not None and abs(price) < Decimal("1e13"):
        found["p_price"] = price.quantize(Decimal("0.0001"))
        rest = _without(rest, properties, "price")
    amount = _decimal(properties.get("amount"))
    if amount is not None and abs(amount) < Decimal("1e14"):
        digits = currency_digits(found.get("p_currency") or currency)
        found["p_amount"] = int(amount.scaleb(digits).to_integral_value("ROUND_HALF_UP"))
        found.setdefault("p_currency", currency)
        rest = _without(rest, properties, "amount")
    return found, rest


def _without(rest: dict[str, Any], whole: dict[str, Any], name: str) -> dict[str, Any]:
    if rest is whole:
        rest = dict(whole)
    del rest[name]
    return rest


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
