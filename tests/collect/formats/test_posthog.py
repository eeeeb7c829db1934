"""PostHog's capture endpoints: what its SDKs rely on."""

from __future__ import annotations

import gzip
import json
import zlib
from decimal import Decimal
from typing import Any

import pytest

from tests.collect.formats.sending import NOW, SECOND, answer_of, body_of, coded, decode, get, iso, post, posthog
from tilth.collect.formats import Trouble, WireRequest
from tilth.collect.formats.posthog import POSTHOG
from tilth.collect.model import Alias, Group, Id, Identify, Operation, Profile, Track

_PATHS = ["/batch", "/i/v0/e", "/e", "/track", "/engage", "/capture"]


def batch(*events: dict[str, Any], **around: Any) -> Any:
    return decode(post("/batch/", {"api_key": "key", "batch": list(events), **around}))


# -- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", _PATHS)
def test_every_endpoint_takes_one_event_many_or_a_batch(path: str, slash: str) -> None:
    event = {"event": "paid", "distinct_id": "u1", "token": "key"}
    for body, count in ((event, 1), ([event, event], 2), ({"api_key": "key", "batch": [event] * 3}, 3)):
        decoded = decode(post(path + slash, body))
        assert (decoded.key, len(decoded.messages), decoded.refused) == ("key", count, [])
        expected = "Ok" if path in ("/batch", "/i/v0/e") else 1
        assert (decoded.answer.status, answer_of(decoded)) == (200, {"status": expected})


def test_gzip_is_known_by_its_first_bytes_never_by_the_query() -> None:
    event = {"event": "paid", "distinct_id": "u1", "token": "key", "uuid": "e1"}
    zipped = decode(post("/e/", gzip.compress(body_of(event)), query="compression=base64"))
    plain = decode(post("/e/", event, query="compression=gzip-js"))
    assert zipped.messages == plain.messages
    assert len(plain.messages) == 1


def test_the_base64_forms_of_browsers_are_read() -> None:
    event = {"event": "paid", "distinct_id": "u1", "token": "key", "uuid": "e1"}
    data = coded(event)
    ways = [
        get("/e/", f"data={data}&ip=1"),
        post("/e/", f"data={data}&compression=base64".encode()),
        post("/e/", f"data={data}".encode(), {"content-type": "application/x-www-form-urlencoded"}),
        post("/e/", coded(event).replace("%3D", "=").encode(), {"content-type": "text/plain"}),
        post("/e/", f"data={coded(event, zipped=True)}".encode()),
        post("/e/", b"data=" + body_of(event).replace(b" ", b"+")),
    ]
    for request in ways:
        assert decode(request).messages == decode(ways[0]).messages != [], request


def test_base64_in_the_url_alphabet_without_padding_is_base64_too() -> None:
    event = {"event": "p??>>~", "distinct_id": "ÿÿÿ", "token": "key"}
    import base64

    data = base64.urlsafe_b64encode(body_of(event)).decode().rstrip("=")
    [message] = decode(get("/e/", f"data={data}")).messages
    assert message.ids == (Id("id", "ÿÿÿ"),)


def test_a_beacon_is_answered_with_nothing() -> None:
    decoded = posthog(query="beacon=1")
    assert (decoded.answer.status, decoded.answer.body, len(decoded.messages)) == (204, b"", 1)


# -- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api_key", "token", "$token"])
def test_the_key_may_have_any_of_its_names(name: str) -> None:
    event = {"event": "paid", "distinct_id": "u1"}
    assert decode(post("/e", {**event, name: "key"})).key == "key"
    assert decode(post("/batch", {"batch": [event], name: "key"})).key == "key"
    assert decode(post("/batch", [{**event, name: "key"}, event])).key == "key"


def test_the_browsers_key_among_the_properties_is_taken_and_taken_out() -> None:
    decoded = posthog(api_key=None, properties={"token": "key", "plan": "gold"})
    assert decoded.key == "key"
    assert decoded.messages[0].properties == {"plan": "gold"}


def test_two_different_keys_in_one_body_are_answered_400() -> None:
    one = {"event": "paid", "distinct_id": "u1", "token": "key"}
    for body in (
        [one, {**one, "token": "other"}],
        {"api_key": "other", "batch": [one]},
        {**one, "api_key": "other"},
        {**one, "properties": {"token": "other"}},
    ):
        decoded = decode(post("/batch", body))
        assert (decoded.answer.status, decoded.messages, decoded.key) == (400, [], None)
        assert "inconsistent" in answer_of(decoded)["detail"]


