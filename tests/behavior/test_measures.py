"""Trends, distributions, sessions, paths and timelines on events one can follow by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.behavior.made import at, behavior_of, happened
from tilth.behavior import Behavior, questions
from tilth.behavior.formula import parse_formula
from tilth.errors import InvalidInput, NotFound

JUNE = {"from": "2026-06-01", "to": "2026-06-03"}
ORDERS = [
    (1, "2026-06-01 10:00", "buy", {"amount": 10.0, "channel": "app"}),
    (1, "2026-06-01 11:00", "buy", {"amount": 20.0, "channel": "app"}),
    (2, "2026-06-01 12:00", "buy", {"amount": 70.0, "channel": "shop"}),
    (1, "2026-06-03 10:00", "buy", {"amount": 5.5, "channel": "shop"}),
    (3, "2026-06-03 10:00", "view"),
]


@pytest.fixture
def behavior(tmp_path: Path) -> Behavior:
    return behavior_of(tmp_path, happened(ORDERS), now=at("2026-06-03 20:00"))


def values(behavior: Behavior, **asked: Any) -> list[Any]:
    (series,) = behavior.trends(range=JUNE, **asked).series
    return [p.value for p in series.points]


def test_zero_is_shown_where_nothing_happened(behavior: Behavior) -> None:
    assert values(behavior, event="buy") == [3, 0, 1]
    assert values(behavior, event="buy", metric="people") == [2, 0, 1]
    assert values(behavior, event="buy", metric="sum", property="amount") == [100, 0, 5.5]
    assert values(behavior, event="buy", metric="mean", property="amount") == [pytest.approx(100 / 3), None, 5.5]
    assert values(behavior, event="buy", metric="per_person", property="amount") == [50, None, 5.5]
    assert values(behavior, event="buy", metric="per_person") == [1.5, None, 1]
    assert values(behavior, event="buy", metric="median", property="amount") == [20, None, 5.5]


def test_distinct_people_of_the_range_are_not_the_sum_of_the_days(behavior: Behavior) -> None:
    (series,) = behavior.trends(event="buy", metric="people", range=JUNE).series
    assert series.total == 2


def test_a_formula_over_series_divides_by_nothing_into_nothing(behavior: Behavior) -> None:
    asked = [{"event": "buy"}, {"event": "*", "metric": "people"}]
    answer = behavior.trends(series=asked, formula="A / B * 100", range=JUNE)
    assert [p.value for p in answer.series[0].points] == [150, None, 50]
    assert answer.series[0].label == "A / B * 100"


def test_the_range_before_is_compared(behavior: Behavior) -> None:
    (series,) = behavior.trends(event="buy", range={"from": "2026-06-03", "to": "2026-06-04"}, compare=True).series
    assert [(p.period, p.value) for p in series.previous] == [("2026-06-01", 3), ("2026-06-02", 0)]


def test_a_moving_average_looks_back(behavior: Behavior) -> None:
    (series,) = behavior.trends(event="buy", range=JUNE, moving_average=2).series
    assert [p.moving_average for p in series.points] == [3, 1.5, 0.5]


def test_a_trend_is_broken_down_by_value(behavior: Behavior) -> None:
    answer = behavior.trends(event="*", range=JUNE, breakdown="channel")
    assert {s.breakdown: [p.value for p in s.points] for s in answer.series} == {
        "app": [2, 0, 0],
        "shop": [1, 0, 1],
        None: [0, 0, 1],
    }
    two = behavior.trends(event="buy", range=JUNE, breakdown=["channel", "amount"], limit=2)
    assert [s.breakdown for s in two.series] == [["app", 10], ["app", 20], "(other)"]


@pytest.mark.parametrize(
    ("formula", "value"),
    [("A + B", 9), ("(A - B) * 2", 6), ("-A / 4", -1.5), ("A / (B - 3)", None), ("C", None), ("1.5 * B", 4.5)],
)
def test_formulas_compute(formula: str, value: float | None) -> None:
    assert parse_formula(formula, 3, "formula")([6, 3, None]) == value


@pytest.mark.parametrize(
    "formula", ["D", "a", "A ** B", "A if B else A", "f(A)", "__import__('os')", "A +", "", "A.b", "'x'"]
)
def test_what_is_no_formula_is_refused(formula: str) -> None:
    with pytest.raises(InvalidInput):
        parse_formula(formula, 3, "formula")


def test_a_distribution_of_purchases_a_person(behavior: Behavior) -> None:
    answer = behavior.distribution(event="buy")
    assert [(b.from_, b.to, b.people) for b in answer.bins] == [(1, 2, 1), (2, 3, 0), (3, 4, 1)]
    assert (answer.mean, answer.median, answer.people) == (2, 2, 2)
    money = behavior.distribution(event="buy", metric="sum", property="amount", bins=[0, 50, 100])
    assert [b.people for b in money.bins] == [1, 1]
    assert (money.total, money.mean) == (105.5, 52.75)
    assert behavior.distribution(event="buy", metric="mean", property="amount").mean == pytest.approx(
        (35.5 / 3 + 70) / 2
    )


def test_where_one_of_five_holds_all_the_top_fifth_holds_all(tmp_path: Path) -> None:
    rows = [(uid, "2026-06-01", "buy", {"amount": 0.0 if uid < 5 else 80.0}) for uid in range(1, 6)]
    answer = behavior_of(tmp_path, happened(rows)).distribution(event="buy", metric="sum", property="amount")
    assert (answer.top20_share, answer.gini) == (1.0, pytest.approx(0.8))


def test_a_session_ends_after_half_an_hour_of_nothing(tmp_path: Path) -> None:
    rows = [
        (1, "2026-06-01 10:00", "view"),
        (1, "2026-06-01 10:30", "view"),
        (1, "2026-06-01 11:00:01", "view"),
        (2, "2026-06-01 10:00", "view"),
    ]
    behavior = behavior_of(tmp_path, happened(rows))
    answer = behavior.sessions()
    assert (answer.total.sessions, answer.total.people) == (3, 2)
    assert (answer.total.mean_seconds, answer.median_seconds) == (600.0, 0.0)
    assert answer.total.bounced == pytest.approx(2 / 3)
    assert behavior.sessions(gap="1h").total.sessions == 2


def test_paths_are_collapsed_cleaned_and_folded(tmp_path: Path) -> None:
    def visit(uid: int, *pages: str) -> list[tuple[Any, ...]]:
        return [(uid, at("2026-06-01 10:00") + i * 10_000_000, "page", {"page": p}) for i, p in enumerate(pages)]

    rows = [
        *visit(1, "/home", "/home", "/item/1", "/cart"),
        *visit(2, "/home", "/item/2", "/cart"),
        *visit(3, "/home", "/help"),
    ]
    behavior = behavior_of(tmp_path, happened(rows))
    clean = [{"pattern": "^/item/", "name": "/item"}]
    answer = behavior.paths(group_by="page", clean=clean, edges=2)
    assert [(e.source, e.target, e.sessions, e.mean_seconds) for e in answer.edges] == [
        ("1_/home", "2_/item", 2, 15.0),
        ("2_/item", "3_/cart", 2, 10.0),
        ("1_(other)", "2_(other)", 1, 10.0),
    ]
    assert answer.sessions == 3
    ending = behavior.paths(group_by="page", end_at="/cart", steps=2)
    assert {(e.source, e.target) for e in ending.edges} == {("1_/item/1", "2_/cart"), ("1_/item/2", "2_/cart")}
    with pytest.raises(InvalidInput, match="did you mean /home"):
        behavior.paths(group_by="page", start_at="/hom")
    with pytest.raises(InvalidInput, match="RE2"):
        behavior.paths(group_by="page", clean=[{"pattern": "(", "name": "x"}])


def test_a_timeline_is_the_persons_events_the_newest_first(tmp_path: Path) -> None:
    behavior = behavior_of(tmp_path, happened(ORDERS), timezone="Asia/Shanghai")
    behavior._people_directory.resolve("id", ["zero", "ann"], "test")
    uid = behavior._people_directory.find("ann")
    rows = [(uid, *row[1:]) for row in ORDERS if row[0] == 1]
    behavior = behavior_of(tmp_path / "two", happened(rows), timezone="Asia/Shanghai")
    behavior._people_directory.resolve("id", ["zero", "ann"], "test")
    first = behavior.timeline(person="ann", limit=2)
    assert [(e.local[:16], e.properties["amount"], e.session) for e in first.events] == [
        ("2026-06-03T18:00", 5.5, 3),
        ("2026-06-01T19:00", 20.0, 2),
    ]
    second = behavior.timeline(person="ann", limit=2, cursor=first.next)
    assert ([e.properties["amount"] for e in second.events], second.next, second.total) == ([10.0], "", 3)
    assert behavior.timeline(person="ann", range={"from": "2026-06-02"}).total == 1
    with pytest.raises(NotFound):
        behavior.timeline(person="nobody")


@pytest.mark.parametrize(
    ("kind", "asked", "field"),
    [
        ("trends", {"metric": "average"}, "metric"),
        ("trends", {"metric": "sum"}, "property"),
        ("trends", {"series": [{"event": "buy"}, {"event": "by"}]}, "series[1].event"),
        ("trends", {"series": [{"event": "buy"}], "formula": "B"}, "formula"),
        ("trends", {"compare": True}, "compare"),
        ("distribution", {"metric": "sum", "property": "amont"}, "property"),
        ("distribution", {"bins": 0}, "bins"),
        ("sessions", {"gap": "1mo"}, "gap"),
        ("paths", {"steps": 1}, "steps"),
        ("paths", {"edges": 0}, "edges"),
        ("paths", {"event": ["buy", "by"]}, "event.any_of[1]"),
        ("timeline", {"person": "x", "limit": 0}, "limit"),
    ],
)
def test_wrong_parameters_are_refused(behavior: Behavior, kind: str, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        questions[kind].ask(behavior, asked)
    assert refused.value.field == field


def test_every_kind_of_question_takes_json_and_gives_json(behavior: Behavior) -> None:
    behavior._people_directory.resolve("id", ["ann", "bob"], "test")
    asked = {
        "funnel": {"steps": ["view", "buy"]},
        "retention": {"start": "buy", "return": "*"},
        "timeline": {"person": "ann"},
        "attribution": {"conversion": "buy"},
        "ltv": {"revenue": "buy"},
    }
    for name, kind in questions.items():
        body = msgspec.json.decode(msgspec.json.encode(asked.get(name, {})))
        answer = msgspec.json.decode(msgspec.json.encode(kind.ask(behavior, body)))
        assert {"as_of", "took_ms", "scanned", "cached"} <= set(answer)
        assert msgspec.json.schema(kind.parameters)
        struct = msgspec.convert(body, kind.parameters)
        assert type(kind.ask(behavior, struct)) is kind.answer
