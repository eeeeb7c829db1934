"""A table for each event of the tracking plan: its properties as columns of their types.

The lake keeps properties as they came; here they are read as the plan says. A value that is not of its
type is NULL, and `props` of `events` still has it as it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.collect.plan import PropertyType
from tilth.settings import currency_digits

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = ["MOST_TABLES", "event_columns", "event_table", "event_views"]

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


def event_table(event: str) -> str:
    """What the event's table is called."""
    return f"event_{event}"


def event_views(workspace: Workspace, statement: str) -> dict[str, str]:
    """Name -> SELECT of the tables that the statement may mean: those whose name is in it."""
    lowered = statement.lower()
    if "event_" not in lowered:
        return {}
    zone = workspace.settings.timezone.replace("'", "''")
    digits = currency_digits(workspace.settings.currency)
    found: dict[str, str] = {}
    for event, planned in workspace.collect.plans.current().plan.events.items():
        if event_table(event).lower() not in lowered:
            continue
        columns = [
            f"{expression} AS {_quote(name)}"
            for property, one in planned.properties.items()
            for name, _, expression in _of_property(property, one.type, digits)
        ]
        base = ["uid", "ts", f"CAST(ts AT TIME ZONE '{zone}' AS DATE) AS day", "distinct_id", "source"]
        found[event_table(event)] = f"SELECT {', '.join([*base, *columns])} FROM events WHERE event = {_text(event)}"
    return found


def event_columns(workspace: Workspace) -> dict[str, list[tuple[str, str]]]:
    """Table -> (column, type) of the properties, for at most `MOST_TABLES` events of the plan."""
    digits = currency_digits(workspace.settings.currency)
    events = list(workspace.collect.plans.current().plan.events.items())[:MOST_TABLES]
    return {
        event_table(event): [
            (name, kind)
            for property, one in planned.properties.items()
            for name, kind, _ in _of_property(property, one.type, digits)
        ]
        for event, planned in events
    }


def _of_property(name: str, kind: PropertyType, digits: int) -> list[tuple[str, str, str]]:
    """(column, SQL type, expression) of a property; money and places have several."""
    # A name that a column of every event has is told apart.
    shown = f"{name}_" if name.lower() in _BASE else name
    if name == "amount":
        # Known money is kept in minor units of the event's currency, which the column beside it names.
        major = f"CAST(CAST(p_amount AS DECIMAL(18,0)) / {10**digits} AS DECIMAL(18,{digits}))"
        return [(shown, f"DECIMAL(18,{digits})", major)]
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


def _pointer(*names: str) -> str:
    """A JSON pointer, which takes any name."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quote(name: str) -> str:
    from tilth.lake.sql import quote

    return quote(name)