def test_without_a_key_the_answer_is_401() -> None:
    decoded = decode(post("/e", {"event": "paid", "distinct_id": "u1"}))
    assert (decoded.answer.status, decoded.messages) == (401, [])
    assert answer_of(decoded)["type"] == "authentication_error"


# -- who -----------------------------------------------------------------------------------------


def test_the_outermost_distinct_id_wins() -> None:
    assert posthog(properties={"distinct_id": "inner"}).messages[0].ids == (Id("id", "u1"),)
    inner = posthog(distinct_id=None, properties={"distinct_id": "inner"}).messages[0]
    assert (inner.ids, inner.properties) == ((Id("id", "inner"),), {})


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (12345, "12345"),
        (2**70, str(2**70)),
        ([1, "a"], '[1,"a"]'),
        ({"id": 1.50}, '{"id":1.5}'),
        ("x" * 201, "x" * 200),
        ("é" * 250, "é" * 200),
        (10**220, "1" + "0" * 199),
    ],
)
def test_a_distinct_id_of_any_kind_becomes_text_of_at_most_200_characters(sent: object, text: str) -> None:
    assert posthog(distinct_id=sent).messages[0].ids == (Id("id", text),)


@pytest.mark.parametrize("sent", [None, "", "undefined", "NULL", "[object Object]", 0, False, "a\0b"])
def test_an_event_that_names_nobody_is_answered_400_and_kept(sent: object) -> None:
    decoded = posthog(distinct_id=sent)
    assert (decoded.answer.status, decoded.messages, len(decoded.refused)) == (400, [], 1)
    assert decoded.refused[0].field == "distinct_id"


def test_somebody_the_sdk_does_not_know_is_anonymous() -> None:
    for said in ({"$is_identified": False}, {"$process_person_profile": False}):
        assert posthog(properties=said).messages[0].ids == (Id("id", "u1", anonymous=True),)


def test_identify_joins_the_anonymous_id() -> None:
    [message] = posthog(event="$identify", properties={"$anon_distinct_id": "a1", "$set": {"vip": True}}).messages
    assert isinstance(message, Identify)
    assert message.ids == (Id("id", "u1"), Id("id", "a1", anonymous=True))
    assert message.operations == (Operation("set", {"vip": True}),)
    assert message.properties == {}


@pytest.mark.parametrize(("name", "forced"), [("$create_alias", False), ("$merge_dangerously", True)])
def test_aliases_name_the_other_id_and_whether_to_force_it(name: str, forced: bool) -> None:
    [message] = posthog(event=name, properties={"alias": "a1"}).messages
    assert isinstance(message, Alias)
    assert (message.ids, message.previous, message.forced) == ((Id("id", "u1"),), Id("id", "a1"), forced)
    assert posthog(event=name).refused[0].field == "properties.alias"


# -- what is known of the person -----------------------------------------------------------------


def test_person_properties_are_read_beside_and_among_the_properties() -> None:
    decoded = posthog(
        properties={"$set": {"a": 1, "b": 1}, "$set_once": {"c": 1}, "$unset": ["d"], "price": 2.5},
        **{"$set": {"b": 2}, "$set_once": {"e": 1}},
    )
    [message] = decoded.messages
    assert isinstance(message, Track)
    assert message.operations == (
        Operation("set", {"a": 1, "b": 2}),
        Operation("set_once", {"c": 1, "e": 1}),
        Operation("unset", {"d": None}),
    )
    assert message.properties == {"price": Decimal("2.5")}


@pytest.mark.parametrize("name", ["$set", "$set_once", "$unset"])
def test_an_event_that_only_tells_of_the_person_is_a_profile_operation(name: str) -> None:
    [message] = posthog(event=name, **{name: {"city": "Chengdu"}}).messages
    assert isinstance(message, Profile)
    assert message.operations[0].verb == name[1:]
    assert list(message.operations[0].traits) == ["city"]


def test_the_older_engage_endpoint_needs_no_event_name() -> None:
    body = {"token": "key", "$distinct_id": "u1", "$set": {"city": "Chengdu"}}
    [message] = decode(post("/engage/", body)).messages
    assert isinstance(message, Profile)
    assert (message.ids, message.operations) == ((Id("id", "u1"),), (Operation("set", {"city": "Chengdu"}),))
    assert decode(post("/e/", body)).refused[0].field == "event"


