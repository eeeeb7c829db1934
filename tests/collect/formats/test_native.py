"""Our own format: `POST /api/v1/events`."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
import zstandard

from tests.collect.formats.sending import NOW, SECOND, answer_of, body_of, decode, event, iso, native, post
from tilth.collect.formats import Outcome, Trouble, WireRequest
from tilth.collect.formats.native import NATIVE
from tilth.collect.model import Alias, Bind, Id, Identify, Operation, Profile, Track, Unbind

BEARER = {"authorization": "Bearer key"}


def test_an_event_has_a_name_a_person_and_properties() -> None:
    decoded = native(event(properties={"amount": 12.50}, context={"app": "pos"}, timestamp=iso(-60)))
    assert (decoded.key, decoded.refused) == ("key", [])
    assert decoded.messages == [
        Track(
            ids=(Id("id", "u1"),),
            ts=NOW - 60 * SECOND,
            event_id="e1",
            event="paid",
            properties={"amount": Decimal("12.5")},
            context={"app": "pos"},
        )
    ]


def test_an_array_one_object_or_one_a_line_are_the_same() -> None:
    events = [event(event_id=f"e{i}") for i in range(3)]
    lines = b"\n".join(map(body_of, events))
    expected = native(*events).messages
    assert decode(post("/api/v1/events", lines, BEARER)).messages == expected
    assert (
        decode(post("/api/v1/events", b"\r\n" + lines.replace(b"\n", b"\r\n\n") + b"\n", BEARER)).messages == expected
    )
    pretty = json.dumps(events[0], indent=2).encode()
    assert decode(post("/api/v1/events", pretty, BEARER)).messages == expected[:1]
    assert decode(post("/api/v1/events", json.dumps(events, indent=2).encode(), BEARER)).messages == expected


def test_gzip_and_zstd_are_known_by_their_first_bytes() -> None:
    body = body_of([event()])
    streamed = zstandard.ZstdCompressor().compressobj()
    unknown_size = streamed.compress(body) + streamed.flush()
    for packed in (gzip.compress(body), zstandard.compress(body), unknown_size):
        assert decode(post("/api/v1/events", packed, BEARER)).messages == native(event()).messages


# -- types ---------------------------------------------------------------------------------------


def test_identify_joins_all_ids_and_sets_traits() -> None:
    sent = event(
        type="identify",
        anonymous_id="a1",
        identities={"phone": "139", "email": ["a@b.c", "d@e.f"]},
        traits={"vip": True},
    )
    [message] = native(sent).messages
    assert isinstance(message, Identify)
    assert message.ids == (
        Id("id", "u1"),
        Id("phone", "139"),
        Id("email", "a@b.c"),
        Id("email", "d@e.f"),
        Id("id", "a1", anonymous=True),
    )
    assert message.operations == (Operation("set", {"vip": True}),)


def test_a_person_may_be_known_by_a_typed_id_alone() -> None:
    [message] = native(event(distinct_id=None, identities={"phone": "139"})).messages
    assert message.ids == (Id("phone", "139"),)


def test_alias_names_the_previous_id() -> None:
    [message] = native(event(type="alias", previous_id="p1")).messages
    assert isinstance(message, Alias)
    assert (message.ids, message.previous) == ((Id("id", "u1"),), Id("id", "p1"))
    [message] = native(event(type="alias", anonymous_id="a1")).messages
    assert isinstance(message, Alias)
    assert message.previous == Id("id", "a1", anonymous=True)


def test_bind_and_unbind_name_ids() -> None:
    [bind] = native(event(type="bind", identities={"phone": "139"})).messages
    assert isinstance(bind, Bind)
    assert bind.ids == (Id("id", "u1"), Id("phone", "139"))
    [unbind] = native(event(type="unbind", distinct_id=None, identities={"phone": "139"})).messages
    assert isinstance(unbind, Unbind)
    assert unbind.ids == (Id("phone", "139"),)


@pytest.mark.parametrize(
    ("verb", "traits", "operation"),
    [
        (None, {"a": 1}, Operation("set", {"a": 1})),
        ("set", {"a": None}, Operation("set", {"a": None})),
        ("set_once", {"a": 1}, Operation("set_once", {"a": 1})),
        ("increment", {"a": -1.5}, Operation("increment", {"a": Decimal("-1.5")})),
        ("append", {"a": ["x"]}, Operation("append", {"a": ["x"]})),
        ("remove", {"a": "x"}, Operation("remove", {"a": "x"})),
        ("unset", {"a": 1}, Operation("unset", {"a": None})),
        ("unset", ["a", "b"], Operation("unset", {"a": None, "b": None})),
        ("delete", None, Operation("delete")),
    ],
)
def test_profile_operations(verb: str | None, traits: Any, operation: Operation) -> None:
    [message] = native(event(type="profile", event=None, operation=verb, traits=traits)).messages
    assert isinstance(message, Profile)
    assert message.operations == (operation,)


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "dance"}, "type"),
        ({"type": None}, "type"),
        ({"event": None}, "event"),
        ({"event": "x" * 256}, "event"),
        ({"distinct_id": None}, "distinct_id"),
        ({"distinct_id": "undefined"}, "distinct_id"),
        ({"distinct_id": ["u1"]}, "distinct_id"),
        ({"anonymous_id": "null"}, "anonymous_id"),
        ({"identities": {"Phone!": "1"}}, "identities.Phone!"),
        ({"identities": {"phone": "none"}}, "identities.phone"),
        ({"identities": []}, "identities"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "1970-01-01"}, "timestamp"),
        ({"timestamp": iso(86_401)}, "timestamp"),
        ({"event_id": "x" * 256}, "event_id"),
        ({"properties": []}, "properties"),
        ({"context": 1}, "context"),
        ({"traits": "x"}, "traits"),
        ({"operation": "multiply", "traits": {"a": 1}}, "operation"),
        ({"operation": "increment", "traits": {"a": "1"}}, "traits.a"),
        ({"type": "identify", "distinct_id": None, "anonymous_id": "a"}, "distinct_id"),
        ({"type": "alias"}, "previous_id"),
        ({"type": "alias", "distinct_id": None, "previous_id": "p"}, "distinct_id"),
        ({"type": "bind"}, "identities"),
        ({"type": "unbind", "distinct_id": None}, "distinct_id"),
        ({"type": "profile"}, "traits"),
    ],
)
def test_an_event_that_cannot_be_taken_is_quarantined_with_its_field(changes: dict[str, Any], field: str) -> None:
    decoded = native(event(**changes), event(event_id="good"))
    assert (decoded.answer.status, [m.event_id for m in decoded.messages]) == (200, ["good"])
    assert [r.field for r in decoded.refused] == [field]
    assert json.loads(decoded.refused[0].raw) == event(**changes)


def test_a_line_that_is_not_json_leaves_the_others_alone() -> None:
    decoded = decode(post("/api/v1/events", body_of(event()) + b'\n{"event": \n' + body_of(event()), BEARER))
    assert (decoded.answer.status, len(decoded.messages), decoded.refused[0].raw) == (200, 2, '{"event":')


@pytest.mark.parametrize("body", [b"", b" \n ", b"{", b"not json", b"[1,", b"5", b"[5]", b"a\nb", b'"x"'])
def test_a_body_that_is_not_understood_is_a_problem_document(body: bytes) -> None:
    decoded = decode(post("/api/v1/events", body, BEARER))
    assert (decoded.answer.status, decoded.messages) == (400, [])
    assert decoded.answer.headers["Content-Type"] == "application/problem+json"
    problem = answer_of(decoded)
    assert (problem["type"], problem["status"], problem["field"]) == ("urn:tilth:error:invalid_input", 400, "body")


def test_no_events_at_all_are_nothing_wrong() -> None:
    assert native().answer.status == 200


def test_ten_thousand_events_fit_in_one_request() -> None:
    one = body_of(event())
    assert len(decode(post("/api/v1/events", b"[" + b",".join([one] * 10_000) + b"]", BEARER)).messages) == 10_000
    assert decode(post("/api/v1/events", b"[" + b",".join([one] * 10_001) + b"]", BEARER)).answer.status == 413
    assert decode(post("/api/v1/events", b"\n".join([one] * 10_001), BEARER)).answer.status == 413


# -- HTTP ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Basic a2V5Og==", "Bearer", "Bearer  ", "Bearer a\0b"])
def test_the_key_is_a_bearer_token(header: str) -> None:
    decoded = decode(post("/api/v1/events", [event()], {"authorization": header}))
    assert (decoded.answer.status, decoded.key, decoded.messages) == (401, None, [])
    assert decoded.answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_answer_counts_what_became_of_the_events() -> None:
    request = post("/api/v1/events", [event()], BEARER)
    decoded = decode(request)
    answer = NATIVE.settle(request, decoded, Outcome(accepted=0, duplicate=1, quarantined=0, as_of=9))
    assert json.loads(answer.body) == {"accepted": 0, "duplicate": 1, "quarantined": 0, "as_of": 9, "dropped": 0}


def test_only_post_is_taken() -> None:
    assert decode(WireRequest(method="GET", path="/api/v1/events", headers=BEARER)).answer.status == 405
    preflight = decode(WireRequest(method="OPTIONS", path="/api/v1/events", headers={"origin": "https://a.example"}))
    assert preflight.answer.headers["Access-Control-Allow-Origin"] == "https://a.example"


@pytest.mark.parametrize(
    ("trouble", "status", "kind"),
    [
        (Trouble.UNKNOWN_KEY, 401, "unauthorized"),
        (Trouble.TOO_MANY, 429, "limit_reached"),
        (Trouble.UNAVAILABLE, 503, "unavailable"),
    ],
)
def test_troubles_are_problem_documents(trouble: Trouble, status: int, kind: str) -> None:
    answer = NATIVE.refuse(post("/api/v1/events", b""), trouble, 3)
    assert (answer.status, json.loads(answer.body)["type"]) == (status, f"urn:tilth:error:{kind}")
    assert answer.headers.get("Retry-After") == (None if status == 401 else "3")
