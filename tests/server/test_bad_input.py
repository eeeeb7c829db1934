"""Bad input all the way: to every endpoint that takes events, through the door, into the lake and out again.

The decoders alone are tested in tests/collect/formats/test_bad_bodies.py; here the same poison travels as a client
would send it, and afterwards every page that reads events must still answer.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.conftest import Client, Headers
from tilth.server.context import Context

NOW = "2026-06-01T10:00:00Z"
HOOK_SECRET = "s3cr3t-of-the-shop"
# How each format writes one event with these properties, at this time, of this person: (method, path, body, headers).
Sent = tuple[str, str, bytes, Headers]


def _segment(path: str) -> Callable[[str, str, str, str], Sent]:
    def made(key: str, person: str, when: str, properties: str) -> Sent:
        event = f'{{"type":"track","userId":{person},"event":"seen","timestamp":{when},"properties":{properties}}}'
        body = f'{{"batch":[{event}]}}' if path == "/v1/batch" else event
        if path == "/v1/identify":
            body = f'{{"userId":{person},"timestamp":{when},"traits":{properties}}}'
        return "POST", path, body.encode(), {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}

    return made


def _posthog(path: str, many: bool = False) -> Callable[[str, str, str, str], Sent]:
    def made(key: str, person: str, when: str, properties: str) -> Sent:
        event = (
            f'{{"api_key":"{key}","event":"seen","distinct_id":{person},"timestamp":{when},'
            f'"properties":{properties},"$set":{properties}}}'
        )
        return "POST", path, (f'{{"api_key":"{key}","batch":[{event}]}}' if many else event).encode(), {}

    return made


def _sensors(path: str, packed: bool = False) -> Callable[[str, str, str, str], Sent]:
    def made(key: str, person: str, when: str, properties: str) -> Sent:
        event = f'{{"type":"track","event":"seen","distinct_id":{person},"time":{when},"properties":{properties}}}'
        raw = gzip.compress(event.encode()) if packed else event.encode()
        body = f"data={quote(base64.b64encode(raw).decode(), safe='')}" + ("&gzip=1" if packed else "")
        return "POST", f"{path}?project={key}", body.encode(), {"Content-Type": "application/x-www-form-urlencoded"}

    return made


def _native(key: str, person: str, when: str, properties: str) -> Sent:
    said = f'"timestamp":{when},"properties":{properties},"traits":{properties}'
    event = f'{{"event":"seen","distinct_id":{person},{said}}}'
    return "POST", "/api/v1/events", f"[{event}]".encode(), {"Authorization": f"Bearer {key}"}


def _hook(_key: str, person: str, when: str, properties: str) -> Sent:
    body = f'{{"id":"h1","who":{person},"when":{when},"told":{properties}}}'.encode()
    signed = hmac.new(HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return "POST", "/api/v1/hooks/hooked", body, {"X-Tilth-Signature": f"sha256={signed}"}


ENDPOINTS: dict[str, Callable[[str, str, str, str], Sent]] = {
    **{path: _segment(path) for path in ("/v1/track", "/v1/page", "/v1/screen", "/v1/identify", "/v1/batch")},
    **{path: _posthog(path) for path in ("/e/", "/track", "/engage", "/capture", "/i/v0/e", "/decide", "/flags")},
    "/batch": _posthog("/batch", many=True),
    "/sa": _sensors("/sa"),
    "/sa gzip": _sensors("/sa", packed=True),
    "/sa.gif": _sensors("/sa.gif"),
    "/debug": _sensors("/debug"),
    "/api/v1/events": _native,
    "/api/v1/hooks": _hook,
}
LONG = '"' + "x" * 10_000_000 + '"'
GOOD_WHEN = f'"{NOW}"'
# (person, when, properties), each as JSON is written by somebody careless or ill-meaning.
POISON: dict[str, tuple[str, str, str]] = {
    "a text of 10 MB": ('"u1"', GOOD_WHEN, f'{{"text":{LONG}}}'),
    "an id of 10 MB": (LONG, GOOD_WHEN, "{}"),
    "a name of 10 MB": ('"u1"', GOOD_WHEN, f"{{{LONG}:1}}"),
    "1970": ('"u1"', '"1970-01-01T00:00:00Z"', "{}"),
    "1970 as a number": ('"u1"', "0", "{}"),
    "2099": ('"u1"', '"2099-01-01T00:00:00Z"', "{}"),
    "a negative time": ('"u1"', "-62135596800000", "{}"),
    "a time beyond all calendars": ('"u1"', "9" * 40, "{}"),
    "a time that is a list": ('"u1"', "[1]", "{}"),
    "a key given twice": ('"u1"', GOOD_WHEN, '{"a":1,"a":{"b":2},"amount":1,"amount":"x"}'),
    "lone surrogates": ('"u\\ud83d"', GOOD_WHEN, '{"a\\ude00":"\\ud800","product":"\\udfff","order_id":"\\ud800x"}'),
    "NaN and Infinity": ('"u1"', GOOD_WHEN, '{"a":NaN,"amount":Infinity,"price":-Infinity,"quantity":NaN}'),
    "huge integers": ("9" * 300, GOOD_WHEN, f'{{"a":{"9" * 4000},"amount":{"9" * 400},"quantity":{"9" * 400}}}'),
    "more digits than Python takes": ('"u1"', GOOD_WHEN, f'{{"a":{"9" * 6000}}}'),
    "numbers out of range": ('"u1"', GOOD_WHEN, '{"a":1e400,"amount":1e300,"price":1e-300,"quantity":1e308}'),
    "nesting": ('"u1"', GOOD_WHEN, '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "NUL characters": ('"u\\u0000"', GOOD_WHEN, '{"a\\u0000":"\\u0000","order_id":"\\u0000","product":"a\\u0000b"}'),
    "wrong types": ("{}", "{}", "[]"),
    "nothing": ("null", "null", "null"),
    "commerce of wrong types": ('"u1"', GOOD_WHEN, '{"amount":[1],"price":{},"quantity":true,"currency":7}'),
}  # fmt: skip


@pytest.fixture
def key(client: Client, context: Context, admin: Headers) -> str:
    rules = [{"event": "hooked", "event_id": ["h-", "$.id"], "person": "$.who", "at": "$.when",
              "properties": {"told": "$.told", "amount": "$.told.amount", "order_id": "$.told.order_id"}}]  # fmt: skip
    body = {"source": "hooked", "kind": "generic", "secret": HOOK_SECRET, "rules": rules}
    made = client.post("/api/v1/connectors", json=body, headers=admin)
    assert made.status_code == 201, made.text
    return context.workspace.collect.sources.create("shop").write_key


def _answers(client: Client, admin: Headers) -> Iterator[tuple[str, Any]]:
    """What reads events, one of a kind."""
    for path in (
        "/api/v1/overview", "/api/v1/people", "/api/v1/people/u1", "/api/v1/people/u1/timeline", "/api/v1/data/health",
        "/api/v1/plan/observed", "/api/v1/plan/inferred", "/api/v1/quarantine", "/api/v1/debugger", "/api/v1/identity",
        "/metrics", "/api/v1/sources",
    ):  # fmt: skip
        yield path, client.get(path, headers=admin)
    for path, question in (
        ("trends", {"event": "seen"}),
        ("distribution", {"event": "seen"}),
    ):
        yield path, client.post(f"/api/v1/query/{path}", json=question, headers=admin)
    select = {"sql": "SELECT * FROM events"}
    yield "sql", client.post("/api/v1/sql", json=select, headers=admin)


@pytest.mark.parametrize("poison", POISON)
def test_poison_to_every_endpoint_is_answered_in_its_format_and_harms_no_page(
    poison: str, client: Client, context: Context, admin: Headers, key: str
) -> None:
    person, when, properties = POISON[poison]
    _, path, body, headers = _native(key, '"u0"', GOOD_WHEN, '{"amount":1}')
    assert client.post(path, content=body, headers=headers).json()["accepted"] == 1
    for name, made in ENDPOINTS.items():
        method, path, body, headers = made(key, person, when, properties)
        started = time.process_time()
        answer = client.request(method, path, content=body, headers=headers)
        took = time.process_time() - started
        assert answer.status_code in (200, 204, 400, 413), f"{name}: {answer.status_code} {answer.text[:300]}"
        assert took < 5, f"{name} took {took:.1f} s"
        if answer.status_code >= 400 and path.startswith("/api/v1"):
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.text)["detail"]
    for again in (False, True):
        for name, answer in _answers(client, admin):
            assert answer.status_code in (200, 404), f"{name}: {answer.status_code} {answer.text[:500]}"
        if not again:
            context.workspace.collect.flush()
