"""The tracking plan: which events there should be, with which properties of which type.

In mode `observe` what differs is counted and shown; in `enforce` it goes to quarantine, from where it
is sent on once the plan or the event is mended. Only what people do and what is said of them is
checked; links between ids are identity's business.
"""

from __future__ import annotations

import re
import threading
import time
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa

from tilth.collect.formats import Refused
from tilth.collect.model import Item, Message, Track
from tilth.collect.sources import PiiClass
from tilth.collect.tables import plan as plan_table
from tilth.errors import Conflict, InvalidInput
from tilth.state import Database

__all__ = [
    "Difference",
    "EventPlan",
    "Mode",
    "Plan",
    "Plans",
    "PropertyPlan",
    "PropertyType",
    "VersionedPlan",
    "differences",
    "native_raw",
    "type_of",
    "why_not",
]

Mode = Literal["observe", "enforce"]
PropertyType = Literal["any", "text", "number", "boolean", "date", "money", "place", "list", "object"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=2_000)]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_AMOUNT = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
# How long a plan is believed after it was read: another process may change it.
_LIFE = 2.0
_REPORTED = 10
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


class PropertyPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One property or trait. allowed: the only values, when given. pii: its class, for privacy settings."""

    type: PropertyType = "any"
    required: bool = False
    allowed: list[str | int | float | bool] | None = None
    pii: PiiClass | None = None
    description: Words = ""


class EventPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event. mode: other than the plan's. closed: no property but those listed."""

    description: Words = ""
    owner: Words = ""
    mode: Mode | None = None
    closed: bool = False
    properties: dict[Name, PropertyPlan] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole. closed: no event but those listed. traits: of people."""

    mode: Mode = "observe"
    closed: bool = False
    events: dict[Name, EventPlan] = {}
    traits: dict[Name, PropertyPlan] = {}


class VersionedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan in force. version: 0 where none was ever saved. at: UTC µs."""

    version: int
    at: int
    by: str
    plan: Plan


class Difference(msgspec.Struct, frozen=True):
    """Where a message is not as planned. enforced: it is not to be taken."""

    event: str
    field: str
    reason: str
    enforced: bool


def differences(plan: Plan, message: Message) -> list[Difference]:
    """How the message differs from the plan, at most ten."""
    found: list[Difference] = []
    if isinstance(message, Track):
        planned = plan.events.get(message.event)
        if planned is None:
            if plan.closed:
                found.append(Difference(message.event, "event", "is not in the tracking plan", plan.mode == "enforce"))
        else:
            enforced = (planned.mode or plan.mode) == "enforce"
            for field, reason in _compare(planned.properties, message.properties, planned.closed, "properties"):
                found.append(Difference(message.event, field, reason, enforced))
    if plan.traits and message.operations and not isinstance(message, Item):
        name = message.event if isinstance(message, Track) else "$profile"
        for operation in message.operations:
            if operation.verb in ("set", "set_once"):
                known = {k: p for k, p in plan.traits.items() if k in operation.traits}
                for field, reason in _compare(known, operation.traits, False, "traits"):
                    found.append(Difference(name, field, reason, plan.mode == "enforce"))
    return found[:_REPORTED]


def why_not(one: PropertyPlan, value: Any) -> str | None:
    """Why a value is not as planned, or None."""
    if not _fits(value, one.type):
        return f"must be {one.type} and is {type_of(value)}"
    if one.allowed is not None and value not in one.allowed:
        return "is none of the allowed values"
    return None


