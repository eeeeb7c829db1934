"""Profiles of many people, completeness, groups and things, over HTTP."""

from __future__ import annotations

from tests.server.conftest import Client, Headers


def test_profiles_are_changed_and_shown_with_their_types(client: Client, admin: Headers, write_key: Headers) -> None:
    plan = {"traits": {"salary": {"type": "money", "pii": "sensitive"}}}
    assert client.put("/api/v1/plan", json={"plan": plan}, headers=admin).status_code == 200
    rows = [
        {"id": "lin", "set": {"salary": {"amount": "100.00", "currency": "CNY"}, "home": {"lat": 30.2, "lng": 120.1}}},
        {
            "id": "13800000000",
            "kind": "phone",
            "set": {"city": "杭州", "joined": "2026-01-02"},
            "append": {"likes": ["茶"]},
        },
        {"id": "null", "set": {"city": "x"}},
    ]
    done = client.post("/api/v1/people/traits", json={"rows": rows, "create": True}, headers=admin)
    assert done.status_code == 200
    assert (done.json()["people"], done.json()["written"], done.json()["unknown"]) == (2, 5, 0)
    assert done.json()["refused"] == [{"row": 2, "field": "id", "reason": "'null' names nobody"}]
    lin = client.get("/api/v1/people/lin", headers=admin).json()
    assert {t["name"]: (t["type"], t["pii"]) for t in lin["traits"]} == {
        "home": ("place", None),
        "salary": ("money", "sensitive"),
    }
    other = client.get("/api/v1/people/13800000000", headers=admin).json()
    assert {t["name"]: t["type"] for t in other["traits"]} == {"city": "text", "joined": "date", "likes": "list"}
    assert other["portrait"]["completeness"]["missing"] == ["name", "birthday", "gender", "level", "email"]


def test_bad_rows_are_named(client: Client, admin: Headers) -> None:
    for body, field in (
        ({"rows": []}, "rows"),
        ({"rows": [{"id": "a", "sett": {}}]}, "rows[0]"),
        ({"rows": [{"id": "a", "set": {"": 1}}]}, "rows[0].set"),
        ({"rows": [{"id": 7, "set": {"a": 1}}]}, "rows[0].id"),
        ({"rows": [{"id": "a", "set": {"a": 1}}], "source": "guessed"}, "source"),
        ({"rows": [{"id": "a", "set": {"a": 1}}], "confidence": 0}, "confidence"),
    ):
        answer = client.post("/api/v1/people/traits", json=body, headers=admin)
        assert answer.status_code in (400, 422), body
        assert field in answer.text, (field, answer.text)


def test_completeness_and_its_fields(client: Client, admin: Headers) -> None:
    rows = [{"id": "a", "set": {"city": "x"}}, {"id": "b", "set": {"job": "y"}}]
    client.post("/api/v1/people/traits", json={"rows": rows, "create": True}, headers=admin)
    fields = [{"name": "city", "weight": 3}, {"name": "phone"}]
    chosen = client.put("/api/v1/portraits/fields", json={"fields": fields}, headers=admin)
    assert chosen.json()["fields"] == [{"name": "city", "weight": 3.0}, {"name": "phone", "weight": 1.0}]
    found = client.get("/api/v1/portraits", headers=admin).json()
    assert (found["people"], found["completeness"], found["several"]) == (2, 3 / 8, 0)
    assert [(c["channel"], c["people"]) for c in found["channels"]] == [("id", 2)]
    twice = client.put("/api/v1/portraits/fields", json={"fields": [{"name": "a"}, {"name": "a"}]}, headers=admin)
    assert (twice.status_code, twice.json()["field"]) == (400, "fields[1].name")


def test_things_are_listed(client: Client, admin: Headers, write_key: Headers) -> None:
    key = write_key["Authorization"].removeprefix("Bearer ")
    group = {"userId": "lin", "groupId": "qh", "traits": {"size": 9}, "messageId": "m"}
    assert client.post("/v1/group", json=group, auth=(key, "")).status_code == 200
    assert client.get("/api/v1/things/kinds", headers=admin).json() == {"kinds": [{"kind": "group:group", "things": 1}]}
    page = client.get("/api/v1/things", params={"kind": "group:group", "q": "q"}, headers=admin).json()
    assert [(one["id"], [(t["name"], t["value"]) for t in one["traits"]]) for one in page["things"]] == [
        ("qh", [("size", 9)])
    ]
    assert client.get("/api/v1/things", headers=admin).status_code == 400
