"""The unmodified SDKs against the running product: what they send is in a question's answer, under the right person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collect.formats.test_real_sdks import sdk
from tests.server.live import live
from tilth.collect import Source
from tilth.lake.sql import SqlDoor
from tilth.workspace import Workspace

Running = tuple[str, Source, Workspace]


@pytest.fixture
def running(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    source = workspace.collect.sources.create("shop")
    with live(workspace) as address:
        yield address, source, workspace


def events(workspace: Workspace) -> list[tuple[str, str]]:
    """(event, source) of everything kept, in order of name."""
    rows = SqlDoor(workspace.lake).run("SELECT event, source FROM events ORDER BY event").rows
    return [(str(event), str(source)) for event, source in rows]


@pytest.mark.parametrize("name", ["segment.analytics.client", "rudderstack.analytics.client"])
def test_segment_and_rudderstack(running: Running, name: str) -> None:
    address, source, workspace = running
    failures: list[object] = []
    client = sdk(name).Client(
        source.write_key, host=address, on_error=lambda *seen: failures.append(seen), upload_interval=0.05, timeout=5
    )
    client.track(anonymous_id="anon-1", event="Product Viewed", properties={"product": "龙井"})
    client.identify("u1", {"email": "mei@shop.example"})
    client.track("u1", "Order Completed", {"amount": 99.95}, anonymous_id="anon-1")
    client.shutdown()
    assert failures == []
    assert events(workspace) == [("$identify", "shop"), ("Order Completed", "shop"), ("Product Viewed", "shop")]
    answer = workspace.behavior.funnel(steps=["Product Viewed", "Order Completed"], range={"last": "2d"})
    assert [step.people for step in answer.steps] == [1, 1]
    assert {t.name: t.value for t in workspace.people.get("anon-1").traits} == {"email": "mei@shop.example"}


def test_posthog(running: Running) -> None:
    address, source, workspace = running
    client = sdk("posthog").Posthog(source.write_key, host=address, flush_interval=0.05, timeout=5)
    client.capture("viewed", distinct_id="anon-2", properties={"page": "/tea"})
    client.alias("anon-2", "u2")
    client.set(distinct_id="u2", properties={"city": "杭州"})
    client.capture("bought", distinct_id="u2")
    client.shutdown()
    workspace.collect.catch_up()
    answer = workspace.behavior.funnel(steps=["viewed", "bought"], range={"last": "2d"})
    assert [step.people for step in answer.steps] == [1, 1]
    assert workspace.people.find("anon-2") == workspace.people.find("u2")
    assert {t.name: t.value for t in workspace.people.get("anon-2").traits}["city"] == "杭州"


def test_sensors_analytics(running: Running) -> None:
    address, source, workspace = running
    module = sdk("sensorsanalytics")
    consumer = module.DefaultConsumer(f"{address}/sa?project={source.write_key}")
    client = module.SensorsAnalytics(consumer)
    client.track("device-3", "ViewProduct", {"product": "普洱"}, is_login_id=False)
    client.track_signup("u3", "device-3")
    client.track("u3", "PayOrder", {"amount": 12.5}, is_login_id=True)
    client.profile_set("u3", {"gender": "f"}, is_login_id=True)
    client.close()
    workspace.collect.catch_up()
    answer = workspace.behavior.funnel(steps=["ViewProduct", "PayOrder"], range={"last": "2d"})
    assert [step.people for step in answer.steps] == [1, 1]
    assert {t.name: t.value for t in workspace.people.get("device-3").traits}["gender"] == "f"
