"""Our own format, for servers and for what the others lack: `POST /api/v1/events`.

A JSON array of events, one event, or one event a line (NDJSON); plain, gzip or zstd; the write key as
Bearer token. An event is

    {"type": "track" (default) | "identify" | "alias" | "bind" | "unbind" | "profile",
     "event", "distinct_id", "anonymous_id", "identities": {kind: id or list of ids}, "previous_id",
     "timestamp", "event_id", "properties", "traits", "operation", "context"}

`identities` gives ids of other kinds (`{"phone": "13900000000"}`); `previous_id` is alias's other id
(`anonymous_id` does as well). `operation` says what to do with `traits`: set (default), set_once,
increment, append, remove, unset (a list of names will do) or delete. An `event_id` seen before counts
as a duplicate, so sending again is safe; without one every sending is new.

Answers: 200 `{"accepted","duplicate","quarantined","as_of"}`; errors are `application/problem+json`.
An event that cannot be taken goes to quarantine and the others are taken.
"""

from __future__ import annotations

import re
import secrets
import uuid
from decimal import Decimal
from http import HTTPStatus
from typing import Any, get_args

import msgspec

from tilth.collect.formats.answers import bearer_token, json_answer, preflight, with_headers
from tilth.collect.formats.compression import expand
from tilth.collect.formats.contract import (
    Decoded,
    Format,
    Outcome,
    Refusal,
    Refused,
    Trouble,
    WireAnswer,
    WireRequest,
)
from tilth.collect.formats.ids import event_key, name_text, person_id_text, write_key
from tilth.collect.formats.instants import corrected, instant
from tilth.collect.formats.json_body import check_depth, check_values, decimal_of, parse, raw_text
from tilth.collect.formats.limits import Limits
from tilth.collect.model import Alias, Bind, Id, Identify, Message, Operation, Profile, Track, Unbind, Verb

__all__ = ["NATIVE"]

LIMITS = Limits(event=1024 * 1024, batch=20 * 1024 * 1024)

_PATH = "/api/v1/events"
_VERBS: tuple[str, ...] = get_args(Verb)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PROBLEM = "application/problem+json"
_PROBLEM_KINDS = {
    400: "invalid_input",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "limit_reached",
    503: "unavailable",
}


class _Event(msgspec.Struct, gc=False):
    """An event as sent; every field is checked after decoding, so that one wrong type spoils one event."""

    type: Any = "track"
    event: Any = None
    distinct_id: Any = None
    anonymous_id: Any = None
    previous_id: Any = None
    identities: Any = None
    timestamp: Any = None
    event_id: Any = None
    properties: Any = None
    traits: Any = None
    operation: Any = None
    context: Any = None


_event_decoder = msgspec.json.Decoder(_Event, float_hook=decimal_of)
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_one_decoder = msgspec.json.Decoder(msgspec.Raw)


def _handles(path: str) -> bool:
    return path.rstrip("/") == _PATH


def _decode(request: WireRequest, limits: Limits, now: int) -> Decoded:
    key: str | None = None
    try:
        if request.method == "OPTIONS":
            return Decoded(key=None, messages=[], refused=[], answer=preflight(request))
        if request.method != "POST":
            raise Refusal("method", "must be POST", 405)
        key = write_key(bearer_token(request))
        if key is None:
            raise Refusal("authorization", "must carry the write key as a Bearer token", 401)
        return _taken(request, key, _events(request, limits), limits, now)
    except Refusal as refusal:
        refused = [Refused(refusal.field, refusal.reason, raw_text(request.body, 64 * 1024))] if key else []
        answer = _problem(request, refusal.status, refusal.message, refusal.field, refusal.reason)
        return Decoded(key=key, messages=[], refused=refused, answer=answer)