def _compare(planned: dict[str, PropertyPlan], sent: dict[str, Any], closed: bool, where: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, one in planned.items():
        value = sent.get(name)
        if value is None:
            if one.required:
                found.append((f"{where}.{name}", "is required and missing"))
        elif (reason := why_not(one, value)) is not None:
            found.append((f"{where}.{name}", reason))
    if closed:
        # Names that clients set themselves begin with `$`.
        found += [(f"{where}.{n}", "is not in the tracking plan") for n in sent if n not in planned and n[:1] != "$"]
    return found


def type_of(value: Any) -> PropertyType:
    """The planned type a JSON value would have.

    Text that is an ISO 8601 date is a date; `{"amount", "currency"}` (major units, ISO 4217) is money;
    `{"lat", "lng"}` with or without a `name` (degrees, WGS 84) is a place.
    """
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "date" if _is_date(value) else "text"
    if isinstance(value, list):
        return "list"
    if _is_money(value):
        return "money"
    return "place" if _is_place(value) else "object"


def _is_money(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        return False
    amount, currency = value["amount"], value["currency"]
    if isinstance(amount, str):
        amounts = _AMOUNT.fullmatch(amount) is not None
    else:
        amounts = isinstance(amount, (int, float, Decimal)) and not isinstance(amount, bool)
    return amounts and isinstance(currency, str) and _CURRENCY.fullmatch(currency) is not None


def _is_place(value: Any) -> bool:
    if not isinstance(value, dict) or not {"lat", "lng"} <= set(value) <= {"lat", "lng", "name"}:
        return False
    for part, most in (("lat", 90), ("lng", 180)):
        number = value[part]
        if isinstance(number, bool) or not isinstance(number, (int, float, Decimal)) or not -most <= number <= most:
            return False
    return isinstance(value.get("name", ""), str)


def _fits(value: Any, wanted: PropertyType) -> bool:
    if wanted == "any":
        return True
    actual = type_of(value)
    return (
        actual == wanted
        or (wanted == "text" and actual == "date")
        or (wanted == "object" and actual in ("money", "place"))
    )


def _is_date(text: str) -> bool:
    if _DATE.match(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def native_raw(message: Message) -> str:
    """The message in our own format, so that it can be kept in quarantine and sent again."""
    told: dict[str, Any] = {
        "type": "track" if isinstance(message, Track) else type(message).__name__.lower(),
        "timestamp": message.ts,
        "event_id": message.event_id,
    }
    first, *others = message.ids or (None,)
    if first is not None:
        told["anonymous_id" if first.anonymous else "distinct_id"] = first.value
        if first.kind != "id":
            told.pop("distinct_id", None)
            others = [first, *others]
    for one in others:
        if one is not None and one.kind == "id":
            told.setdefault("anonymous_id" if one.anonymous else "distinct_id", one.value)
        elif one is not None:
            told.setdefault("identities", {}).setdefault(one.kind, []).append(one.value)
    if isinstance(message, Track):
        told["event"] = message.event
    properties = getattr(message, "properties", None)
    if properties:
        told["properties"] = properties
    if message.context:
        told["context"] = message.context
    if message.operations:
        told["operation"] = message.operations[0].verb
        told["traits"] = message.operations[0].traits
    return _encoder.encode(told).decode()


class Plans:
    """Reads and writes the tracking plan; every version is kept. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._held: VersionedPlan | None = None
        self._read_at = 0.0

    def current(self) -> VersionedPlan:
        """The plan in force, at most two seconds old."""
        at = time.monotonic()
        held = self._held
        if held is not None and at - self._read_at < _LIFE:
            return held
        with self._lock:
            self._held = self._read()
            self._read_at = at
            return self._held

    def _read(self) -> VersionedPlan:
        held = self._held
        with self._database.read() as connection:
            newest = connection.scalar(sa.select(sa.func.max(plan_table.c.version))) or 0
            if held is not None and held.version == newest:
                return held
            row = connection.execute(sa.select(plan_table).where(plan_table.c.version == newest)).one_or_none()
        if row is None:
            return VersionedPlan(version=0, at=0, by="", plan=Plan())
        return VersionedPlan(version=row.version, at=row.at, by=row.by, plan=msgspec.json.decode(row.body, type=Plan))

    def save(self, plan: Plan, by: str, expected: int | None = None) -> VersionedPlan:
        """Put a new version in force. Raises `Conflict` where somebody saved after version `expected`."""
        for event, planned in plan.events.items():
            for name, one in planned.properties.items():
                _check_allowed(one, f"events.{event}.properties.{name}.allowed")
        for name, one in plan.traits.items():
            _check_allowed(one, f"traits.{name}.allowed")
        with self._lock:
            with self._database.begin() as connection:
                newest = connection.scalar(sa.select(sa.func.max(plan_table.c.version))) or 0
                done = None
                if expected is None or expected == newest:
                    done = connection.execute(
                        self._database.insert_or_ignore(plan_table).values(
                            version=newest + 1,
                            at=time.time_ns() // 1000,
                            by=by,
                            body=msgspec.json.encode(plan).decode(),
                        )
                    )
                if done is None or done.rowcount == 0:
                    raise Conflict(f"the tracking plan was changed meanwhile: version {newest} is in force")
            self._held = None
            self._held = self._read()
            self._read_at = time.monotonic()
            return self._held


def _check_allowed(one: PropertyPlan, field: str) -> None:
    for position, value in enumerate(one.allowed or ()):
        if not _fits(value, one.type):
            raise InvalidInput(f"{field}[{position}]", f"is {type_of(value)} while the type is {one.type}")


def refused_of(found: list[Difference], message: Message) -> Refused:
    """What goes to quarantine for a message that differs."""
    first = next(one for one in found if one.enforced)
    return Refused(first.field, f"tracking plan: {first.reason}", native_raw(message))
