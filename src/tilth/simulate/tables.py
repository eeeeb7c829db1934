"""Rows of the simulation as native event tables: the lake's columns but `uid`, and the identities."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tilth.simulate import ids
from tilth.simulate.calendar import CITIES
from tilth.simulate.catalog import CATEGORIES, CURRENCY, PRODUCTS
from tilth.simulate.channels import CHANNELS, PLATFORMS, SCENES, STORES, TRIGGERS
from tilth.simulate.dirt import Dirt, copies, received, sequence_numbers
from tilth.simulate.needs import survey_answers
from tilth.simulate.people import NEVER
from tilth.simulate.purchases import COUPONS, MAX_LINES
from tilth.simulate.visits import EVENTS, METHODS, NO_STORE

if TYPE_CHECKING:
    from tilth.simulate.company import Simulation

__all__ = ["EVENT_COLUMNS", "IDENTITY_COLUMNS", "behaviour_of", "bot_table", "event_table", "identity_table"]

EVENT_COLUMNS = pa.schema(
    [
        ("distinct_id", pa.string()),
        ("ts", pa.timestamp("us", "UTC")),
        ("received_at", pa.timestamp("us", "UTC")),
        ("event", pa.string()),
        ("event_id", pa.string()),
        ("source", pa.string()),
        ("session", pa.int64()),
        ("p_order_id", pa.string()),
        ("p_product", pa.string()),
        ("p_category", pa.string()),
        ("p_channel", pa.string()),
        ("p_store", pa.string()),
        ("p_quantity", pa.float64()),
        ("p_price", pa.decimal128(18, 4)),
        ("p_amount", pa.int64()),
        ("p_currency", pa.string()),
        ("props", pa.string()),
        ("context", pa.string()),
    ]
)
IDENTITY_COLUMNS = pa.schema([("kind", pa.string()), ("id", pa.string()), ("person", pa.int64())])
ORDER_SOURCE = len(PLATFORMS)
_SOURCES = (*PLATFORMS, "order_system")
_ORDER_EVENTS = np.array([name in ("purchase", "purchase_item", "refund", "refund_item") for name in EVENTS])
_LEDGER = np.array([name in ("repaid", "overdue", "team_formed", "team_failed") for name in EVENTS])
_CODE = {name: code for code, name in enumerate(EVENTS)}
_RELEASE_DAYS = 14
_RELEASES = 160


def behaviour_of(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows recorded by the app, the mini-program or the website (not by tills and ledgers)."""
    out: NDArray[np.bool_] = ~_ORDER_EVENTS[rows["event"]] & ~_LEDGER[rows["event"]] & (rows["source"] != 3)
    return out


def _scene(index: int, broken: bool) -> str:
    return f'"{"scene_name" if broken else "scene"}":"{SCENES[index]}"'


@cache
def _props() -> tuple[pa.Array, dict[str, int]]:
    """Every form of the enumerable `props`, and where each event's forms begin."""
    words: list[str] = []
    begins: dict[str, int] = {}
    for broken in (False, True):
        suffix = "/broken" if broken else ""
        begins["scene" + suffix] = len(words)
        words += ["{" + _scene(s, broken) + "}" for s in range(len(SCENES))]
        begins["search" + suffix] = len(words)
        words += [
            "{" + _scene(s, broken) + f',"query":"{c.chinese}"' + "}" for s in range(len(SCENES)) for c in CATEGORIES
        ]
        begins["cart" + suffix] = len(words)
        words += ["{" + _scene(s, broken) + f',"trigger":"{t}"' + "}" for s in range(len(SCENES)) for t in TRIGGERS]
        begins["pay" + suffix] = len(words)
        words += [
            "{" + _scene(s, broken) + f',"trigger":"{t}","method":"{m}","coupon":{c},"account":"'
            for s in range(len(SCENES))
            for t in TRIGGERS
            for m in METHODS
            for c in COUPONS
        ]
    begins["purchase"] = len(words)
    words += [
        "{" + f'"lines":{n},' + _scene(s, False) + f',"trigger":"{t}","coupon":{c}' + "}"
        for n in range(1, MAX_LINES + 1)
        for s in range(len(SCENES))
        for t in TRIGGERS
        for c in COUPONS
    ]
    begins["item"] = len(words)
    words += ['{"name":"' + product.name + '"}' for product in PRODUCTS]
    begins["refund"] = len(words)
    words += ['{"lines":' + str(n) + "}" for n in range(1, MAX_LINES + 1)]
    begins["team"] = len(words)
    words += ['{"size":' + str(n) + ',"team":"' for n in range(8)]
    begins["none"] = len(words)
    words.append("{}")
    return pa.array(words), begins


