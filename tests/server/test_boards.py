"""Boards over HTTP: made, changed by one at a time, refused where a tile is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.conftest import Client, Headers

TILES: list[dict[str, Any]] = [
    {"kind": "text", "text": "每周一看。", "width": 12, "height": 1},
    {"kind": "trends", "title": "活跃", "question": {"event": "*", "metric": "people"}, "width": 6},
]


def test_a_board_is_made_changed_and_removed(client: Client, admin: Headers) -> None:
    made = client.post("/api/v1/boards", json={"title": " 每周 ", "tiles": TILES}, headers=admin)
    assert (made.status_code, made.json()["title"], made.json()["version"]) == (201, "每周", 1)
    where = f"/api/v1/boards/{made.json()['id']}"
    change = {"title": "每周", "tiles": TILES[:1], "version": 1, "everywhere": {"range": {"last": "30d"}}}
    changed = client.put(where, json=change, headers=admin).json()
    assert (changed["version"], len(changed["tiles"]), changed["everywhere"]) == (2, 1, {"range": {"last": "30d"}})
    late = client.put(where, json=change, headers=admin)
    assert (late.status_code, "version 2" in late.json()["detail"]) == (409, True)
    listed = client.get("/api/v1/boards", headers=admin).json()["boards"]
    assert [(one["title"], one["tiles"]) for one in listed] == [("每周", 1)]
    assert client.delete(where, headers=admin).status_code == 204
    assert client.get(where, headers=admin).status_code == 404
    assert client.put(where, json=change, headers=admin).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"tiles": [{"kind": "guess"}]}, "tiles[0].kind"),
        ({"tiles": [{"kind": "text", "question": {}}]}, "tiles[0].question"),
        ({"tiles": [TILES[0], {"kind": "funnel", "question": {}}]}, "tiles[1].question.body"),
        ({"tiles": [{"kind": "trends", "question": {"metrics": "x"}}]}, "tiles[0].question.metrics"),
        ({"tiles": [{"kind": "text", "width": 2}]}, "tiles[0].width"),
        ({"tiles": TILES * 31}, "tiles"),
        ({"everywhere": {"range": {"during": "30d"}}}, "everywhere.range"),
    ],
)
def test_what_is_wrong_with_a_board_is_named(
    client: Client, admin: Headers, change: dict[str, Any], field: str
) -> None:
    answer = client.post("/api/v1/boards", json={"title": "a", "tiles": TILES} | change, headers=admin)
    assert answer.status_code == 400
    assert answer.json()["field"].startswith(field), answer.text


def test_a_tile_is_answered_for_whoever_may_look_and_says_when(client: Client, tokens: dict[str, Headers]) -> None:
    admin, viewer = tokens["admin"], tokens["viewer"]
    made = client.post("/api/v1/boards", json={"title": "看板", "tiles": TILES}, headers=admin).json()
    where = f"/api/v1/boards/{made['id']}/tiles"
    asked = {"version": 1, "everywhere": {"range": {"from": "2026-06-01", "to": "2026-06-02"}}}
    answer = client.post(f"{where}/1/answer", json=asked, headers=viewer)
    assert answer.status_code == 200, answer.text
    assert answer.json()["stale"] is False
    assert answer.json()["answered_at"].endswith("Z")
    points = answer.json()["answer"]["series"][0]["points"]
    assert [p["period"] for p in points] == ["2026-06-01", "2026-06-02"]
    assert client.post(f"{where}/1/answer", json=asked, headers=viewer).json() == answer.json()
    for path, body, status in [
        ("0", {"version": 1}, 400),
        ("2", {"version": 1}, 404),
        ("1", {"version": 2}, 409),
        ("1", {"version": 1, "everywhere": {"segment": "nobody"}}, 404),
        ("1", {"version": 1, "everywhere": {"range": {"last": "x"}}}, 400),
        ("1", {}, 400),
    ]:
        assert client.post(f"{where}/{path}/answer", json=body, headers=viewer).status_code == status, body
