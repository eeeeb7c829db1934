"""What holds for every input, by hypothesis."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collect.formats.fuzzing import BASIC, BEARER, NOW, decode_and_check
from tests.collect.formats.sending import coded, iso, post, segment_batch
from tilth.collect.formats import Limits, WireRequest
from tilth.collect.formats.compression import expand
from tilth.collect.formats.contract import Refusal
from tilth.collect.formats.forms import from_base64
from tilth.collect.formats.ids import person_id_text, write_key
from tilth.collect.formats.instants import corrected, instant
from tilth.collect.formats.json_body import check_depth, decimal_of, parse

# semantics.md, Identity.
NOBODY = {
    *["", "null", "none", "nil", "undefined", "nan", "true", "false", "0", "guest", "anonymous", "anonymous_id"],
    *["distinct_id", "distinctid", "id", "user_id", "not_authenticated", "[object object]"],
}
LIMITS = Limits(event=10_000, batch=100_000)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(
        ["u1", "null", "2026-11-18T07:06:40Z", 1_795_000_000_000, "track", "identify", "set", "$identify"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_FIELDS = {
    "segment": ["type", "userId", "anonymousId", "event", "name", "properties", "traits", "groupId", "previousId",
                "context", "timestamp", "originalTimestamp", "sentAt", "messageId", "channel"],
    "posthog": ["event", "distinct_id", "$distinct_id", "properties", "timestamp", "offset", "uuid", "$set",
                "$set_once", "$unset", "options", "session_id"],
    "sensors": ["type", "time", "distinct_id", "original_id", "event", "properties", "lib", "project", "identities",
                "anonymous_id", "login_id", "time_free", "item_type", "item_id", "_track_id", "_flush_time"],
    "native": ["type", "event", "distinct_id", "anonymous_id", "previous_id", "identities", "timestamp", "event_id",
               "properties", "traits", "operation", "context"],
}  # fmt: skip
_GOOD: dict[str, dict[str, Any]] = {
    "segment": {"type": "track", "userId": "u1", "event": "Paid"},
    "posthog": {"event": "paid", "distinct_id": "u1"},
    "sensors": {"type": "track", "event": "Pay", "distinct_id": "u1", "time": NOW // 1000},
    "native": {"event": "paid", "distinct_id": "u1"},
}


def batch_of(name: str, events: list[Any]) -> WireRequest:
    if name == "segment":
        return post("/v1/batch", {"batch": events, "sentAt": iso()}, BASIC)
    if name == "posthog":
        return post("/batch/", {"api_key": "key", "batch": events, "sent_at": iso()})
    if name == "sensors":
        return post("/sa", f"data_list={coded(events)}".encode(), query="project=key")
    return post("/api/v1/events", events, BEARER)


@pytest.mark.parametrize("name", list(_GOOD))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_event_sent_is_either_taken_or_quarantined(name: str, data: st.DataObject) -> None:
    changes = st.dictionaries(st.sampled_from(_FIELDS[name]), values, max_size=4)
    odd = changes.map(lambda more: {**_GOOD[name], **more}) | scalars
    events = data.draw(st.lists(odd, max_size=6))
    decoded = decode_and_check(batch_of(name, [*events, _GOOD[name]]))
    assert decoded is not None
    assert decoded.answer.status == 200, "one good event is enough"
    assert len(decoded.messages) + len(decoded.refused) == len(events) + 1
    assert decoded.messages, "the good one at least"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "OPTIONS", "PATCH"]),
    st.sampled_from(
        ["/v1/batch", "/v1/track", "/e", "/batch/", "/flags", "/sa", "/sa.gif", "/debug", "/api/v1/events"]
    ),
    st.text(max_size=60) | st.text("data=%&+_AbC0123=", max_size=60),
    st.dictionaries(
        st.sampled_from(
            ["authorization", "content-type", "content-encoding", "origin", "dry-run", "access-control-request-headers"]
        ),
        st.text(max_size=40)
        | st.sampled_from(["Basic a2V5Og==", "Bearer key", "application/x-www-form-urlencoded", "gzip"]),
    ),
    st.binary(max_size=200),
)
def test_any_request_at_all_gets_an_answer(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    decode_and_check(WireRequest(method=method, path=path, query=query, headers=headers, body=body))


# -- instants ------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_any_instant_in_any_zone_is_read_to_the_microsecond(moment: datetime, zone: timezone) -> None:
    aware = moment.replace(tzinfo=zone)
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert instant(aware.isoformat(), "t") == expected
    assert instant(f" {aware.isoformat()} ", "t") == expected
    naive = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert instant(moment.isoformat(), "t") == naive, "UTC where no offset is named"


@settings(deadline=None)
@given(st.integers(1_000_000_000, 4_000_000_000))
def test_seconds_milliseconds_and_microseconds_are_told_apart(seconds: int) -> None:
    for value in (seconds, str(seconds), seconds * 1_000, str(seconds * 1_000), seconds * 1_000_000, Decimal(seconds)):
        assert instant(value, "t") == seconds * 1_000_000


@settings(deadline=None)
@given(st.text() | st.integers() | st.decimals() | st.booleans() | st.lists(st.integers()))
def test_anything_else_as_a_time_is_an_instant_or_refused(value: Any) -> None:
    if isinstance(value, Decimal) and not value.is_finite():
        return  # No decoder makes one.
    with suppress(Refusal):
        assert isinstance(instant(value, "t"), int)


@settings(deadline=None)
@given(st.integers(-(10**16), 10**16), st.integers(0, 30 * 86_400 * 10**6))
def test_the_error_of_a_clock_does_not_matter_when_it_is_told(error: int, age: int) -> None:
    sent = NOW + error
    assert corrected(sent - age, sent, LIMITS, NOW, "t") == NOW - age


def test_a_batch_sent_twice_keeps_the_order_of_its_events() -> None:
    events = [{"type": "track", "userId": "u", "event": "a", "timestamp": iso(-s)} for s in (9, 6, 3)]
    for sent in (iso(), iso(5), iso(-9_999)):
        times = [m.ts for m in segment_batch(*events, sentAt=sent).messages]
        assert times == sorted(times)
        assert times[2] - times[0] == 6_000_000


# -- ids and keys --------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers().filter(lambda n: n != 0) | st.integers(10**250, 10**254))
def test_a_whole_number_as_an_id_is_its_decimal_text(number: int) -> None:
    assert person_id_text(number, "id") == str(number)


@settings(deadline=None)
@given(st.text())
def test_a_text_is_an_id_unchanged_or_names_nobody(text: str) -> None:
    try:
        assert person_id_text(text, "id") == (text or None)
    except Refusal:
        assert len(text) > 255 or "\0" in text or text.strip().lower() in NOBODY


@settings(deadline=None)
@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_a_key_is_printable_ascii_or_none(value: Any) -> None:
    key = write_key(value)
    assert key is None or (key == value.strip() and key.isascii() and key.isprintable())


# -- bodies --------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.binary(max_size=5_000), st.sampled_from(["gzip", "zstd", "deflate", "pieces", "stream"]))
def test_what_was_packed_is_unpacked(data: bytes, how: str) -> None:
    if how == "gzip":
        packed = gzip.compress(data)
    elif how == "zstd":
        packed = zstandard.compress(data)
    elif how == "deflate":
        packed = zlib.compress(data)
    elif how == "pieces":
        packed = gzip.compress(data[:100]) + gzip.compress(data[100:])
    else:
        stream = zstandard.ZstdCompressor().compressobj()
        packed = stream.compress(data) + stream.flush()
    assert expand(packed, 10_000, "deflate" if how == "deflate" else "") == data


@settings(deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"\x1f\x8b", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x28\xb5\x2f\xfd", b""]),
    st.booleans(),
)
def test_bytes_that_only_look_packed_are_refused_or_taken_as_they_are(data: bytes, magic: bytes, deflate: bool) -> None:
    with suppress(Refusal):
        assert len(expand(magic + data, 1_000, "deflate" if deflate else "gzip")) <= 1_000


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_base64_of_any_alphabet_and_padding_is_read(data: bytes) -> None:
    import base64

    for text in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        assert from_base64(text, "data") == data
        assert from_base64(text.rstrip("="), "data") == data
        assert from_base64(text.replace("+", " ") + "\r\n", "data") == data


def sound(value: Any) -> Any:
    """The oracle of mending: what Python's json module would have sent, with what JSON cannot say replaced."""
    if isinstance(value, float):
        return None if math.isnan(value) or math.isinf(value) else value
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [sound(v) for v in value]
    if isinstance(value, dict):
        return {sound(k): sound(v) for k, v in value.items()}
    return value


