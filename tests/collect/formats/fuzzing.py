"""Bodies that are nearly right: real ones with bytes changed, cut, doubled or swapped for poison."""

from __future__ import annotations

import base64
import gzip
import json
import random
import zlib
from collections.abc import Iterator
from urllib.parse import quote, unquote

import msgspec
import zstandard

from tilth.collect.formats import Decoded, WireRequest, format_of
from tilth.collect.formats.json_body import decimal_of
from tilth.collect.model import Id, Message

NOW = 1_795_000_000_000_000
NOW_ISO = "2026-11-18T07:06:40Z"
BASIC = {"authorization": "Basic " + base64.b64encode(b"key:").decode()}
BEARER = {"authorization": "Bearer key"}

_SEGMENT = {
    "type": "track",
    "userId": "u1",
    "anonymousId": 12,
    "event": "Paid",
    "name": "Home",
    "groupId": "g",
    "previousId": "p",
    "properties": {"total": 1.5, "items": [{"a": [1, {"b": None}]}]},
    "traits": {"email": "a@b.c"},
    "context": {"ip": "1.2.3.4"},
    "originalTimestamp": NOW_ISO,
    "sentAt": NOW_ISO,
    "messageId": "m1",
}
_POSTHOG = {
    "event": "$identify",
    "distinct_id": "d",
    "properties": {
        "token": "key",
        "$anon_distinct_id": "x",
        "$set": {"a": 1},
        "$unset": ["b"],
        "alias": "y",
        "$ip": "::1",
    },
    "$set_once": {"c": 2.5},
    "timestamp": NOW_ISO,
    "uuid": "018e4d3f-0000-7000-8000-000000000000",
    "offset": 12,
}
_SENSORS = {
    "type": "track",
    "time": NOW // 1000,
    "distinct_id": "d",
    "original_id": "o",
    "event": "Pay",
    "properties": {"$lib": "python", "price": 3.5, "tags": ["a"], "$is_login_id": True},
    "lib": {"$lib": "python"},
    "identities": {"$identity_login_id": "u", "$identity_mobile": "139", "$identity_cookie_id": ["c"]},
    "item_type": "book",
    "item_id": 5,
    "_track_id": 7,
    "_flush_time": NOW // 1000,
}
_NATIVE = {
    "type": "profile",
    "event": "e",
    "distinct_id": "d",
    "anonymous_id": "a",
    "identities": {"phone": ["1", "2"]},
    "timestamp": NOW_ISO,
    "event_id": "e1",
    "properties": {"x": 1.5},
    "traits": {"n": 1},
    "operation": "increment",
    "context": {"c": []},
}
_POISON = [
    *[b"\xff", b"\x00", b"\\ud800", b"\\udc00\\ud800", b"NaN", b"-Infinity", b"1e400", b"1e-999999999", b"9" * 400],
    *[b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"null", b"true", b"0", b"-1", b"[" * 300, b'{"a":' * 300],
    *[
        b"%",
        b"%u1234",
        b"&",
        b"=",
        b"+",
        b"\x1f\x8b\x08",
        b"\x28\xb5\x2f\xfd",
        b"data=",
        b"\r\n",
        "\u202e\U0001f600".encode(),
    ],
    *[
        b'""',
        b'"\\u0000"',
        b"{}",
        b"[]",
        b"1970-01-01",
        b'"2099-01-01T00:00:00Z"',
        b'"0"',
        b'"undefined"',
        b"999999999999999999",
    ],
    *[
        b'"$groupidentify"',
        b'"$create_alias"',
        b'"profile_delete"',
        b'"item_set"',
        b'"alias"',
        b'"track_id_bind"',
        b'"unbind"',
    ],
]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _form(name: str, value: object, zipped: bool) -> bytes:
    data = gzip.compress(_json(value), 1) if zipped else _json(value)
    return f"{name}={quote(base64.b64encode(data).decode())}&gzip={int(zipped)}".encode()


