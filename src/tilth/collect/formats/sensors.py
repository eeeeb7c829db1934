"""Sensors Analytics 神策: `/sa` and `/sa.gif` (form fields `data`, `data_list`, `gzip`), and `/debug`.

A value is base64 of JSON, or of gzipped JSON. The write key is `token` in the query, or `project` where
there is no token: a team writes `/sa?project=KEY`. Answers: 200 with nothing (or the gif) even for
what the format forbids, which goes to quarantine with the reason; `/debug` says what is wrong (400),
and with the header `Dry-Run: true` nothing is stored. 413, 429 and 503 are answered as such: the SDK
raises on them and its user's code may send again.

These SDKs give events no id. Where there is a `_track_id`, the id is made of it; else of the whole
event, counted among its equals in the same request, so that a retry of the same body gives the same ids.

Sources: the PyPI package `SensorsAnalyticsSDK` (`sdk.py`) and wire.md's rules.
"""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from tilth.collect.formats.answers import GIF, cors_headers, empty, json_answer, preflight, with_headers
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
from tilth.collect.formats.forms import form_fields, from_base64, query_fields
from tilth.collect.formats.ids import id_text, name_text, person_id_text, write_key
from tilth.collect.formats.instants import corrected, instant_or_none
from tilth.collect.formats.json_body import check_depth, check_values, decimal_of, parse, raw_text
from tilth.collect.formats.limits import Limits
from tilth.collect.formats.sensors_ids import identities_of, ids_of
from tilth.collect.model import Bind, Id, Identify, Item, Message, Operation, Profile, Track, Unbind, Verb

__all__ = ["SENSORS"]

LIMITS = Limits(event=1024 * 1024, batch=20 * 1024 * 1024)

_PATHS = ("/sa", "/sa.gif", "/debug")
_MAX_TEXT = 8_191
_MAX_NAME = 100
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,99}")
_RESERVED = frozenset(
    {
        *["distinct_id", "original_id", "id", "first_id", "second_id", "user_id", "users"],
        *["time", "date", "datetime", "event", "events", "properties"],
    }
)
_RESERVED_STARTS = ("user_group", "user_tag")
_VERBS: dict[str, Verb] = {
    "profile_set": "set",
    "profile_set_once": "set_once",
    "profile_increment": "increment",
    "profile_append": "append",
    "profile_unset": "unset",
    "profile_delete": "delete",
}


class _Event(msgspec.Struct, gc=False):
    """An event as sent; every field is checked after decoding, so that one wrong type spoils one event."""

    type: Any = None
    time: Any = None
    distinct_id: Any = None
    original_id: Any = None
    event: Any = None
    properties: Any = None
    lib: Any = None
    project: Any = None
    token: Any = None
    identities: Any = None
    anonymous_id: Any = None
    login_id: Any = None
    time_free: Any = None
    item_type: Any = None
    item_id: Any = None
    track_id: Any = msgspec.field(default=None, name="_track_id")
    flush_time: Any = msgspec.field(default=None, name="_flush_time")


_event_decoder = msgspec.json.Decoder(_Event, float_hook=decimal_of)
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def _handles(path: str) -> bool:
    return path.rstrip("/") in _PATHS


def _decode(request: WireRequest, limits: Limits, now: int) -> Decoded:
    key: str | None = None
    try:
        if request.method == "OPTIONS":
            return Decoded(key=None, messages=[], refused=[], answer=preflight(request))
        if request.method not in ("GET", "POST"):
            raise Refusal("method", "must be GET or POST", 405)
        query = query_fields(request, limits)
        key = write_key(query.get("token") or query.get("project"))
        raws = _events(request, query, limits)
    except Refusal as refusal:
        raw = raw_text(request.body or request.query.encode("utf-8", "replace"), 64 * 1024)
        refused = [Refused(refusal.field, refusal.reason, raw)]
        answer = _answer(request, refused, refusal.status)
        return Decoded(key=key, messages=[], refused=refused if key else [], answer=answer)
    return _taken(request, key, raws, limits, now)


def _taken(request: WireRequest, key: str | None, raws: list[bytes], limits: Limits, now: int) -> Decoded:
    messages: list[Message] = []
    refused: list[Refused] = []
    seen: dict[bytes, int] = {}
    for one in raws:
        try:
            if len(one) > limits.event:
                raise Refusal("event", f"is over {limits.event:,} bytes", 413)
            event = parse(_event_decoder, one, "event")
            key = key or write_key(event.token)
            messages.append(_message(event, one, seen, limits, now))
        except Refusal as refusal:
            refused.append(Refused(refusal.field, refusal.reason, raw_text(one)))
    if key is None:
        return Decoded(key=None, messages=[], refused=[], answer=_text(request, 401, "token or project is missing"))
    answer = _answer(request, refused, 400)
    if answer.status >= 300 or _is_dry_run(request):
        # The debug endpoint takes one event a request, so nothing good is held back by something bad.
        messages = []
    return Decoded(key=key, messages=messages, refused=[] if _is_dry_run(request) else refused, answer=answer)


