"""Attribution and LTV: by hand, and attribution against its slow version."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import MINUTE, at, behavior_of, happened, scattered
from tests.oracles.attribution import credits_of
from tilth.behavior.attribution import MODELS, AttributionAnswer
from tilth.errors import InvalidInput

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