def _events(request: WireRequest, limits: Limits) -> list[bytes]:
    """The JSON of each event."""
    body = expand(request.body, limits.batch, request.headers.get("content-encoding", ""))
    text = body.strip()
    if not text:
        raise Refusal("body", "is empty; send a JSON array of events, one event, or one event a line")
    check_values(text, limits)
    if text.startswith(b"["):
        found = [bytes(raw) for raw in parse(_array_decoder, text)]
    elif b"\n" not in text or _is_one(text):
        found = [text]
    else:
        # Blank lines are nothing, but there is no reason for more of them than events.
        if text.count(b"\n") > 2 * limits.events:
            raise Refusal("body", f"holds more than {limits.events:,} events", 413)
        found = [line for line in map(bytes.strip, text.split(b"\n")) if line]
    if len(found) > limits.events:
        raise Refusal("body", f"holds more than {limits.events:,} events; send them in several requests", 413)
    return found


def _is_one(text: bytes) -> bool:
    """True for one JSON value that is written over several lines."""
    try:
        _one_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _taken(request: WireRequest, key: str, events: list[bytes], limits: Limits, now: int) -> Decoded:
    messages: list[Message] = []
    refused: list[Refused] = []
    stamp = uuid.uuid4().hex
    understood = False
    first: Refusal | None = None
    for position, one in enumerate(events):
        event: _Event | None = None
        try:
            if len(one) > limits.event:
                raise Refusal("event", f"is over {limits.event:,} bytes", 413)
            event = parse(_event_decoder, one, "event")
            messages.append(_message(event, one, limits, now, f"{stamp}-{position}"))
        except Refusal as refusal:
            first = first or refusal
            refused.append(Refused(refusal.field, refusal.reason, raw_text(one)))
        understood = understood or event is not None or len(one) > limits.event
    if first is not None and not understood:
        answer = _problem(request, first.status, f"body: {first.reason}", "body", first.reason)
        return Decoded(key=key, messages=[], refused=refused, answer=answer)
    if first is not None and not messages and first.status == 413:
        answer = _problem(request, 413, first.message, first.field, first.reason)
        return Decoded(key=key, messages=[], refused=refused, answer=answer)
    answer = json_answer(
        request, 200, {"accepted": len(messages), "duplicate": 0, "quarantined": len(refused), "as_of": None}
    )
    return Decoded(key=key, messages=messages, refused=refused, answer=answer)


def _message(event: _Event, data: bytes, limits: Limits, now: int, stamp: str) -> Message:
    check_depth(data, [event.properties, event.traits, event.context], limits.depth, "event")
    kind = event.type
    ids = _ids(event)
    ts = now
    if event.timestamp is not None:
        ts = corrected(instant(event.timestamp, "timestamp", limits.zone), None, limits, now, "timestamp")
    key = event_key(event.event_id, "event_id", stamp)
    context = _mapping(event.context, "context")
    properties = _mapping(event.properties, "properties")
    operations = _operations(event)
    if kind == "track":
        return Track(
            ids=_named(ids), ts=ts, event_id=key, context=context, operations=operations,
            event=name_text(event.event, "event"), properties=properties,
        )  # fmt: skip
    if kind == "identify":
        if event.distinct_id is None and not event.identities:
            raise Refusal("distinct_id", "is missing")
        return Identify(
            ids=_named(ids), ts=ts, event_id=key, context=context, operations=operations, properties=properties
        )
    if kind == "alias":
        field = "anonymous_id" if event.previous_id is None else "previous_id"
        previous = person_id_text(event.anonymous_id if event.previous_id is None else event.previous_id, field)
        if previous is None:
            raise Refusal("previous_id", "is missing")
        person = person_id_text(event.distinct_id, "distinct_id")
        if person is None:
            raise Refusal("distinct_id", "is missing")
        return Alias(
            ids=(Id("id", person),), ts=ts, event_id=key, context=context, operations=operations,
            previous=Id("id", previous, field == "anonymous_id"), properties=properties,
        )  # fmt: skip
    if kind == "bind":
        if len(ids) < 2:
            raise Refusal("identities", "must name at least two ids to bind (with distinct_id and anonymous_id)")
        return Bind(ids=ids, ts=ts, event_id=key, context=context, operations=operations, properties=properties)
    if kind == "unbind":
        return Unbind(
            ids=_named(ids), ts=ts, event_id=key, context=context, operations=operations, properties=properties
        )
    if kind == "profile":
        if not operations:
            raise Refusal("traits", "is missing or empty")
        return Profile(ids=_named(ids), ts=ts, event_id=key, context=context, operations=operations)
    raise Refusal("type", "must be track, identify, alias, bind, unbind or profile")


