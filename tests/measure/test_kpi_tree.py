"""KPI trees: parts that add up, targets and their pace, and what is refused."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.measure.made import TODAY, filled, instant
from tilth.errors import InvalidInput
from tilth.measure.kpi_tree import Target, Tree, pace_of, shapley
from tilth.measure.metric import Metric, Part
from tilth.workspace import Workspace

FACTORS = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=5)


@given(FACTORS)
def test_parts_of_a_product_add_up_to_its_change(pairs: list[tuple[float, float]]) -> None:
    before, after = [p[0] for p in pairs], [p[1] for p in pairs]
    assert sum(shapley(before, after)) == pytest.approx(math.prod(after) - math.prod(before), abs=1e-6)


def test_a_factor_that_did_not_change_adds_nothing_and_equal_ones_add_the_same() -> None:
    assert shapley([2, 3], [4, 3]) == [6, 0]
    assert shapley([1, 1], [2, 2]) == [1.5, 1.5]
    assert shapley([0, 5], [2, 5]) == [10, 0]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    half = TODAY - dt.timedelta(days=15)
    folder = tmp_path_factory.mktemp("trees") / "w"
    with filled(folder, lambda day: 80 if day >= half else 40, 40) as made:
        made.metrics.make(Metric(key="revenue", name="Revenue", kind="sum", event="purchase", value="amount"), "a")
        made.metrics.make(Metric(key="visits", name="Visits", kind="count", event="visit"), "a")
        per = Part(event="visit", aggregate="count")
        made.metrics.make(Metric(key="rate", name="Rate", kind="ratio", event="purchase", denominator=per), "a")
        own = Part(event="purchase", aggregate="count")
        aov = Metric(
            key="aov", name="AOV", kind="ratio", event="purchase", aggregate="sum", value="amount", denominator=own
        )
        made.metrics.make(aov, "a")
        yield made


def tree(**root: Any) -> Tree:
    usual = {
        "id": "revenue",
        "name": "Revenue",
        "metric": "revenue",
        "combine": "product",
        "children": [
            {"id": "visits", "name": "Visits", "metric": "visits"},
            {"id": "rate", "name": "Rate", "metric": "rate"},
            {"id": "aov", "name": "AOV", "metric": "aov"},
        ],
    }
    return msgspec.convert({"key": "t", "name": "T", "root": {**usual, **root}}, Tree)


def test_a_product_of_drivers_makes_the_target_and_the_change(workspace: Workspace) -> None:
    asked = {"range": {"from": "2026-06-15", "to": "2026-06-29"}}
    answer = workspace.trees.values_of(tree(), asked, instant(TODAY, 1))
    nodes = {n.id: n for n in answer.nodes}
    assert (nodes["revenue"].value, nodes["revenue"].previous) == (15 * 200, 15 * 100)
    assert nodes["revenue"].combined == pytest.approx(3000)
    assert nodes["revenue"].gap == pytest.approx(0)
    assert nodes["visits"].of_root == pytest.approx(1500)
    assert nodes["rate"].of_root == pytest.approx(0)
    assert (answer.before_first, answer.before_last) == ("2026-05-31", "2026-06-14")


def test_a_sum_is_split_by_a_property(workspace: Workspace) -> None:
    asked = {"range": {"from": "2026-06-15", "to": "2026-06-29"}}
    split = tree(combine="sum", children=[], split="channel")
    answer = workspace.trees.values_of(split, asked, instant(TODAY, 1))
    parts = {n.name: n.part for n in answer.nodes[1:]}
    assert parts == {"ads": 15 * 50, "shop": 15 * 50}
    assert sum(n.of_root or 0 for n in answer.nodes[1:]) == answer.nodes[0].of_root


def test_a_total_is_paced_by_the_weekdays_that_are_over() -> None:
    first = dt.date(2026, 6, 1)  # a Monday
    usual = [10, 10, 10, 10, 10, 30, 30]
    daily = [(first + dt.timedelta(days=i), float(usual[i % 7])) for i in range(-56, 5)]
    target = Target(value=1000, from_="2026-06-01", to="2026-06-28", note="x")
    pace = pace_of(target, daily, None, dt.date(2026, 6, 6), "up")
    # Five of 28 days are over, but no weekend: a ninth of what the weekdays bring, not five 28ths.
    assert pace.reached == 50
    assert pace.share_of_time == pytest.approx(50 / 440)
    assert pace.due == pytest.approx(1000 * 50 / 440)
    assert pace.forecast == pytest.approx(440)
    assert (pace.status, pace.doubts) == ("behind", ["unreachable"])
    good = pace_of(
        Target(value=430, from_="2026-06-01", to="2026-06-28"), daily, None, dt.date(2026, 6, 6), "up", owner=""
    )
    assert (good.status, good.doubts) == ("on_pace", ["no_owner", "no_note"])


@pytest.mark.parametrize(
    ("today", "reached", "status"),
    [("2026-05-30", 0.0, "not_begun"), ("2026-06-11", 99.0, "missed"), ("2026-06-11", 100.0, "reached")],
)
def test_a_target_that_has_not_begun_or_is_over(today: str, reached: float, status: str) -> None:
    target = Target(value=100, from_="2026-06-01", to="2026-06-10", note="x")
    daily = [(dt.date(2026, 6, 1), reached)]
    assert pace_of(target, daily, None, dt.date.fromisoformat(today), "up").status == status


def test_less_may_be_better() -> None:
    target = Target(value=0.1, from_="2026-06-01", to="2026-06-30", kind="level", note="x")
    assert pace_of(target, [], 0.2, dt.date(2026, 6, 10), "down").status == "behind"
    assert pace_of(target, [], 0.05, dt.date(2026, 6, 10), "down").status == "ahead"
    assert pace_of(target, [], None, dt.date(2026, 6, 10), "down").status == "unknown"


@pytest.mark.parametrize(
    ("root", "field"),
    [
        ({"metric": "nothing"}, "root.metric"),
        ({"metric": "", "children": []}, "root.metric"),
        ({"children": [{"id": "revenue", "name": "x", "metric": "visits"}]}, "root.children[0].id"),
        ({"children": [{"id": "x", "name": "", "metric": "visits"}]}, "root.children[0].name"),
        ({"split": "channel"}, "root.split"),
        ({"metric": "rate", "children": [], "split": "channel"}, "root.split"),
        ({"target": {"value": 1, "from": "2026-06-31", "to": "2026-07-01"}}, "root.target.from"),
        ({"target": {"value": 1, "from": "2026-06-30", "to": "2026-06-01"}}, "root.target.to"),
        ({"metric": "rate", "target": {"value": 1, "from": "2026-06-01", "to": "2026-06-02"}}, "root.target.kind"),
    ],
)
def test_what_is_wrong_with_a_tree_is_named(workspace: Workspace, root: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        workspace.trees.make(tree(**root), "a")
    assert refused.value.field == field
