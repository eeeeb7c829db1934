"""The HTTP tracking API of Segment and RudderStack: `/v1/{identify,track,page,screen,group,alias,batch}`.

The write key is the user of HTTP Basic, `writeKey` in the body or in the query. Server SDKs send
`/v1/batch`, browser SDKs the one-letter forms (`/v1/t`), beacons `GET` or `POST` with `data=` base64.

Answers: 200 `{"success":true}`; 400 for what is not JSON or names nobody; 401 for a missing or unknown
key; 404; 413 over a limit; 429 and 503 with `Retry-After`. SDKs give up on any other 4xx and retry
the rest, so one bad event of a batch goes to quarantine and the others are taken; only a body with
nothing to take is refused as a whole.

Sources: what `segment-analytics-python` and `rudder-sdk-python` send and how they read an answer
(`request.py`, `consumer.py` of both).
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from tilth.collect.formats.answers import authorised_user, json_answer, preflight, with_headers
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
from tilth.collect.formats.forms import form_fields, from_base64, is_form, query_fields
from tilth.collect.formats.ids import event_key, id_text, name_text, person_id_text, write_key
from tilth.collect.formats.instants import corrected, instant, instant_or_none
from tilth.collect.formats.json_body import check_depth, check_values, decimal_of, parse, raw_text
from tilth.collect.formats.limits import Limits
from tilth.collect.model import Alias, Group, Id, Identify, Message, Operation, Track

__all__ = ["SEGMENT"]

LIMITS = Limits(event=32 * 1024, batch=4_000 * 1024)

# Everything below is this format's, so that an unknown call gets its own 404.
_ROOTS = ("/v1/", "/beacon/v1/")
_CALLS = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
    "alias": "alias",
    "batch": "batch",
    "import": "batch",
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": "batch",
    # The browser SDK reports on its own health here; nobody wants those numbers.
    "m": "nothing",
}
_OK = WireAnswer(200, {"Content-Type": "application/json"}, b'{"success":true}')
_CODES = {
    400: "invalid_request",
    401: "invalid_write_key",
    403: "origin_not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}


class _Event(msgspec.Struct, rename="camel", gc=False):
    """An event as sent; every field is checked after decoding, so that one wrong type spoils one event."""

    type: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    properties: Any = None
    traits: Any = None
    group_id: Any = None
    previous_id: Any = None
    context: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    message_id: Any = None
    channel: Any = None
    write_key: Any = None


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw]
    context: Any = None
    sent_at: Any = None
    write_key: Any = None


class _Request(msgspec.Struct):
    """What holds for all events of a body. sent: UTC µs or None; stamp: start of ids for those without one."""

    limits: Limits
    now: int
    sent: int | None
    context: dict[str, Any]
    stamp: str


_event_decoder = msgspec.json.Decoder(_Event, float_hook=decimal_of)
_batch_decoder = msgspec.json.Decoder(_Batch, float_hook=decimal_of)


def _handles(path: str) -> bool:
    return path.startswith(_ROOTS)


def _decode(request: WireRequest, limits: Limits, now: int) -> Decoded:
    try:
        return _understand(request, limits, now)
    except Refusal as refusal:
        return _nothing(request, refusal)


def _understand(request: WireRequest, limits: Limits, now: int) -> Decoded:
    call = _CALLS.get(request.path.removeprefix("/beacon").removeprefix("/v1/").removesuffix("/"))
    if call is None:
        raise Refusal("path", f"{request.path[:100]!r} is not an endpoint", 404)
    if request.method == "OPTIONS":
        return Decoded(key=None, messages=[], refused=[], answer=preflight(request))
    if request.method not in ("GET", "POST"):
        raise Refusal("method", "must be GET or POST", 405)
    if call == "nothing":
        return Decoded(key=None, messages=[], refused=[], answer=_ok(request))
    fields = query_fields(request, limits)
    key = write_key(authorised_user(request)) or write_key(fields.get("writeKey"))
    try:
        data = _body(request, fields, limits)
        check_values(data, limits)
        return (
            _batch(request, key, data, limits, now) if call == "batch" else _one(request, key, data, call, limits, now)
        )
    except Refusal as refusal:
        raw = raw_text(request.body or request.query.encode("utf-8", "replace"), limits.event)
        refused = [Refused(refusal.field, refusal.reason, raw)] if key else []
        return Decoded(key=key, messages=[], refused=refused, answer=_problem(request, refusal.status, refusal.message))


def _body(request: WireRequest, fields: dict[str, str], limits: Limits) -> bytes:
    """The JSON, wherever it is."""
    if request.method == "GET":
        data = fields.get("data")
    else:
        body = expand(request.body, limits.batch, request.headers.get("content-encoding", ""))
        if not is_form(request, body):
            return body
        data = form_fields(body, limits).get("data")
    if not data:
        raise Refusal("data", "is missing")
    if data.lstrip()[:1] in ("{", "["):
        return data.encode("utf-8", "replace")
    return expand(from_base64(data, "data"), limits.batch)


def _one(request: WireRequest, key: str | None, data: bytes, call: str, limits: Limits, now: int) -> Decoded:
    if len(data) > limits.event:
        raise Refusal("body", f"is over {limits.event:,} bytes", 413)
    event = parse(_event_decoder, data)
    key = key or write_key(event.write_key)
    if key is None:
        return _nothing(request, Refusal("writeKey", "is missing", 401))
    shared = _Request(limits, now, None, {}, uuid.uuid4().hex)
    messages: list[Message] = []
    refused: list[Refused] = []
    status = 200
    try:
        messages.append(_message(event, data, call, shared, 0))
    except Refusal as refusal:
        refused.append(Refused(refusal.field, refusal.reason, raw_text(data)))
        status = refusal.status
    return _finished(request, key, messages, refused, status)


def _batch(request: WireRequest, key: str | None, data: bytes, limits: Limits, now: int) -> Decoded:
    body = parse(_batch_decoder, data)
    key = key or write_key(body.write_key)
    if key is None:
        return _nothing(request, Refusal("writeKey", "is missing", 401))
    if len(body.batch) > limits.events:
        raise Refusal("batch", f"holds more than {limits.events:,} events", 413)
    context = _mapping(body.context, "context")
    check_depth(data, context, limits.depth, "context")
    shared = _Request(limits, now, instant_or_none(body.sent_at), context, uuid.uuid4().hex)
    messages: list[Message] = []
    refused: list[Refused] = []
    status = 200
    for position, raw in enumerate(body.batch):
        one = bytes(raw)
        try:
            if len(one) > limits.event:
                raise Refusal("event", f"is over {limits.event:,} bytes", 413)
            event = parse(_event_decoder, one, "event")
            messages.append(_message(event, one, event.type, shared, position))
        except Refusal as refusal:
            refused.append(Refused(refusal.field, refusal.reason, raw_text(one)))
            status = refusal.status if status == 200 else status
    return _finished(request, key, messages, refused, status)


def _message(event: _Event, data: bytes, call: Any, shared: _Request, position: int) -> Message:
    """One event. The order of ids: the signed-in one first."""
    limits = shared.limits
    check_depth(data, [event.properties, event.traits, event.context], limits.depth, "event")
    user = person_id_text(event.user_id, "userId")
    anonymous = person_id_text(event.anonymous_id, "anonymousId")
    if user is None:
        if anonymous is None:
            raise Refusal("userId", "is missing, and so is anonymousId")
        ids: tuple[Id, ...] = (Id("id", anonymous, True),)
    elif anonymous is None or anonymous == user:
        ids = (Id("id", user),)
    else:
        ids = (Id("id", user), Id("id", anonymous, True))
    ts = _happened(event, shared)
    key = event_key(event.message_id, "messageId", f"{shared.stamp}-{position}")
    context = _mapping(event.context, "context")
    if shared.context:
        context = {**shared.context, **context}
    if isinstance(event.channel, str):
        context.setdefault("channel", event.channel)
    properties = _mapping(event.properties, "properties")
    if call == "track":
        name = name_text(event.event, "event")
        return Track(ids=ids, ts=ts, event_id=key, context=context, event=name, properties=properties)
    if call == "page" or call == "screen":
        properties = _named(properties, event)
        return Track(ids=ids, ts=ts, event_id=key, context=context, event=call, properties=properties)
    traits = _mapping(event.traits, "traits")
    if call == "identify":
        # RudderStack's SDKs put what they learn of a person into the context.
        traits = {**_mapping(context.pop("traits", None), "context.traits"), **traits}
    operations = (Operation("set", traits),) if traits else ()
    if call == "identify":
        return Identify(ids=ids, ts=ts, event_id=key, context=context, operations=operations, properties=properties)
    if call == "group":
        group = name_text(id_text(event.group_id, "groupId"), "groupId")
        return Group(
            ids=ids, ts=ts, event_id=key, context=context, operations=operations, group_kind="group", group_id=group
        )
    if call == "alias":
        previous = person_id_text(event.previous_id, "previousId")
        if previous is None or user is None:
            raise Refusal("previousId" if previous is None else "userId", "is missing")
        return Alias(ids=ids, ts=ts, event_id=key, context=context, previous=Id("id", previous), properties=properties)
    raise Refusal("type", "must be identify, track, page, screen, group or alias")


def _happened(event: _Event, shared: _Request) -> int:
    """`originalTimestamp`, or `timestamp` as most SDKs call it; corrected where `sentAt` was given."""
    value, field = event.original_timestamp, "originalTimestamp"
    if value is None:
        value, field = event.timestamp, "timestamp"
    if value is None:
        return shared.now
    ts = instant(value, field, shared.limits.zone)
    sent = shared.sent
    if event.sent_at is not None:
        own = instant_or_none(event.sent_at)
        sent = sent if own is None else own
    return corrected(ts, sent, shared.limits, shared.now, field)


def _named(properties: dict[str, Any], event: _Event) -> dict[str, Any]:
    more = {k: v for k, v in (("name", event.name), ("category", event.category)) if isinstance(v, str) and v}
    return {**more, **properties} if more else properties


def _mapping(value: Any, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(field, "must be an object")
    return value


def _finished(request: WireRequest, key: str, messages: list[Message], refused: list[Refused], status: int) -> Decoded:
    if refused and not messages:
        return Decoded(
            key=key, messages=[], refused=refused,
            answer=_problem(request, status, f"{refused[0].field}: {refused[0].reason}"),
        )  # fmt: skip
    return Decoded(key=key, messages=messages, refused=refused, answer=_ok(request))


def _nothing(request: WireRequest, refusal: Refusal) -> Decoded:
    return Decoded(key=None, messages=[], refused=[], answer=_problem(request, refusal.status, refusal.message))


def _ok(request: WireRequest) -> WireAnswer:
    return json_answer(request, 200, {"success": True}) if "origin" in request.headers else _OK


def _problem(request: WireRequest, status: int, message: str) -> WireAnswer:
    # Both Python SDKs read `code` and `message` from an error's JSON.
    answer = json_answer(
        request, status, {"success": False, "code": _CODES.get(status, "unavailable"), "message": message}
    )
    return with_headers(answer, Allow="GET, POST, OPTIONS") if status == 405 else answer


def _refuse(request: WireRequest, trouble: Trouble, retry_after: int) -> WireAnswer:
    if trouble is Trouble.UNKNOWN_KEY:
        return _problem(request, 401, "this write key is unknown or was revoked")
    answer = _problem(request, trouble.value, trouble.words)
    return with_headers(answer, Retry_After=str(retry_after)) if retry_after else answer


def _settle(request: WireRequest, decoded: Decoded, outcome: Outcome) -> WireAnswer:
    return decoded.answer


SEGMENT = Format("segment", LIMITS, _handles, _decode, _refuse, _settle)
