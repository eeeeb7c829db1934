"""Attribution and LTV: by hand, and attribution against its slow version."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import MINUTE, at, behavior_of, happened, scattered
from tests.oracles.attribution import credits_of
from tilth.behavior import Behavior
from tilth.behavior.attribution import MODELS, AttributionAnswer
from tilth.behavior.holdouts import _difference, _mean
from tilth.errors import InvalidInput, NotFound

PATH = [
    (1, "2026-06-01", "visit", {"channel": "ads"}),
    (1, "2026-06-05", "visit", {"channel": "mail"}),
    (1, "2026-06-08", "visit", {"channel": "direct"}),
    (1, "2026-06-08 01:00", "visit", {}),  # of no channel: no touch
    (1, "2026-06-08 10:00", "buy", {"amount": 100.0, "channel": "app"}),
    (2, "2026-06-08 10:00", "buy", {"amount": 30.0}),  # nothing touched it
    (3, "2026-06-02", "visit", {"channel": "mail"}),  # never bought
]


def credit(answer: AttributionAnswer, model: str) -> dict[Any, float]:
    return {t.value: pytest.approx(t.credit[model]) for t in answer.touches if t.credit[model]}


def test_each_model_shares_a_conversion_in_its_way(tmp_path: Path) -> None:
    answer = behavior_of(tmp_path, happened(PATH)).attribution(conversion="buy", touch="visit", costs={"mail": 20})
    assert credit(answer, "first") == {"ads": 1, None: 1}
    assert credit(answer, "last") == {"direct": 1, None: 1}
    assert credit(answer, "last_non_direct") == {"mail": 1, None: 1}
    assert credit(answer, "linear") == {"ads": 1 / 3, "mail": 1 / 3, "direct": 1 / 3, None: 1}
    assert credit(answer, "position") == {"ads": 0.4, "mail": 0.2, "direct": 0.4, None: 1}
    # Weights 1 : 2^(-3/7) : 1 with the last touch as 1, a week being the half-life.
    total = 1 + 2 ** (-3 / 7) + 2 ** (-1)
    assert credit(answer, "time_decay") == {
        "direct": 1 / total, "mail": 2 ** (-3 / 7) / total, "ads": 0.5 / total, None: 1,
    }  # fmt: skip
    assert (answer.conversions, answer.revenue) == (2, 130)
    mail = next(t for t in answer.touches if t.value == "mail")
    assert mail.revenue["linear"] == pytest.approx(100 / 3)
    assert mail.roi["linear"] == pytest.approx((100 / 3 - 20) / 20)
    assert mail.cac["last_non_direct"] == 20
    assert mail.cac["first"] is None


def test_touches_outside_the_lookback_get_nothing(tmp_path: Path) -> None:
    answer = behavior_of(tmp_path, happened(PATH)).attribution(conversion="buy", touch="visit", lookback="4d")
    assert credit(answer, "first") == {"mail": 1, None: 1}


def test_touches_before_the_range_count_for_conversions_in_it(tmp_path: Path) -> None:
    answer = behavior_of(tmp_path, happened(PATH)).attribution(
        conversion="buy", touch="visit", range={"from": "2026-06-08", "to": "2026-06-08"}
    )
    assert credit(answer, "first") == {"ads": 1, None: 1}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    made=scattered(
        names="aab",
        per_person=8,
        span=20,
        unit=10 * MINUTE,
        properties=st.fixed_dictionaries({}, optional={"channel": st.sampled_from(["ads", "mail", "direct"])}),
    )
)
def test_credits_are_what_following_each_conversion_gives_and_add_up(made: Any) -> None:
    events, parts = made
    with tempfile.TemporaryDirectory() as folder:
        answer = behavior_of(Path(folder), events, parts).attribution(
            conversion="b", lookback="40m", half_life="15m", allow_unknown=True
        )
        want, _ = credits_of(events, lookback=40 * MINUTE, half_life=15 * MINUTE, direct="direct")
        assert answer.conversions == sum(e.event == "b" for e in events)
        for model in (m for m in MODELS if m != "incremental"):
            got = {t.value: t.credit[model] for t in answer.touches if t.credit[model] > 1e-9}
            assert got == pytest.approx({v: c for v, c in want.get(model, {}).items() if c > 1e-9}, rel=1e-6)
            # A removal effect of nothing has nothing to share.
            if model != "markov" or answer.conversions:
                assert sum(t.credit[model] for t in answer.touches) == pytest.approx(answer.conversions)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"models": ["first", "best"]}, "models[1]"),
        ({"lookback": "-1d"}, "lookback"),
        ({"group_by": "chanel"}, "group_by"),
        ({"conversion": "by"}, "conversion"),
    ],
)
def test_wrong_parameters_are_refused(tmp_path: Path, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        behavior_of(tmp_path, happened(PATH)).attribution({"conversion": "buy", **asked})
    assert refused.value.field == field


def held_out(tmp_path: Path, sets: dict[str, list[int]]) -> Behavior:
    """200 people the mail was meant for, of whom 80 buy for 10; 100 held out, of whom 20 do."""
    rows = [(uid, "2026-06-02", "visit", {"channel": "mail"}) for uid in range(1, 201)]
    rows += [(uid, "2026-06-03", "buy", {"amount": 10.0}) for uid in range(1, 81)]
    rows += [(uid, "2026-06-03", "buy", {"amount": 10.0}) for uid in range(201, 221)]
    made = behavior_of(tmp_path, happened(rows))
    made._sources = dataclasses.replace(made._sources, segment=sets.get)
    return made


def test_what_a_holdout_shows_is_incremental_and_the_rest_is_not_shown_to_be_caused(tmp_path: Path) -> None:
    behavior = held_out(tmp_path, {"meant": list(range(1, 201)), "control": list(range(201, 301))})
    answer = behavior.attribution(
        conversion="buy",
        touch="visit",
        models=["linear", "incremental"],
        holdouts={"mail": {"treated": "meant", "held_out": "control"}},
        costs={"mail": 80},
    )
    (shown,) = answer.incremental
    # 40 % of 200 bought, 20 % of those held out: 40 of the 80 would have bought anyway.
    assert (shown.treated, shown.held_out, shown.treated_rate, shown.held_out_rate) == (200, 100, 0.4, 0.2)
    assert shown.conversions == pytest.approx(40)
    # Welch: s² = n p (1 - p) / (n - 1) of each group.
    half = 200 * 1.959963984540054 * math.sqrt(0.24 / 199 + 0.16 / 99)
    assert (shown.conversions_low, shown.conversions_high) == (pytest.approx(40 - half), pytest.approx(40 + half))
    assert (shown.revenue, shown.revenue_low) == (pytest.approx(400), pytest.approx(400 - 10 * half))
    assert shown.cac == pytest.approx(2)
    assert (shown.cac_low, shown.cac_high) == (pytest.approx(80 / (40 + half)), pytest.approx(80 / (40 - half)))
    assert (shown.roi, shown.roi_low) == (pytest.approx(4), pytest.approx((400 - 10 * half - 80) / 80))
    credits = {t.value: t.credit["incremental"] for t in answer.touches}
    assert credits == {"mail": pytest.approx(40), None: pytest.approx(60)}
    mail = answer.touches[0]
    assert mail.credit["linear"] == 80
    assert mail.roi["incremental"] == pytest.approx((400 - 80) / 80)
    assert sum(t.credit["linear"] for t in answer.touches) == answer.conversions == 100
    # As a table only what is incremental has an interval.
    rows = {(r["value"], r["model"]): r for r in answer.to_arrow().to_pylist()}
    assert rows["mail", "incremental"]["credit_low"] == pytest.approx(40 - half)
    assert rows["mail", "incremental"]["roi_low"] == pytest.approx(shown.roi_low)
    assert rows["mail", "linear"]["credit_low"] is None
    assert rows[None, "incremental"]["credit_low"] is None


def test_where_nobody_converted_there_is_no_interval_and_no_cost_of_a_conversion(tmp_path: Path) -> None:
    sets = {"meant": list(range(100, 201)), "control": list(range(221, 301))}
    answer = held_out(tmp_path, sets).attribution(
        conversion="buy", holdouts={"mail": {"treated": "meant", "held_out": "control"}}, costs={"mail": 80}
    )
    (shown,) = answer.incremental
    assert (shown.conversions, shown.conversions_low, shown.conversions_high) == (0, None, None)
    assert (shown.revenue, shown.revenue_low, shown.revenue_high) == (0, None, None)
    assert (shown.cac, shown.cac_low, shown.cac_high) == (None, None, None)


def test_a_cost_of_a_conversion_has_no_upper_bound_where_there_may_be_nothing_more(tmp_path: Path) -> None:
    # 1 of 20 against 0 of 20.
    sets = {"meant": list(range(80, 100)), "control": list(range(221, 241))}
    (shown,) = (
        held_out(tmp_path, sets)
        .attribution(
            conversion="buy", holdouts={"mail": {"treated": "meant", "held_out": "control"}}, costs={"mail": 80}
        )
        .incremental
    )
    assert shown.conversions == pytest.approx(1)
    assert shown.conversions_low is not None
    assert shown.conversions_low < 0
    assert shown.cac == pytest.approx(80)
    assert shown.cac_low is not None
    assert shown.cac_low < 80
    assert shown.cac_high is None


def test_the_interval_of_a_holdout_covers_no_effect_in_19_of_20(tmp_path: Path) -> None:
    # Both groups convert alike at a known rate: the interval must cover 0 about 95 times of 100.
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(2_000):
        a, b = (random.random(400) < 0.1).astype(float), (random.random(200) < 0.1).astype(float)
        _, low, high = _difference(_mean(a[a > 0], 400), _mean(b[b > 0], 200), 400)
        assert low is not None
        assert high is not None
        covered += low <= 0 <= high
    assert 0.93 < covered / 2_000 < 0.965


@pytest.mark.parametrize(
    ("sets", "asked", "field"),
    [
        ({"a": [1, 2, 3], "b": [3, 4]}, {"holdouts": {"mail": {"treated": "a", "held_out": "b"}}}, "holdouts.mail"),
        ({"a": [1, 2], "b": [3]}, {"holdouts": {"mail": {"treated": "a", "held_out": "b"}}}, "holdouts.mail.held_out"),
        ({}, {"models": ["incremental"]}, "models[0]"),
        ({}, {"holdouts": {"mail": {"treated": "a"}}}, "holdouts"),
    ],
)
def test_a_holdout_that_compares_nothing_is_refused(
    tmp_path: Path, sets: dict[str, list[int]], asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        held_out(tmp_path, sets).attribution({"conversion": "buy", **asked})
    assert refused.value.field.startswith(field)


def test_a_holdout_of_a_segment_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        held_out(tmp_path, {}).attribution(
            conversion="buy", holdouts={"mail": {"treated": "nobody", "held_out": "no one"}}
        )


def test_ltv_is_what_a_cohort_has_brought_in_per_person(tmp_path: Path) -> None:
    rows = [
        (1, "2026-04-03", "purchase", {"amount": 100.0}),
        (1, "2026-05-03", "purchase", {"amount": 50.0}),
        (1, "2026-06-03", "refund", {"amount": 20.0}),
        (2, "2026-04-20", "purchase", {"amount": 10.0}),
        (3, "2026-05-20", "purchase", {"amount": 30.0}),
    ]
    answer = behavior_of(tmp_path, happened(rows), now=at("2026-06-10")).ltv(
        interval="month", periods=2, range={"from": "2026-04-01", "to": "2026-05-31"}
    )
    assert [(r.period, r.people, r.value) for r in answer.rows] == [
        ("2026-04-01", 2, [55, 80, 70]),
        ("2026-05-01", 1, [30, 30, None]),
    ]
    assert answer.average == [pytest.approx(140 / 3), pytest.approx(190 / 3), 70]
    assert answer.rows[0].paying == [1, 1, 1]


def test_ltv_of_people_who_signed_up_counts_those_who_never_paid(tmp_path: Path) -> None:
    rows = [
        (1, "2026-04-03", "signup"),
        (2, "2026-04-03", "signup"),
        (1, "2026-05-03", "purchase", {"amount": 50.0}),
    ]
    answer = behavior_of(tmp_path, happened(rows), now=at("2026-05-10")).ltv(
        start="signup", interval="month", periods=1, range={"from": "2026-04-01", "to": "2026-04-30"}
    )
    assert (answer.rows[0].value, answer.rows[0].paying) == ([0, 25], [0, 0.5])
