"""Funnels a shop owner can check by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from tests.behavior.made import at, behavior_of, happened
from tilth.behavior import Behavior
from tilth.behavior.funnel import FunnelAnswer, Seconds
from tilth.behavior.question import Question
from tilth.behavior.strands import Kept
from tilth.errors import InvalidInput
from tilth.workspace import Workspace

SHOP = ["view", "cart", "buy"]


def people(answer: FunnelAnswer) -> list[int]:
    return [s.people for s in answer.steps]


def funnel(tmp_path: Path, rows: list[tuple[Any, ...]], **asked: Any) -> FunnelAnswer:
    asked.setdefault("allow_unknown", True)
    asked.setdefault("steps", SHOP)
    return behavior_of(tmp_path, happened(rows)).funnel(asked)


def test_an_event_of_the_last_steps_instant_may_begin_the_attempt_that_counts(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01 10:00", "a"), (1, "2026-06-01 10:03", "b"), (1, "2026-06-01 10:03", "a")]
    answer = behavior_of(tmp_path, happened(rows)).funnel(steps=["a", "b"])
    # The two at 10:03 serve in the order of the steps: that attempt began last.
    assert answer.steps[1].seconds_from_first.mean == 0


@pytest.mark.parametrize("room", [0, 1_000_000])
def test_a_funnel_told_by_counts_says_what_one_told_by_people_says(tmp_path: Path, room: int) -> None:
    """As on a cluster, where what people did stays with the workers; without room it is found out again."""

    class Workers:
        def over_buckets(self, question: Question, work: Callable[[int], Any]) -> list[Any]:
            return [work(bucket) for bucket in question.buckets()]

    rows = [
        (uid, f"2026-06-01 {10 + step}:{uid % 60:02d}:{step * uid % 60:02d}", name)
        for uid in range(1, 400)
        for step, name in enumerate(SHOP[: 1 + uid % 3])
    ]
    behavior = behavior_of(tmp_path, happened(rows), buckets=8)
    apart = replace(behavior._sources, cluster=Workers(), kept=Kept(room))  # type: ignore[arg-type]
    for asked in ({}, {"bins": [0, 7_200, 7_230]}, {"window": "1m"}, {"order": "any", "bins": 3}):
        told = behavior.funnel(steps=SHOP, **asked)
        behavior._answers.clear()
        behavior._sources, whole = apart, behavior._sources
        counted = behavior.funnel(steps=SHOP, **asked)
        behavior._answers.clear()
        behavior._sources = whole
        assert counted.to_dict() | {"took_ms": 0} == told.to_dict() | {"took_ms": 0}
    assert not apart.kept._held
    assert apart.kept._bytes == 0


def test_more_names_than_a_byte_tells_apart_are_no_other_funnel(tmp_path: Path) -> None:
    rows: list[tuple[Any, ...]] = [(1, f"2026-06-01 09:{i // 60:02d}:{i % 60:02d}", f"seen {i}") for i in range(300)]
    rows += [(u, f"2026-06-01 1{k}:00", name) for u in range(1, 4) for k, name in enumerate(SHOP[:u])]
    assert people(funnel(tmp_path, rows)) == [3, 2, 1]


def test_of_three_visitors_two_fill_a_cart_and_one_buys(tmp_path: Path) -> None:
    answer = funnel(
        tmp_path,
        [
            (1, "2026-06-01 10:00:00", "view"),
            (1, "2026-06-01 10:01:00", "cart"),
            (1, "2026-06-01 10:05:00", "buy"),
            (2, "2026-06-01 11:00:00", "view"),
            (2, "2026-06-01 11:03:00", "cart"),
            (3, "2026-06-01 12:00:00", "view"),
            (3, "2026-06-01 12:01:00", "buy"),  # bought without a cart
        ],
    )
    assert people(answer) == [3, 2, 1]
    assert [s.from_first for s in answer.steps] == [1.0, pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert [s.from_previous for s in answer.steps] == [1.0, pytest.approx(2 / 3), 0.5]
    assert answer.steps[1].seconds_from_previous == Seconds(mean=120.0, median=120.0, p90=pytest.approx(168.0))
    assert answer.steps[2].seconds_from_first == Seconds(mean=300.0, median=300.0, p90=300.0)
    assert answer.steps[0].seconds_from_first == Seconds()
    assert answer.scanned == 7


def test_the_window_runs_from_the_first_step_and_includes_its_end(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 10:00:00", "view"),
        (1, "2026-06-01 10:50:00", "cart"),
        (1, "2026-06-01 11:00:00", "buy"),  # exactly an hour after the view
        (2, "2026-06-01 10:00:00", "view"),
        (2, "2026-06-01 10:50:00", "cart"),
        (2, "2026-06-01 11:00:00.000001", "buy"),
    ]
    assert people(funnel(tmp_path, rows, window="1h")) == [2, 2, 1]


def test_a_later_visit_gives_a_new_chance(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 10:00", "view"),
        (1, "2026-06-03 10:00", "view"),
        (1, "2026-06-03 10:30", "cart"),
        (1, "2026-06-03 10:40", "buy"),
    ]
    answer = funnel(tmp_path, rows, window="1h")
    assert people(answer) == [1, 1, 1]
    assert answer.steps[2].seconds_from_first.mean == 2400.0


def test_a_step_twice_needs_the_event_twice(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01 10:00", "buy"), (2, "2026-06-01 10:00", "buy"), (2, "2026-06-02 10:00", "buy")]
    assert people(funnel(tmp_path, rows, steps=["buy", "buy"])) == [2, 1]


def test_an_import_with_day_precision_still_converts(tmp_path: Path) -> None:
    # All at midnight, and in the wrong order of their ids.
    rows = [(1, "2026-06-01", "buy"), (1, "2026-06-01", "cart"), (1, "2026-06-01", "view")]
    assert people(funnel(tmp_path, rows)) == [1, 1, 1]
    assert people(funnel(tmp_path / "once", rows, steps=["buy", "buy"])) == [1, 0]


def test_strict_ends_at_any_other_event(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 10:00", "view"),
        (1, "2026-06-01 10:01", "search"),
        (1, "2026-06-01 10:02", "cart"),
        (2, "2026-06-01 10:00", "view"),
        (2, "2026-06-01 10:01", "cart"),
    ]
    assert people(funnel(tmp_path, rows, order="strict", steps=["view", "cart"])) == [2, 1]
    # What the filters leave out is not in between.
    only = {"property": "event", "op": "in", "value": SHOP}
    assert people(funnel(tmp_path / "f", rows, order="strict", steps=["view", "cart"], filters=[only])) == [2, 2]


def test_any_order_takes_the_steps_as_they_come(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01 10:00", "buy"), (1, "2026-06-01 10:10", "view"), (1, "2026-06-01 10:20", "cart")]
    answer = funnel(tmp_path, rows, order="any")
    assert people(answer) == [1, 1, 1]
    assert answer.steps[2].seconds_from_first.mean == 1200.0


class TestExclusions:
    STEPS = ("view", "buy")
    EXCLUDE = ({"event": "refund", "after": 0, "before": 1},)

    def ask(self, tmp_path: Path, rows: list[tuple[Any, ...]]) -> list[int]:
        return people(funnel(tmp_path, rows, steps=list(self.STEPS), window="1h", exclude=list(self.EXCLUDE)))

    def test_someone_with_a_tainted_attempt_only_is_not_even_in_step_one(self, tmp_path: Path) -> None:
        rows = [(1, "2026-06-01 10:00", "view"), (1, "2026-06-01 10:10", "refund"), (1, "2026-06-01 10:20", "buy")]
        assert self.ask(tmp_path, rows) == [0, 0]

    def test_a_clean_attempt_beside_it_counts(self, tmp_path: Path) -> None:
        rows = [
            (1, "2026-06-01 10:00", "view"),
            (1, "2026-06-01 10:10", "refund"),
            (1, "2026-06-01 10:20", "view"),
            (1, "2026-06-01 10:30", "buy"),
        ]
        assert self.ask(tmp_path, rows) == [1, 1]

    def test_after_the_window_it_taints_nothing(self, tmp_path: Path) -> None:
        assert self.ask(tmp_path, [(1, "2026-06-01 10:00", "view"), (1, "2026-06-01 11:01", "refund")]) == [1, 0]

    def test_after_the_last_step_it_taints_nothing(self, tmp_path: Path) -> None:
        rows = [(1, "2026-06-01 10:00", "view"), (1, "2026-06-01 10:10", "buy"), (1, "2026-06-01 10:20", "refund")]
        assert self.ask(tmp_path, rows) == [1, 1]


def test_an_order_is_counted_once_and_only_within_itself(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 10:00", "order", {"order_id": "A"}),
        (1, "2026-06-01 10:05", "order", {"order_id": "B"}),
        (1, "2026-06-01 10:10", "pay", {"order_id": "B"}),
        (1, "2026-06-01 10:20", "pay", {}),  # of no order
    ]
    answer = funnel(tmp_path, rows, steps=["order", "pay"], count_by="order_id")
    assert people(answer) == [2, 1]
    assert answer.counted == "order_id"
    assert people(funnel(tmp_path / "people", rows, steps=["order", "pay"])) == [1, 1]


def test_a_held_property_keeps_its_value_along_the_steps(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 10:00", "view", {"product": "tea"}),
        (1, "2026-06-01 10:05", "buy", {"product": "cup"}),
        (2, "2026-06-01 10:00", "view", {"product": "tea"}),
        (2, "2026-06-01 10:01", "view", {"product": "cup"}),
        (2, "2026-06-01 10:05", "buy", {"product": "tea"}),
    ]
    answer = funnel(tmp_path, rows, steps=["view", "buy"], hold="product")
    assert people(answer) == [2, 1]
    assert answer.steps[1].seconds_from_first.mean == 300.0


ATTRIBUTED = [
    (1, "2026-06-01 10:00", "view", {"channel": "ads"}),
    (1, "2026-06-01 10:10", "buy", {"channel": "mail"}),
    (2, "2026-06-01 10:00", "view", {}),
    (2, "2026-06-01 10:10", "buy", {"channel": "mail"}),
    (3, "2026-06-01 10:00", "view", {"channel": "ads"}),
    (4, "2026-06-01 10:00", "view", {}),
]


@pytest.mark.parametrize(
    ("attribution", "expected"),
    [
        ("first_touch", {"ads": [2, 1], "mail": [1, 1], None: [1, 0]}),
        ("last_touch", {"mail": [2, 2], "ads": [1, 0], None: [1, 0]}),
        ("step:0", {"ads": [2, 1], None: [2, 1]}),
        ("step:1", {"mail": [2, 2], None: [2, 0]}),
        ("all", {"ads": [2, 0]}),
    ],
)
def test_a_breakdown_goes_by_the_step_it_is_attributed_to(
    tmp_path: Path, attribution: str, expected: dict[Any, list[int]]
) -> None:
    answer = funnel(tmp_path, ATTRIBUTED, steps=["view", "buy"], breakdown="channel", attribution=attribution)
    assert {v.value: [s.people for s in v.steps] for v in answer.breakdown} == expected


def test_a_breakdown_shows_the_largest_values_and_folds_the_rest(tmp_path: Path) -> None:
    rows = [(uid, "2026-06-01 10:00", "view", {"channel": c}) for uid, c in enumerate("aaabbc", 1)]
    answer = funnel(tmp_path, rows, steps=["view", "buy"], breakdown="channel", limit=1)
    assert [(v.value, v.steps[0].people) for v in answer.breakdown] == [("a", 3), ("(other)", 3)]


def test_the_trend_goes_by_the_local_day_of_the_first_step(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 15:59", "view"),  # 23:59 on the first in Shanghai
        (1, "2026-06-01 16:30", "buy"),
        (2, "2026-06-01 16:00", "view"),  # midnight of the second
    ]
    answer = funnel(
        tmp_path, rows, steps=["view", "buy"], interval="day", timezone="Asia/Shanghai",
        range={"from": "2026-06-01", "to": "2026-06-03"},
    )  # fmt: skip
    assert [(t.period, t.entered, t.converted) for t in answer.trend] == [
        ("2026-06-01", 1, 1),
        ("2026-06-02", 1, 0),
        ("2026-06-03", 0, 0),
    ]


def test_both_days_of_the_range_are_included(tmp_path: Path) -> None:
    rows = [
        (1, "2026-05-31 23:59:59", "view"),
        (2, "2026-06-01 00:00:00", "view"),
        (3, "2026-06-02 23:59:59.999999", "view"),
        (4, "2026-06-03 00:00:00", "view"),
    ]
    answer = funnel(tmp_path, rows, steps=["view", "buy"], range={"from": "2026-06-01", "to": "2026-06-02"})
    assert people(answer) == [2, 0]


def test_time_to_convert_is_a_histogram(tmp_path: Path) -> None:
    rows = [(uid, at("2026-06-01 10:00"), "view") for uid in (1, 2, 3)]
    rows += [(uid, at("2026-06-01 10:00") + s * 1_000_000, "buy") for uid, s in ((1, 30), (2, 60), (3, 600))]
    answer = funnel(tmp_path, rows, steps=["view", "buy"], bins=[0, 60, 120, 600])
    assert [(b.from_, b.to, b.people) for b in answer.time_to_convert] == [(0, 60, 1), (60, 120, 1), (120, 600, 1)]


def test_a_step_may_be_any_of_several_events_with_filters(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 10:00", "view"),
        (1, "2026-06-01 10:10", "buy", {"amount": 99.99}),
        (2, "2026-06-01 10:00", "view"),
        (2, "2026-06-01 10:10", "buy", {"amount": 100.0}),
        (3, "2026-06-01 10:00", "view"),
        (3, "2026-06-01 10:10", "subscribe"),
    ]
    large = {"event": "buy", "filters": {"property": "amount", "op": ">=", "value": 100}}
    answer = funnel(tmp_path, rows, steps=["view", {"any_of": [large, "subscribe"], "label": "Paid"}])
    assert people(answer) == [3, 2]
    assert answer.steps[1].label == "Paid"


def test_the_people_of_a_step_are_listed_in_pages(tmp_path: Path) -> None:
    rows = [(uid, "2026-06-01 10:00", "view") for uid in range(1, 8)] + [(4, "2026-06-01 11:00", "buy")]
    behavior = behavior_of(tmp_path, happened(rows))
    first = behavior.funnel_people(steps=["view", "buy"], step=1, outcome="dropped", limit=4)
    assert ([p.uid for p in first.people], first.total) == ([1, 2, 3, 5], 6)
    second = behavior.funnel_people(steps=["view", "buy"], step=1, outcome="dropped", limit=4, cursor=first.next)
    assert ([p.uid for p in second.people], second.next) == ([6, 7], "")
    assert [p.uid for p in behavior.funnel_people(steps=["view", "buy"], step=1).people] == [4]


def test_thirty_two_steps_are_walked(tmp_path: Path) -> None:
    rows = [(1, at("2026-06-01") + i * 1_000_000, f"e{i}") for i in range(32)]
    assert people(funnel(tmp_path, rows, steps=[f"e{i}" for i in range(32)])) == [1] * 32


def test_a_question_asked_again_is_answered_from_memory_until_something_happens(workspace: Workspace) -> None:
    from tests.behavior.made import table_of

    workspace.lake.append(table_of(happened([(1, "2026-06-01 10:00", "view"), (1, "2026-06-01 10:01", "buy")])))
    behavior = Behavior(workspace.lake, workspace.people, workspace.settings)
    asked = {"steps": ["view", "buy"], "allow_unknown": True}
    assert (behavior.funnel(asked).cached, behavior.funnel(asked).cached) == (False, True)
    more = happened([(2, "2026-06-01 10:00", "view")])
    workspace.lake.append(table_of(more).set_column(5, "event_id", pa.array(["later"])))
    again = behavior.funnel(asked)
    assert (again.cached, people(again)) == (False, [2, 1])


def test_the_online_shop_has_its_known_funnel(workspace: Workspace, shared_data: Path) -> None:
    clicks = pa.csv.read_csv(shared_data / "simple_onlineshop.csv.gz")
    uid = np.unique(clicks["user_id"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    instant = pc.cast(clicks["timestamp"], pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    workspace.lake.append(
        pa.table(
            {
                "uid": uid,
                "distinct_id": clicks["user_id"].cast(pa.string()),
                "ts": instant,
                "received_at": instant,
                "event": clicks["event"],
                "event_id": pa.array([str(i) for i in range(len(uid))]),
                "source": pa.array(["shop"] * len(uid)),
            }
        )
    )
    behavior = Behavior(workspace.lake, workspace.people, workspace.settings)
    answer = behavior.funnel(steps=["catalog", "cart", "payment_choice", "payment_done"], window=None)
    assert people(answer) == [3611, 1924, 958, 653]
    assert answer.scanned == 32_283


@pytest.mark.parametrize(
    ("asked", "field", "reason"),
    [
        ({"steps": ["view"]}, "steps", "2 to 32"),
        ({"steps": ["view"] * 33}, "steps", "has 33"),
        ({"steps": ["view", "bye"]}, "steps[1]", "did you mean buy?"),
        ({"steps": ["view", {"event": "buy", "when": 1}]}, "steps[1].when", "not a part of a step"),
        ({"steps": ["view", 7]}, "steps[1]", "event's name"),
        ({"window": "0d"}, "window", "longer than zero"),
        ({"window": "fortnight"}, "window", "not a duration"),
        ({"window": "999999999d"}, "window", "hundred years"),
        ({"window": 14}, "window", "str"),
        ({"order": "random"}, "order", "not an order"),
        ({"exclude": [{"event": "cart", "after": 1, "before": 1}]}, "exclude[0]", "after < before"),
        ({"exclude": [{"event": "cart", "after": 0, "before": 2}]}, "exclude[0]", "<= 1"),
        ({"exclude": [{"event": "card", "after": 0, "before": 1}]}, "exclude[0].event", "did you mean cart?"),
        ({"order": "any", "exclude": [{"event": "cart", "after": 0, "before": 1}]}, "exclude", "order ordered"),
        ({"attribution": "step:2"}, "attribution", "no step 2"),
        ({"attribution": "mid"}, "attribution", "not an attribution"),
        ({"range": {"from": "2026-06-30", "to": "2026-06-01"}}, "range", "backwards"),
        ({"range": {"from": "yesterday"}}, "range.from", "YYYY-MM-DD"),
        ({"timezone": "Mars/Olympus"}, "timezone", "no time zone"),
        ({"breakdown": "chanel"}, "breakdown", "did you mean channel?"),
        ({"hold": ["prodct"]}, "hold[0]", "did you mean product"),
        ({"filters": [{"property": "pge", "value": 1}]}, "filters[0].property", "did you mean page"),
        ({"limit": 0}, "limit", "between 1 and"),
        ({"windw": "1d"}, "windw", "not a parameter"),
        ({"interval": "year"}, "interval", "not an interval"),
        ({"bins": [3, 1]}, "bins", "ascending"),
    ],
)
def test_wrong_input_is_refused_with_its_place_and_reason(
    tmp_path: Path, asked: dict[str, Any], field: str, reason: str
) -> None:
    behavior = behavior_of(
        tmp_path,
        happened(
            [
                (1, "2026-06-01 10:00", "view", {"page": "home"}),
                (1, "2026-06-01 10:01", "cart"),
                (1, "2026-06-01 10:02", "buy"),
            ]
        ),
    )
    with pytest.raises(InvalidInput) as refused:
        behavior.funnel({"steps": ["view", "buy"], **asked})
    assert refused.value.field == field
    assert reason in refused.value.reason


def test_an_empty_workspace_answers_zero_to_names_that_are_allowed(tmp_path: Path) -> None:
    answer = funnel(tmp_path, [])
    assert people(answer) == [0, 0, 0]
    assert answer.steps[1].from_previous is None
