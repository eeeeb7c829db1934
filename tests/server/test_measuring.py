"""Metrics, alerts, trees, stages, destinations and saved SQL over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.conftest import Client, Headers

METRIC = {"key": "buyers", "name": "买家", "kind": "people", "event": "purchase"}


@pytest.fixture
def metric(client: Client, admin: Headers) -> dict[str, Any]:
    made = client.post("/api/v1/metrics", json=METRIC, headers=admin)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def test_a_metric_is_made_asked_changed_and_removed(client: Client, admin: Headers, metric: dict[str, Any]) -> None:
    assert (metric["unit"], metric["version"], metric["uses"]) == ("people", 1, [])
    asked = {"range": {"last": "30d"}, "allow_unknown": True}
    answer = client.post("/api/v1/metrics/buyers/values", json=asked, headers=admin).json()
    assert (answer["kind"], len(answer["series"]), len(answer["series"][0]["points"])) == ("trends", 1, 30)
    refused = client.post("/api/v1/metrics/preview", json={"metric": METRIC | {"kind": "sum"}}, headers=admin)
    assert (refused.status_code, refused.json()["field"]) == (400, "value")
    changed = client.put(
        "/api/v1/metrics/buyers", json={"metric": METRIC | {"name": "付费用户"}, "version": 1}, headers=admin
    )
    assert changed.json()["version"] == 2
    late = client.put("/api/v1/metrics/buyers", json={"metric": METRIC, "version": 1}, headers=admin)
    assert late.status_code == 409
    versions = client.get("/api/v1/metrics/buyers/versions", headers=admin).json()["versions"]
    assert [v["metric"]["name"] for v in versions] == ["付费用户", "买家"]
    assert client.delete("/api/v1/metrics/buyers", headers=admin).status_code == 204
    assert client.get("/api/v1/metrics/buyers", headers=admin).status_code == 404


def test_an_alert_is_made_silenced_and_holds_its_metric(client: Client, admin: Headers, metric: dict[str, Any]) -> None:
    alert = {
        "key": "low",
        "name": "少",
        "metric": "buyers",
        "condition": {"kind": "threshold", "side": "below", "value": 1},
    }
    assert client.post("/api/v1/alerts", json=alert, headers=admin).status_code == 201
    preview = client.post("/api/v1/alerts/preview", json=alert, headers=admin)
    assert preview.status_code == 200, preview.text
    silenced = client.post("/api/v1/alerts/low/silence", json={"until": "2099-01-01T00:00:00Z"}, headers=admin).json()
    assert silenced["silenced_until"] == "2099-01-01T00:00:00Z"
    naive = client.post("/api/v1/alerts/low/silence", json={"until": "2099-01-01T00:00:00"}, headers=admin)
    assert (naive.status_code, naive.json()["field"]) == (400, "until")
    held = client.delete("/api/v1/metrics/buyers", headers=admin)
    assert (held.status_code, "alert 少" in held.json()["detail"]) == (409, True)
    assert client.get("/api/v1/incidents", headers=admin).json() == {"incidents": []}
    assert client.post("/api/v1/incidents/7/acknowledge", json={}, headers=admin).status_code == 404
    assert client.delete("/api/v1/alerts/low", headers=admin).status_code == 204


def test_a_tree_is_made_and_asked(client: Client, admin: Headers, metric: dict[str, Any]) -> None:
    tree = {"key": "t", "name": "树", "root": {"id": "a", "name": "A", "metric": "buyers"}}
    assert client.post("/api/v1/trees", json=tree, headers=admin).status_code == 201
    answer = client.post("/api/v1/trees/t/values", json={"allow_unknown": True}, headers=admin)
    # The default range comes with an empty question only.
    assert answer.status_code == 400
    asked = {"range": {"last": "7d"}, "allow_unknown": True}
    nodes = client.post("/api/v1/trees/t/values", json=asked, headers=admin).json()["nodes"]
    assert [(n["id"], n["error"]) for n in nodes] == [("a", "")]
    wrong = client.post("/api/v1/trees", json=tree | {"key": "u", "root": {"id": "a", "name": "A"}}, headers=admin)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "root.metric")
    assert client.delete("/api/v1/trees/t", headers=admin).status_code == 204


def test_stages_are_guessed_until_they_are_set(client: Client, admin: Headers) -> None:
    guessed = client.get("/api/v1/stages", headers=admin).json()
    assert (guessed["version"], guessed["changed_at"]) == (0, None)
    saved = client.put("/api/v1/stages", json={"settings": {"activation": "purchase"}, "version": 0}, headers=admin)
    assert saved.json()["version"] == 1
    late = client.put("/api/v1/stages", json={"settings": {}, "version": 0}, headers=admin)
    assert late.status_code == 409
    unset = client.post("/api/v1/cspdd", json={}, headers=admin)
    assert (unset.status_code, unset.json()["field"]) == (400, "stages.channel")
    wrong = client.put("/api/v1/stages", json={"settings": {"activation_within": "soon"}}, headers=admin)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "activation_within")


def test_costs_come_as_rows_or_as_csv(client: Client, admin: Headers) -> None:
    csv = "day,channel,cost\n2026-06-01,ads,12.50\n2026-06-01,shop,3\n"
    assert client.put("/api/v1/channels/costs", json={"csv": csv}, headers=admin).json() == {"put": 2}
    costs = client.get("/api/v1/channels/costs", headers=admin).json()["costs"]
    assert costs == [
        {"day": "2026-06-01", "channel": "ads", "minor": 1250},
        {"day": "2026-06-01", "channel": "shop", "minor": 300},
    ]
    gone = {"costs": [{"day": "2026-06-01", "channel": "ads", "minor": 0}]}
    client.put("/api/v1/channels/costs", json=gone, headers=admin)
    assert len(client.get("/api/v1/channels/costs", headers=admin).json()["costs"]) == 1
    for bad, field in (
        ("day,channel\n", "file"),
        ("day,channel,cost\n2026-06-32,ads,1\n", "line 2, day"),
        ("day,channel,cost\n2026-06-01,ads,1.005\n", "line 2"),
        ("day,channel,cost\n2026-06-01,ads,much\n", "line 2"),
        ("day,channel,cost\n2026-06-01,ads,1\n2026-06-01,ads,2\n", "costs[1]"),
        ("day,channel,cost\n2026-06-01,ads,-1\n", "costs[0].minor"),
    ):
        answer = client.put("/api/v1/channels/costs", json={"csv": bad}, headers=admin)
        assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_destination_never_shows_its_secret(client: Client, admin: Headers) -> None:
    given = {
        "name": "机器人",
        "kind": "dingtalk",
        "address": "https://oapi.dingtalk.com/robot/send?access_token=zz",
        "secret": "S9",
    }
    made = client.post("/api/v1/destinations", json=given, headers=admin)
    assert made.status_code == 201
    listed = client.get("/api/v1/destinations", headers=admin)
    assert "zz" not in listed.text + made.text
    assert "S9" not in listed.text + made.text
    assert listed.json()["mail"] is False
    mail = {"name": "m", "kind": "email", "address": "a@example.com"}
    number = client.post("/api/v1/destinations", json=mail, headers=admin).json()["id"]
    tested = client.post(f"/api/v1/destinations/{number}/test", headers=admin).json()
    assert (tested["sent"], "TILTH_SMTP_URL" in tested["reason"]) == (False, True)
    assert client.delete(f"/api/v1/destinations/{number}", headers=admin).status_code == 204
    assert client.get("/api/v1/deliveries", headers=admin).json() == {"deliveries": []}


def test_sql_is_saved_changed_and_removed(client: Client, admin: Headers) -> None:
    given = {"title": "每天", "sql": "SELECT 1", "chart": {"kind": "bar", "x": "a", "y": ["b"]}}
    made = client.post("/api/v1/sql/queries", json=given, headers=admin).json()
    assert (made["title"], made["chart"]["y"]) == ("每天", ["b"])
    where = f"/api/v1/sql/queries/{made['id']}"
    assert client.put(where, json=given | {"sql": "SELECT 2"}, headers=admin).json()["sql"] == "SELECT 2"
    assert [q["title"] for q in client.get("/api/v1/sql/queries", headers=admin).json()["queries"]] == ["每天"]
    wrong = client.post("/api/v1/sql/queries", json=given | {"sql": " "}, headers=admin)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "sql")
    assert client.delete(where, headers=admin).status_code == 204
    assert client.get(where, headers=admin).status_code == 404


def test_a_board_has_a_file_and_a_schedule(client: Client, admin: Headers, metric: dict[str, Any]) -> None:
    tiles = [{"kind": "metric", "question": {"metric": "buyers", "range": {"last": "7d"}, "allow_unknown": True}}]
    board = client.post("/api/v1/boards", json={"title": "板", "tiles": tiles}, headers=admin).json()["id"]
    pdf = client.get(f"/api/v1/boards/{board}/file?format=pdf", headers=admin)
    assert (pdf.content[:5], pdf.headers["content-type"]) == (b"%PDF-", "application/pdf")
    html = client.get(f"/api/v1/boards/{board}/file?format=html", headers=admin)
    assert "买家" in html.text
    assert client.get(f"/api/v1/boards/{board}/schedule", headers=admin).json()["schedule"] is None
    mail = {"name": "m", "kind": "email", "address": "a@example.com"}
    number = client.post("/api/v1/destinations", json=mail, headers=admin).json()["id"]
    schedule = {"every": "week", "at": "09:00", "weekday": 2, "destinations": [number]}
    kept = client.put(f"/api/v1/boards/{board}/schedule", json=schedule, headers=admin).json()
    assert kept["schedule"]["weekday"] == 2
    assert kept["next_at"] is not None
    assert client.post(f"/api/v1/boards/{board}/send", json={"destinations": [number]}, headers=admin).json() == {
        "to": 1
    }
    assert client.delete(f"/api/v1/boards/{board}/schedule", headers=admin).status_code == 204