def _events(request: WireRequest, query: dict[str, str], limits: Limits) -> list[bytes]:
    """The JSON of each event of `data` or `data_list`, in the form or in the query."""
    fields = query
    if request.method == "POST" and request.body:
        body = expand(request.body, limits.batch, request.headers.get("content-encoding", ""))
        fields = {**query, **form_fields(body, limits)}
    text = fields.get("data_list") or fields.get("data")
    if not text:
        raise Refusal("data", "is missing, and so is data_list")
    coded = text.lstrip()[:1] not in ("{", "[")
    data = expand(from_base64(text, "data"), limits.batch) if coded else text.encode("utf-8", "replace")
    check_values(data, limits)
    if data.lstrip()[:1] != b"[":
        return [data]
    raws = parse(_array_decoder, data)
    if len(raws) > limits.events:
        raise Refusal("data_list", f"holds more than {limits.events:,} events", 413)
    return [bytes(raw) for raw in raws]


def _message(event: _Event, data: bytes, seen: dict[bytes, int], limits: Limits, now: int) -> Message:
    check_depth(data, [event.properties, event.lib, event.identities], limits.depth, "event")
    kind = event.type
    if not isinstance(kind, str):
        raise Refusal("type", "is missing or no text")
    ts = _happened(event, limits, now)
    properties = _properties(event.properties)
    key = _event_key(event, data, seen)
    context = _context(event, properties)
    if kind in ("item_set", "item_delete"):
        return _item(event, kind, properties, ts, key, context)
    if kind in _VERBS:
        operations = (_operation(kind, properties),)
        return Profile(ids=_ids(event, properties), ts=ts, event_id=key, context=context, operations=operations)
    if kind == "track":
        name = _name(event.event, "event")
        return Track(
            ids=_ids(event, properties), ts=ts, event_id=key, context=context, event=name, properties=properties
        )
    if kind == "track_signup":
        return _signup(event, properties, ts, key, context)
    if kind == "track_id_bind":
        ids = identities_of(event.identities)
        if len(ids) < 2:
            raise Refusal("identities", "must name at least two ids to bind")
        return Bind(ids=ids, ts=ts, event_id=key, context=context, properties=properties)
    if kind == "track_id_unbind":
        ids = identities_of(event.identities)
        if not ids:
            raise Refusal("identities", "must name the id to unbind")
        return Unbind(ids=ids, ts=ts, event_id=key, context=context, properties=properties)
    raise Refusal("type", f"{kind[:40]!r} is not a type of this format")


def _signup(event: _Event, properties: dict[str, Any], ts: int, key: str, context: dict[str, Any]) -> Identify:
    """Signing in: `distinct_id` is the new sign-in id, `original_id` what the person was before."""
    name = person_id_text(event.distinct_id, "distinct_id")
    before = person_id_text(event.original_id, "original_id")
    if name is None or before is None:
        raise Refusal("distinct_id" if name is None else "original_id", "must have 1 to 255 characters")
    found = [Id("id", name), *([] if before == name else [Id("id", before, True)])]
    found += [one for one in identities_of(event.identities) if all(one.value != other.value for other in found)]
    properties.pop("$is_login_id", None)
    return Identify(ids=tuple(found), ts=ts, event_id=key, context=context, properties=properties)


def _ids(event: _Event, properties: dict[str, Any]) -> tuple[Id, ...]:
    login = properties.pop("$is_login_id", False) is True
    return ids_of(event.distinct_id, event.identities, event.login_id, event.anonymous_id, login)


def _item(event: _Event, kind: str, properties: dict[str, Any], ts: int, key: str, context: dict[str, Any]) -> Item:
    item_id = name_text(id_text(event.item_id, "item_id"), "item_id")
    operation = Operation("set", properties) if kind == "item_set" else Operation("delete")
    return Item(
        ts=ts, event_id=key, context=context, operations=(operation,),
        item_kind=_name(event.item_type, "item_type"), item_id=item_id,
    )  # fmt: skip


def _happened(event: _Event, limits: Limits, now: int) -> int:
    """10 digits are seconds, 13 milliseconds; `_flush_time` is when it was sent, in milliseconds."""
    value = event.time
    if isinstance(value, Decimal):
        value = int(value) if value < 10**13 else None
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) in (10, 13)):
        raise Refusal("time", "must have 10 digits (seconds) or 13 digits (milliseconds)")
    ts = int(text) * (1_000_000 if len(text) == 10 else 1_000)
    sent = instant_or_none(event.flush_time)
    # `time_free` marks old data sent on purpose: its time is no clock's.
    return corrected(ts, None if event.time_free is True else sent, limits, now, "time")


