"""The tracking plan as YAML, for version control and review."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
import yaml

from tilth.collect.plan import EventPlan, Plan, PropertyPlan
from tilth.errors import InvalidInput

__all__ = ["load_yaml", "plan_from", "plan_of_yaml", "plan_yaml", "read_as"]

T = TypeVar("T")
_MOST = 4 * 1024 * 1024
_WHERE = re.compile(r"^(?P<reason>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Without aliases: a few of them can stand for more than fits in memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise InvalidInput("yaml", "aliases (*name) are not taken")
        return super().compose_node(parent, index)


def load_yaml(text: str, field: str = "yaml") -> Any:
    """The document; raises `InvalidInput` with the line where it is no YAML."""
    if len(text) > _MOST:
        raise InvalidInput(field, f"is over {_MOST:,} characters")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1}: "
        raise InvalidInput(field, f"{line}{error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(field, str(error)[:200]) from None


def read_as(value: Any, type: type[T], field: str) -> T:
    """A part of a document as a struct; errors name the whole path."""
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        found = _WHERE.match(str(error))
        path = "" if found is None else found["path"] or ""
        reason = str(error) if found is None else found["reason"]
        raise InvalidInput(f"{field}{path}".lstrip("."), reason) from None


def plan_from(value: Any, field: str = "") -> Plan:
    """A plan from plain values, each event and property checked by its name."""
    if not isinstance(value, dict):
        raise InvalidInput(field or "plan", "must be a mapping with events")
    start = f"{field}." if field else ""
    events: dict[str, EventPlan] = {}
    for name, one in _mapping(value.get("events"), f"{start}events").items():
        told = {} if one is None else one
        where = f"{start}events.{name}"
        properties = _properties(
            _mapping(told.get("properties"), f"{where}.properties") if isinstance(told, dict) else {},
            f"{where}.properties",
        )
        rest = {k: v for k, v in told.items() if k != "properties"} if isinstance(told, dict) else told
        events[str(name)] = msgspec.structs.replace(read_as(rest, EventPlan, where), properties=properties)
    traits = _properties(_mapping(value.get("traits"), f"{start}traits"), f"{start}traits")
    rest = {k: v for k, v in value.items() if k not in ("events", "traits")}
    return msgspec.structs.replace(read_as(rest, Plan, field), events=events, traits=traits)


def _properties(value: dict[str, Any], field: str) -> dict[str, PropertyPlan]:
    """`name: text` is short for `name: {type: text}`."""
    return {
        str(name): read_as({"type": one} if isinstance(one, str) else one or {}, PropertyPlan, f"{field}.{name}")
        for name, one in value.items()
    }


def _mapping(value: Any, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(field, "must be a mapping")
    return value


def plan_of_yaml(text: str) -> Plan:
    """Raises `InvalidInput` with the path of what is wrong."""
    return plan_from(load_yaml(text) or {})


def plan_yaml(plan: Plan) -> str:
    """The plan as YAML that `plan_of_yaml` reads back to the same plan."""
    text: str = yaml.safe_dump(msgspec.to_builtins(plan), allow_unicode=True, sort_keys=False, width=110)
    return text
