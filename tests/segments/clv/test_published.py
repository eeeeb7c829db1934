"""The estimates printed in the papers, from the raw files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.oracles.clv import OrderArrays
from tests.segments.clv import cdnow
from tilth.segments.clv import CLVRequest, CLVResult, clv, sbg


@pytest.fixture(scope="module", params=["shared data", "lifetimes wheel"])
def sample(request: pytest.FixtureRequest) -> OrderArrays:
    if request.param == "lifetimes wheel":
        return cdnow.from_wheel()
    return cdnow.from_shared(request.getfixturevalue("shared_data"))


def ask(history: OrderArrays, model: str, **more: object) -> CLVResult:
    return clv(history, CLVRequest(model=model, time_unit="week", calibration_end="1997-09-30", **more))


def rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


def test_bgnbd_on_cdnow_gives_the_published_estimates(sample: OrderArrays) -> None:
    answer = ask(sample, "bgnbd")
    assert rounded(answer.parameters, 3) == {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert round(answer.log_likelihood, 1) == -9582.4
    assert answer.converged
    assert (answer.people, answer.repeat_people) == (2357, 946)


def test_pareto_nbd_on_cdnow_gives_the_published_estimates(sample: OrderArrays) -> None:
    answer = ask(sample, "pareto_nbd")
    assert rounded(answer.parameters, 3) == {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    assert round(answer.log_likelihood, 1) == -9595.0
    assert answer.converged


def test_mbgnbd_on_cdnow_gives_the_estimates_of_its_literature(sample: OrderArrays) -> None:
    answer = ask(sample, "mbgnbd")
    assert rounded(answer.parameters, 3) == {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
    assert answer.converged


def test_gamma_gamma_on_the_repeat_buyers_of_cdnow_gives_the_published_estimates(sample: OrderArrays) -> None:
    spend = ask(sample, "bgnbd").gamma_gamma
    assert spend is not None
    assert (round(spend.p, 2), round(spend.q, 2), round(spend.v, 2)) == (6.25, 3.74, 15.44)
    assert spend.people == 946
    assert spend.correlation == pytest.approx(0.11, abs=0.005)


def test_customer_1516_of_cdnow_is_scored_as_in_the_btyd_walk_through(sample: OrderArrays) -> None:
    # x = 26, tx = 30.86, T = 31.00 weeks; Pareto/NBD, a year ahead.
    person = ask(sample, "pareto_nbd", horizon=52).forecasts.of(1516)
    assert person.expected_purchases == pytest.approx(25.456, abs=0.002)
    assert person.p_alive == pytest.approx(0.9979, abs=0.0001)


def test_the_calendar_unit_only_rescales_the_rates(sample: OrderArrays) -> None:
    weeks, days = ask(sample, "bgnbd"), clv(sample, CLVRequest(time_unit="day", calibration_end="1997-09-30"))
    assert days.parameters["alpha"] == pytest.approx(7 * weeks.parameters["alpha"], rel=1e-4)
    for name in ("r", "a", "b"):
        assert days.parameters[name] == pytest.approx(weeks.parameters[name], rel=1e-4)
    assert (days.horizon, weeks.horizon) == (273, 39)
    np.testing.assert_allclose(days.forecasts.expected_purchases, weeks.forecasts.expected_purchases, rtol=1e-3)


@pytest.mark.parametrize("model", ["bgnbd", "pareto_nbd", "mbgnbd"])
def test_the_holdout_of_cdnow_is_foreseen_better_than_by_repeating_the_last_period(
    sample: OrderArrays, model: str
) -> None:
    check = ask(sample, model).holdout
    assert check is not None
    assert (check.since, check.until, check.periods) == ("1997-10-01", "1998-06-30", 39)
    assert check.actual_total == 1882
    assert check.mae < 0.9 * check.naive_mae
    assert check.expected_total == pytest.approx(1882, rel=0.2)
    assert check.covered >= check.level
    assert [row.frequency for row in check.calibration] == [0, 1, 2, 3, 4, 5, 6, "7+"]
    assert sum(row.people for row in check.calibration) == 2357
    assert sum(row.people * row.actual for row in check.calibration) == pytest.approx(1882)
    assert sum(row.people * row.expected for row in check.calibration) == pytest.approx(check.expected_total)


def test_the_naive_forecast_of_cdnow_is_everyone_s_repeat_purchases_of_the_last_39_weeks(
    sample: OrderArrays, shared_data: Path
) -> None:
    check = ask(sample, "bgnbd").holdout
    assert check is not None
    assert check.naive_total == 2457  # all repeat transactions fall into those 39 weeks


def test_sbg_gives_the_published_estimates_of_the_regular_and_the_high_end_customers() -> None:
    regular = sbg.fit_survivors([1000, 631, 468, 382, 326, 289, 262, 241])
    high_end = sbg.fit_survivors([1000, 869, 743, 653, 593, 551, 517, 491])
    assert rounded(regular.values, 3) == {"alpha": 0.704, "beta": 1.182}
    assert rounded(high_end.values, 3) == {"alpha": 0.668, "beta": 3.806}
