"""The tracking plan: observe, enforce, infer, YAML, replay after a fix, drift."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.conftest import Client, Headers
from tilth.collect import Event, Source
from tilth.collect.drift import DriftNotices
from tilth.collect.observed import Drift, infer_plan, observe
from tilth.collect.plan import EventPlan, Plan, PropertyPlan
from tilth.collect.plan_yaml import plan_of_yaml, plan_yaml
from tilth.errors import InvalidInput, NotFound
from tilth.server.context import Context
from tilth.state import Database

PLAN = """
mode: observe
events:
  purchase:
    owner: shop team
    closed: true
    properties:
      amount: {type: number, required: true}
      channel: {type: text, allowed: [app, web]}
      paid_at: date
"""


@pytest.fixture
def source(context: Context) -> Source:
    return context.workspace.collect.sources.create("shop")


def send(client: Client, source: Source, *events: dict[str, Any]) -> dict[str, Any]:
    made = [{"event": "purchase", "distinct_id": "u1"} | one for one in events]
    answer = client.post("/api/v1/events", json=made, headers={"Authorization": f"Bearer {source.write_key}"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


GOOD = {"properties": {"amount": 12.5, "channel": "app", "paid_at": "2026-06-01"}}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"properties": {"channel": "app"}}, "properties.amount"),
    ({"properties": {"amount": "12.5"}}, "properties.amount"),
    ({"properties": {"amount": True}}, "properties.amount"),
    ({"properties": {"amount": 1, "channel": "fax"}}, "properties.channel"),
    ({"properties": {"amount": 1, "paid_at": "yesterday"}}, "properties.paid_at"),
    ({"properties": {"amount": 1, "colour": "red"}}, "properties.colour"),
]


def test_observing_takes_everything_and_says_where_it_differs(
    client: Client, context: Context, source: Source, admin: Headers
) -> None:
    assert client.put("/api/v1/plan", json={"yaml": PLAN}, headers=admin).json()["version"] == 1
    answer = send(client, source, GOOD, *(one for one, _ in BAD), {"event": "unplanned"})
    assert (answer["accepted"], answer["quarantined"]) == (8, 0)
    issues = client.get("/api/v1/plan/issues", headers=admin).json()["issues"]
    assert {one["field"] for one in issues} == {field for _, field in BAD}
    assert sum(one["events"] for one in issues) == len(BAD)
    assert client.delete("/api/v1/plan/issues", headers=admin).status_code == 204
    assert client.get("/api/v1/plan/issues", headers=admin).json()["issues"] == []


def test_enforcing_quarantines_and_a_fix_lets_it_be_replayed(
    client: Client, context: Context, source: Source, admin: Headers
) -> None:
    client.put("/api/v1/plan", json={"yaml": PLAN.replace("mode: observe", "mode: enforce")}, headers=admin)
    answer = send(client, source, GOOD, *(one for one, _ in BAD))
    assert (answer["accepted"], answer["quarantined"]) == (1, len(BAD))
    held = client.get("/api/v1/quarantine", headers=admin).json()["rows"]
    assert {row["column"] for row in held} == {field for _, field in BAD}
    assert all("tracking plan" in row["detail"] for row in held)
    ids = [row["id"] for row in held]
    replay = {"ids": ids}
    unchanged = client.post("/api/v1/quarantine/replay", json=replay, headers=admin).json()
    assert (unchanged["accepted"], unchanged["still_quarantined"]) == (0, len(BAD))
    # The fix is to the plan: these are right after all.
    client.put("/api/v1/plan", json={"plan": {"mode": "enforce"}}, headers=admin)
    mended = client.post("/api/v1/quarantine/replay", json=replay, headers=admin).json()
    assert (mended["accepted"], mended["still_quarantined"]) == (len(BAD), 0)
    again = client.post("/api/v1/quarantine/replay", json=replay, headers=admin).json()
    assert again["accepted"] == 0


def test_one_event_can_be_enforced_alone_and_strangers_refused(client: Client, source: Source, admin: Headers) -> None:
    plan = {"closed": True, "mode": "enforce", "events": {"purchase": {"mode": "observe", "closed": True}}}
    assert client.put("/api/v1/plan", json={"plan": plan}, headers=admin).status_code == 200
    answer = send(client, source, {"properties": {"amount": 1}}, {"event": "stranger"})
    assert (answer["accepted"], answer["quarantined"]) == (1, 1)


def test_traits_are_checked_too(client: Client, source: Source, admin: Headers) -> None:
    client.put("/api/v1/plan", json={"yaml": "mode: enforce\ntraits: {birthday: date}\n"}, headers=admin)
    answer = send(
        client, source,
        {"type": "profile", "traits": {"birthday": "soon"}},
        {"type": "profile", "traits": {"birthday": "1990-02-03", "city": "Hangzhou"}},
    )  # fmt: skip
    assert (answer["accepted"], answer["quarantined"]) == (1, 1)


def test_classes_of_the_plan_are_treated_as_the_source_says(
    client: Client, context: Context, source: Source, admin: Headers
) -> None:
    client.put(
        "/api/v1/plan", json={"yaml": "events: {purchase: {properties: {phone: {pii: sensitive}}}}"}, headers=admin
    )
    settings = {"privacy": {"classes": {"sensitive": "drop"}}}
    client.put(f"/api/v1/sources/{source.id}/settings", json=settings, headers=admin)
    send(client, source, {"properties": {"phone": "13900001111", "n": 1}})
    (row,) = context.workspace.lake.tail().to_pylist()
    assert msgspec.json.decode(row["props"]) == {"n": 1}


def test_two_people_cannot_overwrite_each_others_plan(client: Client, admin: Headers) -> None:
    assert client.put("/api/v1/plan", json={"yaml": PLAN, "version": 0}, headers=admin).status_code == 200
    late = client.put("/api/v1/plan", json={"yaml": "{}", "version": 0}, headers=admin)
    assert late.status_code == 409
    assert client.get("/api/v1/plan", headers=admin).json()["version"] == 1


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("events: [a]", "events"),
        ("events: {a: {properties: {x: {type: colour}}}}", "events.a.properties.x.type"),
        ("events: {a: {colour: 1}}", "events.a"),
        ("mode: strict", "mode"),
        ("events: {a: {properties: {x: {type: number, allowed: [one]}}}}", "events.a.properties.x.allowed[0]"),
        ("a: [", "yaml"),
        ("a: &x [1]\nb: *x", "yaml"),
        ("- 1", "plan"),
    ],
)
def test_a_bad_plan_is_refused_with_the_place(client: Client, admin: Headers, text: str, field: str) -> None:
    answer = client.put("/api/v1/plan", json={"yaml": text}, headers=admin)
    assert answer.status_code == 400
    assert answer.json()["field"] == field, answer.json()


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
properties = st.dictionaries(
    names, st.builds(PropertyPlan, type=st.sampled_from(["text", "number", "any", "date"]), required=st.booleans())
)


@given(
    plan=st.builds(Plan, events=st.dictionaries(names, st.builds(EventPlan, properties=properties)), traits=properties)
)
def test_a_plan_comes_back_from_yaml_as_it_went(plan: Plan) -> None:
    assert plan_of_yaml(plan_yaml(plan)) == plan


def arrive(context: Context, name: str, day: dt.date, count: int, properties: dict[str, Any]) -> None:
    start = int(dt.datetime(day.year, day.month, day.day, 8, tzinfo=dt.UTC).timestamp()) * 1_000_000
    context.workspace.collect.append(
        [
            Event(
                event=name, distinct_id=f"u{n}", ts=start + n, event_id=f"{name}-{day}-{n}", properties=dict(properties)
            )
            for n in range(count)
        ],
        "shop",
    )  # fmt: skip


def test_the_plan_is_inferred_from_what_arrived_and_drift_is_told(
    client: Client, context: Context, admin: Headers
) -> None:
    last = dt.date(2026, 6, 28)
    for back in range(28):
        day = last - dt.timedelta(days=back)
        recent = back < 7
        arrive(context, "steady", day, 20, {"page": "/tea", "n": 1, 'q"uote': True})
        arrive(context, "typed", day, 20, {"size": "7" if recent else 7, "when": "2026-01-01"})
        arrive(context, "lost", day, 20, {} if recent else {"coupon": "A"})
        arrive(context, "grown", day, 100 if recent else 10, {})
        if not recent:
            arrive(context, "ended", day, 20, {})
    context.workspace.collect.flush()
    answer = client.get("/api/v1/plan/observed", headers=admin)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["first"], found["through"]) == ("2026-06-01", "2026-06-28")
    steady = next(one for one in found["events"] if one["name"] == "steady")
    assert (steady["events"], steady["days"], steady["people"]) == (560, [20] * 28, 20)
    told = {(one["kind"], one["event"], one["property"]) for one in found["drift"]}
    assert told == {
        ("type", "typed", "size"), ("vanished", "lost", "coupon"), ("volume", "grown", None), ("stopped", "ended", None)
    }  # fmt: skip
    notices = client.get("/api/v1/plan/drift", headers=admin).json()["notices"]
    assert {(n["drift"]["kind"], n["drift"]["event"], n["drift"]["property"]) for n in notices} == told
    one = notices[0]
    done = client.post(f"/api/v1/plan/drift/{one['id']}/acknowledge", headers=admin).json()
    assert (done["acknowledged_by"], done["ended_at"]) == ("token admin", None)
    assert [n["id"] for n in client.get("/api/v1/plan/drift", headers=admin).json()["notices"]][-1] == one["id"]
    drift = next(a for a in client.get("/api/v1/overview", headers=admin).json()["attention"] if a["key"] == "drift")
    assert drift["title"]["en"].startswith("3 changes")
    assert client.post("/api/v1/plan/drift/999/acknowledge", headers=admin).status_code == 404
    inferred = client.get("/api/v1/plan/inferred", headers=admin).json()
    steady_plan = inferred["plan"]["events"]["steady"]["properties"]
    assert steady_plan["n"] == {"type": "number", "required": True}
    assert steady_plan['q"uote']["type"] == "boolean"
    assert inferred["plan"]["events"]["typed"]["properties"]["when"]["type"] == "date"
    assert inferred["plan"]["events"]["typed"]["properties"]["size"].get("type", "any") == "any"
    saved = client.put("/api/v1/plan", json={"yaml": inferred["yaml"]}, headers=admin)
    assert saved.status_code == 200
    exported = client.get("/api/v1/plan/export", headers=admin)
    assert exported.text.startswith("tracking_plan:")


def test_a_drift_is_one_notice_until_it_is_over_and_news_when_it_comes_back(database: Database) -> None:
    notices = DriftNotices(database)
    stopped = Drift(kind="stopped", event="paid", property=None, before="20.0", now="3.0")
    typed = Drift(kind="type", event="paid", property="size", before="number", now="text")
    notices.note([stopped, typed])
    notices.note([msgspec.structs.replace(stopped, now="4.0"), typed])
    assert sorted(one.drift.now for one in notices.all()) == ["4.0", "text"]
    first = next(one for one in notices.all() if one.drift.kind == "stopped")
    notices.acknowledge(first.id, "lin")
    assert notices.acknowledge(first.id, "mei").acknowledged_by == "lin"
    assert notices.open() == [typed]
    notices.note([typed])
    over = next(one for one in notices.all() if one.id == first.id)
    assert over.ended_at is not None
    assert over.acknowledged_by == "lin"
    notices.note([stopped, typed])
    assert {one.kind for one in notices.open()} == {"stopped", "type"}
    assert len(notices.all()) == 2
    with pytest.raises(NotFound):
        notices.acknowledge(10**6, "lin")


def test_nothing_arrived_is_no_error(context: Context) -> None:
    found = observe(context.workspace.lake, Plan(events={"a": EventPlan()}))
    assert (found.events, found.unseen, found.through) == ([], ["a"], None)
    assert infer_plan(found, Plan()) == Plan()


def test_a_planned_value_outside_its_type_is_refused(context: Context) -> None:
    plan = Plan(traits={"n": PropertyPlan(type="number", allowed=["x"])})
    with pytest.raises(InvalidInput, match="allowed"):
        context.workspace.collect.plans.save(plan, "test")
