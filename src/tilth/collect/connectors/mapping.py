"""A payload to events by rules: JSONPath says where each part of an event is found.

A path is read from the whole payload, or from one element of a list where a rule has `each`; there
`$` is the element and `^` at the start stands for the whole payload (`^$.id`). Text that is no path is itself.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from tilth.errors import InvalidInput

__all__ = ["Field", "Mapped", "MappingRule", "check_rules", "map_payload"]

Path = Annotated[str, msgspec.Meta(max_length=500)]
# Events of one payload.
_MOST = 1_000


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a value is found. paths: the first that finds something counts. scale: the number is divided by it
    (100 for amounts in fen or cents). join: several values become one text with this between them."""

    paths: list[Path]
    scale: int = 1
    join: str | None = None


class MappingRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event (or one of each element of a list). A field may be given as a path, short for `{paths: [path]}`.

    topic: only payloads of this topic, by the system's header; empty for all. when: path that must find
    something; equals: one of these texts. each: path of the elements. event: name. event_id: pieces that make the
    key of de-duplication; a piece that is a path and finds nothing means there is no event. person: the
    customer's id; ids: kind -> id. at: when. properties, traits: name -> value.
    """

    event: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    topic: str = ""
    when: Path | None = None
    equals: list[str] | None = None
    each: Path | None = None
    event_id: list[Path]
    person: Path | Field | None = None
    ids: dict[str, Path | Field] = {}
    at: Path | Field | None = None
    properties: dict[str, Path | Field] = {}
    traits: dict[str, Path | Field] = {}


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """events: of our own format (`POST /api/v1/events`). skipped: why a rule gave none, a line each. nameless:
    events left out because a piece of their id found nothing."""

    events: list[dict[str, Any]]
    skipped: list[str]
    nameless: int = 0


@lru_cache(maxsize=2_048)
def _compiled(path: str) -> Any:
    # Loaded with the first webhook: whoever has none need not wait for it.
    import jsonpath

    try:
        return jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise InvalidInput("path", f"is no JSONPath: {str(error).splitlines()[0]}") from None


def check_rules(rules: list[MappingRule], field: str = "rules") -> None:
    """Raises `InvalidInput` with the place of a path that is none."""
    for number, rule in enumerate(rules):
        where = f"{field}[{number}]"
        told: list[tuple[str, str]] = [(f"{where}.event_id", one) for one in rule.event_id]
        told += [(f"{where}.{name}", one) for name in ("when", "each") if (one := getattr(rule, name)) is not None]
        for name in ("person", "at"):
            one = getattr(rule, name)
            if one is not None:
                told += [(f"{where}.{name}", path) for path in _paths(one)]
        for name in ("ids", "properties", "traits"):
            for key, one in getattr(rule, name).items():
                told += [(f"{where}.{name}.{key}", path) for path in _paths(one)]
                if isinstance(one, Field) and one.scale < 1:
                    raise InvalidInput(f"{where}.{name}.{key}.scale", "must be at least 1")
        for place, path in told:
            if _is_path(path):
                try:
                    _compiled(path.removeprefix("^"))
                except InvalidInput as error:
                    raise InvalidInput(place, error.reason) from None
        if not rule.event_id:
            raise InvalidInput(f"{where}.event_id", "is empty: without it a payload sent again would count twice")


def map_payload(rules: list[MappingRule], payload: Any, topic: str = "") -> Mapped:
    """The events of a payload, in the order of the rules. Never raises for what the payload holds."""
    events: list[dict[str, Any]] = []
    skipped: list[str] = []
    nameless = 0
    for number, rule in enumerate(rules):
        name = f"rules[{number}] ({rule.event})"
        if rule.topic and rule.topic != topic:
            skipped.append(f"{name}: the topic is {topic or 'missing'}, not {rule.topic}")
            continue
        if rule.when is not None:
            found = _texts(_find(rule.when, payload, payload))
            if not found or (rule.equals is not None and not set(found) & set(rule.equals)):
                skipped.append(f"{name}: {rule.when} is {', '.join(found) or 'missing'}")
                continue
        elements = [payload] if rule.each is None else _find(rule.each, payload, payload)
        if not elements:
            skipped.append(f"{name}: {rule.each} finds nothing")
        for element in elements:
            if len(events) >= _MOST:
                skipped.append(f"{name}: a payload gives at most {_MOST:,} events")
                return Mapped(events=events, skipped=skipped, nameless=nameless)
            event = _event(rule, element, payload)
            if event is None:
                nameless += 1
                skipped.append(f"{name}: a piece of event_id finds nothing")
            else:
                events.append(event)
    return Mapped(events=events, skipped=skipped, nameless=nameless)


def _event(rule: MappingRule, element: Any, payload: Any) -> dict[str, Any] | None:
    pieces = [_text(_value(piece, element, payload)) for piece in rule.event_id]
    if any(piece == "" for piece in pieces):
        return None
    event: dict[str, Any] = {"event": rule.event, "event_id": "".join(pieces)}
    person = _text(_value(rule.person, element, payload)) if rule.person is not None else ""
    if person:
        event["distinct_id"] = person
    ids = {kind: text for kind, one in rule.ids.items() if (text := _text(_value(one, element, payload)))}
    if ids:
        event["identities"] = ids
    at = None if rule.at is None else _value(rule.at, element, payload)
    if at is not None:
        event["timestamp"] = at
    for name, told in (("properties", rule.properties), ("traits", rule.traits)):
        values = {key: one for key, path in told.items() if (one := _value(path, element, payload)) is not None}
        if values:
            event[name] = values
    return event


def _paths(told: str | Field) -> list[str]:
    return told.paths if isinstance(told, Field) else [told]


def _is_path(text: str) -> bool:
    return text.startswith(("$", "^$"))


def _find(path: str, element: Any, payload: Any) -> list[Any]:
    if not _is_path(path):
        return [path]
    root = payload if path.startswith("^") else element
    if not isinstance(root, (dict, list)):
        # The element itself, where the list holds plain values.
        return [root] if path == "$" else []
    import jsonpath

    try:
        found: list[Any] = _compiled(path.removeprefix("^")).findall(root)
    except (InvalidInput, jsonpath.JSONPathError, RecursionError):
        # Rules are checked when they are saved; a filter can still trip over what it compares.
        return []
    return [one for one in found if one is not None and one != ""]


def _value(told: str | Field | None, element: Any, payload: Any) -> Any:
    if told is None:
        return None
    found: list[Any] = []
    for path in _paths(told):
        found = _find(path, element, payload)
        if found:
            break
    if not found:
        return None
    if isinstance(told, Field):
        if told.join is not None:
            return told.join.join(_texts(found))
        if told.scale != 1:
            return _scaled(found[0], told.scale)
    return found[0]


def _scaled(value: Any, scale: int) -> Any:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return value
    return number / scale if number.is_finite() and not isinstance(value, bool) else value


def _texts(found: list[Any]) -> list[str]:
    return [text for one in found if (text := _text(one))]


def _text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
