"""Sources: keys, settings, privacy at the door, counters that add up, the debugger."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest

from tests.server.conftest import Client, Headers
from tests.server.live import live
from tests.server.test_endpoints import HOG, SEEN, basic, stored
from tilth.collect import Source, SourceSettings
from tilth.collect.model import Id, Message, Track
from tilth.collect.sources import Privacy
from tilth.collect.watching import Watch
from tilth.server.context import Context
from tilth.workspace import Workspace


@pytest.fixture
def source(context: Context) -> Source:
    return context.workspace.collect.sources.create("shop")


def set_to(context: Context, source: Source, **settings: Any) -> None:
    context.workspace.collect.sources.change(source.id, SourceSettings(**settings))


def send(client: Client, source: Source, *events: dict[str, Any], **headers: str) -> dict[str, Any]:
    made = [{"event": "seen", "distinct_id": "u1"} | one for one in events]
    answer = client.post(
        "/api/v1/events", json=made, headers={"Authorization": f"Bearer {source.write_key}", **headers}
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def rows(context: Context) -> list[dict[str, Any]]:
    return list(context.workspace.lake.tail().to_pylist())


def test_a_rotated_key_works_on_for_the_grace_and_not_without_one(
    client: Client, source: Source, admin: Headers
) -> None:
    renewed = client.post(f"/api/v1/sources/{source.id}/rotate", json={"grace_hours": 24}, headers=admin).json()
    assert renewed["write_key"] != source.write_key
    assert renewed["previous_until"]
    for key in (source.write_key, renewed["write_key"]):
        assert client.post("/v1/track", json=SEEN, headers=basic(key)).status_code == 200
    again = client.post(f"/api/v1/sources/{source.id}/rotate", headers=admin).json()
    for key, status in ((source.write_key, 401), (renewed["write_key"], 401), (again["write_key"], 200)):
        assert client.post("/v1/track", json=SEEN, headers=basic(key)).status_code == status
    assert client.delete(f"/api/v1/sources/{source.id}", headers=admin).status_code == 204
    assert client.post("/v1/track", json=SEEN, headers=basic(again["write_key"])).status_code == 401


def test_settings_are_kept_and_bad_ones_are_refused_by_name(client: Client, source: Source, admin: Headers) -> None:
    path = f"/api/v1/sources/{source.id}/settings"
    good = {"origins": ["https://*.shop.example"], "timezone": "Asia/Shanghai", "privacy": {"ip": "truncate"}}
    answer = client.put(path, json=good, headers=admin)
    assert answer.status_code == 200, answer.text
    assert answer.json()["settings"]["privacy"]["ip"] == "truncate"
    bad = [
        ({"origins": ["shop"]}, "origins[0]"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"privacy": {"ip": "burn"}}, "privacy.ip"),
        ({"colour": 1}, "colour"),
        ({"events_per_second": -1}, "events_per_second"),
    ]
    for body, field in bad:
        answer = client.put(path, json=body, headers=admin)
        assert answer.status_code == 400, body
        assert field in answer.text, (body, answer.text)
    assert client.put("/api/v1/sources/99/settings", json={}, headers=admin).status_code == 404


def test_pages_of_other_origins_are_refused_where_origins_are_set(
    client: Client, context: Context, source: Source
) -> None:
    set_to(context, source, origins=["https://*.shop.example", "http://localhost:3000"])
    for origin, status in (
        ("https://www.shop.example", 200),
        ("http://localhost:3000", 200),
        ("https://evilshop.example", 403),
        ("http://www.shop.example", 403),
        ("null", 403),
    ):
        for path, body in (("/v1/track", SEEN), ("/e/", HOG | {"api_key": source.write_key})):
            answer = client.post(path, json=body, headers=basic(source.write_key) | {"Origin": origin})
            assert answer.status_code == status, (origin, path, answer.text)
    # Servers have no origin.
    assert client.post("/v1/track", json=SEEN, headers=basic(source.write_key)).status_code == 200


def test_a_source_over_its_rate_is_told_to_wait_and_others_are_not(
    client: Client, context: Context, source: Source
) -> None:
    set_to(context, source, events_per_second=5)
    answers = [
        client.post("/v1/track", json=SEEN | {"messageId": f"m{n}"}, headers=basic(source.write_key)) for n in range(12)
    ]
    assert [a.status_code for a in answers][:10] == [200] * 10
    late = answers[-1]
    assert (late.status_code, int(late.headers["retry-after"]) >= 1) == (429, True)
    other = context.workspace.collect.sources.create("app")
    assert client.post("/v1/track", json=SEEN, headers=basic(other.write_key)).status_code == 200


def test_times_without_an_offset_are_in_the_sources_zone_and_defaults_fill_gaps(
    client: Client, context: Context, source: Source
) -> None:
    set_to(context, source, timezone="Asia/Shanghai", defaults={"channel": "mini-program", "shelf": 3})
    send(client, source, {"timestamp": "2026-06-01T08:00:00", "properties": {"shelf": 7}})
    (row,) = rows(context)
    assert row["ts"].isoformat() == "2026-06-01T00:00:00+00:00"
    assert row["p_channel"] == "mini-program"
    assert json.loads(row["props"]) == {"shelf": 7}


def test_a_source_may_have_smaller_bounds_than_its_format(client: Client, context: Context, source: Source) -> None:
    set_to(context, source, event_bytes=200)
    answer = send(client, source, {"properties": {"text": "x" * 500}}, {"properties": {"text": "x"}})
    assert (answer["accepted"], answer["quarantined"]) == (1, 1)
    set_to(context, source, batch_bytes=300)
    key = {"Authorization": f"Bearer {source.write_key}"}
    body = [{"event": "seen", "distinct_id": "u1", "properties": {"text": "x" * 500}}]
    assert client.post("/api/v1/events", json=body, headers=key).status_code == 413


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"context": {"consent": {"analytics": False}}}, 0),
        ({"context": {"consent": {"categoryPreferences": {"Analytics": False, "Ads": True}}}}, 0),
        ({"context": {"consentManagement": {"deniedConsentIds": ["analytics"]}}}, 0),
        ({"context": {"consent": {"ads": False}}}, 1),
        ({"context": {"consent": {"analytics": True}}}, 1),
        ({}, 1),
    ],
)
def test_who_denied_the_purpose_is_not_recorded(
    client: Client, context: Context, source: Source, told: dict[str, Any], kept: int
) -> None:
    answer = send(client, source, told)
    assert (answer["accepted"], answer["dropped"]) == (kept, 1 - kept)
    assert len(rows(context)) == kept
    # What was denied is nowhere, also not in quarantine.
    assert answer["quarantined"] == 0


def test_where_consent_must_be_given_silence_is_no_consent(client: Client, context: Context, source: Source) -> None:
    set_to(context, source, privacy=Privacy(unknown_consent="denied", purposes=["analytics", "marketing"]))
    both = {"context": {"consent": {"analytics": True, "marketing": True}}}
    one = {"context": {"consent": {"analytics": True}}}
    answer = send(client, source, {}, one, both)
    assert (answer["accepted"], answer["dropped"]) == (1, 2)


def test_do_not_track_is_honoured_unless_a_source_says_otherwise(
    client: Client, context: Context, source: Source
) -> None:
    for header in ({"DNT": "1"}, {"Sec-GPC": "1"}):
        assert send(client, source, {}, {"event": ""}, **header)["dropped"] == 2
    assert send(client, source, {}, DNT="0")["accepted"] == 1
    set_to(context, source, privacy=Privacy(do_not_track="ignore"))
    assert send(client, source, {}, DNT="1")["accepted"] == 1


def test_data_of_minors_is_refused_until_somebody_says_on_what_ground(
    client: Client, context: Context, source: Source
) -> None:
    set_to(context, source, privacy=Privacy(minors=True))
    assert send(client, source, {})["dropped"] == 1
    set_to(context, source, privacy=Privacy(minors=True, minors_basis="consent of the guardians, form 7"))
    assert send(client, source, {})["accepted"] == 1


def test_personal_data_is_dropped_hashed_or_cut_before_anything_is_stored(
    client: Client, context: Context, source: Source
) -> None:
    secret_words = {"name": "李梅", "phone": "13900001111", "city": "Hangzhou"}
    set_to(
        context,
        source,
        privacy=Privacy(
            ip="truncate", fields={"name": "drop", "phone": "hash", "city": "truncate"}, hashed_ids=["email"]
        ),
    )
    answer = send(
        client,
        source,
        {"properties": secret_words, "context": {"ip": "203.0.113.77"}, "identities": {"email": "Mei@shop.example"}},
        {"type": "profile", "traits": secret_words},
        {"event": "", "properties": secret_words},
    )
    assert (answer["accepted"], answer["quarantined"]) == (2, 1)
    seen = rows(context)
    first = next(row for row in seen if row["event"] == "seen")
    assert json.loads(first["context"])["ip"] == "203.0.113.0"
    props = json.loads(first["props"])
    assert props["city"] == "Han"
    assert len(props["phone"]) == 32
    traits = {t.name: t.value for t in context.workspace.people.get("u1").traits}
    assert traits == {"phone": props["phone"], "city": "Han"}
    with context.workspace.database.read() as connection:
        everything = "\n".join(
            str(list(connection.exec_driver_sql(f"SELECT * FROM {table}")))
            for table in ("quarantine", "trait", "person_id", "id_link")
        )
        payloads = b"".join(row[0] for row in connection.exec_driver_sql("SELECT payload FROM intake"))
    for word in ("李梅", "13900001111", "Hangzhou", "Mei@shop", "mei@shop", "203.0.113.77"):
        assert word not in everything, word
        assert word.encode() not in payloads, word
    assert "李梅" not in str(context.watch.since(0))


def test_what_a_source_sent_is_counted_and_adds_up(
    client: Client, context: Context, source: Source, admin: Headers
) -> None:
    send(client, source, {"event_id": "a"}, {"event_id": "b"}, {"event": ""})
    send(client, source, {"event_id": "a"}, {"context": {"consent": {"analytics": False}}})
    (found,) = client.get("/api/v1/sources", headers=admin).json()["sources"]
    assert found["last_week"] == {"received": 5, "accepted": 2, "duplicate": 1, "quarantined": 1, "dropped": 1}
    assert found["last_at"]
    text = client.get("/metrics").text
    assert 'tilth_events_ingested_total{outcome="dropped"} 1' in text


def test_only_a_source_with_the_right_may_force_two_signed_in_persons_into_one(
    client: Client, context: Context, source: Source, admin: Headers
) -> None:
    people = context.workspace.people

    def force(n: int) -> bool:
        for who in (f"a{n}", f"b{n}"):
            client.post(
                "/v1/identify", json={"userId": who, "anonymousId": f"{who}-anon"}, headers=basic(source.write_key)
            )
        event = {
            "api_key": source.write_key, "event": "$merge_dangerously", "distinct_id": f"a{n}",
            "properties": {"alias": f"b{n}"},
        }  # fmt: skip
        assert client.post("/e/", json=event).status_code == 200
        context.workspace.collect.catch_up()
        return people.find(f"a{n}") == people.find(f"b{n}")

    assert force(1) is False
    set_to(context, source, may_merge=True)
    assert force(2) is True
    # A person with the right may do so by hand, and undo it.
    merged = client.post("/api/v1/identity/merge", json={"person": "a1", "other": "b1"}, headers=admin)
    assert merged.json()["merged"] is True, merged.text
    assert people.find("a1") == people.find("b1")
    graph = client.get("/api/v1/people/a1/identity", headers=admin).json()
    link = next(one for one in graph["links"] if one["verb"] == "alias" and one["refused"] == "")
    assert client.post(f"/api/v1/identity/links/{link['key']}/undo", headers=admin).json()["split"] is True
    assert people.find("a1") != people.find("b1")
    missing = client.post("/api/v1/identity/merge", json={"person": "a1", "other": "nobody"}, headers=admin)
    assert missing.status_code == 404


def test_the_debugger_shows_what_was_understood_and_what_was_not(
    client: Client, context: Context, source: Source, admin: Headers
) -> None:
    client.post("/v1/track", json=SEEN, headers=basic("tilth_wk_unknown"))
    client.post("/v1/track", content=b"{", headers=basic(source.write_key))
    client.post("/v1/track", json=SEEN | {"properties": {"page": "/tea", "n": 1.5}}, headers=basic(source.write_key))
    found = client.get("/api/v1/debugger", headers=admin).json()
    assert [(one["status"], one["note"]) for one in found["requests"]] == [(401, "unknown_key"), (400, ""), (200, "")]
    understood = found["requests"][2]
    assert understood["messages"][0]["name"] == "seen"
    assert understood["messages"][0]["properties"]["page"] == "/tea"
    assert found["requests"][1]["refused"][0]["reason"]
    later = client.get("/api/v1/debugger", params={"after": found["newest"]}, headers=admin).json()
    assert later["requests"] == []
    assert client.get("/api/v1/debugger", params={"source": "other"}, headers=admin).json()["requests"] == []


def test_the_debugger_streams_and_does_not_keep_the_server_from_stopping(workspace: Workspace) -> None:
    from tilth.server.tokens import Tokens

    source = workspace.collect.sources.create("shop")
    token = Tokens(workspace.database).create("watcher", "operator", "test")[1]
    seen: list[str] = []
    first = threading.Event()
    with live(workspace) as address:

        def watch() -> None:
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.stream("GET", f"{address}/api/v1/debugger/stream", headers=headers, timeout=30) as stream:
                for line in stream.iter_lines():
                    first.set()
                    if line.startswith("data:"):
                        seen.append(line)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        assert first.wait(10)
        httpx.post(f"{address}/v1/track", json=SEEN, headers=basic(source.write_key))
        deadline = time.monotonic() + 10
        while not seen and time.monotonic() < deadline:
            time.sleep(0.05)
        assert json.loads(seen[0].removeprefix("data:"))["messages"][0]["name"] == "seen"
        started = time.monotonic()
    assert time.monotonic() - started < 20
    watcher.join(5)
    assert not watcher.is_alive()


def test_an_event_with_no_settings_is_stored_as_sent(client: Client, context: Context, source: Source) -> None:
    send(client, source, {})
    assert stored(context) == ["seen"]


def test_the_debugger_holds_no_more_than_its_share_of_memory() -> None:
    watch = Watch()
    large = {"text": "x" * 60_000}
    for n in range(400):
        messages: list[Message] = [
            Track(ids=(Id("id", "u1"),), ts=n, event_id=f"{n}-{k}", event="seen", properties=large) for k in range(10)
        ]
        messages.append(Track(ids=(Id("id", "u1"),), ts=n, event_id="h", event="huge", properties={"t": "x" * 99_000}))
        watch.add(n, "shop", "native", "/api/v1/events", 200, (11, 0, 0, 0), messages=messages)
    held = watch.since(0)
    assert held[-1].number == watch.newest == 400
    assert 40 < len(held) < 60
    assert (len(held[-1].messages), held[-1].more) == (10, 1)
    for n in range(400):
        watch.add(n, None, "native", "/api/v1/events", 401, (0, 0, 0, 0), "unknown_key")
    assert len(watch.since(0)) == 300


def test_what_is_refused_is_cleaned_or_dropped_as_well(client: Client, context: Context, source: Source) -> None:
    denied = {"event": "", "context": {"consent": {"analytics": False}}}
    assert send(client, source, denied)["dropped"] == 1
    set_to(context, source, privacy=Privacy(fields={"phone": "drop"}))
    deep = b'[{"event":"seen","distinct_id":"u1","properties":{"a":' + b"[" * 900 + b"]" * 900 + b"}}]"
    answer = client.post("/api/v1/events", content=deep, headers={"Authorization": f"Bearer {source.write_key}"})
    assert answer.status_code in (200, 413), answer.text
    send(client, source, {"context": {"traits": {"phone": "13900001111"}}, "properties": {"a": [{"phone": "139"}]}})
    assert "139" not in str(rows(context))
