"""An event as programs of ours make it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tilth.errors import InvalidInput
from tilth.people.directory import is_refused

__all__ = ["Event", "decode_events"]

MAX_EVENTS = 10_000
_MAX_DEPTH = 200


class Event(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Something that happened. ts: UTC µs. kind: the kind of `distinct_id`.

    properties: what the source sent, JSON values; decimals keep their exact text as `Decimal`.
    """

    distinct_id: str
    event: str
    ts: int
    event_id: str
    kind: str = "id"
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}


def decode_events(body: bytes, now: int) -> tuple[list[Event], list[tuple[str, str, str]]]:
    """Our own format: a JSON array, one object, or NDJSON.

    Returns (events, refused), a refused one being (field, reason, raw JSON). Raises `InvalidInput`
    where the body as a whole is not understood.
    """
    raw = _objects(body)
    if len(raw) > MAX_EVENTS:
        raise InvalidInput("body", f"holds {len(raw):,} events; at most {MAX_EVENTS:,} fit in one request")
    events: list[Event] = []
    refused: list[tuple[str, str, str]] = []
    for item in raw:
        try:
            events.append(_event(item, now))
        except InvalidInput as error:
            refused.append((error.field, error.reason, _json_text(item)))
    return events, refused


def _objects(body: bytes) -> list[Any]:
    text = body.strip()
    if not text:
        raise InvalidInput("body", "is empty; send a JSON array of events, one event, or one event a line")
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    try:
        if text[:1] == b"[":
            found = decoder.decode(text)
            assert isinstance(found, list)
            return found
        if b"\n" in text:
            return list(decoder.decode_lines(text))
        return [decoder.decode(text)]
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation) as error:
        raise InvalidInput("body", f"is not JSON: {error}") from None
    except RecursionError:
        raise InvalidInput("body", f"is nested deeper than {_MAX_DEPTH} levels") from None


def _event(item: Any, now: int) -> Event:
    if not isinstance(item, dict):
        raise InvalidInput("event", "must be an object")
    kind = item.get("type", "track")
    if kind != "track":
        raise InvalidInput("type", f"{kind!r} is not accepted here; send track events", ["track"])
    name = item.get("event")
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput("event", "must be the event's name, a text")
    if len(name) > 255:
        raise InvalidInput("event", "is longer than 255 characters")
    who = item.get("distinct_id")
    if isinstance(who, int) and not isinstance(who, bool):
        who = str(who)
    if not isinstance(who, str):
        raise InvalidInput("distinct_id", "must be a text or a whole number")
    if is_refused(who):
        raise InvalidInput("distinct_id", f"{who[:40]!r} names nobody or is over 255 characters")
    ts = _instant(item.get("timestamp"), now)
    event_id = item.get("event_id")
    if event_id is None:
        event_id = uuid.uuid4().hex
    if not isinstance(event_id, str) or not 1 <= len(event_id) <= 255:
        raise InvalidInput("event_id", "must be a text of 1 to 255 characters")
    return Event(
        distinct_id=who,
        event=name,
        ts=ts,
        event_id=event_id,
        properties=_mapping(item, "properties"),
        context=_mapping(item, "context"),
    )


def _mapping(item: dict[str, Any], field: str) -> dict[str, Any]:
    value = item.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(field, "must be an object")
    _check_depth(value, field)
    return value


def _check_depth(value: Any, field: str) -> None:
    """Walk without recursion, so that depth itself cannot hurt."""
    stack = [(value, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > _MAX_DEPTH:
            raise InvalidInput(field, f"is nested deeper than {_MAX_DEPTH} levels")
        children = node.values() if isinstance(node, dict) else node
        stack.extend((child, depth + 1) for child in children if isinstance(child, (dict, list)))


_EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_FUTURE_MARGIN = 24 * 3600 * 1_000_000


def _instant(value: Any, now: int) -> int:
    """ISO-8601 text (UTC where it names no offset), or seconds or milliseconds since 1970."""
    if value is None:
        return now
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = int(value * 1_000_000) if value < 100_000_000_000 else int(value * 1000)
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise InvalidInput("timestamp", f"{value[:40]!r} is not an ISO-8601 time") from None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        number = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000 + moment.microsecond
    else:
        raise InvalidInput("timestamp", "must be ISO-8601 text or a number")
    if not _EARLIEST <= number <= now + _FUTURE_MARGIN:
        raise InvalidInput("timestamp", "is before 1990 or more than a day in the future")
    return number


def _json_text(value: Any) -> str:
    # Decimals go out as JSON numbers with the digits they came with.
    return _ENCODER.encode(value).decode()


_ENCODER = msgspec.json.Encoder(decimal_format="number")
