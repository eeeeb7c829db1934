"""Feedback over HTTP and on the command line."""

from __future__ import annotations

import json

import pytest

from tests.server.conftest import Client, Headers
from tilth.cli.main import run
from tilth.server.context import Context


def send(client: Client, write_key: Headers, *texts: str) -> None:
    answer = client.post(
        "/api/v1/events",
        json=[{"event": "feedback", "distinct_id": "lin", "event_id": t, "properties": {"text": t}} for t in texts],
        headers=write_key,
    )
    assert answer.status_code == 200, answer.text


def test_feedback_is_worked_through(client: Client, admin: Headers, write_key: Headers) -> None:
    send(client, write_key, "太苦", "太甜", "很好")
    listed = client.get("/api/v1/feedback?status=open", headers=admin).json()
    ids = [item["id"] for item in listed["items"]]
    assert (listed["total"], listed["items"][0]["text"]) == (3, "太苦")
    done = client.post(f"/api/v1/feedback/{ids[0]}/answer", json={"text": "好的"}, headers=admin).json()
    assert (done["item"]["status"], done["entries"][0]["kind"]) == ("answered", "answer")
    assigned = client.put(f"/api/v1/feedback/{ids[1]}/assignee", json={"assignee": "zhou"}, headers=admin).json()
    assert assigned["item"]["assignee"] == "zhou"
    assert client.post(f"/api/v1/feedback/{ids[1]}/note", json={"text": "老客"}, headers=admin).status_code == 200
    moved = client.post("/api/v1/feedback/status", json={"ids": ids, "status": "closed"}, headers=admin).json()
    assert [m["was"] for m in moved["moved"]] == ["answered", "open", "open"]
    assert client.get("/api/v1/feedback?status=closed&assignee=zhou", headers=admin).json()["total"] == 1
    figures = client.get("/api/v1/feedback/stats", headers=admin).json()
    assert (figures["closed"], figures["answered_of"], figures["received"]) == (3, 1, 3)
    timeline = client.get("/api/v1/people/lin/timeline", headers=admin).text
    assert "feedback_answered" in timeline


def test_bad_requests_name_what_is_wrong(client: Client, admin: Headers, write_key: Headers) -> None:
    send(client, write_key, "太苦")
    number = client.get("/api/v1/feedback", headers=admin).json()["items"][0]["id"]
    for path in ("?status=lost", "?cursor=x", "?older_days=-1", "?limit=0"):
        assert client.get(f"/api/v1/feedback{path}", headers=admin).status_code == 400, path
    for path in ("9", "9" * 30, "0"):
        assert client.get(f"/api/v1/feedback/{path}", headers=admin).status_code in (400, 404), path
    for body in ({}, {"text": ""}, {"text": "x" * 8001}, {"text": 1}, {"text": "x", "to": "y"}):
        assert client.post(f"/api/v1/feedback/{number}/answer", json=body, headers=admin).status_code == 400, body
    for move in (
        {"ids": [], "status": "closed"},
        {"ids": [number], "status": "gone"},
        {"ids": [2**70], "status": "open"},
    ):
        assert client.post("/api/v1/feedback/status", json=move, headers=admin).status_code == 400, move
    assert client.post(f"/api/v1/feedback/{number}/answer", json={"text": "\u0000"}, headers=admin).status_code == 400


def test_the_command_line_works_through_it(
    client: Client, context: Context, write_key: Headers, capsys: pytest.CaptureFixture[str]
) -> None:
    send(client, write_key, "太苦")
    folder = str(context.workspace.folder)

    def tilth(*arguments: str) -> tuple[int, str, str]:
        code = run(["feedback", *arguments, "--workspace", folder])
        out, err = capsys.readouterr()
        return code, out, err

    code, out, _ = tilth("list", "--json")
    number = str(json.loads(out)["items"][0]["id"])
    assert code == 0
    assert tilth("assign", number, "zhou")[0] == 0
    assert tilth("note", number, "老客")[0] == 0
    assert "is answered" in tilth("answer", number, "好的")[1]
    assert "1 of 1 are closed" in tilth("close", number)[1]
    assert tilth("answer", number, "x")[0] == 1
    assert "1 of 1 are open" in tilth("reopen", number)[1]
    assert "zhou" in tilth("show", number)[1]
    assert "median" in tilth("stats")[1]
    code, _, err = tilth("list", "--status", "lost")
    assert (code, "status" in err) == (2, True)