def _properties(value: Any) -> dict[str, Any]:
    """The properties, checked; null ones are as good as not sent."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal("properties", "must be an object")
    for name, content in value.items():
        if len(name) > _MAX_NAME or _problem_of_name(name):
            _check_name(name[: _MAX_NAME + 1], f"properties.{name[:_MAX_NAME]}")
        if isinstance(content, str):
            if len(content) > _MAX_TEXT:
                raise Refusal(f"properties.{name}", f"is a text of more than {_MAX_TEXT:,} characters")
        elif isinstance(content, list):
            if not all(isinstance(element, str) and len(element) <= _MAX_TEXT for element in content):
                raise Refusal(f"properties.{name}", "is a list of something else than texts")
        elif isinstance(content, dict):
            raise Refusal(f"properties.{name}", "must be a text, number, boolean, date or list of texts")
    return {name: content for name, content in value.items() if content is not None}


def _name(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise Refusal(field, "is missing or no text")
    _check_name(value[: _MAX_NAME + 1], field)
    return value


def _check_name(name: str, field: str) -> None:
    problem = _problem_of_name(name)
    if problem:
        raise Refusal(field, problem)


# The same few names come with every event; the cache holds what a site uses, not what a stranger sends.
@lru_cache(maxsize=4_096)
def _problem_of_name(name: str) -> str:
    """What is wrong with a name, or nothing."""
    if _NAME.fullmatch(name) is None:
        return "must be 1 to 100 letters, digits, _ or $, not starting with a digit"
    lower = name.lower()
    if lower in _RESERVED or lower.startswith(_RESERVED_STARTS):
        return "is a name this format keeps for itself"
    return ""


def _operation(kind: str, properties: dict[str, Any]) -> Operation:
    if kind == "profile_delete":
        return Operation("delete")
    traits = {name: value for name, value in properties.items() if name != "$is_login_id"}
    if kind == "profile_unset":
        return Operation("unset", dict.fromkeys(traits))
    if kind == "profile_increment":
        for name, value in traits.items():
            if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
                raise Refusal(f"properties.{name}", "must be a number to increment by")
    if kind == "profile_append":
        for name, value in traits.items():
            if not isinstance(value, list):
                raise Refusal(f"properties.{name}", "must be a list of texts to append")
    return Operation(_VERBS[kind], traits)


def _event_key(event: _Event, data: bytes, seen: dict[bytes, int]) -> str:
    if isinstance(event.track_id, (int, str)) and not isinstance(event.track_id, bool):
        told = [event.track_id, event.type, event.time, event.distinct_id, event.event, event.item_id]
        digest = hashlib.blake2b(repr(told).encode("utf-8", "replace"), digest_size=16).digest()
    else:
        digest = hashlib.blake2b(data, digest_size=16).digest()
    earlier = seen.get(digest, 0)
    seen[digest] = earlier + 1
    return digest.hex() if earlier == 0 else f"{digest.hex()}-{earlier}"


def _context(event: _Event, properties: dict[str, Any]) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if isinstance(event.lib, dict):
        context["library"] = {"name": event.lib.get("$lib"), "version": event.lib.get("$lib_version")}
        detail = event.lib.get("$lib_detail")
        if isinstance(detail, str):
            context["library"]["detail"] = detail
    if isinstance(event.project, str):
        context["project"] = event.project
    if "$ip" in properties:
        context["ip"] = properties.pop("$ip")
    return context


def _is_debug(request: WireRequest) -> bool:
    return request.path.rstrip("/") == "/debug"


def _is_dry_run(request: WireRequest) -> bool:
    return _is_debug(request) and request.headers.get("dry-run", "").strip().lower() == "true"


def _answer(request: WireRequest, refused: list[Refused], status: int) -> WireAnswer:
    if status in (405, 413):
        answer = _text(request, status, f"{refused[0].field}: {refused[0].reason}")
        return with_headers(answer, Allow="GET, POST, OPTIONS") if status == 405 else answer
    if _is_debug(request) and refused:
        errors = [{"field": one.field, "reason": one.reason} for one in refused]
        return json_answer(request, 400, {"errors": errors})
    if request.path.rstrip("/") == "/sa.gif":
        headers = {"Content-Type": "image/gif", "Cache-Control": "no-store", **cors_headers(request)}
        return WireAnswer(200, headers, GIF)
    return empty(request, 200)


def _text(request: WireRequest, status: int, text: str) -> WireAnswer:
    headers = {"Content-Type": "text/plain; charset=utf-8", **cors_headers(request)}
    return WireAnswer(status, headers, text.encode("utf-8", "replace"))


def _refuse(request: WireRequest, trouble: Trouble, retry_after: int) -> WireAnswer:
    if trouble is Trouble.UNKNOWN_KEY:
        return _text(request, 401, "this token or project is unknown or was revoked")
    answer = _text(request, trouble.value, trouble.words)
    return with_headers(answer, Retry_After=str(retry_after)) if retry_after else answer


def _settle(request: WireRequest, decoded: Decoded, outcome: Outcome) -> WireAnswer:
    return decoded.answer


SENSORS = Format("sensors", LIMITS, _handles, _decode, _refuse, _settle)
