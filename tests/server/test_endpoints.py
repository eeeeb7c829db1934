"""The SDKs' endpoints by hand: every form they send, and the error each format expects."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.conftest import Client, Headers
from tilth.collect.service import Collect
from tilth.errors import LimitReached, StorageFailed
from tilth.server import collector as collector_module
from tilth.server.context import Context


@pytest.fixture
def key(context: Context) -> str:
    return context.workspace.collect.sources.create("shop").write_key


def stored(context: Context) -> list[str]:
    return sorted(context.workspace.lake.tail().column("event").to_pylist())


def basic(key: str) -> Headers:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


SEEN = {"type": "track", "userId": "u1", "event": "seen", "messageId": "m1"}
HOG = {"event": "seen", "distinct_id": "u1", "uuid": "0190163e-7f42-7c3e-8f4e-111111111111"}
SA = {"type": "track", "event": "seen", "distinct_id": "u1", "time": 1_780_000_000_000, "properties": {}}


def sa_form(event: Any, packed: bool = False) -> str:
    data = json.dumps(event).encode()
    field = "data_list" if isinstance(event, list) else "data"
    text = base64.b64encode(gzip.compress(data) if packed else data).decode()
    return f"{field}={quote(text, safe='')}" + ("&gzip=1" if packed else "")


def test_segments_forms_are_stored_and_answered_as_its_sdks_expect(client: Client, context: Context, key: str) -> None:
    for path in ("/v1/track", "/v1/batch"):
        body = SEEN if path.endswith("track") else {"batch": [SEEN | {"messageId": "m2"}]}
        answer = client.post(path, json=body, headers=basic(key))
        assert (answer.status_code, answer.json()) == (200, {"success": True}), answer.text
    packed = gzip.compress(json.dumps({"batch": [SEEN | {"messageId": "m3"}], "writeKey": key}).encode())
    assert client.post("/v1/batch", content=packed, headers={"Content-Encoding": "gzip"}).status_code == 200
    assert client.post("/v1/track", json=SEEN, headers=basic(key)).json() == {"success": True}
    assert stored(context) == ["seen"] * 3
    assert client.post("/v1/track", json=SEEN, headers=basic("tilth_wk_other")).status_code == 401
    assert client.post("/v1/track", content=b"{", headers=basic(key)).status_code == 400


def test_posthogs_forms_are_stored_and_answered_as_its_sdks_expect(client: Client, context: Context, key: str) -> None:
    assert client.post("/batch/", json={"api_key": key, "batch": [HOG]}).status_code == 200
    for n, path in enumerate(("/e/", "/i/v0/e", "/capture/", "/track", "/engage")):
        other = HOG | {"api_key": key, "uuid": f"0190163e-7f42-7c3e-8f4e-22222222222{n}"}
        assert client.post(path, json=other).status_code == 200, path
    assert stored(context).count("seen") == 6
    assert client.post("/batch", json={"api_key": "nobody", "batch": [HOG]}).status_code == 401
    bomb = gzip.compress(b"[" + b" " * 60_000_000)
    assert client.post("/batch", content=bomb).status_code == 413


def test_sensors_forms_are_stored_and_answered_as_its_sdks_expect(client: Client, context: Context, key: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for n, packed in enumerate((False, True)):
        one = SA | {"_track_id": n, "time": SA["time"] + n}  # type: ignore[operator]
        assert client.post(f"/sa?project={key}", content=sa_form(one, packed), headers=form).status_code == 200
    many = [SA | {"_track_id": 10 + n, "time": SA["time"] + 10 + n} for n in range(3)]  # type: ignore[operator]
    assert client.post(f"/sa?project={key}", content=sa_form(many), headers=form).status_code == 200
    gif = client.get(f"/sa.gif?project={key}&" + sa_form(SA | {"_track_id": 99}))
    assert (gif.status_code, gif.headers["content-type"]) == (200, "image/gif")
    assert stored(context) == ["seen"] * 6


def test_a_page_of_another_origin_may_send(client: Client, key: str) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type,authorization"}  # fmt: skip
    for path in ("/v1/batch", "/e/", "/sa"):
        answer = client.options(path, headers=asked)
        assert answer.status_code in (200, 204), path
        assert answer.headers["access-control-allow-origin"] in ("*", "https://shop.example")
    sent = client.post("/v1/track", json=SEEN, headers=basic(key) | {"Origin": "https://shop.example"})
    assert sent.headers["access-control-allow-origin"] in ("*", "https://shop.example")


def test_what_a_format_refuses_is_in_quarantine_and_can_be_replayed_corrected(
    client: Client, context: Context, key: str, admin: Headers
) -> None:
    bad: list[tuple[str, Any, Headers]] = [
        ("/v1/batch", {"batch": [{"type": "track", "userId": "u1", "event": "", "messageId": "b1"}]}, basic(key)),
        ("/batch", {"api_key": key, "batch": [{"event": "", "distinct_id": "u1"}]}, {}),
    ]
    for path, body, headers in bad:
        client.post(path, json=body, headers=headers)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    client.post(f"/sa?project={key}", content=sa_form(SA | {"event": "time"}), headers=form)
    held = client.get("/api/v1/quarantine", headers=admin).json()
    assert len(held["rows"]) == 3, held
    assert {row["file"] for row in held["rows"]} == {"source shop"}
    replayed = client.post(
        "/api/v1/quarantine/replay",
        json={"ids": [row["id"] for row in held["rows"]], "replace": {"event": "mended"}},
        headers=admin,
    ).json()
    assert (replayed["accepted"], replayed["still_quarantined"]) == (3, 0)
    assert stored(context) == ["mended"] * 3


@pytest.mark.parametrize(("error", "status"), [(LimitReached("full", 3), 429), (StorageFailed("disk"), 503)])
@pytest.mark.parametrize("path", ["/v1/batch", "/batch", "/sa", "/api/v1/events"])
def test_what_cannot_be_kept_is_not_acknowledged(
    client: Client,
    context: Context,
    key: str,
    path: str,
    error: Exception,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Collect, "submit", fail)
    headers = {"Authorization": f"Bearer {key}"} if path.startswith("/api") else basic(key)
    if path == "/sa":
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = client.post(f"/sa?project={key}", content=sa_form(SA), headers=form)
    elif path == "/api/v1/events":
        answer = client.post(path, json=[{"event": "seen", "distinct_id": "u1"}], headers=headers)
    else:
        answer = client.post(
            path, json={"api_key": key, "batch": [SEEN if path == "/v1/batch" else HOG]}, headers=headers
        )
    assert answer.status_code == status
    assert int(answer.headers["retry-after"]) >= 1


def test_over_a_bounded_number_of_requests_clients_are_told_to_wait(
    client: Client, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "MOST_WAITING", 0)
    answer = client.post("/v1/track", json=SEEN, headers=basic(key))
    assert (answer.status_code, "retry-after" in answer.headers) == (429, True)


def test_an_unexpected_failure_is_no_500_and_is_not_acknowledged(
    client: Client, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Collect, "submit", lambda *_: 1 / 0)
    answer = client.post("/v1/track", json=SEEN, headers=basic(key))
    assert answer.status_code == 503
