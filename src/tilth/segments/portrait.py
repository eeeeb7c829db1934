"""One person's page: the portrait, orders with their lines, the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from tilth.errors import InvalidInput
from tilth.lake import BOOKKEEPING, PROMOTED, Lake, Made, PersonRows
from tilth.people import PersonRecord, PortraitField

__all__ = [
    "ChannelCount",
    "Completeness",
    "FavouriteProduct",
    "OrderLine",
    "OrderPage",
    "PersonOrder",
    "Portrait",
    "TimelineEvent",
    "TimelinePage",
    "orders",
    "person_rows",
    "portrait",
    "timeline",
]

_COMMERCE = ("purchase", "purchase_added", "purchase_item", "refund", "refund_item")
_DAY = 86_400_000_000


class FavouriteProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product this person bought most of. amount in minor units."""

    product: str
    name: str
    quantity: float
    amount: int


class ChannelCount(msgspec.Struct, frozen=True, kw_only=True):
    channel: str
    orders: int


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the portrait's fields are known; missing names the others. share: by their weights, 0..1."""

    known: int
    of: int
    share: float
    missing: list[str]


class Portrait(msgspec.Struct, frozen=True, kw_only=True):
    """A person in numbers. Money in minor units, instants in UTC µs; None where there is nothing to say."""

    uid: int
    orders: int
    revenue: int
    refunds: int
    average_order: int | None
    first_purchase: int | None
    last_purchase: int | None
    usual_gap_days: float | None
    favourite_products: list[FavouriteProduct]
    channels: list[ChannelCount]
    active_days: int
    first_seen: int | None
    last_seen: int | None
    completeness: Completeness


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """price: decimal text in major units; amount in minor units."""

    product: str | None
    name: str | None
    quantity: float | None
    price: str | None
    amount: int | None


class PersonOrder(msgspec.Struct, frozen=True, kw_only=True):
    """kind: purchase or refund. ts in UTC µs, amount in minor units (positive)."""

    order_id: str | None
    ts: int
    amount: int
    currency: str | None
    kind: str
    channel: str | None
    store: str | None
    items: list[OrderLine]


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    orders: list[PersonOrder]
    total: int
    next: str


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True):
    ts: int
    event: str
    source: str | None
    properties: dict[str, Any]


class TimelinePage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. total counts all events that match."""

    events: list[TimelineEvent]
    total: int
    next: str


def _item_names(rows: pa.Table) -> pa.Array:
    """What the line of an order calls its product."""
    names = [
        _name(props) if event == "purchase_item" else None
        for event, props in zip(rows.column("event").to_pylist(), rows.column("props").to_pylist(), strict=True)
    ]
    return pa.array(names, pa.string())


_ITEM_NAME = Made(("event", "props"), _item_names)


def _rows(lake: Lake, uid: int, columns: list[str]) -> pa.Table:
    tables = list(lake.scan(columns, uids=[uid]))
    return tables[0] if tables else pa.table({c: [] for c in columns})


def person_rows(lake: Lake, uid: int) -> PersonRows:
    """One person's events with what a portrait is made of."""
    return lake.person(uid, ["p_product", "p_channel", "p_quantity", "p_amount"], {"item_name": _ITEM_NAME})


