"""Profiles of many people at once, and how complete they are."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilth.collect.model import Group, Id, Identify, Item, Operation, Profile
from tilth.collect.plan import Plan, PropertyPlan, type_of, why_not
from tilth.collect.profiles import MOST_ROWS, ProfileRow
from tilth.errors import InvalidInput, NotFound
from tilth.people import PortraitField
from tilth.workspace import Workspace

T0 = 1_790_000_000_000_000


def traits_of(workspace: Workspace, any_id: str) -> dict[str, Any]:
    return {one.name: one.value for one in workspace.people.get(any_id).traits}


def test_every_kind_of_change_is_made_and_counted(any_workspace: Workspace) -> None:
    profiles = any_workspace.collect.profiles
    first = profiles.update(
        [
            ProfileRow(id="lin", set={"city": "杭州", "spent": {"amount": "88.00", "currency": "CNY"}}),
            ProfileRow(id="138", kind="phone", set_once={"first_shop": "湖滨"}, increment={"visits": 2}),
        ],
        create=True,
    )
    assert (first.people, first.written, first.unknown, first.refused) == (2, 4, 0, [])
    second = profiles.update(
        [
            ProfileRow(id="138", kind="phone", set_once={"first_shop": "西溪"}, increment={"visits": 3}),
            ProfileRow(id="lin", append={"likes": ["龙井", "普洱"]}, unset=["city"]),
            ProfileRow(id="nobody", set={"city": "上海"}),
        ]
    )
    assert (second.people, second.unknown) == (2, 1)
    assert traits_of(any_workspace, "138") == {"first_shop": "湖滨", "visits": 5}
    assert traits_of(any_workspace, "lin") == {
        "likes": ["龙井", "普洱"],
        "spent": {"amount": "88.00", "currency": "CNY"},
    }


def test_nothing_is_lost_between_two_who_change_one_trait(any_workspace: Workspace) -> None:
    any_workspace.collect.profiles.update([ProfileRow(id="lin", set={"visits": 0})], create=True)
    with Workspace.open(any_workspace.folder, read_only=True) as other, ThreadPoolExecutor(8) as pool:

        def visit(n: int) -> None:
            if n % 3 == 0:
                told = Profile(
                    ids=(Id("id", "lin"),),
                    ts=T0 + n,
                    event_id=str(n),
                    operations=(Operation("increment", {"taps": 1}),),
                )
                any_workspace.collect.receive([told], "web")
                any_workspace.collect.catch_up()
                return
            ws = other if n % 3 == 1 else any_workspace
            ws.collect.profiles.update([ProfileRow(id="lin", increment={"visits": 1, "taps": 1})], "observed")
            ws.collect.profiles.update([ProfileRow(id="lin", increment={"visits": 1})])

        list(pool.map(visit, range(60)))
    assert traits_of(any_workspace, "lin") == {"visits": 40, "taps": 60}


def test_a_stronger_source_stays_and_a_wrong_row_does_not_stop_the_others(workspace: Workspace) -> None:
    profiles = workspace.collect.profiles
    profiles.update([ProfileRow(id="lin", set={"birthday": "1990-05-01"})], "self_declared", create=True)
    done = profiles.update(
        [
            ProfileRow(id="lin", set={"birthday": "1970-01-01", "city": "杭州"}),
            ProfileRow(id="undefined", set={"city": "x"}),
            ProfileRow(id="lin"),
            ProfileRow(id="lin", increment={"visits": "two"}),
            ProfileRow(id="lin", set={"note": "x" * 40_000}),
            ProfileRow(id="lin", at=2**62, set={"city": "x"}),
        ]
    )
    assert [(one.row, one.field) for one in done.refused] == [
        (1, "id"), (2, "set"), (3, "increment.visits"), (4, "set"), (5, "at"),
    ]  # fmt: skip
    assert (done.people, done.written) == (1, 1)
    assert traits_of(workspace, "lin") == {"birthday": "1990-05-01", "city": "杭州"}
    with pytest.raises(InvalidInput, match="10,000"):
        profiles.update([ProfileRow(id="a", set={"x": 1})] * (MOST_ROWS + 1))
    with pytest.raises(InvalidInput, match="source"):
        profiles.update([ProfileRow(id="a", set={"x": 1})], "guessed")  # type: ignore[arg-type]


def test_an_enforced_plan_holds_for_bulk_changes(workspace: Workspace) -> None:
    planned = {"home": PropertyPlan(type="place"), "level": PropertyPlan(allowed=["gold", "silver"])}
    workspace.collect.plans.save(Plan(mode="enforce", traits=planned), "test")
    rows = [
        ProfileRow(id="a", set={"home": {"lat": 30.2, "lng": 120.1}, "level": "gold"}),
        ProfileRow(id="b", set={"home": {"lat": 91, "lng": 120.1}}),
        ProfileRow(id="c", set={"level": "wood"}),
    ]
    done = workspace.collect.profiles.update(rows, create=True)
    assert [(one.row, one.field, one.reason) for one in done.refused] == [
        (1, "set.home", "tracking plan: must be place and is object"),
        (2, "set.level", "tracking plan: is none of the allowed values"),
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"amount": "88.00", "currency": "CNY"}, "money"),
        ({"amount": 88, "currency": "CNY"}, "money"),
        ({"amount": "88", "currency": "yuan"}, "object"),
        ({"amount": True, "currency": "CNY"}, "object"),
        ({"lat": 30.25, "lng": 120.17, "name": "杭州"}, "place"),
        ({"lat": -91, "lng": 0}, "object"),
        ({"lat": "30", "lng": 0}, "object"),
        ({"lat": 30, "lng": 0, "name": 7}, "object"),
        ("2026-11-27", "date"),
        ([1], "list"),
    ],
)
def test_types_of_traits(value: Any, kind: str) -> None:
    assert type_of(value) == kind
    if kind in ("money", "place"):
        assert why_not(PropertyPlan(type="object"), value) is None


def test_completeness_counts_weights_channels_and_merged_people_once(any_workspace: Workspace) -> None:
    ws = any_workspace
    ws.portraits.choose([PortraitField(name="city", weight=1), PortraitField(name="phone", weight=3)])
    ws.collect.profiles.update(
        [
            ProfileRow(id="a", set={"city": "x"}),
            ProfileRow(id="138", kind="phone", set={"city": "y"}),
            ProfileRow(id="c", set={"job": "z"}),
        ],
        create=True,
    )
    report = ws.portraits.report()
    assert (report.people, report.several) == (3, 0)
    assert [(f.name, f.known) for f in report.fields] == [("city", 2), ("phone", 1)]
    assert report.completeness == pytest.approx((1 * 2 + 3 * 1) / (4 * 3))
    merged = Identify(ids=(Id("id", "a"), Id("phone", "138")), ts=T0, event_id="m")
    ws.collect.receive([merged], "web")
    ws.collect.catch_up()
    ws.portraits.choose([PortraitField(name="city", weight=1), PortraitField(name="phone", weight=3)])
    report = ws.portraits.report()
    assert (report.people, report.several) == (2, 1)
    assert [(f.name, f.known) for f in report.fields] == [("city", 1), ("phone", 1)]
    assert [(c.channel, c.people, c.completeness) for c in report.channels] == [("id", 2, 0.5), ("phone", 1, 1.0)]
    assert [(c.channels, c.people) for c in report.known_in] == [(1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ([PortraitField(name=" ")], "fields[0].name"),
        ([PortraitField(name="a"), PortraitField(name="a")], "fields[1].name"),
        ([PortraitField(name="a", weight=0)], "fields[0].weight"),
        ([PortraitField(name="a", weight=float("nan"))], "fields[0].weight"),
        ([PortraitField(name=str(n)) for n in range(41)], "fields"),
    ],
)
def test_fields_that_cannot_be(workspace: Workspace, fields: list[PortraitField], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        workspace.portraits.choose(fields)
    assert refused.value.field == field
    assert [f.name for f in workspace.portraits.fields()][:2] == ["name", "birthday"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(["id", "phone", "email", "device"]), unique=True, min_size=1), max_size=12))
def test_in_how_many_channels_agrees_with_counting_by_hand(people: list[list[str]]) -> None:
    from pyroaring import BitMap64

    from tilth.people.portraits import _in_how_many

    kinds = [
        BitMap64([n for n, held in enumerate(people) if kind in held]) for kind in ("id", "phone", "email", "device")
    ]
    expected = Counter(len(held) for held in people)
    found = {one.channels: one.people for one in _in_how_many(kinds)}
    assert {n: count for n, count in found.items() if count} == dict(expected)


def test_groups_and_things_are_listed_with_what_is_known_of_them(any_workspace: Workspace) -> None:
    told = [
        Item(item_kind="product", item_id=f"tea-{n}", ts=T0, event_id=f"i{n}", operations=(Operation("set", {"n": n}),))
        for n in range(5)
    ]
    firm = Group(group_kind="company", group_id="qh", ts=T0, event_id="g", operations=(Operation("set", {"size": 9}),))
    any_workspace.collect.receive([*told, firm], "shop")
    any_workspace.collect.catch_up()
    things = any_workspace.things
    assert [(k.kind, k.things) for k in things.kinds()] == [("group:company", 1), ("item:product", 5)]
    first = things.page("item:product", limit=3)
    assert ([one.id for one in first.things], first.next) == (["tea-0", "tea-1", "tea-2"], "tea-2")
    rest = things.page("item:product", cursor=first.next, limit=3)
    assert ([one.id for one in rest.things], rest.next) == (["tea-3", "tea-4"], "")
    assert [one.id for one in things.page("item:product", begins="tea-4").things] == ["tea-4"]
    assert things.get("group:company", "qh").traits[0].value == 9
    with pytest.raises(NotFound):
        things.get("item:product", "coffee")
