"""What has really arrived, read from the lake: events and their properties, volumes, and what changed.

Nothing is counted at the door for this; a question reads the last weeks. Types and coverage come from
a sample of each event, drawn by a hash, so the same question has the same answer.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import msgspec

from tilth.collect.plan import EventPlan, Plan, PropertyPlan, PropertyType
from tilth.lake import BOOKKEEPING, Lake
from tilth.lake.sql import SqlDoor

__all__ = ["Drift", "Observation", "ObservedEvent", "ObservedProperty", "infer_plan", "observe"]

DAYS = 28
RECENT = 7
_SAMPLE = 4_000
_MOST_EVENTS = 1_000
_MOST_PROPERTIES = 300
# So much of a property's values must be of one type to plan it so.
_CLEAR = 0.98
_ALWAYS = 0.999


class ObservedProperty(msgspec.Struct, frozen=True, kw_only=True):
    """types: type -> sampled events; events: sampled events that have it; of: sampled events."""

    name: str
    types: dict[str, int]
    events: int
    of: int
    planned: bool


class ObservedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """events, people: in the window. days: events on each of its days, oldest first."""

    name: str
    events: int
    people: int
    days: list[int]
    last_at: datetime
    planned: bool
    properties: list[ObservedProperty]


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Something that changed. kind: stopped, volume, type, vanished. before, now: what it was and is."""

    kind: str
    event: str
    property: str | None
    before: str
    now: str


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The last weeks. through: the last day with data, the window's end (ISO date, UTC)."""

    through: str | None
    first: str | None
    events: list[ObservedEvent]
    drift: list[Drift]
    unseen: list[str]


def observe(lake: Lake, plan: Plan, memory_mb: int = 1024) -> Observation:
    """Read the last four weeks with data. Raises `LimitReached` where that takes more than a minute."""
    door = SqlDoor(lake, memory_mb)
    last = door.run("SELECT max(ts) FROM events").rows[0][0]
    if last is None:
        return Observation(through=None, first=None, events=[], drift=[], unseen=sorted(plan.events))
    end = _moment(last)
    through = end.date()
    first = through - timedelta(days=DAYS - 1)
    books = ", ".join(f"'{name}'" for name in sorted(BOOKKEEPING))
    window = f"ts >= TIMESTAMPTZ '{first.isoformat()} 00:00:00+00' AND event NOT IN ({books})"
    totals = door.run(
        f"SELECT event, count(*), count(DISTINCT uid), max(ts) FROM events WHERE {window} "
        f"GROUP BY event ORDER BY count(*) DESC, event LIMIT {_MOST_EVENTS}"
    ).rows
    listed = ", ".join("'" + str(row[0]).replace("'", "''") + "'" for row in totals)
    if listed:
        window += f" AND event IN ({listed})"
    daily: dict[str, list[int]] = defaultdict(lambda: [0] * DAYS)
    by_day = door.run(
        f"SELECT event, date_diff('day', DATE '{first.isoformat()}', CAST(ts AS DATE)), count(*) FROM events "
        f"WHERE {window} GROUP BY ALL",
        limit=_MOST_EVENTS * DAYS,
    ).rows
    for event, day, count in by_day:
        if 0 <= int(day) < DAYS:
            daily[str(event)][int(day)] = int(count)
    recent_from = through - timedelta(days=RECENT - 1)
    sampled = door.run(
        _SAMPLED.format(window=window, recent=recent_from.isoformat(), sample=_SAMPLE), limit=200_000
    ).rows
    properties: dict[str, dict[str, dict[bool, dict[str, int]]]] = defaultdict(dict)
    sizes: dict[tuple[str, bool], int] = {}
    for event, recent, name, kind, count in sampled:
        if name is None:
            sizes[str(event), bool(recent)] = int(count)
            continue
        mine = properties[str(event)].setdefault(str(name), {False: {}, True: {}})[bool(recent)]
        mine[str(kind)] = mine.get(str(kind), 0) + int(count)
    events = [
        ObservedEvent(
            name=str(name),
            events=int(count),
            people=int(people),
            days=daily[str(name)],
            last_at=_moment(at),
            planned=str(name) in plan.events,
            properties=_properties(plan.events.get(str(name)), str(name), properties[str(name)], sizes),
        )
        for name, count, people, at in totals
    ]
    drift = [found for one in events for found in _volume_drift(one, end)]
    for one in events:
        drift += _property_drift(one.name, properties[one.name], sizes)
    seen = {one.name for one in events}
    return Observation(
        through=through.isoformat(),
        first=first.isoformat(),
        events=events,
        drift=drift,
        unseen=sorted(name for name in plan.events if name not in seen),
    )


