"""Nothing a stranger sends breaks a decoder, stops it or makes it take memory without bound."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable

import pytest
import zstandard

from tests.collect.formats.fuzzing import BASIC, BEARER, NOW, decode_and_check, mutants, seeds
from tests.collect.formats.sending import coded, decode, native, post, segment, segment_batch
from tilth.collect.formats import FORMATS, Decoded, WireRequest, format_of

MB = 1024 * 1024


def everywhere(body: bytes) -> list[WireRequest]:
    """The same body to one endpoint of each kind."""
    return [
        post("/v1/track", body, BASIC),
        post("/v1/batch", body, BASIC),
        post("/e/", body),
        post("/batch/", body, query="token=key"),
        post("/flags/", body, query="token=key&v=2"),
        post("/i/v1/analytics/events", body, BEARER),
        post("/sa", b"data=" + coded(body).encode() if len(body) < 5 * MB else body, query="project=key"),
        post("/debug", body, query="project=key"),
        post("/api/v1/events", body, BEARER),
    ]


def within(seconds: float, megabytes: float, work: Callable[[], Decoded]) -> Decoded:
    """Run `work` and fail where it takes longer or more memory."""
    tracemalloc.start()
    started = time.process_time()
    try:
        found = work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < seconds
    assert peak < megabytes * MB
    return found


@pytest.mark.parametrize("request_", seeds(), ids=lambda r: f"{r.method} {r.path}")
def test_the_requests_the_fuzz_starts_from_are_good(request_: WireRequest) -> None:
    decoded = decode_and_check(request_)
    assert decoded is not None
    assert decoded.answer.status in (200, 204, 400 if request_.path == "/debug" else 200)
    assert decoded.messages or request_.path in ("/flags/", "/debug")


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_of_a_request_breaks_a_decoder(seed: int) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    for request in mutants(5_000, seed):
        decoded = decode_and_check(request)
        wire = format_of(request.path)
        if decoded is not None and wire is not None:
            seen[wire.name, decoded.answer.status] += 1
    for name in ("segment", "posthog", "native", "sensors"):
        assert seen[name, 200] > 50, "the fuzz gets past the first check"
        assert seen[name, 400] > 50


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("wire", [one.name for one in FORMATS])
def test_no_mutation_among_a_million_breaks_a_decoder(wire: str) -> None:
    slowest = 0.0
    for request in mutants(1_000_000, 2026, wire):
        started = time.thread_time()
        decode_and_check(request)
        slowest = max(slowest, time.thread_time() - started)
    assert slowest < 0.5


# -- bombs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", FORMATS, ids=lambda w: w.name)
@pytest.mark.parametrize("pack", ["gzip", "zstd", "zstd of unknown size", "gzip in pieces"])
def test_a_bomb_is_refused_before_it_is_expanded(wire: object, pack: str) -> None:
    zeros = b"0" * (64 * MB)
    if pack == "gzip":
        body = gzip.compress(zeros)
    elif pack == "gzip in pieces":
        body = gzip.compress(zeros[: 2 * MB]) * 15
    elif pack == "zstd":
        body = zstandard.compress(zeros)
    else:
        packer = zstandard.ZstdCompressor().compressobj()
        body = packer.compress(zeros) + packer.flush()
    path = {"segment": "/v1/batch", "posthog": "/batch/", "sensors": "/sa", "native": "/api/v1/events"}[wire.name]  # type: ignore[attr-defined]
    request = post(path, body, {**BASIC, **({} if path != "/api/v1/events" else BEARER)}, "token=key")
    decoded = within(3, 75, lambda: decode(request))
    assert decoded.answer.status == 413


def test_a_bomb_inside_base64_is_refused_before_it_is_expanded() -> None:
    bomb = coded(b"[" + b" " * (200 * MB), zipped=True)
    for request in (
        post("/sa", f"data={bomb}&gzip=1".encode(), query="project=key"),
        post("/e/", f"data={bomb}".encode(), query="token=key"),
        post("/v1/batch", f"data={bomb}".encode(), BASIC),
    ):
        assert within(3, 75, lambda request=request: decode(request)).answer.status == 413  # type: ignore[misc]


def test_a_bomb_in_a_bomb_is_only_bytes() -> None:
    decoded = decode(post("/e/", gzip.compress(gzip.compress(b"{}")), query="token=key"))
    assert decoded.answer.status == 400


@pytest.mark.parametrize(
    "body", [b"[" * 3_900_000, b'{"a":' * 700_000, b'{"batch":' + b"[" * 3_000_000, b'{"properties":' * 250_000]
)
def test_nesting_without_end_is_refused(body: bytes) -> None:
    for request in everywhere(body):
        decoded = within(3, 120, lambda request=request: decode(request))  # type: ignore[misc]
        assert decoded.messages == []
        assert decoded.answer.status in (200, 400, 413)


@pytest.mark.parametrize("one", [b"[]", b"{}", b"0", b'""', b'{"a":{}}'])
def test_millions_of_small_values_are_refused_before_they_take_memory(one: bytes) -> None:
    values = b",".join([one] * 2_100_000)
    for before, after in (
        (b"[", b"]"),
        (b'{"batch":[', b"]}"),
        (b'{"event":"a","distinct_id":"u","properties":{"a":[', b"]}}"),
    ):
        body = before + values + after
        if len(body) > 20 * MB:
            continue
        decoded = within(3, 3 * len(body) / MB + 20, lambda body=body: decode(post("/batch", body, query="token=key")))  # type: ignore[misc]
        assert (decoded.answer.status, decoded.messages) == (413, [])


def test_millions_of_fields_or_lines_are_refused() -> None:
    assert within(3, 80, lambda: decode(post("/sa", b"a=1&" * 4_000_000))).answer.status == 200
    assert within(3, 80, lambda: decode(post("/sa", b"data=" + b"%30" * 4_000_000))).answer.status == 413
    assert within(3, 80, lambda: decode(post("/api/v1/events", b"1\n" * 9_000_000, BEARER))).answer.status == 413


def test_a_text_of_ten_megabytes_is_only_a_long_text() -> None:
    text = "长" * (10 * MB // 3)
    for made in ({"properties": {"text": text}}, {"distinct_id": text}, {"event": text}, {"event_id": text}):
        decoded = within(5, 200, lambda made=made: native({"event": "a", "distinct_id": "u", **made}))  # type: ignore[misc]
        assert (decoded.answer.status, decoded.messages) == (413, [])
    fits = native({"event": "a", "distinct_id": "u", "properties": {"text": "x" * 1_000_000}})
    assert len(fits.messages) == 1


@pytest.mark.parametrize("text", [b"\\\\" * 5_000_000, b'\\"' * 5_000_000, b"\\ud800" * 1_600_000, b"NaN" * 3_300_000])
def test_mending_takes_time_in_proportion(text: bytes) -> None:
    body = b'{"event":"a","distinct_id":"u","properties":{"n":NaN,"t":"\\ud800' + text + b'"}}'
    decoded = within(5, 150, lambda: decode(post("/batch", body, query="token=key")))
    assert decoded.answer.status in (400, 413), "an event has at most 2 MB"


# -- JSON that is almost none --------------------------------------------------------------------


def test_of_a_key_given_twice_the_last_counts() -> None:
    body = b'{"userId":"u0","userId":"u1","event":"a","event":"Paid","messageId":"m1","properties":{"a":1,"a":2}}'
    [message] = decode(post("/v1/track", body, BASIC)).messages
    assert (message.ids[0].value, message.event, message.properties) == ("u1", "Paid", {"a": 2})  # type: ignore[union-attr]


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    body = (
        b'{"userId":"u1","event":"a","properties":{"t":"x\\ud83d","u":"\\ude00y","v":"\\ud83d\\ude00","w":"\\\\ud83d"}}'
    )
    [message] = decode(post("/v1/track", body, BASIC)).messages
    assert message.properties == {"t": "x\ufffd", "u": "\ufffdy", "v": "\U0001f600", "w": "\\ud83d"}  # type: ignore[union-attr]


def test_numbers_that_are_none_are_null_and_the_word_in_a_text_stays() -> None:
    body = b'{"userId":"u1","event":"a","properties":{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN, \\"Infinity"}}'
    [message] = decode(post("/v1/track", body, BASIC)).messages
    assert message.properties == {"a": None, "b": [None, None], "c": 'NaN, "Infinity'}  # type: ignore[union-attr]


def test_numbers_beyond_reason_stay_bounded() -> None:
    body = b'{"userId":"u1","event":"a","properties":{"a":1e400,"b":1e-400,"c":-1E+308,"d":%s,"e":0.%s}}'
    [message] = decode(post("/v1/track", body % (b"9" * 4_000, b"3" * 4_000), BASIC)).messages
    properties = message.properties  # type: ignore[union-attr]
    assert (properties["a"], properties["b"], properties["d"]) == (None, 0, 10**4_000 - 1)
    assert f"{properties['c']:f}" == "-1" + "0" * 308
    assert str(properties["e"]) == "0." + "3" * 38


def test_a_whole_number_of_more_digits_than_python_takes_spoils_only_its_event() -> None:
    large = b'{"type":"track","userId":"u1","event":"a","properties":{"n":' + b"9" * 5_000 + b"}}"
    body = b'{"batch":[' + large + b',{"type":"track","userId":"u1","event":"a"}]}'
    decoded = decode(post("/v1/batch", body, BASIC))
    assert (decoded.answer.status, len(decoded.messages), len(decoded.refused)) == (200, 1, 1)


def test_bytes_that_are_no_utf8_spoil_only_their_event() -> None:
    body = b'{"batch":[{"type":"track","userId":"u\xff","event":"a"},{"type":"track","userId":"u1","event":"a"}]}'
    decoded = decode(post("/v1/batch", body, BASIC))
    assert (len(decoded.messages), decoded.refused[0].raw) == (1, '{"type":"track","userId":"u\ufffd","event":"a"}')


def test_a_byte_order_mark_is_no_harm() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"userId": "u1", "event": "Paid"}).encode()
    assert len(decode(post("/v1/track", body, BASIC)).messages) == 1


@pytest.mark.parametrize("year", ["0001", "1969", "1970", "1989", "2099", "9999", "-001"])
def test_wrong_clocks_are_quarantined_and_never_an_error(year: str) -> None:
    when = f"{year}-01-01T00:00:00+14:00"
    assert segment(timestamp=when).refused[0].field == "timestamp"
    assert native({"event": "a", "distinct_id": "u", "timestamp": when}).refused[0].field == "timestamp"
    good = {"type": "track", "userId": "u", "event": "a"}
    assert segment_batch(good, sentAt=when).messages[0].ts == NOW


@pytest.mark.parametrize("cut", [1, 5, 20])
@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, zlib.compress])
def test_a_compressed_body_that_was_cut_is_malformed_never_half_taken(pack: Callable[[bytes], bytes], cut: int) -> None:
    lines = b"\n".join(json.dumps({"event": "a", "distinct_id": f"u{i}"}).encode() for i in range(500))
    encoding = {"content-encoding": "deflate"} if pack is zlib.compress else {}
    whole = decode(post("/api/v1/events", pack(lines), {**BEARER, **encoding}))
    assert len(whole.messages) == 500
    part = decode(post("/api/v1/events", pack(lines)[:-cut], {**BEARER, **encoding}))
    assert (part.answer.status, part.messages) == (400, [])


def test_paths_of_nobody_have_no_format() -> None:
    for path in ("", "/", "/api/v1/query/funnel", "/v2/track", "/static/e", "/sa.gif.png", "/api/v1/eventsx"):
        assert format_of(path) is None
