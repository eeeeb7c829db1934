"""Filters: every operator, on text, numbers, money, dates, missing values; names and nesting."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.behavior.made import DAY, START, at, behavior_of, happened
from tilth.behavior import Behavior
from tilth.errors import InvalidInput, NotFound

PEOPLE: list[dict[str, Any]] = [
    {"city": "Shanghai", "age": 31, "amount": 99.99, "joined": "2026-05-01", "tags": ["vip", "new"], "ok": True},
    {"city": "shanghai", "age": 30, "amount": 100.0, "joined": "2026-05-01T12:00:00+08:00", "ok": False},
    {"city": "Beijing", "age": "30", "amount": 0.29, "joined": "2026-05-30", "tags": ["new"]},
    {"city": "", "age": 29.5, "utm": {"source": "mail"}, "big": 12345678901234567890},
    {},
]


@pytest.fixture
def behavior(tmp_path: Path) -> Behavior:
    rows = [(uid, "2026-06-01 10:00", "visit", properties) for uid, properties in enumerate(PEOPLE, 1)]
    return behavior_of(tmp_path, happened(rows), now=at("2026-06-01 12:00"))


def who(behavior: Behavior, filters: Any, **asked: Any) -> list[int]:
    page = behavior.funnel_people(steps=["visit", "visit"], step=0, filters=filters, **asked)
    return [p.uid for p in page.people]


@pytest.mark.parametrize(
    ("name", "op", "value", "found"),
    [
        ("city", "=", "Shanghai", [1]),
        ("city", "!=", "Shanghai", [2, 3, 4, 5]),  # missing is not Shanghai either
        ("city", "in", ["Shanghai", "Beijing"], [1, 3]),
        ("city", "not_in", ["Shanghai", "Beijing"], [2, 4, 5]),
        ("city", "contains", "hai", [1, 2]),
        ("city", "not_contains", "hai", [3, 4, 5]),
        ("city", "starts_with", "B", [3]),
        ("city", "ends_with", "g", [3]),
        ("city", "matches", "^[A-Z].*ng", [1, 3]),
        ("city", "is_set", None, [1, 2, 3, 4]),
        ("city", "is_not_set", None, [5]),
        ("city", "<", "Shanghai", [3, 4]),
        ("age", "=", 30, [2, 3]),  # text that writes the number, too
        ("age", "=", "30", [2, 3]),
        ("age", ">", 30, [1]),
        ("age", ">=", 30, [1, 2, 3]),
        ("age", "<", 30, [4]),
        ("age", "<=", 30, [2, 3, 4]),
        ("age", "between", [29.5, 30], [2, 3, 4]),
        ("age", "starts_with", "3", [1, 2, 3]),
        ("age", "in", [31, 29.5], [1, 4]),
        ("amount", "=", 0.29, [3]),
        ("amount", ">=", 100, [2]),
        ("amount", "between", [0.29, 99.99], [1, 3]),
        ("amount", "is_not_set", None, [4, 5]),
        ("joined", "before", "2026-05-01", []),
        ("joined", "after", "2026-05-01", [3]),
        ("joined", "before", "2026-05-01T05:00:00Z", [1, 2]),
        ("joined", "after", "7d", [3]),
        ("joined", "before", "1mo", [1, 2]),
        ("joined", "before", "30d", [1, 2]),
        ("tags", "contains", "vip", [1]),
        ("tags", "contains", "new", [1, 3]),
        ("ok", "=", True, [1]),
        ("ok", "!=", True, [2, 3, 4, 5]),
        ("utm.source", "=", "mail", [4]),
        ("big", "=", 12345678901234567890, [4]),
        ("event.city", "=", "Beijing", [3]),
        ("source", "=", "test", [1, 2, 3, 4, 5]),
        ("event", "=", "visit", [1, 2, 3, 4, 5]),
        ("distinct_id", "=", "c3", [3]),
    ],
)
def test_each_operator(behavior: Behavior, name: str, op: str, value: Any, found: list[int]) -> None:
    assert who(behavior, [{"property": name, "op": op, "value": value}]) == found


def test_case_is_ignored_where_asked(behavior: Behavior) -> None:
    for op, value in (("=", "SHANGHAI"), ("in", ["SHANGHAI"]), ("starts_with", "SHANG"), ("matches", "^SHANG")):
        assert who(behavior, {"property": "city", "op": op, "value": value, "ignore_case": True}) == [1, 2]


def test_filters_nest(behavior: Behavior) -> None:
    shanghai = {"property": "city", "op": "matches", "value": "(?i)shanghai"}
    young = {"property": "age", "op": "<=", "value": 30}
    assert who(behavior, {"all": [shanghai, young]}) == [2]
    assert who(behavior, {"any": [shanghai, young]}) == [1, 2, 3, 4]
    assert who(behavior, {"not": {"any": [shanghai, young]}}) == [5]
    assert who(behavior, [shanghai, {"not": young}]) == [1]
    assert who(behavior, {"any": []}) == []
    assert who(behavior, {"all": []}) == [1, 2, 3, 4, 5]


def test_traits_of_the_person_and_segments_choose_people(tmp_path: Path) -> None:
    behavior = behavior_of(tmp_path, happened([(uid, "2026-06-01", "visit") for uid in (1, 2, 3)]))
    behavior._people_directory.set_traits([1, 2], {"level": ["gold", "silver"]})
    assert who(behavior, {"property": "profile.level", "value": "gold"}) == [1]
    assert who(behavior, {"property": "profile.level", "op": "!=", "value": "gold"}) == [2, 3]
    assert who(behavior, {"property": "profile.level", "op": "is_not_set"}) == [3]
    answer = behavior.funnel(steps=["visit", "visit"], breakdown="profile.level")
    assert {v.value: v.steps[0].people for v in answer.breakdown} == {"gold": 1, "silver": 1, None: 1}
    behavior._people_directory.set_traits([3], {"level": ["gold"]})
    assert who(behavior, {"property": "profile.level", "value": "gold"}) == [1, 3]
    behavior._sources.segment = {"regulars": [3, 2, 2]}.get
    assert who(behavior, None, segment="regulars") == [2, 3]
    with pytest.raises(NotFound, match="segment 'irregulars'"):
        who(behavior, None, segment="irregulars")


def test_a_slow_pattern_is_not_slow(behavior: Behavior, tmp_path: Path) -> None:
    rows = [(1, "2026-06-01", "visit", {"text": "a" * 50_000})]
    started = time.perf_counter()
    assert (
        who(behavior_of(tmp_path / "long", happened(rows)), {"property": "text", "op": "matches", "value": "(a+)+$b"})
        == []
    )
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("filters", "field", "reason"),
    [
        ([{"property": "city", "op": "~", "value": 1}], "filters[0].op", "not an operator"),
        ([{"op": "=", "value": 1}], "filters[0].property", "missing"),
        ([{"property": "city", "op": "="}], "filters[0].value", "is_not_set"),
        ([{"property": "city", "op": "matches", "value": "(?<!a)b"}], "filters[0].value", "RE2"),
        ([{"property": "city", "op": "in", "value": "Shanghai"}], "filters[0].value", "list"),
        ([{"property": "age", "op": "between", "value": [9, 1]}], "filters[0].value", "backwards"),
        ([{"property": "joined", "op": "before", "value": "soon"}], "filters[0].value", "not a d"),
        ({"any": [{"property": "city", "value": 1}, {"all": {}}]}, "filters.any[1].all", "list of filters"),
        ({"any": [{"not": {"property": "cty", "value": 1}}]}, "filters.any[0].not.property", "did you mean city"),
        ([{"property": "city", "op": "is_set", "value": 1}], "filters[0].value", "takes no value"),
        ([{"property": "city", "value": 1, "case": 1}], "filters[0].case", "not a part"),
        ([{"property": "profile.levle", "value": 1}], "filters[0].property", "no trait"),
        ([{"property": "tag.vip", "value": 1}], "filters[0].property", "no tag"),
        ("city", "filters", "must be a filter"),
        ([{"any": [], "all": []}], "filters[0]", "cannot stand beside"),
        ([{"property": "event.", "value": 1}], "filters[0].property", "names no property"),
    ],
)
def test_a_wrong_filter_is_refused_with_its_place(behavior: Behavior, filters: Any, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        who(behavior, filters)
    assert refused.value.field == field
    assert reason in refused.value.reason


def test_filters_nested_too_deep_are_refused(behavior: Behavior) -> None:
    tree: Any = {"property": "city", "value": 1}
    for _ in range(50):
        tree = {"not": tree}
    with pytest.raises(InvalidInput, match="nested deeper"):
        who(behavior, tree)


def test_an_unknown_property_that_is_allowed_is_missing_everywhere(behavior: Behavior) -> None:
    assert who(behavior, {"property": "colour", "op": "is_not_set"}, allow_unknown=True) == [1, 2, 3, 4, 5]


def test_relative_ranges_end_today(tmp_path: Path) -> None:
    rows = [(day, START + day * DAY, "visit") for day in range(10)]
    behavior = behavior_of(tmp_path, happened(rows), now=START + 5 * DAY + 1)
    assert who(behavior, None, range={"last": "2d"}) == [4, 5]
    assert who(behavior, None, range={"last": "24h"}) == [5]
    assert who(behavior, None, range={"from": "2026-06-09"}) == [8, 9]


def test_a_property_taken_out_of_a_file_is_kept_beside_it(tmp_path: Path) -> None:
    rows = [(uid, "2026-06-01 10:00", "visit", p) for uid, p in enumerate(PEOPLE, 1)]
    first = behavior_of(tmp_path, happened(rows))
    assert who(first, {"property": "city", "value": "Beijing"}) == [3]
    assert any(".props-" in p.name for p in first._lake.cache.folder.rglob("*.seq"))
    again = Behavior(first._lake, first._people_directory, first._settings)
    assert who(again, {"property": "city", "value": "Beijing"}) == [3]
    first._lake.erase([3])
    assert who(again, {"property": "city", "value": "Beijing"}, allow_unknown=True) == []
    live = {Path(f.path).stem for f in first._lake.files()}
    assert {p.name.split(".")[0] for p in first._lake.cache.folder.rglob("*.seq")} <= live
