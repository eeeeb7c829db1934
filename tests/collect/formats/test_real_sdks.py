"""The unmodified SDKs from their package registry, talking to the decoders over loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.collect.formats.loopback import Loopback, loopback
from tests.conftest import require_or_skip
from tilth.collect.formats import Trouble
from tilth.collect.model import Alias, Bind, Group, Id, Identify, Item, Operation, Profile, Track, Unbind


def sdk(module: str) -> Any:
    """The SDK's module; the test is skipped (or fails, in CI) where it is not installed."""
    try:
        return __import__(module, fromlist=["*"])
    except ImportError as error:
        require_or_skip("sdks", f"{module} is not installed: {error}")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with loopback() as made:
        yield made


class Failures:
    """An `on_error` that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[Exception, list[Any]]] = []

    def __call__(self, error: Exception, batch: list[Any]) -> None:
        self.seen.append((error, batch))


# -- Segment and RudderStack: one API, two SDKs --------------------------------------------------


def segment_like(name: str, server: Loopback, failures: Failures, key: str, gzip: bool = False) -> Any:
    module = sdk("segment.analytics.client" if name == "segment" else "rudderstack.analytics.client")
    return module.Client(
        key, host=server.url, on_error=failures, gzip=gzip, upload_interval=0.05, max_retries=2, timeout=5
    )


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["segment", "rudderstack"])
def test_every_call_of_the_tracking_sdks_arrives_as_meant(server: Loopback, name: str, gzip: bool) -> None:
    failures = Failures()
    client = segment_like(name, server, failures, server.key, gzip)
    before = time.time_ns() // 1000
    client.identify("u1", {"email": "mei@shop.example", "age": 31})
    client.track("u1", "Order Completed", {"total": 99.95, "coupon": None}, anonymous_id="anon-1")
    client.page("u1", "Docs", "Install", {"path": "/install"})
    client.screen(anonymous_id="anon-2", name="Cart")
    client.group("u1", "acme", {"plan": "gold"})
    client.alias("anon-1", "u1")
    client.track(2**80, "Imported", timestamp=datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC))
    client.shutdown()
    after = time.time_ns() // 1000

    assert failures.seen == []
    assert set(server.answers) == {200}
    assert len(server.messages) == 7
    assert server.refused == []
    [identify] = server.of(Identify)
    assert identify.ids == (Id("id", "u1"),)
    assert identify.operations == (Operation("set", {"email": "mei@shop.example", "age": 31}),)
    [order] = server.named("Order Completed")
    assert order.ids == (Id("id", "u1"), Id("id", "anon-1", True))
    assert order.properties == {"total": Decimal("99.95"), "coupon": None}
    assert order.context["library"]["name"] == "analytics-python"
    assert before - 2_000_000 <= order.ts <= after
    [page] = server.named("page")
    assert page.properties == {"name": "Install", "category": "Docs", "path": "/install"}
    [screen] = server.named("screen")
    assert (screen.ids, screen.properties) == ((Id("id", "anon-2", True),), {"name": "Cart"})
    [group] = server.of(Group)
    assert (group.group_id, group.operations) == ("acme", (Operation("set", {"plan": "gold"}),))
    [alias] = server.of(Alias)
    assert (alias.ids, alias.previous) == ((Id("id", "u1"),), Id("id", "anon-1"))
    [imported] = server.named("Imported")
    assert imported.ids == (Id("id", "1208925819614629174706176"),)
    # Its clock and ours are the same one: what is left of the correction is the way here.
    at = int(datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC).timestamp()) * 1_000_000
    assert at <= imported.ts < at + 5_000_000
    assert all(len(m.event_id) == 36 for m in server.messages)


@pytest.mark.parametrize("name", ["segment", "rudderstack"])
def test_an_unknown_key_reaches_the_tracking_sdks_error_handler_and_is_not_retried(server: Loopback, name: str) -> None:
    failures = Failures()
    client = segment_like(name, server, failures, "another key")
    client.track("u1", "Order Completed")
    client.shutdown()
    [(error, batch)] = failures.seen
    assert (error.status, error.code, len(batch)) == (401, "invalid_write_key", 1)
    assert server.answers == [401]


@pytest.mark.parametrize("trouble", [Trouble.TOO_MANY, Trouble.UNAVAILABLE], ids=["429", "503"])
@pytest.mark.parametrize("name", ["segment", "rudderstack"])
def test_the_tracking_sdks_send_again_when_told_to_wait(server: Loopback, name: str, trouble: Trouble) -> None:
    failures = Failures()
    server.troubles = [trouble]
    client = segment_like(name, server, failures, server.key)
    client.track("u1", "Order Completed")
    client.flush()
    client.shutdown()
    assert failures.seen == []
    assert server.answers == [trouble.value, 200]
    [order] = server.messages
    assert order.event_id.encode() in server.requests[0].body, "the retry carries the same messageId"


def test_a_not_a_number_from_python_is_taken_as_missing(server: Loopback) -> None:
    failures = Failures()
    client = segment_like("segment", server, failures, server.key)
    client.track("u1", "Measured", {"size": float("nan"), "text": "NaN, Infinity"})
    client.shutdown()
    assert failures.seen == []
    assert b"NaN" in server.requests[0].body
    assert server.messages[0].properties == {"size": None, "text": "NaN, Infinity"}


def test_an_event_too_large_for_rudderstacks_limit_is_told_to_its_error_handler(server: Loopback) -> None:
    failures = Failures()
    client = segment_like("rudderstack", server, failures, server.key)
    client.track("u1", "Novel", {"text": "x" * 40_000})
    client.shutdown()
    [(error, _)] = failures.seen
    assert (error.status, error.code) == (413, "too_large")
    assert len(server.refused) == 1


# -- PostHog -------------------------------------------------------------------------------------


def posthog(server: Loopback, failures: Failures, key: str, **settings: Any) -> Any:
    module = sdk("posthog")
    return module.Posthog(
        key, host=server.url, on_error=failures, flush_interval=0.05, max_retries=2, timeout=5, **settings
    )


_WAYS: list[dict[str, Any]] = [
    {},
    {"gzip": True},
    {"sync_mode": True},
    {"historical_migration": True},
    {"capture_mode": "v1"},
    {"capture_mode": "v1", "capture_compression": "gzip"},
    {"capture_mode": "v1", "capture_compression": "deflate"},
    {"capture_mode": "v1", "capture_compression": "zstd"},
]


@pytest.mark.parametrize("settings", _WAYS, ids=lambda s: "-".join(f"{k}={v}" for k, v in s.items()) or "plain")
def test_every_call_of_the_posthog_sdk_arrives_as_meant(server: Loopback, settings: dict[str, Any]) -> None:
    failures = Failures()
    client = posthog(server, failures, server.key, **settings)
    paid = client.capture("paid", distinct_id="u1", properties={"amount": 12.5, "$set": {"vip": True}})
    client.set(distinct_id="u1", properties={"city": "Chengdu"})
    client.set_once(distinct_id="u1", properties={"first_channel": "mini-program"})
    client.alias("anon-1", "u1")
    client.group_identify("company", "acme", {"plan": "gold"})
    client.capture("looked around")
    client.shutdown()

    assert failures.seen == []
    assert set(server.answers) == {200}
    assert server.refused == []
    assert len(server.messages) == 6
    [order] = server.named("paid")
    assert order.event_id == paid
    assert order.ids == (Id("id", "u1"),)
    assert order.properties["amount"] == Decimal("12.5")
    assert order.operations == (Operation("set", {"vip": True}),)
    assert abs(order.ts - time.time_ns() // 1000) < 10_000_000
    operations = [m.operations[0] for m in server.of(Profile)]
    assert [o.verb for o in operations] == ["set", "set_once"]
    assert operations[0].traits["city"] == "Chengdu"
    assert operations[1].traits["first_channel"] == "mini-program"
    [alias] = server.of(Alias)
    assert (alias.ids, alias.previous, alias.forced) == ((Id("id", "anon-1"),), Id("id", "u1"), False)
    [group] = server.of(Group)
    assert (group.group_kind, group.group_id, group.ids) == ("company", "acme", ())
    [visit] = server.named("looked around")
    assert visit.ids[0].anonymous, "an event without a distinct id is nobody known"
    assert all("token" not in getattr(m, "properties", {}) for m in server.messages)


@pytest.mark.parametrize("settings", [{}, {"capture_mode": "v1"}], ids=["v0", "v1"])
def test_an_unknown_key_reaches_the_posthog_sdks_error_handler_and_is_not_retried(
    server: Loopback, settings: dict[str, Any]
) -> None:
    failures = Failures()
    client = posthog(server, failures, "another_key", **settings)
    client.capture("paid", distinct_id="u1")
    client.shutdown()
    [(error, _)] = failures.seen
    assert error.status == 401
    assert "API key is not valid" in str(error)
    assert server.answers == [401]


@pytest.mark.parametrize("settings", [{}, {"capture_mode": "v1"}], ids=["v0", "v1"])
@pytest.mark.parametrize("trouble", [Trouble.TOO_MANY, Trouble.UNAVAILABLE], ids=["429", "503"])
def test_the_posthog_sdk_sends_again_when_told_to_wait(
    server: Loopback, trouble: Trouble, settings: dict[str, Any]
) -> None:
    failures = Failures()
    server.troubles = [trouble]
    client = posthog(server, failures, server.key, **settings)
    sent = client.capture("paid", distinct_id="u1")
    client.flush()
    client.shutdown()
    assert failures.seen == []
    assert server.answers == [trouble.value, 200]
    assert [m.event_id for m in server.messages] == [sent]


def test_the_posthog_sdk_is_told_of_each_event_that_was_not_taken(server: Loopback) -> None:
    failures = Failures()
    client = posthog(server, failures, server.key, capture_mode="v1")
    client.capture("paid", distinct_id="u1")
    lost = client.capture("paid", distinct_id="undefined")
    client.shutdown()
    assert [m.ids[0].value for m in server.messages] == ["u1"]
    [(error, _)] = failures.seen
    assert [uid for uid, _ in error.drops] == [lost]
    assert "names nobody" in error.drops[0][1]


def test_the_posthog_sdk_finds_no_flags_defined(server: Loopback) -> None:
    failures = Failures()
    client = posthog(server, failures, server.key)
    flags = client.evaluate_flags("u1")
    assert flags.is_enabled("new-checkout") is False
    assert client.get_all_flags("u1") == {}
    client.shutdown()
    asked = [r for r in server.requests if r.path.startswith("/flags")]
    assert asked
    assert all(r.query == "v=4" for r in asked)
    assert failures.seen == []


# -- Sensors Analytics 神策 ------------------------------------------------------------------------


def sensors(server: Loopback, consumer: str = "DefaultConsumer", path: str = "/sa", **settings: Any) -> Any:
    module = sdk("sensorsanalytics.sdk")
    made = getattr(module, consumer)(f"{server.url}{path}?project={server.key}", **settings)
    return module.SensorsAnalytics(made)


@pytest.mark.parametrize("consumer", ["DefaultConsumer", "BatchConsumer", "AsyncBatchConsumer"])
def test_every_call_of_the_sensors_sdk_arrives_as_meant(server: Loopback, consumer: str) -> None:
    client = sensors(server, consumer)
    client.register_super_properties({"$app_version": "1.2"})
    client.track("anon-1", "ViewProduct", {"price": 9.9, "tags": ["奶粉", "新品"], "$ip": "1.2.3.4"})
    client.track_signup("u1", "anon-1", {"channel": "qr"})
    client.profile_set("u1", {"City": "成都", "born": datetime(1990, 1, 2, 3, 4, 5)}, is_login_id=True)
    client.profile_set_once("u1", {"first": "a"})
    client.profile_increment("u1", {"visits": 1})
    client.profile_append("u1", {"likes": ["b"]})
    client.profile_unset("u1", ["City"])
    client.profile_delete("u1")
    client.item_set("book", "isbn-1", {"name": "三体"})
    client.item_delete("book", "isbn-1")
    client.close()

    assert server.refused == []
    assert set(server.answers) == {200}
    assert len(server.messages) == 10
    [view] = server.of(Track)
    assert (view.event, view.ids) == ("ViewProduct", (Id("id", "anon-1"),))
    assert view.properties["price"] == Decimal("9.9")
    assert view.properties["tags"] == ["奶粉", "新品"]
    assert "$ip" not in view.properties
    assert view.context["ip"] == "1.2.3.4"
    assert view.context["library"]["name"] == "python"
    assert abs(view.ts - time.time_ns() // 1000) < 30_000_000
    [signup] = server.of(Identify)
    assert signup.ids == (Id("id", "u1"), Id("id", "anon-1", True))
    changes = [m.operations[0] for m in server.of(Profile)]
    assert changes == [
        Operation("set", {"City": "成都", "born": "1990-01-02 03:04:05.0"}),
        Operation("set_once", {"first": "a"}),
        Operation("increment", {"visits": 1}),
        Operation("append", {"likes": ["b"]}),
        Operation("unset", {"City": None}),
        Operation("delete"),
    ]
    items = server.of(Item)
    assert [(i.item_kind, i.item_id, i.operations[0].verb) for i in items] == [
        ("book", "isbn-1", "set"),
        ("book", "isbn-1", "delete"),
    ]
    assert len({m.event_id for m in server.messages}) == 10


def test_the_typed_ids_of_the_sensors_sdk_arrive_with_their_kinds(server: Loopback) -> None:
    module = sdk("sensorsanalytics.sdk")
    client = sensors(server)
    login = module.SensorsAnalyticsIdentity("$identity_login_id", "u1")
    mobile = module.SensorsAnalyticsIdentity("$identity_mobile", "13900000000")
    unionid = module.SensorsAnalyticsIdentity("$identity_mp_unionid", "o-1")
    client.bind(login, mobile)
    client.unbind(mobile)
    client.track_by_id("Pay", {"amount": 3}, mobile, unionid)
    client.profile_set_by_id({"City": "成都"}, login, mobile)
    assert server.refused == []
    assert server.of(Bind)[0].ids == (Id("id", "u1"), Id("phone", "13900000000"))
    assert server.of(Unbind)[0].ids == (Id("phone", "13900000000"),)
    assert server.of(Track)[0].ids == (Id("phone", "13900000000"), Id("wechat_unionid", "o-1"))
    assert server.of(Profile)[0].ids == (Id("id", "u1"), Id("phone", "13900000000"))


def test_what_the_sensors_format_forbids_is_quarantined_and_still_answered_200(server: Loopback) -> None:
    client = sensors(server)
    client.track("null", "Pay")
    assert server.answers == [200]
    assert [(r.field, "names nobody" in r.reason) for r in server.refused] == [("distinct_id", True)]


def test_the_sensors_debug_endpoint_tells_what_is_wrong(server: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    module = sdk("sensorsanalytics.sdk")
    client = sensors(server, "DebugConsumer")
    client.track("u1", "Pay")
    with pytest.raises(module.SensorsAnalyticsDebugException):
        client.track("undefined", "Pay")
    assert server.answers == [200, 400]
    assert "names nobody" in capsys.readouterr().out
    assert len(server.messages) == 1


def test_the_sensors_debug_endpoint_stores_nothing_in_a_dry_run(server: Loopback) -> None:
    client = sensors(server, "DebugConsumer", write_data=False)
    client.track("u1", "Pay")
    assert server.answers == [200]
    assert server.messages == []


@pytest.mark.parametrize("trouble", [Trouble.TOO_MANY, Trouble.UNKNOWN_KEY], ids=["429", "401"])
def test_the_sensors_sdk_raises_when_the_server_cannot_take_it(server: Loopback, trouble: Trouble) -> None:
    module = sdk("sensorsanalytics.sdk")
    server.troubles = [trouble]
    client = sensors(server, "BatchConsumer")
    client.track("u1", "Pay")
    with pytest.raises(module.SensorsAnalyticsNetworkException, match=str(trouble.value)):
        client.flush()
    client.flush()
    assert server.answers == [trouble.value, 200]
    assert len(server.messages) == 1
