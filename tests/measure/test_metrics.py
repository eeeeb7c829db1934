"""Metrics: every kind by hand, versions, uses, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.measure.made import filled
from tilth.behavior.boards import Tile
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.measure.metric import Metric
from tilth.workspace import Workspace

RANGE = {"from": "2026-06-01", "to": "2026-06-10"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with filled(tmp_path_factory.mktemp("metrics") / "w", lambda day: 40 if day.day % 2 else 20, 35) as made:
        yield made


def metric(**fields: Any) -> Metric:
    return msgspec.convert({"key": "m", "name": "M", **fields}, Metric)


@pytest.mark.parametrize(
    ("fields", "first_two", "total"),
    [
        ({"kind": "count", "event": "visit"}, [40, 20], 300),
        ({"kind": "people", "event": "visit"}, [40, 20], 40),
        ({"kind": "sum", "event": "purchase", "value": "amount"}, [100, 50], 750),
        ({"kind": "sum", "event": "purchase", "value": "amount", "cap": 4}, [40, 20], 300),
        ({"kind": "sum", "event": "purchase", "value": "amount", "cap_percentile": 50}, [100, 50], 750),
        ({"kind": "mean", "event": "purchase", "value": "amount"}, [10, 10], 75),
        ({"kind": "mean", "event": "visit"}, [1, 1], 7.5),
        ({"kind": "quantile", "event": "purchase", "value": "amount", "quantile": 0.9}, [10, 10], 10),
        ({"kind": "proportion", "event": "purchase"}, [0.25, 0.25], 0.25),
        ({"kind": "proportion", "event": "purchase", "of": "visit"}, [0.25, 0.25], 0.25),
        ({"kind": "proportion", "event": "visit", "of": "purchase"}, [1, 1], 1),
        (
            {
                "kind": "ratio",
                "event": "purchase",
                "aggregate": "sum",
                "value": "amount",
                "denominator": {"event": "visit", "aggregate": "people"},
            },
            [2.5, 2.5],
            750 / 40,
        ),
        ({"kind": "retention", "event": "visit", "return": "visit", "after": 1}, [0.5, 1.0], 200 / 300),
        ({"kind": "funnel", "steps": ["visit", "purchase"], "window": "2h"}, [10 / 40, None], 10 / 40),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else "",
)
def test_a_metric_is_what_its_definition_says(
    workspace: Workspace, fields: dict[str, Any], first_two: list[Any], total: float
) -> None:
    answer = workspace.metrics.values_of(metric(**fields), {"range": RANGE})
    (series,) = answer.series
    assert series.total.value == pytest.approx(total)
    assert [p.value for p in series.points[:2]] == pytest.approx(first_two)
    if fields["kind"] in ("proportion", "retention", "funnel"):
        assert series.total.low is not None
        assert series.total.low <= total <= series.total.high
        assert series.total.numerator / series.total.denominator == pytest.approx(total)


def test_a_metric_by_channel_and_beside_the_range_before(workspace: Workspace) -> None:
    made = metric(kind="proportion", event="purchase", of="visit")
    answer = workspace.metrics.values_of(made, {"range": RANGE, "breakdown": "channel", "compare": True})
    shares = {s.breakdown: (s.total.numerator, s.total.denominator) for s in answer.series}
    assert shares == {"ads": (5, 5), "shop": (5, 35)}
    assert all(s.previous is not None for s in answer.series)
    assert (answer.kind, answer.question["series"][0]["also"]) == ("trends", "visit")


def test_a_change_is_a_new_version_and_the_same_again_is_none(workspace: Workspace) -> None:
    made = workspace.metrics.make(metric(key="gmv", kind="sum", event="purchase", value="amount"), "a")
    assert workspace.metrics.change("gmv", made.metric, "b").version == 1
    changed = workspace.metrics.change("gmv", metric(key="gmv", name="GMV", kind="count", event="purchase"), "b", 1)
    assert changed.version == 2
    assert [(v.version, v.by, v.metric.kind) for v in workspace.metrics.versions("gmv")] == [
        (2, "b", "count"),
        (1, "a", "sum"),
    ]
    with pytest.raises(Conflict, match="version 2"):
        workspace.metrics.change("gmv", made.metric, "c", 1)
    with pytest.raises(Conflict):
        workspace.metrics.make(made.metric, "a")
    board = workspace.boards.make("B", [Tile(kind="metric", question={"metric": "gmv"})], "a")
    assert [(u.kind, u.name) for u in workspace.metrics.uses("gmv")] == [("board", "B")]
    with pytest.raises(Conflict, match="board B"):
        workspace.metrics.delete("gmv")
    workspace.boards.delete(board.id)
    workspace.metrics.delete("gmv")
    with pytest.raises(NotFound):
        workspace.metrics.get("gmv")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "guess"}, "kind"),
        ({"kind": "sum", "event": "visit"}, "value"),
        ({"kind": "count", "value": "amount"}, "value"),
        ({"kind": "ratio"}, "denominator"),
        ({"kind": "ratio", "denominator": {"aggregate": "sum"}}, "denominator.value"),
        ({"kind": "ratio", "denominator": {"aggregate": "most"}}, "denominator.aggregate"),
        ({"kind": "funnel", "steps": ["visit"]}, "steps"),
        ({"kind": "count", "steps": ["visit", "purchase"]}, "steps"),
        ({"kind": "quantile", "value": "amount", "quantile": 1}, "quantile"),
        ({"kind": "sum", "value": "amount", "cap": 1, "cap_percentile": 99}, "cap_percentile"),
        ({"kind": "quantile", "value": "amount", "cap": 1}, "cap"),
        ({"kind": "count", "unit": "kilo"}, "unit"),
        ({"kind": "count", "key": "No Spaces"}, "key"),
        ({"kind": "retention", "after": 0}, "after"),
        ({"kind": "count", "event": "vizit"}, "event"),
        ({"kind": "sum", "event": "purchase", "value": "amuont"}, "value"),
        ({"kind": "ratio", "denominator": {"event": "vizit"}}, "denominator.event"),
        ({"kind": "proportion", "event": "purchase", "of": "vizit"}, "also"),
    ],
)
def test_what_is_wrong_with_a_metric_is_named(workspace: Workspace, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        workspace.metrics.values_of(metric(**fields), {"range": RANGE})
    assert refused.value.field == field
