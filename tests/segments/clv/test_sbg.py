"""How long subscribers stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tilth.errors import InvalidInput
from tilth.segments.clv import sbg

REGULAR = {"alpha": 0.704, "beta": 1.182}


def test_survival_is_projected_as_in_the_paper() -> None:
    # High End customers of the paper: 49.1 % are left after 7 years, and the model of 7 years says 38.0 % after 12.
    future = sbg.forecast({"alpha": 0.668, "beta": 3.806}, 12)
    assert future.survival[0] == 1
    assert future.survival[7] == pytest.approx(0.491, abs=0.004)
    assert future.survival[12] == pytest.approx(0.380, abs=0.002)


@given(st.floats(0.05, 30), st.floats(0.05, 30), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_survival_and_retention_are_ratios_of_beta_functions(alpha: float, beta: float, periods: int) -> None:
    future = sbg.forecast({"alpha": alpha, "beta": beta}, periods)
    for t in range(periods + 1):
        whole = np.exp(special.betaln(alpha, beta + t) - special.betaln(alpha, beta))
        assert future.survival[t] == pytest.approx(whole, rel=1e-9)
    for t in range(1, periods + 1):
        assert future.retention[t - 1] == pytest.approx(future.survival[t] / future.survival[t - 1], rel=1e-9)
    assert all(np.diff(future.retention) >= 0)


@given(st.floats(0.1, 20), st.floats(0.1, 20))
@settings(max_examples=40, deadline=None)
def test_the_gradient_is_that_of_finite_differences(alpha: float, beta: float) -> None:
    left, stayed = np.array([369.0, 163, 86, 56]), np.array([0.0, 20, 0, 306])
    values = np.array([alpha, beta])
    total, gradient = sbg.log_likelihood(left, stayed, values)
    for i in range(2):
        step = np.zeros(2)
        step[i] = 1e-5 * values[i]
        up, down = (sbg.log_likelihood(left, stayed, values + sign * step)[0] for sign in (1, -1))
        slope = (up - down) / (2 * step[i])
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-9 * abs(total) / step[i] ** 0.5)


def test_the_likelihood_counts_leavers_by_their_period_and_stayers_by_survival() -> None:
    survival = sbg.forecast(REGULAR, 3).survival
    leave = -np.diff(survival)
    expected = 5 * np.log(leave[0]) + 3 * np.log(leave[2]) + 4 * np.log(survival[1]) + 2 * np.log(survival[3])
    total, _ = sbg.log_likelihood(np.array([5.0, 0, 3]), np.array([4.0, 0, 2]), np.array([0.704, 1.182]))
    assert total == pytest.approx(expected, rel=1e-12)


def test_cohorts_of_different_age_are_fitted_together() -> None:
    random = np.random.default_rng(1)
    chance = random.beta(0.9, 2.5, 30_000)
    period = random.geometric(chance)
    age = random.integers(3, 9, 30_000)  # how long each cohort was watched
    left = np.bincount(period[period <= age], minlength=10)[1:9].astype(float)
    stayed = np.bincount(age[period > age], minlength=10)[1:9].astype(float)
    estimate = sbg.fit(left, stayed)
    assert estimate.converged
    for name, truth in {"alpha": 0.9, "beta": 2.5}.items():
        error = estimate.standard_errors[name]
        assert error is not None
        assert abs(estimate.values[name] - truth) < 4 * error


def test_the_residual_of_a_subscriber_is_the_discounted_sum_of_survival() -> None:
    values = {"alpha": 1.8, "beta": 4.0}
    for age in (0, 3):
        later = sbg.forecast({"alpha": 1.8, "beta": 4.0 + age}, 2000).survival[1:]
        discounted = sum(share / 1.1**t for t, share in enumerate(later, 1))
        assert sbg.forecast(values, 1, age=age, discount=0.1).remaining == pytest.approx(discounted, rel=1e-9)
    # undiscounted: E[(1 - θ)/θ] = beta/(alpha - 1)
    assert sbg.forecast(values, 1).remaining == pytest.approx(4.0 / 0.8)
    assert sbg.forecast({"alpha": 0.9, "beta": 4.0}, 1).remaining is None


@pytest.mark.parametrize("survivors", [[100], [100, 101], [100, 50, -1], [100, 100, 100]])
def test_survivors_that_cannot_be_are_refused(survivors: list[int]) -> None:
    with pytest.raises(InvalidInput):
        sbg.fit_survivors(survivors)


def test_everybody_leaving_at_once_is_a_limit_and_not_a_crash() -> None:
    estimate = sbg.fit_survivors([100, 0])
    assert not estimate.converged
    assert estimate.at_limit