def seeds() -> list[WireRequest]:
    """A good request of every kind."""
    form = {"content-type": "application/x-www-form-urlencoded", "origin": "https://shop.example"}
    made: list[WireRequest] = []

    def post(path: str, body: bytes, headers: dict[str, str], query: str = "") -> None:
        made.append(WireRequest(method="POST", path=path, query=query, headers=headers, body=body))

    for call in ("identify", "track", "page", "screen", "group", "alias"):
        post(f"/v1/{call}", _json({**_SEGMENT, "writeKey": "key"}), {})
    batch = {"batch": [{**_SEGMENT, "type": t} for t in ("track", "identify", "group", "alias")], "sentAt": NOW_ISO}
    post("/v1/batch", _json(batch), BASIC)
    post("/v1/batch", gzip.compress(_json(batch), 1), {**BASIC, "content-encoding": "gzip"})
    post("/v1/b", _form("data", {**batch, "writeKey": "key"}, False), form)
    for path in ("/e/", "/capture", "/engage", "/i/v0/e"):
        post(path, _json({**_POSTHOG, "api_key": "key"}), {})
    events = [{**_POSTHOG, "event": e} for e in ("a", "$identify", "$create_alias", "$groupidentify", "$set")]
    post("/batch/", _json({"api_key": "key", "batch": events, "sent_at": NOW_ISO}), {"origin": "null"})
    post("/batch", gzip.compress(_json({"token": "key", "batch": events}), 1), {})
    post("/e", _json(events), {}, "ip=1&_=1795000000000&beacon=1")
    post("/track", _form("data", events, False), form)
    post(
        "/i/v1/analytics/events", zlib.compress(_json({"batch": events}), 1), {**BEARER, "content-encoding": "deflate"}
    )
    post("/flags/", _json({"api_key": "key", "distinct_id": "d"}), {}, "v=4")
    kinds = ["track", "track_signup", "track_id_bind", "track_id_unbind", "profile_set", "profile_append", "item_set"]
    sent = [{**_SENSORS, "type": kind} for kind in kinds]
    for path in ("/sa", "/sa.gif", "/debug"):
        post(path, _form("data", sent[0], True), form, "project=key")
        post(path, _form("data_list", sent, False), form, "token=key")
    native = [{**_NATIVE, "type": t} for t in ("track", "identify", "alias", "bind", "unbind", "profile")]
    post("/api/v1/events", _json(native), BEARER)
    post("/api/v1/events", b"\n".join(map(_json, native)), BEARER)
    post("/api/v1/events", zstandard.compress(_json(native), 1), {**BEARER, "content-encoding": "zstd"})
    for path, value in (("/v1/t", {**_SEGMENT, "writeKey": "key"}), ("/e", {**_POSTHOG, "token": "key"})):
        data = quote(base64.b64encode(_json(value)).decode())
        made.append(WireRequest(method="GET", path=path, query=f"data={data}&_=1"))
    data = quote(base64.b64encode(_json(_SENSORS)).decode())
    made.append(WireRequest(method="GET", path="/sa.gif", query=f"project=key&data={data}&ext=crc%3D1"))
    return made


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to four changes."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        what = chance.randrange(6)
        if what == 0 and out:
            out[at % len(out)] = chance.randrange(256)
        elif what == 1:
            out[at:at] = chance.choice(_POISON)
        elif what == 2:
            del out[at : at + chance.choice([1, 1, 2, 8, 64, 10_000])]
        elif what == 3:
            end = at + chance.randrange(1, 40)
            out[at:at] = out[at:end] * chance.randint(1, 3)
        elif what == 4:
            # A value of the JSON, swapped for poison.
            start = out.find(b":", at)
            end = min((e for e in (out.find(b",", start + 1), out.find(b"}", start + 1)) if e > 0), default=-1)
            if 0 <= start < end:
                out[start + 1 : end] = chance.choice(_POISON)
        else:
            other = chance.randrange(len(out) + 1)
            out[at : at + 4], out[other : other + 4] = out[other : other + 4], out[at : at + 4]
    return bytes(out)


