"""Sensors Analytics 神策: its rules, and its way of never complaining."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.collect.formats.sending import NOW, SECOND, answer_of, coded, decode, get, post, sensors
from tilth.collect.formats import Trouble, WireRequest
from tilth.collect.formats.sensors import SENSORS
from tilth.collect.model import Bind, Id, Identify, Item, Operation, Profile, Track, Unbind

GOOD: dict[str, Any] = {"type": "track", "event": "Pay", "distinct_id": "u1", "time": NOW // 1000, "properties": {}}


def many(*events: Any, path: str = "/sa") -> Any:
    return decode(post(path, f"data_list={coded(list(events), zipped=True)}&gzip=1".encode(), query="project=key"))


# -- where the data is ---------------------------------------------------------------------------


def test_one_event_or_many_by_form_or_by_query_zipped_or_not() -> None:
    one = sensors().messages
    assert one == [
        Track(ids=(Id("id", "u1"),), ts=NOW, event_id=one[0].event_id, event="Pay"),
    ]
    ways = [
        post("/sa", f"data={coded(GOOD)}&ext=crc%3D-1".encode(), query="project=key"),
        post("/sa", f"data_list={coded([GOOD])}".encode(), query="project=key"),
        post("/sa", f"data_list={coded([GOOD], zipped=True)}&gzip=1".encode(), query="project=key"),
        post("/sa", f"data={coded(GOOD, zipped=True)}".encode(), query="project=key"),
        get("/sa", f"project=key&data={coded(GOOD)}"),
        get("/sa.gif", f"project=key&data={coded(GOOD)}&ext=crc%3D-1"),
        get("/sa.gif", f"project=key&data_list={coded([GOOD], zipped=True)}&gzip=1"),
    ]
    for request in ways:
        decoded = decode(request)
        assert (decoded.key, decoded.messages, decoded.refused) == ("key", one, []), request


def test_the_answer_is_nothing_or_the_gif() -> None:
    assert (sensors().answer.status, sensors().answer.body) == (200, b"")
    gif = decode(get("/sa.gif", f"project=key&data={coded(GOOD)}")).answer
    assert (gif.status, gif.headers["Content-Type"], gif.body[:6]) == (200, "image/gif", b"GIF89a")


def test_the_write_key_is_the_token_or_else_the_project() -> None:
    data = coded(GOOD)
    assert decode(get("/sa", f"project=shop&token=key&data={data}")).key == "key"
    assert decode(get("/sa", f"project=shop&data={data}")).key == "shop"
    assert decode(get("/sa", f"data={coded({**GOOD, 'token': 'inside'})}")).key == "inside"
    decoded = decode(get("/sa", f"data={data}"))
    assert (decoded.answer.status, decoded.key, decoded.messages) == (401, None, [])


# -- types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "properties", "operation"),
    [
        ("profile_set", {"City": "成都", "vip": True}, Operation("set", {"City": "成都", "vip": True})),
        ("profile_set_once", {"first": 1}, Operation("set_once", {"first": 1})),
        (
            "profile_increment",
            {"visits": 2, "spent": 1.5},
            Operation("increment", {"visits": 2, "spent": Decimal("1.5")}),
        ),
        ("profile_append", {"likes": ["a", "b"]}, Operation("append", {"likes": ["a", "b"]})),
        ("profile_unset", {"City": True}, Operation("unset", {"City": None})),
        ("profile_delete", {}, Operation("delete")),
    ],
)
def test_profile_types_become_operations(kind: str, properties: dict[str, Any], operation: Operation) -> None:
    [message] = sensors(type=kind, event=None, properties={**properties, "$is_login_id": True}).messages
    assert isinstance(message, Profile)
    assert (message.ids, message.operations) == ((Id("id", "u1"),), (operation,))


def test_signing_up_joins_the_original_id() -> None:
    [message] = sensors(type="track_signup", event="$SignUp", original_id="a1").messages
    assert isinstance(message, Identify)
    assert message.ids == (Id("id", "u1"), Id("id", "a1", anonymous=True))
    assert sensors(type="track_signup", original_id="").refused[0].field == "original_id"


def test_binding_and_unbinding_name_typed_ids() -> None:
    ids = {"$identity_mobile": "139", "$identity_login_id": "u1"}
    [bind] = sensors(type="track_id_bind", event="$BindID", identities=ids).messages
    assert isinstance(bind, Bind)
    assert bind.ids == (Id("id", "u1"), Id("phone", "139"))
    [unbind] = sensors(type="track_id_unbind", event="$UnbindID", identities={"$identity_mobile": "139"}).messages
    assert isinstance(unbind, Unbind)
    assert unbind.ids == (Id("phone", "139"),)
    assert sensors(type="track_id_bind", identities={"$identity_mobile": "139"}).refused[0].field == "identities"
    assert sensors(type="track_id_unbind", identities={}).refused[0].field == "identities"


def test_items_are_things_not_people() -> None:
    [item] = sensors(
        type="item_set", distinct_id=None, item_type="book", item_id=5, properties={"name": "三体"}
    ).messages
    assert isinstance(item, Item)
    assert (item.item_kind, item.item_id, item.ids) == ("book", "5", ())
    assert item.operations == (Operation("set", {"name": "三体"}),)
    [gone] = sensors(type="item_delete", item_type="book", item_id="5").messages
    assert gone.operations == (Operation("delete"),)
    assert sensors(type="item_set", item_type="book", item_id="").refused[0].field == "item_id"
    assert sensors(type="item_set", item_type="9", item_id="5").refused[0].field == "item_type"


# -- who -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "one"),
    [
        ("$identity_login_id", Id("id", "x")),
        ("$identity_anonymous_id", Id("id", "x", True)),
        ("$identity_cookie_id", Id("id", "x", True)),
        ("$identity_mobile", Id("phone", "x")),
        ("$identity_email", Id("email", "x")),
        ("$identity_mp_openid", Id("wechat_openid", "x")),
        ("$identity_mp_unionid", Id("wechat_unionid", "x")),
        ("$identity_android_id", Id("device", "x", True)),
        ("$identity_member_card", Id("member_card", "x")),
        ("loyalty", Id("loyalty", "x")),
    ],
)
def test_each_kind_of_identity_is_known_by_its_key(key: str, one: Id) -> None:
    [message] = sensors(distinct_id=f"{key}+x", identities={key: "x"}).messages
    assert message.ids == (one,), "and `key+value` is no id of its own"


def test_the_sign_in_id_comes_first_whatever_the_order() -> None:
    ids = {"$identity_cookie_id": "c1", "$identity_mobile": "139", "$identity_login_id": "u1"}
    [message] = sensors(distinct_id="u1", identities=ids, login_id="u1", anonymous_id="c1").messages
    assert message.ids == (Id("id", "u1"), Id("id", "c1", True), Id("phone", "139"))


def test_a_browser_before_and_after_signing_in() -> None:
    before = sensors(distinct_id="c1", anonymous_id="c1", identities={"$identity_cookie_id": "c1"}).messages[0]
    assert before.ids == (Id("id", "c1", True),)
    older = sensors(distinct_id="c1", anonymous_id="c1").messages[0]
    assert older.ids == (Id("id", "c1", True),)
    after = sensors(distinct_id="u1", anonymous_id="c1", login_id="u1").messages[0]
    assert after.ids == (Id("id", "u1"), Id("id", "c1", True))


@pytest.mark.parametrize(
    "identities", [{"$identity_mobile": ""}, {"$identity_mobile": None}, {"a b": "x"}, {"x": {}}, [], "x", 5]
)
def test_identities_that_are_none_are_refused(identities: object) -> None:
    assert sensors(identities=identities).refused[0].field.startswith("identities")


@pytest.mark.parametrize("sent", [None, "", "null", "0", 0, "x" * 256, [], {}, "a\0"])
def test_a_distinct_id_has_1_to_255_characters_and_names_somebody(sent: object) -> None:
    decoded = sensors(distinct_id=sent)
    assert (decoded.answer.status, decoded.messages, [r.field for r in decoded.refused]) == (200, [], ["distinct_id"])


def test_a_number_as_distinct_id_keeps_its_digits() -> None:
    assert sensors(distinct_id=13900000000123456789).messages[0].ids == (Id("id", "13900000000123456789"),)


# -- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", [NOW // 1000, str(NOW // 1000), NOW // SECOND, str(NOW // SECOND), NOW / 1000 + 0.25])
def test_time_has_10_or_13_digits_as_number_or_text(time: object) -> None:
    assert sensors(time=time).messages[0].ts == NOW


@pytest.mark.parametrize(
    "time", [None, 1, 17_950_000_000, "soon", "", -1_795_000_000, True, [], 10**40, "１７９５００００００"]
)
def test_any_other_time_is_refused(time: object) -> None:
    assert sensors(time=time).refused[0].field == "time"


@pytest.mark.parametrize("time", [4_102_444_800, 4_102_444_800_000, "0000000000", 500_000_000_000_0])
def test_a_time_no_clock_can_show_is_refused(time: object) -> None:
    assert sensors(time=time).refused[0].field == "time"


def test_a_wrong_clock_is_corrected_by_the_time_of_sending_unless_time_is_free() -> None:
    wrong = NOW // 1000 - 3_600_000
    event = {"time": wrong - 5_000, "_flush_time": wrong}
    assert sensors(**event).messages[0].ts == NOW - 5 * SECOND
    assert sensors(**event, time_free=True).messages[0].ts == NOW - 3_605 * SECOND


# -- names and values ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Pay", "$AppStart", "_x", "a1", "x" * 100, "user", "dates"])
def test_names_that_are_allowed(name: str) -> None:
    assert sensors(event=name, properties={name: 1}).refused == []


@pytest.mark.parametrize(
    "name",
    [
        *["", "1a", "a-b", "a b", "名字", "x" * 101, "Pay\n", "é"],
        *["distinct_id", "original_id", "time", "properties", "id", "first_id", "second_id", "users", "events"],
        *["event", "user_id", "date", "datetime", "user_group_vip", "user_tag1", "DATE", "User_Tag_x", "Id"],
    ],
)
def test_names_that_are_refused_in_any_case(name: str) -> None:
    assert sensors(event=name).refused[0].field == "event"
    assert sensors(properties={name: 1}).refused[0].field == f"properties.{name[:100]}"


@pytest.mark.parametrize("value", ["x" * 8_191, 5, 1.5, True, ["a", "b"], [], "2026-01-02 03:04:05", -(10**30)])
def test_values_that_are_allowed(value: object) -> None:
    decoded = sensors(properties={"p": value})
    assert decoded.refused == []
    expected = Decimal("1.5") if value == 1.5 else value
    assert decoded.messages[0].properties == {"p": expected}  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["x" * 8_192, {}, {"a": 1}, [1], ["a", None], [["a"]], ["x" * 8_192]])
def test_values_that_are_refused(value: object) -> None:
    decoded = sensors(properties={"p": value})
    assert (decoded.answer.status, decoded.messages, decoded.refused[0].field) == (200, [], "properties.p")


def test_a_property_that_is_null_is_as_good_as_not_sent() -> None:
    assert sensors(properties={"p": None}).messages[0].properties == {}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("profile_increment", "1"), ("profile_increment", True), ("profile_append", "a"), ("profile_append", 1)],
)
def test_operations_need_values_they_can_work_with(kind: str, value: object) -> None:
    assert sensors(type=kind, properties={"p": value}).refused[0].field == "properties.p"


@pytest.mark.parametrize("kind", [None, "", "dance", 5, [], "Track"])
def test_other_types_are_refused(kind: object) -> None:
    assert sensors(type=kind).refused[0].field == "type"


# -- what is refused goes to quarantine, quietly ---------------------------------------------------


def test_one_bad_event_of_many_is_quarantined_and_the_others_are_taken() -> None:
    decoded = many(GOOD, {**GOOD, "time": 5}, 7, GOOD)
    assert (decoded.answer.status, len(decoded.messages)) == (200, 2)
    assert [r.field for r in decoded.refused] == ["time", "event"]
    assert json.loads(decoded.refused[0].raw)["time"] == 5


@pytest.mark.parametrize(
    "body", [b"", b"data=", b"data=%%%", b"data=AAAA", b"data_list=e30", b"x=1", b"\xff\xfe", b"data=H4sIAAAA"]
)
def test_a_body_that_is_not_understood_is_quarantined_and_answered_200(body: bytes) -> None:
    decoded = decode(post("/sa", body, query="project=key"))
    assert (decoded.answer.status, decoded.answer.body, decoded.messages, len(decoded.refused)) == (200, b"", [], 1)


def test_a_hundred_events_as_the_python_sdks_background_sender_sends_them_are_taken() -> None:
    assert len(many(*[{**GOOD, "_track_id": i} for i in range(100)]).messages) == 100


# -- debug ---------------------------------------------------------------------------------------


def test_debug_says_what_is_wrong() -> None:
    assert sensors("/debug").answer.status == 200
    assert len(sensors("/debug").messages) == 1
    decoded = sensors("/debug", event="1st")
    assert (decoded.answer.status, decoded.messages) == (400, [])
    assert answer_of(decoded)["errors"][0]["field"] == "event"
    broken = decode(post("/debug", b"data=AAAA", query="project=key"))
    assert broken.answer.status == 400


def test_a_dry_run_stores_nothing_and_quarantines_nothing() -> None:
    dry = {"dry-run": "true"}
    assert (sensors("/debug", dry).answer.status, sensors("/debug", dry).messages) == (200, [])
    bad = sensors("/debug", dry, event="1st")
    assert (bad.answer.status, bad.refused) == (400, [])
    assert len(sensors("/sa", dry).messages) == 1, "only the debug endpoint knows dry runs"


# -- identity of events --------------------------------------------------------------------------


def test_a_retry_of_the_same_body_gives_the_same_ids() -> None:
    events = [GOOD, GOOD, {**GOOD, "event": "View"}]
    first, second = ([m.event_id for m in many(*events).messages] for _ in range(2))
    assert first == second
    assert len(set(first)) == 3, "two equal events of one request are two events"


def test_a_track_id_tells_retries_whatever_the_time_of_sending() -> None:
    one = sensors(_track_id=77, _flush_time=NOW // 1000).messages[0]
    two = sensors(_track_id=77, _flush_time=NOW // 1000 + 900).messages[0]
    other = sensors(_track_id=78, _flush_time=NOW // 1000).messages[0]
    assert one.event_id == two.event_id != other.event_id


# -- HTTP ----------------------------------------------------------------------------------------


def test_the_library_and_the_address_are_context() -> None:
    [message] = sensors(lib={"$lib": "js", "$lib_version": "1.26"}, project="shop", properties={"$ip": "::1"}).messages
    assert message.context == {"library": {"name": "js", "version": "1.26"}, "project": "shop", "ip": "::1"}


def test_a_body_over_the_limit_is_answered_413() -> None:
    assert decode(post("/sa", b"data=" + b"A" * (20 * 1024 * 1024), query="project=key")).answer.status == 413


def test_a_browser_on_another_site_may_send_and_read_the_answer() -> None:
    headers = {"origin": "https://shop.example"}
    assert decode(WireRequest(method="OPTIONS", path="/sa", headers=headers)).answer.status == 204
    assert sensors("/sa", headers).answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert decode(WireRequest(method="PUT", path="/sa")).answer.status == 405


@pytest.mark.parametrize(
    ("trouble", "status", "wait"),
    [(Trouble.UNKNOWN_KEY, 401, None), (Trouble.TOO_MANY, 429, "3"), (Trouble.UNAVAILABLE, 503, "3")],
)
def test_the_sdk_is_told_why_it_must_stop_or_wait(trouble: Trouble, status: int, wait: str | None) -> None:
    answer = SENSORS.refuse(post("/sa", b""), trouble, 3)
    assert (answer.status, answer.headers.get("Retry-After")) == (status, wait)