@cache
def _contexts() -> pa.Array:
    """Device context by platform, system, release and city."""
    words = []
    systems = (
        ("iOS", "Android", "HarmonyOS"),
        ("iOS", "Android", "HarmonyOS"),
        ("Windows", "macOS", "Android"),
        ("", "", ""),
    )
    for source in range(4):
        for system in systems[source]:
            for release in range(_RELEASES):
                for city in CITIES:
                    if source == 3:
                        words.append('{"city":"' + city.name + '"}')
                        continue
                    version = f'"app_version":"{3 + release // 20}.{release % 20}.0",' if source < 2 else ""
                    words.append('{"os":"' + system + '",' + version + '"city":"' + city.name + '"}')
    return pa.array(words)


def _prop_index(rows: NDArray[Any], broken: NDArray[np.bool_], begins: dict[str, int]) -> NDArray[np.int32]:
    event = rows["event"]
    scene, trigger, coupon = (
        rows["scene"].astype(np.int32),
        rows["trigger"].astype(np.int32),
        rows["coupon"].astype(np.int32),
    )
    aux, product = rows["aux"], rows["product"].astype(np.int32)
    out = np.full(len(rows), begins["none"], np.int32)

    def at(name: str, where: NDArray[np.bool_]) -> NDArray[np.int32]:
        base: NDArray[np.int32] = np.where(broken[where], begins[f"{name}/broken"], begins[name]).astype(np.int32)
        return base

    def these(*names: str) -> NDArray[np.bool_]:
        chosen = np.zeros(len(EVENTS), np.bool_)
        chosen[[_CODE[name] for name in names]] = True
        return chosen[event]

    where = these("visit", "view")
    out[where] = at("scene", where) + scene[where]
    where = these("search")
    out[where] = at("search", where) + scene[where] * len(CATEGORIES) + product[where] // 6
    where = these("cart", "checkout")
    out[where] = at("cart", where) + scene[where] * len(TRIGGERS) + trigger[where]
    where = these("pay")
    form = (scene[where] * len(TRIGGERS) + trigger[where]) * len(METHODS) + aux[where]
    out[where] = at("pay", where) + form * len(COUPONS) + coupon[where]
    where = these("purchase")
    form = ((aux[where] - 1) * len(SCENES) + scene[where]) * len(TRIGGERS) + trigger[where]
    out[where] = begins["purchase"] + form * len(COUPONS) + coupon[where]
    where = these("purchase_item", "refund_item")
    out[where] = begins["item"] + product[where]
    where = these("refund")
    out[where] = begins["refund"] + aux[where] - 1
    where = these("team_open", "team_join", "team_formed", "team_failed")
    out[where] = begins["team"] + np.minimum(rows["quantity"][where], 7)
    return out