odd_texts = st.lists(
    st.sampled_from([*'aN"\\/u-{}[],:', "\ud83d", "\ude00", "é", "NaN", "Infinity", "\\ud800"]), max_size=8
).map("".join)


@settings(max_examples=500, deadline=None)
@given(
    st.recursive(
        st.floats() | odd_texts | st.integers(-(2**70), 2**70) | st.none(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_texts, inner, max_size=4),
        max_leaves=12,
    )
)
def test_whatever_pythons_json_module_writes_is_read(value: Any) -> None:
    assert parse(msgspec.json.Decoder(), json.dumps(value).encode()) == sound(value)


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_money_keeps_its_digits(amount: Decimal) -> None:
    assert decimal_of(f"{amount:f}") == amount


@settings(deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,50})(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,25})?", fullmatch=True))
def test_any_number_is_read_within_the_range_of_a_double(text: str) -> None:
    number = decimal_of(text)
    if number is None:
        assert math.isinf(float(text)) or abs(Decimal(text)) > Decimal("1e308")
    else:
        assert len(number.as_tuple().digits) <= 40
        assert float(number) == pytest.approx(float(text), rel=1e-12, abs=1e-300)


def depth_of(value: Any) -> int:
    if isinstance(value, (list, dict)):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth_of, inner), default=0)
    return 0


@settings(deadline=None)
@given(values, st.integers(1, 6))
def test_depth_is_counted_as_its_definition_counts_it(value: Any, depth: int) -> None:
    data = json.dumps(value).encode()
    if depth_of(value) > depth:
        with pytest.raises(Refusal) as refusal:
            check_depth(data, value, depth, "event")
        assert refusal.value.status == 413
    else:
        check_depth(data, value, depth, "event")
