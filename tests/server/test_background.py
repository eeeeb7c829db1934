"""Work beside the requests: flushing, tidying, stopping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from tests.server.conftest import Client, Headers
from tilth.collect import Event
from tilth.server import background as background_module
from tilth.server.context import Context
from tilth.workspace import Workspace


def until(condition: Callable[[], bool]) -> bool:
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def send(workspace: Workspace, count: int = 3) -> None:
    events = [Event(distinct_id=f"C{i}", event="seen", ts=1_700_000_000_000_000, event_id=str(i)) for i in range(count)]
    workspace.collect.append(events, "test")


@pytest.fixture
def running(context: Context) -> Iterator[Context]:
    context.background.start()
    yield context
    context.background.stop()


def test_accepted_events_are_flushed_when_asked_and_the_health_page_says_so(
    running: Context, client: Client, admin: Headers
) -> None:
    send(running.workspace)
    assert client.get("/api/v1/data/health", headers=admin).json()["tail"]["events"] == 3
    assert client.post("/api/v1/data/flush", headers=admin).status_code == 202
    assert until(lambda: running.workspace.lake.stats().rows == 3)
    health = client.get("/api/v1/data/health", headers=admin).json()
    assert health["tail"]["events"] == 0
    assert health["flush"]["last_at"] is not None
    assert [e["event"] for e in health["events"]] == ["seen"]


def test_old_events_are_flushed_without_being_asked(running: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_module, "FLUSH_EVERY", 0)
    send(running.workspace)
    assert until(lambda: running.workspace.lake.stats().rows == 3)


def test_stopping_flushes_what_is_left(context: Context) -> None:
    context.background.start()
    send(context.workspace)
    context.background.stop()
    assert context.workspace.lake.stats().rows == 3
    assert context.background.stopping


def test_a_failed_flush_is_shown_and_loses_nothing(
    running: Context, client: Client, admin: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(running.workspace)

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(running.workspace.lake, "append", broken)
        running.background.flush_soon()
        assert until(lambda: running.workspace.collect.last_flush_error is not None)
        attention = client.get("/api/v1/overview", headers=admin).json()["attention"]
        assert attention[0]["key"] == "background_failed"
    running.background.flush_soon()
    assert until(lambda: running.workspace.collect.last_flush_error is None)
    assert running.workspace.lake.stats().rows == 3


def test_a_server_that_stops_is_not_ready(context: Context, client: Client) -> None:
    assert client.get("/readyz").status_code == 200
    context.background.stop()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert client.get("/healthz").status_code == 200


def test_uploads_nobody_started_are_given_up_after_a_week(
    client: Client, context: Context, admin: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"CustomerID,InvoiceNo,InvoiceDate,Quantity,UnitPrice\nC1,I1,2024-01-05 10:00,1,2.50\n"
    made = client.post("/api/v1/imports?kind=orders", files={"file": ("orders.csv", body)}, headers=admin).json()
    uploads = context.workspace.folder / "uploads"
    context.background.tidy()
    assert any(uploads.iterdir()), "younger than a week"
    monkeypatch.setattr(background_module, "PREVIEW_LIFE", 0)
    context.background.tidy()
    assert not any(uploads.iterdir())
    assert client.get(f"/api/v1/imports/{made['id']}", headers=admin).json()["status"] == "cancelled"


def test_the_overview_is_new_once_an_import_is_done_though_it_still_tidies_up(
    context: Context, client: Client, admin: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def people() -> int:
        found: int = client.get("/api/v1/overview", headers=admin).json()["people"]
        return found

    job = SimpleNamespace(status="running")
    monkeypatch.setattr(context.workspace.imports, "get", lambda _: job)
    monkeypatch.setattr(context.background, "_running", "an import")
    assert people() == 0
    send(context.workspace)
    assert people() == 0  # the answer of a moment ago serves while data comes in
    job.status = "done"
    assert people() > 0
