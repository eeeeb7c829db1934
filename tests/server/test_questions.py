"""Saved questions, people behind a number as a segment, and answers nobody waits for any more."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.server.conftest import Client, Headers
from tests.server.live import live
from tilth.behavior import questions, stop_when
from tilth.behavior.leaving import watching
from tilth.collect.events import Event
from tilth.errors import Cancelled
from tilth.server.tokens import Tokens
from tilth.workspace import Workspace

START = 1_767_225_600_000_000  # 2026-01-01 UTC
FUNNEL = {"steps": ["view", "pay"], "range": {"from": "2026-01-01", "to": "2026-01-31"}}


@pytest.fixture
def shop(client: Client, write_key: Headers) -> None:
    rows = [("a", "view", 1), ("a", "pay", 2), ("b", "view", 2), ("c", "view", 3), ("c", "pay", 9)]
    events = [
        {"event": n, "distinct_id": w, "timestamp": f"2026-01-0{at}T10:00:00Z", "properties": {"color": "red"}}
        for w, n, at in rows
    ]
    assert client.post("/api/v1/events", json=events, headers=write_key).json()["accepted"] == 5


@pytest.mark.usefixtures("shop")
def test_people_behind_a_number_become_a_segment_that_says_where_from(client: Client, admin: Headers) -> None:
    asked = {**FUNNEL, "which": {"step": 1, "outcome": "dropped"}, "save": {"key": "left", "name": "没付款"}}
    made = client.post("/api/v1/query/funnel/segment", json=asked, headers=admin)
    assert (made.status_code, made.json()["people"]) == (201, 1)
    shown = client.get("/api/v1/segments/left", headers=admin).json()
    assert shown["origin"] is None
    assert (shown["asked"]["kind"], shown["asked"]["question"]) == ("funnel", FUNNEL)
    assert shown["asked"]["which"] == {"step": 1, "outcome": "dropped"}
    behind = client.post("/api/v1/query/funnel/people", json={**FUNNEL, "which": {"step": 1}}, headers=admin).json()
    assert [p["distinct_ids"] for p in behind["people"]] == [["a"], ["c"]]
    again = client.post("/api/v1/query/funnel/segment", json=asked, headers=admin)
    assert again.status_code == 409
    narrowed = {**FUNNEL, "segment": "left"}
    assert client.post("/api/v1/query/funnel", json=narrowed, headers=admin).json()["steps"][0]["people"] == 1


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"which": {"step": "1"}}, "which.step"),
        ({"which": {"step": True}}, "which.step"),
        ({"which": {"stop": 1}}, "which.stop"),
        ({"which": {}}, "which.step"),
        ({"which": {"step": 9}}, "step"),
        ({"save": {"key": "a"}}, "save.name"),
        ({"save": "a"}, "save"),
        ({"save": {"key": "No Key", "name": "x"}}, "key"),
        ({"stops": []}, "stops"),
    ],
)
def test_what_is_wrong_with_a_segment_from_a_number_is_named(
    client: Client, admin: Headers, change: dict[str, Any], field: str
) -> None:
    asked = {**FUNNEL, "which": {"step": 1}, "save": {"key": "a", "name": "A"}} | change
    answer = client.post("/api/v1/query/funnel/segment", json=asked, headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.usefixtures("shop")
def test_names_to_choose_from(client: Client, admin: Headers) -> None:
    found = client.get("/api/v1/query/names", headers=admin).json()
    assert found["events"] == ["pay", "view"]
    assert {"color", "amount", "channel"} <= set(found["properties"])


def test_questions_are_saved_changed_and_removed(client: Client, admin: Headers) -> None:
    saved = {"title": " 下单漏斗 ", "kind": "funnel", "question": FUNNEL}
    made = client.post("/api/v1/questions", json=saved, headers=admin)
    assert (made.status_code, made.json()["title"], made.json()["question"]) == (201, "下单漏斗", FUNNEL)
    where = f"/api/v1/questions/{made.json()['id']}"
    other = {"title": "趋势", "kind": "trends", "question": {"event": "pay"}, "about": "每天"}
    assert client.put(where, json=other, headers=admin).json()["kind"] == "trends"
    assert [q["title"] for q in client.get("/api/v1/questions", headers=admin).json()["questions"]] == ["趋势"]
    assert client.get(where, headers=admin).json()["about"] == "每天"
    assert client.delete(where, headers=admin).status_code == 204
    assert client.get(where, headers=admin).status_code == 404
    assert client.delete(where, headers=admin).status_code == 404
    for body, field in (
        ({**saved, "title": " "}, "title"),
        ({**saved, "kind": "guess"}, "kind"),
        ({**saved, "question": {"steps": ["a"], "window": 5}}, "question.window"),
        ({**saved, "question": {"stops": []}}, "question.stops"),
    ):
        refused = client.post("/api/v1/questions", json=body, headers=admin)
        assert (refused.status_code, refused.json()["field"]) == (400, field)


def test_a_question_is_given_up_between_buckets(workspace: Workspace) -> None:
    workspace.collect.append([Event(distinct_id="a", event="view", ts=START, event_id="1")], "web")
    with stop_when(lambda: True), pytest.raises(Cancelled):
        workspace.behavior.trends(event="view")
    assert workspace.behavior.trends(event="view").series[0].total == 1


@pytest.fixture
def served(workspace: Workspace) -> Iterator[tuple[str, str]]:
    token = Tokens(workspace.database).create("t", "analyst", "test")[1]
    with live(workspace) as url:
        yield url, token


def test_a_client_that_leaves_stops_the_work(served: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    url, token = served
    began, ended = threading.Event(), threading.Event()

    def slow(*_: object) -> object:
        gone = watching()
        began.set()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if gone():
                ended.set()
                raise Cancelled("gone")
            time.sleep(0.01)
        return None

    monkeypatch.setitem(questions, "trends", questions["trends"]._replace(ask=slow))
    body = json.dumps({"event": "*"}).encode()
    head = (
        f"POST /api/v1/query/trends HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(head.encode() + body)
        assert began.wait(10)
        assert not ended.is_set()
    assert ended.wait(10)