def test_a_groups_traits_are_set_and_the_sender_belongs_to_it_only_where_it_says_so() -> None:
    told = {"$group_type": "company", "$group_key": "acme", "$group_set": {"plan": "gold"}}
    [by_server] = posthog(event="$groupidentify", distinct_id="made-up", properties=told).messages
    assert isinstance(by_server, Group)
    assert (by_server.group_kind, by_server.group_id, by_server.ids) == ("company", "acme", ())
    assert by_server.operations == (Operation("set", {"plan": "gold"}),)
    [by_browser] = posthog(event="$groupidentify", properties={**told, "$groups": {"company": "acme"}}).messages
    assert by_browser.ids == (Id("id", "u1"),)


def test_the_address_moves_to_where_the_privacy_rules_look() -> None:
    [message] = posthog(properties={"$ip": "1.2.3.4", "$lib": "web", "$lib_version": "1.9"}).messages
    assert message.context == {"ip": "1.2.3.4", "library": {"name": "web", "version": "1.9"}}
    assert "$ip" not in message.properties


# -- time and identity of events -----------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-10 * 365 * 86_400, -3_600, 0, 7_200])
def test_a_wrong_clock_is_corrected_by_the_time_of_sending(wrong: float) -> None:
    event = {"event": "paid", "distinct_id": "u1", "timestamp": iso(wrong - 30)}
    assert batch(event, sent_at=iso(wrong)).messages[0].ts == NOW - 30 * SECOND
    by_query = post("/e", {**event, "token": "key"}, query=f"_={int(NOW / 1000 + wrong * 1000)}")
    assert decode(by_query).messages[0].ts == NOW - 30 * SECOND


def test_an_event_may_ask_for_its_time_to_be_left_alone() -> None:
    event = {"event": "paid", "distinct_id": "u1", "timestamp": iso(-30), "properties": {"$ignore_sent_at": True}}
    assert batch(event, sent_at=iso(-3_600)).messages[0].ts == NOW - 30 * SECOND


def test_an_offset_says_how_many_milliseconds_ago() -> None:
    assert posthog(offset=1_500).messages[0].ts == NOW - 1_500_000
    for nonsense in ("soon", None, [], {}):
        assert posthog(offset=nonsense).messages[0].ts == NOW
    assert posthog(offset=10**30).refused[0].field == "offset"


def test_the_uuid_is_the_events_id_and_else_the_insert_id_and_else_a_new_one() -> None:
    assert posthog(properties={"$insert_id": "i1"}).messages[0].event_id == "e1"
    assert posthog(uuid=None, properties={"$insert_id": "i1"}).messages[0].event_id == "i1"
    one, two = (posthog(uuid=None).messages[0].event_id for _ in range(2))
    assert one != two


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"not json", b"[]", b"5", b'"x"', b"null", b'{"api_key":"key","batch":[]}']
)
@pytest.mark.parametrize("path", _PATHS)
def test_what_holds_no_event_is_answered_400(path: str, body: bytes) -> None:
    decoded = decode(post(path, body))
    assert (decoded.answer.status, decoded.messages) == (400, [])
    assert answer_of(decoded)["type"] == "validation_error"


def test_one_bad_event_of_a_batch_is_quarantined_and_the_others_are_taken() -> None:
    good = {"event": "paid", "distinct_id": "u1"}
    decoded = batch(good, {"event": "paid"}, {**good, "event": ""}, {**good, "properties": 5}, good)
    assert (decoded.answer.status, len(decoded.messages)) == (200, 2)
    assert [r.field for r in decoded.refused] == ["distinct_id", "event", "properties"]
    assert json.loads(decoded.refused[0].raw) == {"event": "paid"}


def test_an_event_over_2_mb_and_a_body_over_20_mb_are_answered_413() -> None:
    assert posthog(properties={"text": "x" * (2 * 1024 * 1024 - 200)}).answer.status == 200
    assert posthog(properties={"text": "x" * (2 * 1024 * 1024)}).answer.status == 413
    decoded = decode(post("/batch", b"[" + b" " * 20 * 1024 * 1024 + b"]"))
    assert (decoded.answer.status, answer_of(decoded)["type"]) == (413, "payload_too_large")