def _ids(event: _Event) -> tuple[Id, ...]:
    """`distinct_id`, then `identities` in the order sent, then `anonymous_id`; each once."""
    person = person_id_text(event.distinct_id, "distinct_id")
    found: dict[tuple[str, str], Id] = {}
    if person is not None:
        found["id", person] = Id("id", person)
    for kind, value in _mapping(event.identities, "identities").items():
        field = f"identities.{kind[:40]}"
        if _KIND.fullmatch(kind) is None:
            raise Refusal(field, "is no kind of id: a kind has 1 to 40 small letters, digits and _")
        for one in value if isinstance(value, list) else [value]:
            text = person_id_text(one, field)
            if text is not None:
                found.setdefault((kind, text), Id(kind, text))
    unknown = person_id_text(event.anonymous_id, "anonymous_id")
    if unknown is not None:
        found.setdefault(("id", unknown), Id("id", unknown, True))
    return tuple(found.values())


def _named(ids: tuple[Id, ...]) -> tuple[Id, ...]:
    if not ids:
        raise Refusal("distinct_id", "is missing, and so are anonymous_id and identities")
    return ids


def _operations(event: _Event) -> tuple[Operation, ...]:
    verb: Any = event.operation or "set"
    if verb not in _VERBS:
        raise Refusal("operation", f"must be one of {', '.join(_VERBS)}")
    if verb == "delete":
        return (Operation("delete"),)
    if verb == "unset" and isinstance(event.traits, list):
        names = [name for name in event.traits if isinstance(name, str)]
        return (Operation("unset", dict.fromkeys(names)),) if names else ()
    traits = _mapping(event.traits, "traits")
    if verb == "unset":
        traits = dict.fromkeys(traits)
    if verb == "increment":
        for name, value in traits.items():
            if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
                raise Refusal(f"traits.{name[:100]}", "must be a number to increment by")
    return (Operation(verb, traits),) if traits else ()


def _mapping(value: Any, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(field, "must be an object")
    return value


def _problem(
    request: WireRequest, status: int, detail: str, field: str | None = None, reason: str | None = None
) -> WireAnswer:
    """As the rest of our own API answers (RFC 9457)."""
    document: dict[str, Any] = {
        "type": f"urn:tilth:error:{_PROBLEM_KINDS[status]}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "id": secrets.token_hex(6),
    }
    if field is not None:
        document |= {"field": field, "reason": reason}
    answer = json_answer(request, status, document, _PROBLEM)
    if status == 401:
        return with_headers(answer, WWW_Authenticate="Bearer")
    return with_headers(answer, Allow="POST, OPTIONS") if status == 405 else answer


def _refuse(request: WireRequest, trouble: Trouble, retry_after: int) -> WireAnswer:
    if trouble is Trouble.UNKNOWN_KEY:
        return _problem(request, 401, "this write key is unknown or was revoked")
    answer = _problem(request, trouble.value, trouble.words)
    return with_headers(answer, Retry_After=str(retry_after)) if retry_after else answer


def _settle(request: WireRequest, decoded: Decoded, outcome: Outcome) -> WireAnswer:
    """The answer of a request that was taken; one that was refused as a whole stays refused."""
    return json_answer(request, 200, outcome) if decoded.answer.status == 200 else decoded.answer


NATIVE = Format("native", LIMITS, _handles, _decode, _refuse, _settle)
