"""Segment and RudderStack: what their HTTP tracking API promises."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import msgspec
import pytest

from tests.collect.formats.sending import (
    BASIC,
    NOW,
    SECOND,
    answer_of,
    body_of,
    coded,
    decode,
    get,
    iso,
    post,
    segment,
    segment_batch,
)
from tilth.collect.formats import Limits, Outcome, Trouble, WireRequest
from tilth.collect.formats.segment import SEGMENT
from tilth.collect.model import Alias, Group, Id, Identify, Operation, Track

# -- what it means -------------------------------------------------------------------------------


def test_a_track_call_becomes_an_event_of_its_person() -> None:
    decoded = segment(properties={"total": 99.95, "sku": ["a"]}, context={"ip": "1.2.3.4"}, timestamp=iso(-60))
    assert decoded.key == "key"
    assert decoded.refused == []
    assert (decoded.answer.status, decoded.answer.body) == (200, b'{"success":true}')
    assert decoded.messages == [
        Track(
            ids=(Id("id", "u1"),),
            ts=NOW - 60 * SECOND,
            event_id="m1",
            event="Paid",
            properties={"total": Decimal("99.95"), "sku": ["a"]},
            context={"ip": "1.2.3.4"},
        )
    ]


def test_an_identify_call_names_both_ids_and_sets_the_traits() -> None:
    [message] = segment("/v1/identify", anonymousId="a1", traits={"email": "mei@shop.example"}).messages
    assert isinstance(message, Identify)
    assert message.ids == (Id("id", "u1"), Id("id", "a1", anonymous=True))
    assert message.operations == (Operation("set", {"email": "mei@shop.example"}),)


def test_traits_that_rudderstack_puts_into_the_context_are_the_persons() -> None:
    context = {"traits": {"city": "Chengdu", "age": 30}, "locale": "zh"}
    [message] = segment("/v1/identify", context=context, traits={"age": 31}).messages
    assert message.operations == (Operation("set", {"city": "Chengdu", "age": 31}),)
    assert message.context == {"locale": "zh"}


def test_an_alias_call_joins_the_previous_id() -> None:
    [message] = segment("/v1/alias", previousId="a1").messages
    assert isinstance(message, Alias)
    assert (message.ids, message.previous, message.forced) == ((Id("id", "u1"),), Id("id", "a1"), False)


def test_a_group_call_puts_the_person_into_the_group() -> None:
    [message] = segment("/v1/group", groupId=77, traits={"plan": "gold"}).messages
    assert isinstance(message, Group)
    assert (message.group_kind, message.group_id, message.ids) == ("group", "77", (Id("id", "u1"),))
    assert message.operations == (Operation("set", {"plan": "gold"}),)


@pytest.mark.parametrize("call", ["page", "screen"])
def test_page_and_screen_calls_are_events_with_the_name_as_a_property(call: str) -> None:
    [message] = segment(f"/v1/{call}", name="Home", category="Shop", properties={"path": "/"}).messages
    assert isinstance(message, Track)
    assert message.event == call
    assert message.properties == {"name": "Home", "category": "Shop", "path": "/"}


def test_the_path_says_what_a_single_call_is() -> None:
    [message] = segment("/v1/identify", type="track").messages
    assert isinstance(message, Identify)


@pytest.mark.parametrize(
    ("short", "kind"), [("t", Track), ("p", Track), ("s", Track), ("i", Identify), ("g", Group), ("a", Alias)]
)
def test_the_browser_sdks_one_letter_paths_are_the_same_calls(short: str, kind: type) -> None:
    [message] = segment(f"/v1/{short}", groupId="g", previousId="p").messages
    assert type(message) is kind


def test_a_person_without_a_user_id_is_anonymous() -> None:
    [message] = segment(userId=None, anonymousId="a1").messages
    assert message.ids == (Id("id", "a1", anonymous=True),)


def test_an_empty_user_id_is_none_at_all() -> None:
    [message] = segment(userId="", anonymousId="a1").messages
    assert message.ids == (Id("id", "a1", anonymous=True),)


@pytest.mark.parametrize(
    ("sent", "text"),
    [(12345, "12345"), (2**64, "18446744073709551616"), (10**40 + 7, "1" + "0" * 39 + "7"), (-5, "-5")],
)
def test_a_whole_number_as_an_id_keeps_its_exact_digits(sent: int, text: str) -> None:
    [message] = segment(userId=sent).messages
    assert message.ids == (Id("id", text),)


def test_a_decimal_as_an_id_keeps_the_digits_it_came_with() -> None:
    body = b'{"userId": 12.500, "event": "Paid"}'
    [message] = decode(post("/v1/track", body, BASIC)).messages
    assert message.ids == (Id("id", "12.500"),)


def test_a_batch_gives_its_context_to_events_and_theirs_wins() -> None:
    events = [{"type": "track", "userId": "u", "event": "a", "context": {"app": "b"}}]
    [message] = segment_batch(*events, context={"app": "a", "ip": "::1"}).messages
    assert message.context == {"app": "b", "ip": "::1"}


def test_an_event_without_an_id_of_its_own_is_given_one() -> None:
    one, two = segment_batch(*[{"type": "track", "userId": "u", "event": "a"}] * 2).messages
    [again] = segment(messageId=None).messages
    assert len({one.event_id, two.event_id, again.event_id}) == 3


# -- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["timestamp", "originalTimestamp"])
@pytest.mark.parametrize("wrong", [-10 * 365 * 86_400, -3_600, 0, 7_200, 20 * 365 * 86_400])
def test_a_wrong_clock_is_corrected_by_the_time_of_sending(field: str, wrong: float) -> None:
    """Happened 90 s before it was sent, by a clock that is off by hours or decades."""
    event = {"type": "track", "userId": "u", "event": "a", field: iso(wrong - 90)}
    [message] = segment_batch(event, sentAt=iso(wrong)).messages
    assert message.ts == NOW - 90 * SECOND


def test_without_a_time_of_sending_the_timestamp_is_taken_as_it_is() -> None:
    [message] = segment(timestamp="2024-02-29T12:00:00+08:00").messages
    assert message.ts == 1_709_179_200 * SECOND


def test_the_original_timestamp_wins_over_the_timestamp() -> None:
    [message] = segment(timestamp=iso(-9), originalTimestamp=iso(-5)).messages
    assert message.ts == NOW - 5 * SECOND


def test_an_events_own_time_of_sending_wins_over_the_batchs() -> None:
    event = {"type": "track", "userId": "u", "event": "a", "timestamp": iso(-10), "sentAt": iso(-4)}
    [message] = segment_batch(event, sentAt=iso(3_600)).messages
    assert message.ts == NOW - 6 * SECOND


def test_a_time_of_sending_that_is_nonsense_spoils_nothing() -> None:
    event = {"type": "track", "userId": "u", "event": "a", "timestamp": iso(-10)}
    for nonsense in ("yesterday", "1970-01-01T00:00:00Z", 10**30, {}, True):
        [message] = segment_batch(event, sentAt=nonsense).messages
        assert message.ts == NOW - 10 * SECOND, nonsense


def test_without_any_time_it_happened_now() -> None:
    assert segment().messages[0].ts == NOW


@pytest.mark.parametrize("when", ["1970-01-01T00:00:00Z", "2099-01-01", "-1", "soon", -1, 10**40, [], True])
def test_a_time_no_clock_can_show_goes_to_quarantine(when: object) -> None:
    decoded = segment(timestamp=when)
    assert (decoded.answer.status, decoded.messages) == (400, [])
    assert decoded.refused[0].field == "timestamp"


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"{", b"not json", b"[1,2]", b"null", b'"text"', b'{"batch": 5}', b'{"batch": {}}']
)
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
def test_what_is_not_the_json_expected_is_answered_400(path: str, body: bytes) -> None:
    decoded = decode(post(path, body, BASIC))
    assert decoded.answer.status == 400
    assert answer_of(decoded)["code"] == "invalid_request"
    assert decoded.messages == []
    assert len(decoded.refused) == 1, "and is kept for quarantine"


def test_an_event_that_names_nobody_is_answered_400() -> None:
    decoded = segment(userId=None)
    assert decoded.answer.status == 400
    assert "userId" in answer_of(decoded)["message"]


@pytest.mark.parametrize(
    "name", ["null", "None", "undefined", "NaN", "0", 0, True, False, "Guest", "[object Object]", " ", "x" * 256]
)
def test_an_id_that_names_nobody_goes_to_quarantine(name: object) -> None:
    decoded = segment(userId=name, anonymousId="a1")
    assert decoded.messages == []
    assert decoded.refused[0].field == "userId"
    assert json.loads(decoded.refused[0].raw)["anonymousId"] == "a1"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event": None}, "event"),
        ({"event": ""}, "event"),
        ({"event": 5}, "event"),
        ({"event": "x" * 256}, "event"),
        ({"event": "a\0b"}, "event"),
        ({"properties": []}, "properties"),
        ({"properties": "text"}, "properties"),
        ({"context": 5}, "context"),
        ({"userId": ["u1"]}, "userId"),
        ({"userId": "a\0b"}, "userId"),
        ({"messageId": "m" * 256}, "messageId"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named_in_the_refusal(changes: dict[str, object], field: str) -> None:
    decoded = segment(**changes)
    assert (decoded.answer.status, [r.field for r in decoded.refused]) == (400, [field])


@pytest.mark.parametrize(("call", "field"), [("alias", "previousId"), ("group", "groupId")])
def test_a_call_without_what_it_is_about_is_refused(call: str, field: str) -> None:
    assert segment(f"/v1/{call}").refused[0].field == field


def test_one_bad_event_of_a_batch_is_quarantined_and_the_others_are_taken() -> None:
    good = {"type": "track", "userId": "u", "event": "a"}
    decoded = segment_batch(good, {"type": "track", "event": "a"}, {"type": "dance", "userId": "u"}, 5, good)
    assert decoded.answer.status == 200
    assert len(decoded.messages) == 2
    assert [r.field for r in decoded.refused] == ["userId", "type", "event"]
    assert json.loads(decoded.refused[1].raw) == {"type": "dance", "userId": "u"}


def test_an_empty_batch_is_nothing_wrong() -> None:
    decoded = segment_batch()
    assert (decoded.answer.status, decoded.messages, decoded.refused) == (200, [], [])


# -- limits --------------------------------------------------------------------------------------


def test_an_event_of_32_kb_is_taken_and_one_byte_more_is_not() -> None:
    def event_of(size: int) -> bytes:
        frame = b'{"userId":"u1","event":"Paid","properties":{"text":"%s"}}'
        return frame % (b"x" * (size - len(frame) + 2))

    assert decode(post("/v1/track", event_of(32 * 1024), BASIC)).answer.status == 200
    decoded = decode(post("/v1/track", event_of(32 * 1024 + 1), BASIC))
    assert (decoded.answer.status, answer_of(decoded)["code"]) == (413, "too_large")


def test_an_event_over_the_limit_inside_a_batch_leaves_the_others_alone() -> None:
    large = {"type": "track", "userId": "u", "event": "a", "properties": {"text": "x" * 40_000}}
    decoded = segment_batch(large, {"type": "track", "userId": "u", "event": "a"})
    assert (decoded.answer.status, len(decoded.messages), len(decoded.refused)) == (200, 1, 1)
    assert segment_batch(large).answer.status == 413


def test_a_batch_of_4000_kb_is_the_largest() -> None:
    events = [{"type": "track", "userId": "u", "event": "a", "properties": {"t": "x" * 30_000}}] * 134
    body = body_of({"batch": events})
    padding = 4_000 * 1024 - len(body)
    assert padding > 0
    assert len(decode(post("/v1/batch", body + b" " * padding, BASIC)).messages) == 134
    assert decode(post("/v1/batch", body + b" " * (padding + 1), BASIC)).answer.status == 413
    assert decode(post("/v1/batch", gzip.compress(body + b" " * (padding + 1)), BASIC)).answer.status == 413


def test_nesting_of_200_levels_is_taken_and_one_more_is_not() -> None:
    def nested(levels: int) -> bytes:
        # The event itself is one of the levels.
        inside = b'{"a":' * (levels - 1) + b"1" + b"}" * (levels - 1)
        return b'{"userId":"u1","event":"Paid","properties":' + inside + b"}"

    assert decode(post("/v1/track", nested(200), BASIC)).answer.status == 200
    decoded = decode(post("/v1/track", nested(201), BASIC))
    assert (decoded.answer.status, decoded.messages) == (413, [])


def test_the_limits_can_be_set() -> None:
    limits = Limits(event=100, batch=200, depth=3, events=2)
    small = {"type": "track", "userId": "u", "event": "a"}
    assert decode(post("/v1/batch", {"batch": [small] * 2}, BASIC), limits).answer.status == 200
    assert decode(post("/v1/batch", {"batch": [small] * 3}, BASIC), limits).answer.status == 413
    deep = {**small, "properties": {"a": {"b": {}}}}
    assert decode(post("/v1/track", deep, BASIC), limits).answer.status == 413


# -- keys ----------------------------------------------------------------------------------------


def test_the_key_is_the_user_of_basic_authorisation_or_in_the_body_or_in_the_query() -> None:
    event = {"userId": "u1", "event": "Paid"}
    assert decode(post("/v1/track", {**event, "writeKey": "k2"}, BASIC)).key == "key"
    assert decode(post("/v1/track", {**event, "writeKey": "k2"})).key == "k2"
    assert decode(post("/v1/batch", {"batch": [], "writeKey": "k3"})).key == "k3"
    assert decode(post("/v1/track", event, query="writeKey=k4")).key == "k4"


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Basic Og==", "Bearer key", "Basic " + "A" * 9_999])
def test_without_a_key_the_answer_is_401(header: str) -> None:
    decoded = decode(post("/v1/track", {"userId": "u1", "event": "Paid"}, {"authorization": header}))
    assert (decoded.answer.status, decoded.key, decoded.messages) == (401, None, [])
    assert answer_of(decoded)["code"] == "invalid_write_key"


@pytest.mark.parametrize("key", ["a\0b", "naïve", "k" * 300, 5, [], {}])
def test_what_cannot_be_a_key_is_none(key: object) -> None:
    assert decode(post("/v1/track", {"userId": "u1", "event": "Paid", "writeKey": key})).key is None


# -- HTTP ----------------------------------------------------------------------------------------


def test_a_beacon_sends_its_event_as_base64_by_get_or_post() -> None:
    data = coded({"userId": "u1", "event": "Paid", "messageId": "m1"})
    by_get = decode(get("/v1/track", f"writeKey=key&data={data}"))
    by_post = decode(post("/v1/track", f"data={data}&writeKey=x".encode(), BASIC))
    assert by_get.messages == by_post.messages == segment().messages


def test_a_beacon_may_send_a_whole_batch() -> None:
    batch = {"batch": [{"type": "track", "userId": "u", "event": "a"}] * 2, "writeKey": "key"}
    assert len(decode(get("/v1/batch", f"data={coded(batch)}")).messages) == 2


def test_a_gzipped_body_is_known_by_its_first_bytes_not_by_its_header() -> None:
    body = gzip.compress(body_of({"userId": "u1", "event": "Paid", "messageId": "m1"}))
    for headers in ({}, {"content-encoding": "gzip"}, {"content-encoding": "identity"}):
        assert decode(post("/v1/track", body, {**BASIC, **headers})).messages == segment().messages
    plain = body_of({"userId": "u1", "event": "Paid", "messageId": "m1"})
    assert decode(post("/v1/track", plain, {**BASIC, "content-encoding": "gzip"})).messages == segment().messages


def test_an_unknown_call_is_answered_404_and_a_wrong_method_405() -> None:
    for path in ("/v1/dance", "/v1/", "/v1/x/track", "/v1/track/x", "/v1//track"):
        assert decode(post(path, {}, BASIC)).answer.status == 404
    assert decode(post("/v1/track/", {"userId": "u1", "event": "Paid"}, BASIC)).answer.status == 200
    decoded = decode(WireRequest(method="PUT", path="/v1/track", headers=BASIC))
    assert (decoded.answer.status, decoded.answer.headers["Allow"]) == (405, "GET, POST, OPTIONS")


def test_a_browser_on_another_site_may_send_and_read_the_answer() -> None:
    asked = {"origin": "https://shop.example", "access-control-request-headers": "content-type, authorization"}
    preflight = decode(WireRequest(method="OPTIONS", path="/v1/t", headers=asked)).answer
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type, authorization"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    sent = decode(post("/v1/t", {"userId": "u1", "event": "Paid"}, {**BASIC, "origin": "https://shop.example"}))
    assert sent.answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"


@pytest.mark.parametrize(
    "origin", ["https://a.example\r\nSet-Cookie: x=1", "https://a b", "javascript:alert(1)", "x" * 500]
)
def test_an_origin_that_is_none_is_not_mirrored(origin: str) -> None:
    headers = {"origin": origin, "access-control-request-headers": "a\r\nb"}
    answer = decode(WireRequest(method="OPTIONS", path="/v1/t", headers=headers)).answer
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Headers" not in answer.headers


@pytest.mark.parametrize(
    ("trouble", "status", "wait"),
    [(Trouble.UNKNOWN_KEY, 401, None), (Trouble.TOO_MANY, 429, "7"), (Trouble.UNAVAILABLE, 503, "7")],
)
def test_the_sdk_is_told_why_it_must_stop_or_wait(trouble: Trouble, status: int, wait: str | None) -> None:
    answer = SEGMENT.refuse(post("/v1/track", {}), trouble, 7)
    assert (answer.status, answer.headers.get("Retry-After")) == (status, wait)
    assert set(msgspec.json.decode(answer.body)) == {"success", "code", "message"}


def test_the_answer_does_not_depend_on_what_was_stored() -> None:
    decoded = segment()
    outcome = Outcome(accepted=0, duplicate=1, quarantined=0, as_of=5)
    assert SEGMENT.settle(post("/v1/track", {}), decoded, outcome) == decoded.answer


def test_the_browser_sdks_own_metrics_are_answered_and_forgotten() -> None:
    decoded = decode(post("/v1/m", {"series": []}))
    assert (decoded.answer.status, decoded.messages) == (200, [])