# The typed columns are properties as well; a JSON text that is an ISO date counts as a date.
_SAMPLED = """
WITH sized AS (SELECT event AS of, ts >= TIMESTAMPTZ '{recent} 00:00:00+00' AS recent, count(*) AS n FROM events
  WHERE {window} GROUP BY ALL),
s AS (SELECT e.event, z.recent, e.props, e.p_order_id, e.p_product, e.p_category, e.p_channel, e.p_store, e.p_currency,
    e.p_quantity, e.p_price, e.p_amount
  FROM events e JOIN sized z ON z.of = e.event AND z.recent = (e.ts >= TIMESTAMPTZ '{recent} 00:00:00+00')
  WHERE {window} AND hash(e.event_id) % greatest(1, z.n // {sample}) = 0),
named AS (SELECT event, recent, k AS name, json_type(props, pointer) AS kind,
    json_extract_string(props, pointer) AS value
  FROM (SELECT event, recent, props, k, '/' || replace(replace(k, '~', '~0'), '/', '~1') AS pointer
  FROM s, UNNEST(json_keys(props)) AS u(k) WHERE props IS NOT NULL))
SELECT event, recent, NULL, NULL, count(*) FROM s GROUP BY ALL
UNION ALL
SELECT event, recent, name, CASE kind WHEN 'BOOLEAN' THEN 'boolean' WHEN 'ARRAY' THEN 'list' WHEN 'OBJECT' THEN
      CASE list_sort(json_keys(value)) WHEN ['amount', 'currency'] THEN 'money' WHEN ['lat', 'lng'] THEN 'place'
        WHEN ['lat', 'lng', 'name'] THEN 'place' ELSE 'object' END
    WHEN 'VARCHAR' THEN
      CASE WHEN regexp_matches(value, '^\\d{{4}}-\\d{{2}}-\\d{{2}}([T ].*)?$') THEN 'date' ELSE 'text' END
    ELSE 'number' END, count(*) FROM named WHERE kind <> 'NULL' GROUP BY ALL
UNION ALL SELECT event, recent, 'order_id', 'text', count(p_order_id) FROM s GROUP BY ALL HAVING count(p_order_id) > 0
UNION ALL SELECT event, recent, 'product', 'text', count(p_product) FROM s GROUP BY ALL HAVING count(p_product) > 0
UNION ALL SELECT event, recent, 'category', 'text', count(p_category) FROM s GROUP BY ALL HAVING count(p_category) > 0
UNION ALL SELECT event, recent, 'channel', 'text', count(p_channel) FROM s GROUP BY ALL HAVING count(p_channel) > 0
UNION ALL SELECT event, recent, 'store', 'text', count(p_store) FROM s GROUP BY ALL HAVING count(p_store) > 0
UNION ALL SELECT event, recent, 'currency', 'text', count(p_currency) FROM s GROUP BY ALL HAVING count(p_currency) > 0
UNION ALL SELECT event, recent, 'quantity', 'number', count(p_quantity) FROM s GROUP BY ALL HAVING count(p_quantity) > 0
UNION ALL SELECT event, recent, 'price', 'number', count(p_price) FROM s GROUP BY ALL HAVING count(p_price) > 0
UNION ALL SELECT event, recent, 'amount', 'number', count(p_amount) FROM s GROUP BY ALL HAVING count(p_amount) > 0
"""


