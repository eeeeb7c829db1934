"""PostHog's capture endpoints: `/batch /i/v0/e /e /track /engage /capture`, and `/decide`, `/flags`.

A body is one event, an array of events or `{api_key, batch: […]}`, plain or gzip (by its magic
bytes), or base64 in the form field or query parameter `data`. The newer endpoint of the Python and
Go SDKs, `/i/v1/analytics/events` (key as Bearer token, a result per event), is here as well.

Answers: 200 `{"status":"Ok"}` from `/batch` and `/i/v0/e`, 200 `{"status":1}` from the older ones, 204
where `beacon=1` was asked for; 400, 401, 413, 429 and 503 with a JSON `detail`, which is what
SDKs read. They retry 408, 429 and 5xx only, so one bad event of a batch goes to quarantine and the
others are taken.

Sources: what the PyPI package `posthog` sends and how it reads an answer (`request.py`,
`consumer.py`, `capture_v1.py`).
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from tilth.collect.formats.answers import bearer_token, empty, json_answer, preflight, with_headers
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
from tilth.collect.formats.ids import event_key, name_text, person_id_text, write_key
from tilth.collect.formats.instants import corrected, instant, instant_or_none
from tilth.collect.formats.json_body import check_depth, check_values, decimal_of, encode_text, parse, raw_text
from tilth.collect.formats.limits import Limits
from tilth.collect.formats.posthog_flags import no_flags
from tilth.collect.model import Alias, Group, Id, Identify, Message, Operation, Profile, Track

__all__ = ["POSTHOG"]

LIMITS = Limits(event=2 * 1024 * 1024, batch=20 * 1024 * 1024)

# The status each capture endpoint answers with.
_CAPTURE: dict[str, str | int] = {
    "/batch": "Ok",
    "/i/v0/e": "Ok",
    "/i/v0/ai/batch": "Ok",
    "/e": 1,
    "/track": 1,
    "/engage": 1,
    "/capture": 1,
}
_FLAGS = ("/flags", "/decide")
_RESULTS = "/i/v1/analytics/events"
_ID_LENGTH = 200
_KINDS = {400: "validation_error", 401: "authentication_error", 405: "method_not_allowed", 413: "payload_too_large"}


class _Event(msgspec.Struct, gc=False):
    """An event as sent; every field is checked after decoding, so that one wrong type spoils one event."""

    event: Any = None
    distinct_id: Any = None
    mixpanel_distinct_id: Any = msgspec.field(default=None, name="$distinct_id")
    properties: Any = None
    timestamp: Any = None
    offset: Any = None
    uuid: Any = None
    set: Any = msgspec.field(default=None, name="$set")
    set_once: Any = msgspec.field(default=None, name="$set_once")
    unset: Any = msgspec.field(default=None, name="$unset")
    api_key: Any = None
    token: Any = None
    dollar_token: Any = msgspec.field(default=None, name="$token")
    # Of the newer endpoint only.
    options: Any = None
    session_id: Any = None
    window_id: Any = None


class _Body(_Event):
    """A body that is an object: a batch, or an event itself."""

    batch: list[msgspec.Raw] | None = None
    sent_at: Any = None


class _Request(msgspec.Struct):
    """What holds for all events of a body. sent: UTC µs or None; stamp: start of ids for those without one."""

    path: str
    limits: Limits
    now: int
    sent: int | None
    stamp: str


_event_decoder = msgspec.json.Decoder(_Event, float_hook=decimal_of)
_body_decoder = msgspec.json.Decoder(_Body, float_hook=decimal_of)
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def _plain(path: str) -> str:
    return path[:-1] if path.endswith("/") else path


def _handles(path: str) -> bool:
    plain = _plain(path)
    return plain in _CAPTURE or plain in _FLAGS or plain == _RESULTS


def _decode(request: WireRequest, limits: Limits, now: int) -> Decoded:
    key: str | None = None
    try:
        if request.method == "OPTIONS":
            return Decoded(key=None, messages=[], refused=[], answer=preflight(request))
        if request.method not in ("GET", "POST"):
            raise Refusal("method", "must be GET or POST", 405)
        path = _plain(request.path)
        fields = query_fields(request, limits)
        told = bearer_token(request) if path == _RESULTS else fields.get("token") or fields.get("api_key")
        key = write_key(told)
        data = _json(request, fields, limits)
        if path in _FLAGS:
            return _flags(request, fields, key, data, now)
        return _capture(request, path, fields, key, data, limits, now)
    except Refusal as refusal:
        raw = raw_text(request.body or request.query.encode("utf-8", "replace"), 64 * 1024)
        refused = [Refused(refusal.field, refusal.reason, raw)] if key else []
        return Decoded(key=key, messages=[], refused=refused, answer=_problem(request, refusal.status, refusal.message))


def _json(request: WireRequest, fields: dict[str, str], limits: Limits) -> bytes:
    """The JSON, wherever it is; empty where there is none."""
    if request.method == "GET" and not request.body:
        text = fields.get("data", "")
    else:
        body = expand(request.body, limits.batch, request.headers.get("content-encoding", ""))
        if not is_form(request, body):
            if body.startswith((b"eyJ", b"W3s")):
                # Base64 of `{"…` or `[{…`, sent bare.
                body = expand(from_base64(body.decode("ascii", "replace"), "body"), limits.batch)
            return body
        text = form_fields(body, limits).get("data", "")
    if not text or text.lstrip()[:1] in ("{", "["):
        return text.encode("utf-8", "replace")
    return expand(from_base64(text, "data"), limits.batch)


def _capture(
    request: WireRequest, path: str, fields: dict[str, str], key: str | None, data: bytes, limits: Limits, now: int
) -> Decoded:
    if not data.strip():
        raise Refusal("body", "holds no event")
    check_values(data, limits)
    sent = instant_or_none(fields.get("_"))
    single: _Event | None = None
    raws: list[msgspec.Raw] = []
    keys = {key} if key else set()
    if data.lstrip()[:1] == b"[":
        raws = parse(_array_decoder, data)
    else:
        body = parse(_body_decoder, data)
        keys |= _keys(body)
        sent = instant_or_none(body.sent_at) if body.sent_at is not None else sent
        if body.batch is not None:
            raws = body.batch
        else:
            single = body
    if path == _RESULTS:
        sent = instant_or_none(request.headers.get("posthog-request-timestamp"))
    if single is None and not raws:
        raise Refusal("batch", "holds no event")
    if len(raws) > limits.events:
        raise Refusal("batch", f"holds more than {limits.events:,} events", 413)
    shared = _Request(path, limits, now, sent, uuid.uuid4().hex)
    messages: list[Message] = []
    refused: list[Refused] = []
    status = 200
    verdicts: dict[str, dict[str, str]] = {}
    for position, one in enumerate([data] if single is not None else [bytes(raw) for raw in raws]):
        event: _Event | None = single
        try:
            if len(one) > limits.event:
                raise Refusal("event", f"is over {limits.event:,} bytes", 413)
            if event is None:
                event = parse(_event_decoder, one, "event")
                keys |= _keys(event)
            messages.append(_message(event, one, keys, shared, position))
            verdict = {"result": "ok"}
        except Refusal as refusal:
            refused.append(Refused(refusal.field, refusal.reason, raw_text(one)))
            status = refusal.status if status == 200 else status
            verdict = {"result": "drop", "details": f"{refusal.field}: {refusal.reason}"}
        if event is not None and isinstance(event.uuid, str):
            verdicts[event.uuid] = verdict
    if len(keys) > 1:
        return _without_key(request, 400, "batch submitted with inconsistent api_key values")
    key = next(iter(keys), None)
    if key is None:
        return _without_key(request, 401, "event submitted without an api_key")
    if path == _RESULTS:
        answer = json_answer(request, 200, {"results": verdicts})
        return Decoded(key=key, messages=messages, refused=refused, answer=answer)
    if not messages:
        answer = _problem(request, status, f"{refused[0].field}: {refused[0].reason}")
    elif fields.get("beacon") == "1":
        answer = empty(request, 204)
    else:
        answer = json_answer(request, 200, {"status": _CAPTURE[path]})
    return Decoded(key=key, messages=messages, refused=refused, answer=answer)


def _flags(request: WireRequest, fields: dict[str, str], key: str | None, data: bytes, now: int) -> Decoded:
    if data.strip():
        body = parse(_body_decoder, data)
        found = _keys(body) | ({key} if key else set())
        if len(found) > 1:
            return _without_key(request, 400, "request submitted with inconsistent api_key values")
        key = next(iter(found), None)
    if key is None:
        return _without_key(request, 401, "request submitted without an api_key")
    answer = json_answer(request, 200, no_flags(_plain(request.path), fields, now))
    return Decoded(key=key, messages=[], refused=[], answer=answer)


def _keys(event: _Event) -> set[str]:
    """The write keys an event or a body names."""
    told = [event.api_key, event.token, event.dollar_token]
    if isinstance(event.properties, dict):
        told.append(event.properties.get("token"))
    return {key for key in map(write_key, told) if key is not None}


def _message(event: _Event, data: bytes, keys: set[str], shared: _Request, position: int) -> Message:
    limits = shared.limits
    check_depth(data, [event.properties, event.set, event.set_once], limits.depth, "event")
    properties = _mapping(event.properties, "properties")
    inner = properties.get("token")
    if isinstance(inner, str) and inner in keys:
        # The browser SDK repeats the key here, where anybody who reads events would see it.
        del properties["token"]
    name = event.event
    if name is None and shared.path == "/engage":
        name = "$set"
    name = name_text(name, "event")
    ts = _happened(event, properties, shared)
    key = event_key(event.uuid, "uuid", "") or event_key(
        properties.get("$insert_id"), "properties.$insert_id", f"{shared.stamp}-{position}"
    )
    context = _context(event, properties)
    operations = _operations(event, properties)
    if name == "$groupidentify":
        return _group(event, properties, ts, key, context)
    who = _who(event, properties)
    if name == "$identify":
        ids: tuple[Id, ...] = (Id("id", who.value),)
        before = _distinct_id(properties.pop("$anon_distinct_id", None), "properties.$anon_distinct_id")
        if before is not None and before != who.value:
            ids = (*ids, Id("id", before, True))
        return Identify(ids=ids, ts=ts, event_id=key, context=context, operations=operations, properties=properties)
    if name in ("$create_alias", "$merge_dangerously"):
        other = _distinct_id(properties.pop("alias", None), "properties.alias")
        if other is None:
            raise Refusal("properties.alias", "is missing")
        return Alias(
            ids=(Id("id", who.value),), ts=ts, event_id=key, context=context, operations=operations,
            previous=Id("id", other), forced=name == "$merge_dangerously", properties=properties,
        )  # fmt: skip
    if name in ("$set", "$set_once", "$unset"):
        return Profile(ids=(who,), ts=ts, event_id=key, context=context, operations=operations)
    return Track(
        ids=(who,), ts=ts, event_id=key, context=context, operations=operations, event=name, properties=properties
    )


def _who(event: _Event, properties: dict[str, Any]) -> Id:
    """The person; the outermost of the places an id may be in wins."""
    value, field = event.distinct_id, "distinct_id"
    if value is None:
        value = event.mixpanel_distinct_id
    if value is None:
        value, field = properties.get("distinct_id"), "properties.distinct_id"
    found = _distinct_id(value, field)
    if found is None:
        raise Refusal("distinct_id", "is missing or empty")
    if field == "properties.distinct_id" or properties.get("distinct_id") == value:
        properties.pop("distinct_id", None)
    unknown = properties.get("$is_identified") is False or properties.get("$process_person_profile") is False
    return Id("id", found, unknown)


def _distinct_id(value: Any, field: str) -> str | None:
    """At most 200 characters; lists and objects become their JSON."""
    if isinstance(value, (dict, list)):
        value = encode_text(value)
    if isinstance(value, str):
        value = value[:_ID_LENGTH]
    text = person_id_text(value, field)
    return text[:_ID_LENGTH] if text else None


def _happened(event: _Event, properties: dict[str, Any], shared: _Request) -> int:
    value, field = event.timestamp, "timestamp"
    if value is None and properties.get("timestamp") is not None and event.offset is None:
        value, field = properties["timestamp"], "properties.timestamp"
    if value is None:
        # How many milliseconds ago, as older browser SDKs say it.
        ago = event.offset if isinstance(event.offset, int) else 0
        return corrected(shared.now - ago * 1_000, None, shared.limits, shared.now, "offset")
    ts = instant(value, field, shared.limits.zone)
    options = event.options if isinstance(event.options, dict) else {}
    trusted = properties.get("$ignore_sent_at") is True or options.get("disable_skew_correction") is True
    return corrected(ts, None if trusted else shared.sent, shared.limits, shared.now, field)


def _context(event: _Event, properties: dict[str, Any]) -> dict[str, Any]:
    context: dict[str, Any] = {}
    library = properties.get("$lib")
    if isinstance(library, str):
        context["library"] = {"name": library, "version": properties.get("$lib_version")}
    if "$ip" in properties:
        context["ip"] = properties.pop("$ip")
    for name, value in (("$session_id", event.session_id), ("$window_id", event.window_id)):
        if isinstance(value, str):
            properties.setdefault(name, value)
    options = event.options
    if isinstance(options, dict) and "process_person_profile" in options:
        properties.setdefault("$process_person_profile", options["process_person_profile"])
    return context


def _operations(event: _Event, properties: dict[str, Any]) -> tuple[Operation, ...]:
    """What it says of the person: beside the properties or among them; the outer one wins."""
    found: list[Operation] = []
    for verb, outer in (("set", event.set), ("set_once", event.set_once), ("unset", event.unset)):
        field = f"${verb}"
        inner = properties.pop(field, None)
        if outer is None and inner is None:
            continue
        traits = {**_traits(inner, field), **_traits(outer, field)}
        if traits:
            found.append(Operation(verb, traits))  # type: ignore[arg-type]
    return tuple(found)


def _traits(value: Any, field: str) -> dict[str, Any]:
    if field == "$unset" and isinstance(value, (list, dict)):
        return {name: None for name in value if isinstance(name, str)}
    return _mapping(value, field)


def _group(event: _Event, properties: dict[str, Any], ts: int, key: str, context: dict[str, Any]) -> Group:
    """A group's traits. The sender belongs to it only where it says so: servers make up an id to send this."""
    kind = name_text(properties.get("$group_type"), "properties.$group_type")
    group = name_text(person_id_text(properties.get("$group_key"), "properties.$group_key"), "properties.$group_key")
    traits = _mapping(properties.get("$group_set"), "properties.$group_set")
    groups = properties.get("$groups")
    member = isinstance(groups, dict) and kind in groups
    return Group(
        ids=(_who(event, properties),) if member else (), ts=ts, event_id=key, context=context,
        operations=(Operation("set", traits),) if traits else (), group_kind=kind, group_id=group,
    )  # fmt: skip


def _mapping(value: Any, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(field, "must be an object")
    return value


def _without_key(request: WireRequest, status: int, detail: str) -> Decoded:
    return Decoded(key=None, messages=[], refused=[], answer=_problem(request, status, detail))


def _problem(request: WireRequest, status: int, detail: str) -> WireAnswer:
    kind = _KINDS.get(status, "server_error")
    answer = json_answer(request, status, {"type": kind, "code": kind, "detail": detail, "attr": None})
    return with_headers(answer, Allow="GET, POST, OPTIONS") if status == 405 else answer


def _refuse(request: WireRequest, trouble: Trouble, retry_after: int) -> WireAnswer:
    if trouble is Trouble.UNKNOWN_KEY:
        return _problem(request, 401, "API key is not valid: unknown or revoked")
    answer = _problem(request, trouble.value, trouble.words)
    return with_headers(answer, Retry_After=str(retry_after)) if retry_after else answer


def _settle(request: WireRequest, decoded: Decoded, outcome: Outcome) -> WireAnswer:
    return decoded.answer


POSTHOG = Format("posthog", LIMITS, _handles, _decode, _refuse, _settle)
