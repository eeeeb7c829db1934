"""Pulls over HTTP and on the command line: made, tried, run, read; secrets stay inside."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.server.conftest import Client, Headers
from tests.server.live import live
from tilth.cli.main import run as tilth
from tilth.lake.sql import SqlDoor
from tilth.server.context import Context
from tilth.server.routes.pulls import NewPull
from tilth.settings import Settings
from tilth.workspace import Workspace

RULES = [{"event": "purchase", "event_id": ["order-", "$.id"], "person": "$.customer", "at": "$.at",
          "properties": {"order_id": "$.id", "amount": "$.amount"}}]  # fmt: skip
SQL = {"kind": "sql", "url": "sqlite:///inbox/shop.db", "table": "orders", "mark": "at", "key": "id"}
S3 = {"kind": "s3", "bucket": "shop", "endpoint": "http://127.0.0.1:1", "access_key": "reader"}


def make_shop(workspace: Workspace) -> Path:
    inbox = workspace.folder / "inbox"
    inbox.mkdir(exist_ok=True)
    with sqlite3.connect(inbox / "shop.db") as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, at TEXT, customer TEXT, amount TEXT)")
        shop.executemany(
            "INSERT INTO orders VALUES (?, ?, 'mei', '19.90')", [(n, "2026-06-01 10:00:00") for n in range(1, 8)]
        )
    return inbox


def test_a_pull_is_tried_made_changed_paused_and_removed(client: Client, context: Context, admin: Headers) -> None:
    make_shop(context.workspace)
    look = client.post("/api/v1/pulls/preview", json={"connection": SQL, "rules": RULES}, headers=admin)
    assert look.status_code == 200, look.text
    assert [one["event_id"] for one in look.json()["events"]] == [f"order-{n}" for n in range(1, 6)]
    made = client.post(
        "/api/v1/pulls", json={"key": "shop", "connection": SQL, "rules": RULES, "every_minutes": 15}, headers=admin
    )
    assert made.status_code == 201, made.text
    assert made.json()["source"] == "shop"
    again = client.post("/api/v1/pulls", json={"key": "shop", "connection": SQL, "rules": RULES}, headers=admin)
    assert again.status_code == 409
    paused = client.patch("/api/v1/pulls/shop", json={"enabled": False}, headers=admin).json()
    assert (paused["enabled"], paused["next_at"]) == (False, None)
    by_hand = client.patch("/api/v1/pulls/shop", json={"enabled": True, "every_minutes": 0}, headers=admin).json()
    assert (by_hand["every_minutes"], by_hand["next_at"]) == (None, None)
    assert client.post("/api/v1/pulls/shop/run", headers=admin).status_code == 202
    assert client.get("/api/v1/pulls/shop/runs", headers=admin).json() == {"runs": []}
    listed = client.get("/api/v1/pulls", headers=admin).json()
    assert [one["key"] for one in listed["pulls"]] == ["shop"]
    assert listed["folders"] == [str(context.workspace.folder / "inbox")]
    assert client.delete("/api/v1/pulls/shop", headers=admin).status_code == 204
    assert client.get("/api/v1/pulls/shop", headers=admin).status_code == 404
    actions = [one["action"] for one in client.get("/api/v1/audit", headers=admin).json()["entries"]]
    assert actions[:5] == ["pull.remove", "pull.run", "pull.change", "pull.change", "pull.create"]


def test_no_answer_and_no_audit_entry_holds_a_secret(client: Client, admin: Headers) -> None:
    word = "s3cr3t-key-of-the-bucket"
    told = [
        client.post(
            "/api/v1/pulls", json={"key": "a", "connection": S3, "rules": RULES, "secret": word}, headers=admin
        ),
        client.post(
            "/api/v1/pulls",
            json={"key": "b", "connection": {**SQL, "url": f"postgresql://u:{word}@127.0.0.1:1/x"}, "rules": RULES},
            headers=admin,
        ),
        client.post("/api/v1/pulls/preview", json={"connection": S3, "key": "a"}, headers=admin),
        client.get("/api/v1/pulls", headers=admin),
        client.patch("/api/v1/pulls/a", json={"secret": word + "2"}, headers=admin),
        client.get("/api/v1/audit", headers=admin),
    ]
    assert [one.status_code for one in told] == [201, 201, 400, 200, 200, 200]
    assert all(word not in one.text for one in told)
    # To another address the kept secret does not go.
    other = {**S3, "endpoint": "http://127.0.0.1:2"}
    sent = client.post("/api/v1/pulls/preview", json={"connection": other, "key": "a"}, headers=admin)
    assert (sent.status_code, sent.json()["field"]) == (400, "secret")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "no spaces"}, "key"),
        ({"every_minutes": 0}, "every_minutes"),
        ({"rules": []}, "rules"),
        ({"connection": {"kind": "ftp"}}, "connection"),
        ({"connection": {**SQL, "query": "SELECT 1"}}, "connection.table"),
        ({"connection": {**SQL, "url": "sqlite:////etc/passwd"}}, "connection.url"),
        ({"connection": {"kind": "folder", "path": "/etc"}}, "connection.path"),
        ({"connection": {**S3, "access_key": ""}, "secret": "x"}, "secret"),
        ({"rules": [{"event": "a", "event_id": ["$.a["], "at": "$.at"}]}, "rules[0].event_id"),
    ],
)
def test_a_wrong_field_is_named(client: Client, admin: Headers, change: dict[str, Any], field: str) -> None:
    answer = client.post("/api/v1/pulls", json={"key": "a", "connection": SQL, "rules": RULES, **change}, headers=admin)
    assert answer.status_code == 400, answer.text
    assert answer.json()["field"].startswith(field)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Workspace.create(tmp_path / "workspace", Settings(currency="CNY")) as made:
        make_shop(made)
    return tmp_path / "workspace"


def test_the_command_line_makes_and_runs_a_pull_beside_a_running_server(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = tmp_path / "shop.json"
    definition.write_text(json.dumps({"key": "shop", "connection": SQL, "rules": RULES}), "utf-8")

    def told(*arguments: str) -> Any:
        assert tilth(["pulls", *arguments, "--workspace", str(folder), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    with Workspace.open(folder) as opened, live(opened) as url:
        assert len(told("preview", str(definition))["events"]) == 5
        assert told("create", str(definition))["mark"] is None
        ran = told("run", "shop")
        assert (ran["status"], ran["rows"], ran["accepted"]) == ("done", 7, 7)
        assert told("show", "shop")["runs"][0]["id"] == ran["id"]
        assert told("pause", "shop")["enabled"] is False
        assert told("resume", "shop")["enabled"] is True
        assert told("reset", "shop", "--yes")["mark"] is None
        # Another process does not know at once what the first one sent; the answers do.
        assert told("run", "shop")["rows"] == 7
        assert len(SqlDoor(opened.lake).run("SELECT event_id FROM events", limit=100).rows) == 7
        assert httpx.get(f"{url}/readyz", timeout=10).status_code == 200
        assert 'tilth_pulls{state="well"} 1' in httpx.get(f"{url}/metrics", timeout=10).text
        assert told("list")[0]["key"] == "shop"
        assert told("delete", "shop", "--yes") == {"key": "shop", "deleted": True}
        assert tilth(["pulls", "show", "shop", "--workspace", str(folder)]) != 0


def test_a_pull_that_is_due_is_run_by_the_server(folder: Path) -> None:
    new = msgspec.convert({"key": "shop", "connection": SQL, "rules": RULES}, NewPull)
    with Workspace.open(folder) as opened:
        opened.pulls.create("shop", new.connection, new.rules, every_minutes=1)
        with live(opened):
            deadline = time.monotonic() + 20
            while not (runs := opened.pulls.runs("shop")) or runs[0].status == "running":
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert (runs[0].trigger, runs[0].status, runs[0].accepted) == ("schedule", "done", 7)