def portrait(found: PersonRows, record: PersonRecord, fields: Sequence[PortraitField]) -> Portrait:
    """Fold one person's events (`person_rows`) into a portrait. fields: what a complete one has."""
    rows = [
        {"ts": ts, "event": event, "p_product": product, "p_channel": channel, "p_quantity": quantity,
         "p_amount": amount, "name": name}
        for ts, event, product, channel, quantity, amount, name in zip(
            found.ts.tolist(), found.event, found.columns["p_product"], found.columns["p_channel"],
            found.columns["p_quantity"], found.columns["p_amount"], found.columns["item_name"], strict=True
        )
    ]  # fmt: skip
    bought = [r for r in rows if r["event"] == "purchase"]
    revenue = sum(r["p_amount"] or 0 for r in rows if r["event"] in ("purchase", "purchase_added"))
    refunds = sum(r["p_amount"] or 0 for r in rows if r["event"] == "refund")
    at = [r["ts"] for r in bought]
    # Two orders on one day are one occasion; the usual gap is between occasions.
    occasions = sorted({t // _DAY for t in at})
    gaps = [later - earlier for earlier, later in pairwise(occasions)]
    products: dict[str, list[Any]] = {}
    for r in rows:
        if r["event"] == "purchase_item" and r["p_product"]:
            entry = products.setdefault(r["p_product"], [r["name"] or r["p_product"], 0.0, 0])
            entry[1] += r["p_quantity"] or 0
            entry[2] += r["p_amount"] or 0
    channels: dict[str, int] = {}
    for r in bought:
        if r["p_channel"]:
            channels[r["p_channel"]] = channels.get(r["p_channel"], 0) + 1
    seen = [r["ts"] for r in rows if r["event"] not in BOOKKEEPING]
    favourites = sorted(products.items(), key=lambda item: (-item[1][1], -item[1][2], item[0]))[:5]
    return Portrait(
        uid=record.uid,
        orders=len(bought),
        revenue=revenue,
        refunds=refunds,
        average_order=round(revenue / len(bought)) if bought else None,
        first_purchase=min(at, default=None),
        last_purchase=max(at, default=None),
        usual_gap_days=float(np.median(gaps)) if gaps else None,
        favourite_products=[
            FavouriteProduct(product=code, name=name, quantity=quantity, amount=amount)
            for code, (name, quantity, amount) in favourites
        ],
        channels=[ChannelCount(channel=c, orders=n) for c, n in sorted(channels.items(), key=lambda i: (-i[1], i[0]))],
        active_days=len({t // _DAY for t in seen}),
        first_seen=min(seen, default=None),
        last_seen=max(seen, default=None),
        completeness=_completeness(record, fields),
    )


def _completeness(record: PersonRecord, fields: Sequence[PortraitField]) -> Completeness:
    held = {one.name for one in record.traits} | {one.kind for one in record.distinct_ids}
    missing = [f for f in fields if f.name not in held]
    whole = sum(f.weight for f in fields)
    return Completeness(
        known=len(fields) - len(missing),
        of=len(fields),
        share=1 - sum(f.weight for f in missing) / whole if whole else 0.0,
        missing=[f.name for f in missing],
    )


def orders(lake: Lake, uid: int, cursor: str = "", limit: int = 50) -> OrderPage:
    """A person's orders and refunds with their lines, newest first."""
    columns = ["ts", "event", *[c for c in PROMOTED if c != "p_category"], "props"]
    rows = [r for r in _rows(lake, uid, columns).to_pylist() if r["event"] in _COMMERCE]
    lines: dict[tuple[str, str | None], list[OrderLine]] = {}
    added: dict[str | None, int] = {}
    for r in rows:
        if r["event"].endswith("_item"):
            kind = r["event"].removesuffix("_item")
            lines.setdefault((kind, r["p_order_id"]), []).append(
                OrderLine(
                    product=r["p_product"],
                    name=_name(r["props"]),
                    quantity=r["p_quantity"],
                    price=_decimal_text(r["p_price"]),
                    amount=r["p_amount"],
                )
            )
        elif r["event"] == "purchase_added":
            added[r["p_order_id"]] = added.get(r["p_order_id"], 0) + (r["p_amount"] or 0)
    found = [
        PersonOrder(
            order_id=r["p_order_id"],
            ts=_micros(r["ts"]),
            amount=(r["p_amount"] or 0) + (added.get(r["p_order_id"], 0) if r["event"] == "purchase" else 0),
            currency=r["p_currency"],
            kind=r["event"],
            channel=r["p_channel"],
            store=r["p_store"],
            items=lines.get((r["event"], r["p_order_id"]), []),
        )
        for r in rows
        if r["event"] in ("purchase", "refund")
    ]
    found.reverse()
    start = _offset(cursor)
    page = found[start : start + limit]
    return OrderPage(orders=page, total=len(found), next=str(start + limit) if start + limit < len(found) else "")


def timeline(lake: Lake, uid: int, event: str = "", cursor: str = "", limit: int = 100) -> TimelinePage:
    """A person's events, newest first; `event` keeps one name only."""
    rows = _rows(lake, uid, ["ts", "event", "source", *PROMOTED, "props"])
    if event:
        rows = rows.filter(pa.array([e == event for e in rows["event"].to_pylist()], pa.bool_()))
    total = rows.num_rows
    start = _offset(cursor)
    stop = max(total - start, 0)
    page = rows.slice(max(stop - limit, 0), min(limit, stop)).to_pylist()[::-1]
    events = [
        TimelineEvent(ts=_micros(r["ts"]), event=r["event"], source=r["source"], properties=_properties(r))
        for r in page
    ]
    return TimelinePage(events=events, total=total, next=str(start + limit) if start + limit < total else "")


def _properties(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in PROMOTED:
        value = row[column]
        if value is not None:
            found[column.removeprefix("p_")] = _decimal_text(value) if column == "p_price" else value
    if row["props"]:
        found.update(msgspec.json.decode(row["props"]))
    return found


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    if not cursor.isdigit() or len(cursor) > 12:
        raise InvalidInput("cursor", "is not a page's `next`")
    return int(cursor)


def _micros(moment: Any) -> int:
    return int(np.datetime64(moment.replace(tzinfo=None), "us").astype(np.int64))


def _name(props: str | None) -> str | None:
    name = msgspec.json.decode(props).get("name") if props else None
    return name if isinstance(name, str) else None


def _decimal_text(value: Any) -> str | None:
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