# -- the newer endpoint --------------------------------------------------------------------------


def test_the_newer_endpoint_answers_for_each_event() -> None:
    events = [
        {
            "event": "paid",
            "uuid": "e1",
            "distinct_id": "u1",
            "timestamp": iso(-3_610),
            "session_id": "s",
            "options": {},
        },
        {"event": "paid", "uuid": "e2", "distinct_id": "undefined", "timestamp": iso(), "options": {}},
        {"event": "seen", "uuid": "e3", "distinct_id": "x", "options": {"process_person_profile": False}},
    ]
    headers = {"authorization": "Bearer key", "posthog-request-timestamp": iso(-3_600), "content-encoding": "deflate"}
    decoded = decode(post("/i/v1/analytics/events", zlib.compress(body_of({"batch": events})), headers))
    assert (decoded.key, decoded.answer.status) == ("key", 200)
    results = answer_of(decoded)["results"]
    assert {uid: r["result"] for uid, r in results.items()} == {"e1": "ok", "e2": "drop", "e3": "ok"}
    paid, seen = decoded.messages
    assert paid.ts == NOW - 10 * SECOND, "corrected by when the request says it was sent"
    assert paid.properties["$session_id"] == "s"
    assert seen.ids[0].anonymous


# -- flags ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/flags", "/flags/"])
def test_no_flags_are_defined_for_anybody(path: str) -> None:
    decoded = decode(post(path, {"token": "key", "distinct_id": "u1"}, query="v=2"))
    assert (decoded.key, decoded.messages, decoded.answer.status) == ("key", [], 200)
    answer = answer_of(decoded)
    assert (answer["flags"], answer["errorsWhileComputingFlags"]) == ({}, False)
    assert "featureFlags" not in answer
    assert answer["requestId"]


def test_each_version_of_flags_and_decide_has_its_shape() -> None:
    def asked(path: str, query: str) -> dict[str, Any]:
        return answer_of(decode(get(path, f"token=key&{query}")))  # type: ignore[no-any-return]

    assert asked("/flags", "")["featureFlags"] == {}
    assert asked("/flags", "v=4")["flags"] == {}
    assert asked("/decide", "v=1")["featureFlags"] == []
    assert asked("/decide/", "v=3")["featureFlagPayloads"] == {}
    assert asked("/decide", "v=4")["flags"] == {}
    assert asked("/decide", "v=3")["sessionRecording"] is False
    assert asked("/flags", "v=2&config=true")["supportedCompression"] == ["gzip", "gzip-js"]
    assert "sessionRecording" not in asked("/flags", "v=2")


def test_flags_need_a_key_too() -> None:
    assert decode(post("/flags/", {"distinct_id": "u1"}, query="v=2")).answer.status == 401
    assert decode(post("/flags/", {"token": "a", "api_key": "b"}, query="v=2")).answer.status == 400
    assert decode(post("/flags/", b"{", query="v=2")).answer.status == 400


# -- HTTP ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*_PATHS, "/flags/", "/decide/"])
def test_a_browser_on_another_site_may_send_and_read_the_answer(path: str) -> None:
    headers = {"origin": "https://shop.example", "access-control-request-headers": "content-type"}
    preflight = decode(WireRequest(method="OPTIONS", path=path, headers=headers)).answer
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
    body = {"token": "key", "event": "$set", "distinct_id": "u1"}
    sent = decode(post(path, body, {"origin": "https://shop.example"})).answer
    assert (sent.status, sent.headers["Access-Control-Allow-Origin"]) == (200, "https://shop.example")


def test_other_methods_are_answered_405() -> None:
    assert decode(WireRequest(method="DELETE", path="/e")).answer.status == 405


@pytest.mark.parametrize(
    ("trouble", "status", "wait"),
    [(Trouble.UNKNOWN_KEY, 401, None), (Trouble.TOO_MANY, 429, "3"), (Trouble.UNAVAILABLE, 503, "3")],
)
def test_the_sdk_is_told_why_it_must_stop_or_wait(trouble: Trouble, status: int, wait: str | None) -> None:
    answer = POSTHOG.refuse(post("/batch", {}), trouble, 3)
    assert (answer.status, answer.headers.get("Retry-After")) == (status, wait)
    assert json.loads(answer.body)["detail"]
