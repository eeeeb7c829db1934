"""A table for each event of the tracking plan: its properties as columns of their types.

The lake keeps properties as they came; here they are read as the plan says. A value that is not of its
type is NULL, and `props` of `events` still has it as it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.collect.plan import EventPlan, PropertyType
from tilth.settings import CURRENCY_DIGITS

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = ["MOST_TABLES", "event_columns", "event_views"]

# More than these are not listed; each still has its table.
MOST_TABLES = 200
# Properties that have a column of their own in the lake, and what it holds as SQL.
_PROMOTED = {
    "order_id": "p_order_id",
    "product": "p_product",
    "category": "p_category",
    "channel": "p_channel",
    "store": "p_store",
    "currency": "p_currency",
    "quantity": "p_quantity",
    "price": "p_price",
}
_BASE = ("uid", "ts", "day", "distinct_id", "source")


def event_views(workspace: Workspace, statement: str) -> dict[str, str]:
    """Name -> SELECT of the tables that the statement may mean: those whose name is in it."""
    lowered = statement.lower()
    if "event_" not in lowered:
        return {}
    # Loads the engine, which a server that is never asked for SQL does without.
    from tilth.lake.sql import quote

    zone = workspace.settings.timezone.replace("'", "''")
    found: dict[str, str] = {}
    for table, event, planned in _tables(workspace):
        if table.lower() not in lowered:
            continue
        columns = [f"{expression} AS {quote(name)}" for name, _, expression in _columns(planned)]
        base = ["uid", "ts", f"CAST(ts AT TIME ZONE '{zone}' AS DATE) AS day", "distinct_id", "source"]
        found[table] = f"SELECT {', '.join([*base, *columns])} FROM events WHERE event = {_text(event)}"
    return found


def event_columns(workspace: Workspace) -> dict[str, list[tuple[str, str]]]:
    """Table -> (column, type) of the properties, for at most `MOST_TABLES` events of the plan."""
    tables = _tables(workspace)[:MOST_TABLES]
    return {table: [(name, kind) for name, kind, _ in _columns(planned)] for table, _, planned in tables}


def _tables(workspace: Workspace) -> list[tuple[str, str, EventPlan]]:
    """(table, event, its plan). SQL knows no capitals: of two events that differ in these alone the later is told
    apart by a `_` at the end."""
    taken: set[str] = set()
    return [
        (_unused(f"event_{event}", taken), event, planned)
        for event, planned in workspace.collect.plans.current().plan.events.items()
    ]


def _columns(planned: EventPlan) -> list[tuple[str, str, str]]:
    """(column, SQL type, expression) of the planned properties, each name once."""
    taken = set(_BASE)
    return [
        (_unused(name, taken), kind, expression)
        for property, one in planned.properties.items()
        for name, kind, expression in _of_property(property, one.type)
    ]


def _unused(name: str, taken: set[str]) -> str:
    while name.lower() in taken:
        name += "_"
    taken.add(name.lower())
    return name


def _of_property(shown: str, kind: PropertyType) -> list[tuple[str, str, str]]:
    """(column, SQL type, expression) of a property; money and places have several."""
    name = shown
    if name == "amount":
        # Known money is kept in minor units of the event's own currency.
        return [(shown, "DECIMAL(18,3)", f"CAST(CAST(p_amount AS DECIMAL(18,0)) / {_minor_units()} AS DECIMAL(18,3))")]
    if name in _PROMOTED:
        column = _PROMOTED[name]
        return [(shown, {"quantity": "DOUBLE", "price": "DECIMAL"}.get(name, "VARCHAR"), column)]
    text = f"json_extract_string(props, {_text(_pointer(name))})"
    if kind == "number":
        return [(shown, "DOUBLE", f"TRY_CAST({text} AS DOUBLE)")]
    if kind == "boolean":
        return [(shown, "BOOLEAN", f"TRY_CAST({text} AS BOOLEAN)")]
    if kind == "date":
        return [(shown, "TIMESTAMP", f"TRY_CAST({text} AS TIMESTAMP)")]
    if kind == "money":
        amount = f"json_extract_string(props, {_text(_pointer(name, 'amount'))})"
        currency = f"json_extract_string(props, {_text(_pointer(name, 'currency'))})"
        return [
            (shown, "DECIMAL(18,4)", f"TRY_CAST({amount} AS DECIMAL(18,4))"),
            (f"{shown}_currency", "VARCHAR", currency),
        ]
    if kind == "place":
        return [
            (f"{shown}_{part}", type, f"TRY_CAST(json_extract_string(props, {_text(_pointer(name, part))}) AS {type})")
            for part, type in (("lat", "DOUBLE"), ("lng", "DOUBLE"), ("name", "VARCHAR"))
        ]
    if kind in ("list", "object"):
        return [(shown, "JSON", f"json_extract(props, {_text(_pointer(name))})")]
    return [(shown, "VARCHAR", text)]


def _minor_units() -> str:
    """How many minor units of an event's currency make a major one, as SQL."""
    others: dict[int, list[str]] = {}
    for currency, digits in CURRENCY_DIGITS.items():
        others.setdefault(digits, []).append(currency)
    cases = [f"WHEN p_currency IN ({', '.join(map(_text, sorted(c)))}) THEN {10**n}" for n, c in others.items()]
    return f"CASE {' '.join(cases)} ELSE 100 END"


def _pointer(*names: str) -> str:
    """A JSON pointer, which takes any name."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