def _inner(request: WireRequest, chance: random.Random) -> WireRequest:
    """Mutate what the compression and the base64 hold, and pack it again, so that the fuzz gets behind them."""
    body = request.body
    if body.startswith(b"\x1f\x8b"):
        return _with(request, gzip.compress(mutated(gzip.decompress(body), chance), 1))
    if body.startswith(b"\x28\xb5\x2f\xfd"):
        return _with(request, zstandard.compress(mutated(zstandard.decompress(body), chance), 1))
    if body.startswith(b"data"):
        name, _, rest = body.decode().partition("=")
        data = base64.b64decode(unquote(rest.partition("&")[0]))
        zipped = data.startswith(b"\x1f\x8b")
        data = mutated(gzip.decompress(data) if zipped else data, chance)
        coded = quote(base64.b64encode(gzip.compress(data, 1) if zipped else data).decode())
        return _with(request, f"{name}={coded}".encode())
    return _with(request, mutated(body, chance))


def _with(request: WireRequest, body: bytes) -> WireRequest:
    return WireRequest(
        method=request.method, path=request.path, query=request.query, headers=request.headers, body=body
    )


def mutants(count: int, seed: int, wire: str | None = None) -> Iterator[WireRequest]:
    """`count` requests, the same ones for the same seed. wire: of this format alone."""
    chance = random.Random(seed)
    good = [one for one in seeds() if wire is None or _name(one) == wire]
    for _ in range(count):
        request = chance.choice(good)
        way = chance.random()
        if way < 0.55:
            yield _inner(request, chance)
        elif way < 0.85 and request.body:
            yield _with(request, mutated(request.body, chance))
        else:
            yield WireRequest(
                method=chance.choice(["GET", "POST", "POST", "OPTIONS", "PUT"]),
                path=request.path,
                query=mutated(request.query.encode(), chance).decode("utf-8", "replace"),
                headers={k: mutated(v.encode(), chance).decode("latin-1") for k, v in request.headers.items()},
                body=request.body,
            )


def _name(request: WireRequest) -> str:
    found = format_of(request.path)
    return "" if found is None else found.name


_STATUSES = {200, 204, 400, 401, 404, 405, 413}
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(list[Message], float_hook=decimal_of)


def decode_and_check(request: WireRequest) -> Decoded | None:
    """Decode, and check what holds for every request there is; None for a path that is no endpoint."""
    wire = format_of(request.path)
    if wire is None:
        return None
    decoded = wire.decode(request, wire.limits, NOW)
    assert decoded.answer.status in _STATUSES
    for name, value in decoded.answer.headers.items():
        assert "\r" not in name + value
        assert "\n" not in name + value
    if decoded.answer.headers.get("Content-Type", "").endswith("json"):
        json.loads(decoded.answer.body)
    if decoded.answer.status >= 300 or decoded.key is None:
        assert decoded.messages == []
    if decoded.key is not None:
        assert decoded.key.isascii()
        assert decoded.key.isprintable()
        assert 1 <= len(decoded.key) <= 255
    else:
        assert decoded.refused == []
    for one in decoded.refused:
        assert one.field
        assert one.reason
        one.raw.encode()
    # What is taken can be stored and read back as it was.
    assert _decoder.decode(_encoder.encode(decoded.messages)) == decoded.messages
    for message in decoded.messages:
        assert wire.limits.earliest <= message.ts <= NOW + wire.limits.ahead
        assert 1 <= len(message.event_id) <= 255
        people = [*message.ids, *([message.previous] if hasattr(message, "previous") else [])]
        assert all(_is_sound(one) for one in people)
    return decoded


def _is_sound(one: Id) -> bool:
    return 1 <= len(one.value) <= 255 and "\0" not in one.value and one.value.strip().lower() not in ("", "null", "0")