def infer_plan(observation: Observation, plan: Plan) -> Plan:
    """The plan with everything that arrived and is not in it yet; what is planned stays as it is."""
    events = dict(plan.events)
    for one in observation.events:
        planned = events.get(one.name, EventPlan())
        properties = dict(planned.properties)
        for found in one.properties:
            if found.name not in properties and not found.name.startswith("$"):
                required = found.of >= 100 and found.events >= _ALWAYS * found.of and one.name not in plan.events
                properties[found.name] = PropertyPlan(type=_clear_type(found.types), required=required)
        events[one.name] = msgspec.structs.replace(planned, properties=properties)
    return msgspec.structs.replace(plan, events=events)


def _clear_type(types: dict[str, int]) -> PropertyType:
    whole = sum(types.values())
    kind, most = max(types.items(), key=lambda item: item[1])
    if most >= _CLEAR * whole:
        return kind  # type: ignore[return-value]
    return "text" if set(types) == {"text", "date"} else "any"


def _properties(
    planned: EventPlan | None,
    event: str,
    found: dict[str, dict[bool, dict[str, int]]],
    sizes: dict[tuple[str, bool], int],
) -> list[ObservedProperty]:
    of = sizes.get((event, False), 0) + sizes.get((event, True), 0)
    listed = []
    for name, halves in found.items():
        types: dict[str, int] = {}
        for half in halves.values():
            for kind, count in half.items():
                types[kind] = types.get(kind, 0) + count
        listed.append(
            ObservedProperty(
                name=name, types=types, events=min(of, sum(types.values())), of=of,
                planned=planned is not None and name in planned.properties,
            )
        )  # fmt: skip
    return sorted(listed, key=lambda one: (-one.events, one.name))[:_MOST_PROPERTIES]


def _volume_drift(one: ObservedEvent, end: datetime) -> list[Drift]:
    """An event that stopped, or whose daily number is far from what it was."""
    before, recent = one.days[:-RECENT], one.days[-RECENT:]
    active = [count for count in before if count]
    if len(active) < RECENT or sum(before) < 50:
        return []
    usual = statistics.median(before)
    silent = (end - one.last_at) / timedelta(days=1)
    gap = len(before) / sum(before)
    if sum(recent) == 0 or silent > max(2.0, 10 * gap):
        return [Drift(kind="stopped", event=one.name, property=None, before=f"{sum(before) / len(before):.1f}",
                      now=f"{silent:.1f}")]  # fmt: skip
    # The last day is not over yet.
    whole = recent[:-1]
    spread = 1.4826 * statistics.median(abs(count - usual) for count in before)
    mean = sum(whole) / len(whole)
    # A count varies by its root even where nothing changed.
    if abs(mean - usual) > 4 * max(spread, usual**0.5) and not 0.5 <= mean / max(usual, 1e-9) <= 2:
        return [Drift(kind="volume", event=one.name, property=None, before=f"{usual:.1f}", now=f"{mean:.1f}")]
    return []


def _property_drift(
    event: str, found: dict[str, dict[bool, dict[str, int]]], sizes: dict[tuple[str, bool], int]
) -> list[Drift]:
    """A property that is of another type than before, or is hardly there any more."""
    before_all, now_all = sizes.get((event, False), 0), sizes.get((event, True), 0)
    if before_all < 50 or now_all < 20:
        return []
    drift = []
    for name, halves in sorted(found.items()):
        before, now = halves[False], halves[True]
        had, has = sum(before.values()), sum(now.values())
        if had >= 0.5 * before_all and has / now_all < 0.5 * had / before_all:
            drift.append(Drift(kind="vanished", event=event, property=name, before=f"{had}/{before_all}",
                               now=f"{has}/{now_all}"))  # fmt: skip
        if had < 20 or has < 20:
            continue
        usual = max(before, key=before.__getitem__)
        other = sum(count for kind, count in now.items() if before.get(kind, 0) < 0.02 * had)
        if other > 0.05 * has:
            newest = max((k for k in now if before.get(k, 0) < 0.02 * had), key=now.__getitem__)
            drift.append(Drift(kind="type", event=event, property=name, before=usual, now=newest))
    return drift


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
