"""A file of what people did in the app, the mini-program, the website and the stores' tills but for orders.

One column a property, as an analytics tool exports it: `person` is the customer number of whoever
ever signed up and else the anonymous id they are known by, so that a file with nothing else joins with
the orders. `anonymous` is the id the event itself came with.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tilth.simulate import ids
from tilth.simulate.calendar import CITIES, DAY
from tilth.simulate.catalog import CATEGORIES, PRODUCTS
from tilth.simulate.channels import CHANNELS, PLATFORMS, SCENES, TRIGGERS
from tilth.simulate.dirt import CLEAN, DOUBLED, REPEATED, Dirt, copies, event_keys, sequence_numbers
from tilth.simulate.draws import uniforms
from tilth.simulate.manifest import EventFile
from tilth.simulate.needs import QUESTIONS, survey_answers
from tilth.simulate.people import NEVER
from tilth.simulate.purchases import COUPONS
from tilth.simulate.tables import behaviour_of, bot_table
from tilth.simulate.visits import EVENTS, METHODS

if TYPE_CHECKING:
    from tilth.simulate.company import Simulation

__all__ = ["FORMATS", "write_events"]

FORMATS = ("parquet", "csv", "jsonl")
_MALFORMED = ("no_person", "reserved_person", "no_time", "no_event", "future_time", "broken_json")
_SPOIL_STREAM = 92
_RESERVED = ("null", "undefined", "anonymous", "0", "[object object]")
_OS = ("iOS", "Android", "HarmonyOS", "Windows", "macOS")
_ORDER_EVENTS = np.array([name in ("purchase", "purchase_item", "refund", "refund_item") for name in EVENTS])
_STORE = PLATFORMS.index("store")
_CODE = {name: code for code, name in enumerate(EVENTS)}
_COLUMNS = pa.schema(
    [
        ("person", pa.string()),
        ("anonymous", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
        ("event", pa.string()),
        ("event_id", pa.string()),
        ("source", pa.string()),
        ("channel", pa.string()),
        ("scene", pa.string()),
        ("scene_name", pa.string()),
        ("trigger", pa.string()),
        ("product", pa.string()),
        ("category", pa.string()),
        ("query", pa.string()),
        ("price", pa.decimal128(12, 2)),
        ("amount", pa.decimal128(12, 2)),
        ("order_id", pa.string()),
        ("coupon", pa.int64()),
        ("method", pa.string()),
        ("account", pa.string()),
        ("device", pa.string()),
        ("other", pa.string()),
        ("nps", pa.int64()),
        # One column a statement, as tools for surveys export their answers.
        *((f"q{number + 1}", pa.int64()) for number in range(len(QUESTIONS))),
        ("city", pa.string()),
        ("os", pa.string()),
        ("app_version", pa.string()),
    ]
)


class _Chunk(NamedTuple):
    """Events, what each is (`dirt.copies`), who did something, rows that cannot be read and in which way."""

    table: pa.Table
    kind: NDArray[np.uint8]
    people: NDArray[np.int32]
    bad: pa.Table
    what: NDArray[np.int64]


def _words(names: Any, index: NDArray[Any], valid: NDArray[np.bool_]) -> pa.Array:
    return pa.array(list(names)).take(pa.array(np.where(valid, index, 0).astype(np.int32), mask=~valid))


def _only(texts: pa.Array, valid: NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(valid), texts, pa.scalar(None, texts.type))


def _money(fen: NDArray[Any]) -> pa.Array:
    words = np.zeros((len(fen), 2), np.int64)
    words[:, 0] = fen
    bits = np.packbits(fen > 0, bitorder="little")
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(fen), [pa.py_buffer(bits), pa.py_buffer(words)])


def _known_as(simulation: Simulation, person: NDArray[Any]) -> pa.Array:
    """Customer number, or the one anonymous id a person who never signed up is known by."""
    signed = simulation.outcomes["signed"][person] < NEVER
    mini = simulation.people["platform"][person] == 1
    who = np.where(signed, 3, np.where(mini, 2, 0))
    return ids.distinct_ids(person, who, person)


def _table(simulation: Simulation, rows: NDArray[Any], seq: NDArray[np.int64], dirt: Dirt) -> pa.Table:
    people, calendar = simulation.people, simulation.calendar
    person, event, product = rows["person"], rows["event"], rows["product"].astype(np.int64)
    day = calendar.day_of(rows["ts"])
    screen = rows["source"] != _STORE
    broken = (rows["source"] == 0) & (day // 7 == dirt.broken_week) & (dirt.broken_week >= 0)
    search, pay = event == _CODE["search"], event == _CODE["pay"]
    survey = event == _CODE["survey"]
    friend = np.isin(event, [_CODE[n] for n in ("sign_up", "share_open", "team_join")]) & (rows["aux"] >= 0)
    system = np.where(rows["source"] == 2, np.array([3, 4, 1])[people["system"][person]], people["system"][person])
    release = np.char.add(
        np.char.add((3 + np.arange(60) // 20).astype("U2"), "."), np.char.add((np.arange(60) % 20).astype("U2"), ".0")
    )
    scene = rows["scene"]
    agreed = np.zeros((len(rows), len(QUESTIONS)), np.int64)
    if survey.any():
        agreed[survey] = survey_answers(simulation.seed, person[survey], people["need"][person[survey]])
    columns = [
        _known_as(simulation, person),
        _only(ids.distinct_ids(person, rows["who"], people["device"][person]), rows["who"] < 3),
        pa.array(np.ascontiguousarray(rows["ts"])).cast(pa.timestamp("us", "UTC")),
        pa.array(list(EVENTS)).take(pa.array(event)),
        ids.event_ids(rows["owner"], seq),
        pa.array(list(PLATFORMS)).take(pa.array(rows["source"])),
        pa.array([channel.name for channel in CHANNELS]).take(pa.array(rows["channel"])),
        _words(SCENES, scene, screen & ~broken),
        _words(SCENES, scene, screen & broken),
        _words(TRIGGERS, rows["trigger"], rows["trigger"] < len(TRIGGERS)),
        _words([p.code for p in PRODUCTS], product, (product >= 0) & ~search),
        _words([c.name for c in CATEGORIES], product // 6, product >= 0),
        _words([c.chinese for c in CATEGORIES], product // 6, search),
        _money(rows["price"].astype(np.int64)),
        _money(rows["amount"].astype(np.int64)),
        ids.order_ids(rows["owner"], rows["order"], rows["order"] >= 0),
        pa.array(np.array(COUPONS)[rows["coupon"]], mask=~pay),
        _words(METHODS, rows["aux"], pay),
        _only(ids.accounts(people["account"][person]), pay),
        _only(ids.devices(people["device"][person]), pay | (event == _CODE["sign_up"])),
        _only(_known_as(simulation, np.maximum(rows["aux"], 0)), friend),
        pa.array(rows["aux"].astype(np.int64), mask=~survey),
        *(pa.array(np.ascontiguousarray(agreed[:, q]), mask=~survey) for q in range(len(QUESTIONS))),
        pa.array([city.name for city in CITIES]).take(pa.array(people["city"][person])),
        _words(_OS, system, screen),
        _words(release.tolist(), np.clip(day // 14, 0, 59), rows["source"] < 2),
    ]
    return pa.Table.from_arrays(columns, schema=_COLUMNS)


def _bots(simulation: Simulation, dirt: Dirt) -> pa.Table:
    native = bot_table(simulation, dirt)
    scenes = pa.array([SCENES[3]] * native.num_rows, pa.string())
    given = {
        "person": native["distinct_id"],
        "anonymous": native["distinct_id"],
        "time": native["ts"],
        "event": native["event"],
        "event_id": native["event_id"],
        "source": native["source"],
        "channel": native["p_channel"],
        "product": native["p_product"],
        "category": native["p_category"],
        "scene": scenes,
    }
    arrays = [given.get(f.name, pa.nulls(native.num_rows, f.type)) for f in _COLUMNS]
    return pa.Table.from_arrays(arrays, schema=_COLUMNS)


def _spoilt(table: pa.Table, what: NDArray[np.int64]) -> pa.Table:
    """Copies of events that cannot be read, each in one way; their event ids are nobody's."""
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    # A reserved word stands where a person should; nothing else may tell who it was.
    person = pc.if_else(pa.array(what == 0), pa.scalar(None, pa.string()), columns["person"])
    moment = columns["time"].cast(pa.int64()).to_numpy(zero_copy_only=False)
    reserved = pa.array(np.array(_RESERVED)[moment // 1000 % len(_RESERVED)], pa.string())
    columns["person"] = pc.if_else(pa.array(what == 1), reserved, person)
    columns["anonymous"] = _only(columns["anonymous"], what > 1)
    columns["time"] = _only(columns["time"], what != 2)
    columns["event"] = _only(columns["event"], what != 3)
    late = pc.add(columns["time"], pa.scalar(75 * 366 * DAY, pa.duration("us")))
    columns["time"] = pc.if_else(pa.array(what == 4), late, columns["time"])
    columns["event_id"] = pc.binary_join_element_wise("x", columns["event_id"], "")
    return pa.table(columns, schema=_COLUMNS)


def _json_lines(table: pa.Table, broken: NDArray[np.bool_]) -> bytes:
    """One JSON object a line, nulls left out; `broken` lines are cut off in the middle."""
    parts: list[pa.Array] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        column = column.combine_chunks()
        if pa.types.is_timestamp(column.type):
            texts = pc.binary_join_element_wise('"', pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ"), '"', "")
        elif pa.types.is_string(column.type):
            texts = pc.binary_join_element_wise('"', column, '"', "")
        else:
            texts = column.cast(pa.string())
        pair = pc.binary_join_element_wise(f'"{name}":', texts, "")
        parts.append(pair)
    options = pc.JoinOptions(null_handling="skip")
    body = pc.binary_join_element_wise(*parts, ",", options=options)
    lines = pc.binary_join_element_wise("{", body, "}", "")
    lines = pc.if_else(pa.array(broken), pc.utf8_slice_codeunits(lines, 0, 40), lines)
    return ("\n".join(lines.to_pylist()) + "\n").encode()


def write_events(simulation: Simulation, path: Path, *, threads: int = 2, size: int = 10_000) -> EventFile:
    """Write the behaviour of everybody to `path` (.parquet, .csv or .jsonl), chunk after chunk of people.

    Needs everybody's outcomes (who ever signed up); produces them first if need be.
    """
    format = path.suffix[1:]
    if format not in FORMATS:
        raise ValueError(f"a file of events is one of {FORMATS}, not {path.suffix!r}")
    simulation.complete(threads)
    dirt = simulation.company.dirt
    kinds = len(_MALFORMED) - (format != "jsonl")

    def chunk(clean: NDArray[Any]) -> _Chunk:
        clean = clean[~_ORDER_EVENTS[clean["event"]]]
        index, kind = copies(clean, behaviour_of(clean), dirt, simulation.seed, simulation.calendar)
        order = np.argsort(clean["ts"][index], kind="stable")
        rows, kind = clean[index[order]], kind[order]
        keys = event_keys(rows)
        chance = uniforms(simulation.seed, _SPOIL_STREAM, keys)
        spoilt = np.flatnonzero((chance < dirt.malformed) & (kind == CLEAN))
        what = (uniforms(simulation.seed, _SPOIL_STREAM + 1, keys[spoilt]) * kinds).astype(np.int64)
        table = _table(simulation, rows, sequence_numbers(rows, kind), dirt)
        return _Chunk(table, kind, np.unique(rows["person"]), _spoilt(table.take(pa.array(spoilt)), what), what)

    counts = {"rows": 0, "duplicates": 0, "doubled": 0}
    by_name: dict[str, int] = {}
    malformed: dict[str, int] = {}
    active = np.zeros(len(simulation.people), np.bool_)
    first, last = 1 << 62, -(1 << 62)
    with _Writer(path, format) as out:
        for table, kind, people, bad, what in simulation.map_rows(chunk, size, threads):
            out.write(table, np.zeros(table.num_rows, np.bool_))
            if bad.num_rows:
                out.write(bad, what == 5)
            counts["rows"] += table.num_rows + bad.num_rows
            counts["duplicates"] += int((kind == REPEATED).sum())
            counts["doubled"] += int((kind == DOUBLED).sum())
            _add(by_name, table.filter(pa.array(kind != REPEATED))["event"])
            _add(malformed, pa.array([_MALFORMED[w] for w in what], pa.string()))
            active[people] = True
            bounds = pc.min_max(table["time"].cast(pa.int64()))
            if table.num_rows:
                first, last = min(first, bounds["min"].as_py()), max(last, bounds["max"].as_py())
        bots = _bots(simulation, dirt)
        if bots.num_rows:
            out.write(bots, np.zeros(bots.num_rows, np.bool_))
            counts["rows"] += bots.num_rows
            _add(by_name, bots["event"])
            bounds = pc.min_max(bots["time"].cast(pa.int64()))
            first, last = min(first, bounds["min"].as_py()), max(last, bounds["max"].as_py())
    return EventFile(
        path=path.name,
        format=format,
        rows=counts["rows"],
        events=sum(by_name.values()),
        by_name=by_name,
        duplicate_rows=counts["duplicates"],
        doubled=counts["doubled"],
        malformed=malformed,
        people=int(active.sum()) + pc.count_distinct(bots["person"]).as_py(),
        bots=pc.count_distinct(bots["person"]).as_py(),
        first=first,
        last=last,
    )


def _add(counts: dict[str, int], names: Any) -> None:
    for item in pc.value_counts(names).to_pylist():
        counts[item["values"]] = counts.get(item["values"], 0) + item["counts"]


class _Writer:
    """Tables to one file in any of the formats."""

    def __init__(self, path: Path, format: str) -> None:
        self.format = format
        self._parquet = pq.ParquetWriter(path, _COLUMNS, compression="zstd") if format == "parquet" else None
        self._file = None if self._parquet else path.open("wb")
        if format == "csv" and self._file:
            self._file.write((",".join(_COLUMNS.names) + "\n").encode())

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        (self._parquet or self._file).close()  # type: ignore[union-attr]

    def write(self, table: pa.Table, broken: NDArray[np.bool_]) -> None:
        if self._parquet:
            self._parquet.write_table(table)
        elif self._file and self.format == "jsonl":
            self._file.write(_json_lines(table, broken))
        elif self._file:
            shown = {}
            for name, column in zip(table.column_names, table.columns, strict=True):
                if pa.types.is_timestamp(column.type):
                    column = pc.strftime(column.cast(pa.timestamp("ms", "UTC"), safe=False), "%Y-%m-%dT%H:%M:%SZ")
                elif pa.types.is_decimal(column.type):
                    column = column.cast(pa.string())
                shown[name] = column
            buffer = io.BytesIO()
            options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
            pyarrow.csv.write_csv(pa.table(shown), buffer, options)
            self._file.write(buffer.getbuffer())
