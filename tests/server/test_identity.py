"""Identity over HTTP: why ids are one person, what was refused, and taking a link back."""

from __future__ import annotations

import pytest

from tests.server.conftest import Client, Headers
from tilth.server.context import Context


@pytest.fixture
def signed_in(client: Client, write_key: Headers) -> None:
    events = [
        {"event": "view", "distinct_id": "anon", "timestamp": "2026-06-01T10:00:00Z"},
        {"type": "identify", "distinct_id": "lin", "anonymous_id": "anon", "timestamp": "2026-06-01T10:01:00Z"},
        {"event": "buy", "distinct_id": "lin", "timestamp": "2026-06-01T10:02:00Z"},
        {"type": "identify", "distinct_id": "wang", "anonymous_id": "anon", "timestamp": "2026-06-01T11:00:00Z"},
    ]
    answer = client.post("/api/v1/events", json=events, headers=write_key)
    assert answer.json()["accepted"] == 4


@pytest.mark.usefixtures("signed_in")
def test_a_person_shows_its_ids_and_the_reason_of_each_link(client: Client, admin: Headers) -> None:
    graph = client.get("/api/v1/people/anon/identity", headers=admin).json()
    assert {one["id"] for one in graph["ids"]} == {"anon", "lin"}
    applied, refused = graph["links"]
    assert (applied["verb"], applied["a"]["id"], applied["b"]["id"], applied["refused"]) == (
        "identify",
        "lin",
        "anon",
        "",
    )
    assert refused["refused"] == "both_identified:id"
    person = client.get("/api/v1/people/lin", headers=admin).json()
    assert person["uid"] == graph["uid"]
    timeline = client.get("/api/v1/people/lin/timeline", headers=admin).json()
    assert [e["event"] for e in timeline["events"] if not e["event"].startswith("$")] == ["buy", "view"]


@pytest.mark.usefixtures("signed_in")
def test_conflicts_are_listed_and_a_link_can_be_taken_back(client: Client, admin: Headers) -> None:
    page = client.get("/api/v1/identity/conflicts", headers=admin).json()
    assert page["reasons"] == [{"reason": "both_identified:id", "links": 1}]
    assert client.get("/api/v1/identity", headers=admin).json()["conflicts"] == 1
    key = client.get("/api/v1/people/lin/identity", headers=admin).json()["links"][0]["key"]
    assert client.post(f"/api/v1/identity/links/{key}/undo", headers=admin).json() == {"split": True}
    assert client.post("/api/v1/identity/links/nothing/undo", headers=admin).status_code == 404
    after = client.get("/api/v1/people/lin/timeline", headers=admin).json()
    assert [e["event"] for e in after["events"] if not e["event"].startswith("$")] == ["buy"]
    # With the first sign-in gone, the device belongs to the second.
    wang = client.get("/api/v1/people/wang/timeline", headers=admin).json()
    assert [e["event"] for e in wang["events"] if not e["event"].startswith("$")] == ["view"]
    assert client.get("/api/v1/identity/conflicts?cursor=x", headers=admin).status_code == 400


def test_only_operators_take_links_back(client: Client, tokens: dict[str, Headers]) -> None:
    assert client.post("/api/v1/identity/links/k/undo", headers=tokens["analyst"]).status_code == 403


@pytest.mark.usefixtures("signed_in")
def test_erasing_a_person_reaches_what_was_merged_into_it(client: Client, context: Context, admin: Headers) -> None:
    context.workspace.collect.flush()
    erased = client.post("/api/v1/people/anon/erase", headers=admin).json()
    assert erased["events_removed"] == 3
    for gone in ("anon", "lin"):
        assert client.get(f"/api/v1/people/{gone}", headers=admin).status_code == 404
    left = [t for t in context.workspace.lake.scan(["distinct_id"]) for t in t.column("distinct_id").to_pylist()]
    assert left == ["wang"]
    assert client.get("/api/v1/identity/conflicts", headers=admin).json()["conflicts"] == []
