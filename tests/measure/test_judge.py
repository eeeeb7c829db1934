"""When a period is unusual: by hand, by simulation with known truth, and at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tilth.measure.alerts.alert import Condition
from tilth.measure.alerts.judge import Seen, judge

WEEK = [1.0, 1.1, 1.0, 1.05, 1.4, 1.9, 1.7]


def days(rng: np.random.Generator, count: int, level: float, growth: float = 0.0) -> list[Seen]:
    made = []
    for i in range(count):
        mean = level * WEEK[i % 7] * math.exp(growth * i)
        made.append(Seen(float(rng.poisson(mean * rng.gamma(200, 1 / 200))), i % 7))
    return made


@pytest.mark.parametrize("growth", [0.0, 0.01])
def test_quiet_weeks_raise_few_alarms_and_a_planted_drop_is_found(growth: float) -> None:
    rng = np.random.default_rng(3)
    condition = Condition(kind="seasonal", sensitivity=3.0)
    false = found = total = 0
    for _ in range(300):
        series = days(rng, 64, 500, growth)
        false += bool(judge(condition, series[:-1], series[-1], counted=True).firing)
        assert series[-1].value is not None
        dropped = series[-1]._replace(value=series[-1].value * 0.6)
        found += bool(judge(condition, series[:-1], dropped, counted=True).firing)
        total += 1
    assert false / total <= 0.05
    assert found / total >= 0.95


def test_a_weekend_is_compared_with_weekends() -> None:
    past = [Seen(1000.0 * WEEK[i % 7], i % 7) for i in range(56)]
    condition = Condition(kind="seasonal", side="below")
    saturday = Seen(1900.0, 5)
    assert (
        judge(condition, [*past, *[Seen(1000.0 * WEEK[i], i) for i in range(5)]], saturday, counted=True).firing
        is False
    )
    monday_like = judge(
        condition, [*past, *[Seen(1000.0 * WEEK[i], i) for i in range(5)]], Seen(1000.0, 5), counted=True
    )
    assert monday_like.firing is True
    assert monday_like.expected == pytest.approx(1900, rel=0.01)
    assert monday_like.high is None


def test_a_share_of_few_people_differs_by_chance_alone() -> None:
    past = [Seen(0.5, 0, 1000.0) for _ in range(30)]
    condition = Condition(kind="seasonal")
    assert judge(condition, past, Seen(0.4, 0, 20.0), counted=False).firing is False
    assert judge(condition, past, Seen(0.4, 0, 2000.0), counted=False).firing is True


def test_too_little_history_says_nothing() -> None:
    verdict = judge(Condition(kind="seasonal"), [Seen(1.0, 0)] * 2, Seen(9.0, 0), counted=True)
    assert verdict.firing is None
    assert "3 are needed" in verdict.reason
    assert judge(Condition(kind="change"), [], Seen(9.0, 0), counted=True).firing is None
    assert judge(Condition(kind="change"), [Seen(1.0, 0)], Seen(None, 0), counted=True).firing is None


@pytest.mark.parametrize(
    ("side", "value", "firing"),
    [
        ("above", 121.0, True),
        ("above", 79.0, False),
        ("below", 79.0, True),
        ("either", 119.0, False),
        ("either", 60.0, True),
    ],
)
def test_a_change_beyond_its_percent_is_told(side: str, value: float, firing: bool) -> None:
    condition = Condition(kind="change", side=side, percent=20)  # type: ignore[arg-type]
    assert judge(condition, [Seen(50.0, 1), Seen(100.0, 0)], Seen(value, 1), counted=True).firing is firing


def test_a_change_from_a_week_before_looks_a_week_back() -> None:
    past = [Seen(float(10 + i), i % 7) for i in range(14)]
    verdict = judge(Condition(kind="change", versus="week", percent=10), past, Seen(17.0, 0), counted=True)
    assert (verdict.expected, verdict.firing) == (17.0, False)


def test_something_from_nothing_is_a_change() -> None:
    condition = Condition(kind="change")
    assert judge(condition, [Seen(0.0, 0)], Seen(5.0, 0), counted=True).firing is True
    assert judge(condition, [Seen(0.0, 0)], Seen(0.0, 0), counted=True).firing is False


def test_a_threshold_is_a_threshold() -> None:
    condition = Condition(kind="threshold", side="below", value=10)
    assert judge(condition, [], Seen(9.9, 0), counted=True).firing is True
    assert judge(condition, [], Seen(10.0, 0), counted=True).firing is False