def _join(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _props_of(simulation: Simulation, rows: NDArray[Any], broken: NDArray[np.bool_]) -> pa.Array:
    """The `props` column: most forms are enumerable; those that name other things are built for their rows.

    One take from the words followed by the built texts makes the column: pasting each event's texts
    into the whole column would copy it ten times.
    """
    people, event = simulation.people, rows["event"]
    words, begins = _props()
    index = _prop_index(rows, broken, begins)
    parts: list[pa.Array] = [words]
    length = len(words)

    def put(name: str, build: Any) -> None:
        nonlocal length
        where = np.flatnonzero(event == _CODE[name])
        if len(where):
            part = rows[where]
            parts.append(build(part, words.take(pa.array(index[where]))))
            index[where] = length + np.arange(len(where), dtype=np.int32)
            length += len(where)

    def signed_up(part: NDArray[Any], _: pa.Array) -> pa.Array:
        device = ids.devices(people["device"][part["person"]])
        inviter = ids.customers(np.maximum(part["aux"], 0))
        invited = _join('{"device":"', device, '","inviter":"', inviter, '"}')
        return pc.if_else(pa.array(part["aux"] >= 0), invited, _join('{"device":"', device, '"}'))

    def survey(part: NDArray[Any], _: pa.Array) -> pa.Array:
        answers = survey_answers(simulation.seed, part["person"], people["need"][part["person"]])
        columns: list[Any] = []
        for q in range(answers.shape[1]):
            columns += [("{" if q == 0 else ",") + f'"q{q + 1}":', pa.array(answers[:, q]).cast(pa.string())]
        return _join(*columns, ',"nps":', pa.array(part["aux"]).cast(pa.string()), "}")

    put("pay", lambda part, text: _join(text, ids.accounts(people["account"][part["person"]]), '"}'))
    put("sign_up", signed_up)
    put("share", lambda part, _: _join('{"share":"', ids.event_ids(part["owner"], part["seq"]), '"}'))
    put("share_open", lambda part, _: _join('{"sharer":"', ids.customers(part["aux"]), '"}'))
    put("invite", lambda part, _: _join('{"code":"', ids.customers(part["owner"]), '"}'))
    for name in ("team_open", "team_join", "team_formed", "team_failed"):
        put(name, lambda part, text: _join(text, ids.customers(part["aux"]), '"}'))
    put("survey", survey)
    return pa.concat_arrays(parts).take(pa.array(index))


def _words(names: list[str], index: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    mask = None if valid is None else ~valid
    return pa.array(names).take(pa.array(index.astype(np.int32), mask=mask))


def _decimals(fen: NDArray[np.int64], valid: NDArray[np.bool_]) -> pa.Array:
    """Yuan with four digits from fen, exactly; null where not valid."""
    words = np.zeros((len(fen), 2), np.int64)
    words[:, 0] = fen * 100
    bits = np.packbits(valid, bitorder="little")
    return pa.Array.from_buffers(pa.decimal128(18, 4), len(fen), [pa.py_buffer(bits), pa.py_buffer(words)])


def event_table(simulation: Simulation, clean: NDArray[Any], dirt: Dirt) -> pa.Table:
    """One chunk of rows as events, with the dirt worked in, by time."""
    calendar, people = simulation.calendar, simulation.people
    index, kind = copies(clean, behaviour_of(clean), dirt, simulation.seed, calendar)
    arrived = received(clean, index, kind, dirt, simulation.seed)
    ts = clean["ts"]
    if dirt.wrong_clocks:
        skew = (people["clock_skew"] * 1e6).astype(np.int64)
        ts = ts - np.where(behaviour_of(clean), skew[clean["person"]], 0)
    ts = ts[index]
    order = np.argsort(ts, kind="stable")
    rows, kind, arrived = clean[index[order]], kind[order], arrived[order]
    rows["ts"] = ts[order]
    day = calendar.day_of(rows["ts"])
    broken = (
        (rows["source"] == 0) & (day // 7 == dirt.broken_week) if dirt.broken_week >= 0 else np.zeros(len(rows), bool)
    )
    event, person, product = rows["event"], rows["person"], rows["product"].astype(np.int64)
    source = np.where(_ORDER_EVENTS[event] | _LEDGER[event], ORDER_SOURCE, rows["source"])
    release = np.clip(day // _RELEASE_DAYS, 0, _RELEASES - 1)
    context = ((rows["source"].astype(np.int64) * 3 + people["system"][person]) * _RELEASES + release) * len(CITIES)
    has_product = (product >= 0) & (event != _CODE["search"])
    has_amount = rows["amount"] > 0
    has_quantity = _ORDER_EVENTS[event]
    columns = [
        ids.distinct_ids(person, rows["who"], people["device"][person]),
        pa.array(rows["ts"]).cast(EVENT_COLUMNS.field("ts").type),
        pa.array(arrived).cast(EVENT_COLUMNS.field("received_at").type),
        _words(list(EVENTS), event),
        ids.event_ids(rows["owner"], sequence_numbers(rows, kind)),
        _words(list(_SOURCES), source),
        pa.nulls(len(rows), pa.int64()),
        ids.order_ids(rows["owner"], rows["order"], rows["order"] >= 0),
        _words([item.code for item in PRODUCTS], np.maximum(product, 0), has_product),
        _words([item.name for item in CATEGORIES], np.maximum(product, 0) // 6, product >= 0),
        _words([channel.name for channel in CHANNELS], rows["channel"]),
        _words(
            [store.name for store in STORES],
            np.where(rows["store"] == NO_STORE, 0, rows["store"]),
            rows["store"] != NO_STORE,
        ),
        pa.array(rows["quantity"].astype(np.float64), mask=~has_quantity),
        _decimals(rows["price"].astype(np.int64), rows["price"] > 0),
        pa.array(np.ascontiguousarray(rows["amount"]), mask=~has_amount),
        _words([CURRENCY], np.zeros(len(rows), np.int32), has_amount),
        _props_of(simulation, rows, broken),
        _contexts().take(pa.array(context + people["city"][person])),
    ]
    return pa.Table.from_arrays(columns, schema=EVENT_COLUMNS)


def identity_table(simulation: Simulation, low: int, high: int) -> pa.Table:
    """Ids of people `low..high`. Their outcomes must be known."""
    people, outcomes = simulation.people[low:high], simulation.outcomes[low:high]
    number = np.arange(low, high, dtype=np.int64)
    signed = outcomes["signed"] < NEVER
    mobile = (people["platform"] == 1) | (people["second"] == 1)
    every = np.ones(len(number), np.bool_)
    parts: list[tuple[str, NDArray[np.int64], pa.Array]] = []

    def add(kind: str, where: NDArray[np.bool_], make: Any) -> None:
        parts.append((kind, number[where], make(np.flatnonzero(where))))

    add("id", signed, lambda k: ids.customers(number[k]))
    add("device", every, lambda k: ids.devices(people["device"][k]))
    add("device", people["new_device"] < NEVER, lambda k: ids.devices(people["device"][k], 1))
    add("wechat_openid", every, lambda k: ids.openids(number[k]))
    add("wechat_unionid", mobile, lambda k: ids.unionids(number[k]))
    add("phone", signed, lambda k: ids.phones(number[k]))
    add("store_card", signed, lambda k: ids.cards(number[k]))
    tables = [
        pa.Table.from_arrays([pa.array([kind] * len(who), pa.string()), values, pa.array(who)], schema=IDENTITY_COLUMNS)
        for kind, who, values in parts
    ]
    return pa.concat_tables(tables)


def bot_table(simulation: Simulation, dirt: Dirt) -> pa.Table:
    """What automatic visitors did: hundreds of views in a row, a second apart, and nothing else."""
    count = round(len(simulation.people) * dirt.bots)
    rng = np.random.default_rng([simulation.seed, 98])
    views = rng.integers(200, 900, count)
    who = np.repeat(np.arange(count), views)
    calendar = simulation.calendar
    begin = (
        calendar.start
        + rng.integers(0, max(calendar.days - 1, 1), count) * 86_400_000_000
        + rng.integers(0, 80_000_000_000, count)
    )
    step = np.concatenate([np.arange(n) for n in views]) if count else np.zeros(0, np.int64)
    ts = begin[who] + step * 1_010_000 if count else step
    order = np.argsort(ts, kind="stable")
    who, ts, step = who[order], ts[order], step[order]
    product = rng.integers(0, len(PRODUCTS), len(ts))
    size = len(ts)
    columns = {
        "distinct_id": _join("bot-", pa.array(who).cast(pa.string())) if size else pa.array([], pa.string()),
        "ts": pa.array(ts, pa.int64()).cast(EVENT_COLUMNS.field("ts").type),
        "received_at": pa.array(ts + 300_000, pa.int64()).cast(EVENT_COLUMNS.field("ts").type),
        "event": pa.array(["view"] * size, pa.string()),
        "event_id": ids.event_ids(who + (1 << 36), step),
        "source": pa.array(["web"] * size, pa.string()),
        "p_product": _words([item.code for item in PRODUCTS], product),
        "p_category": _words([item.name for item in CATEGORIES], product // 6),
        "p_channel": _words(["自然"], np.zeros(size, np.int32)),
        "props": pa.array(["{" + _scene(3, False) + "}"] * size, pa.string()),
        "context": pa.array(['{"os":"Linux"}'] * size, pa.string()),
    }
    arrays = [columns[f.name] if f.name in columns else pa.nulls(size, f.type) for f in EVENT_COLUMNS]
    return pa.Table.from_arrays(arrays, schema=EVENT_COLUMNS)
