"""What a purchase is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import clv as oracle
from tilth.errors import InvalidInput
from tilth.segments.clv import gamma_gamma


@given(st.integers(1, 60), st.floats(0.5, 500), st.floats(0.3, 20), st.floats(0.3, 20), st.floats(1, 300))
@settings(max_examples=60, deadline=None)
def test_the_likelihood_is_the_integral_over_the_person_s_rate(
    x: int, mean: float, p: float, q: float, v: float
) -> None:
    value, _ = gamma_gamma.log_likelihood(np.array([x]), np.array([mean]), np.array([p, q, v]))
    density = oracle.gamma_gamma_likelihood(x, mean, p, q, v)
    if density > 1e-250:
        assert value == pytest.approx(np.log(density), rel=1e-8, abs=1e-8)


@given(st.floats(0.3, 20), st.floats(0.3, 20), st.floats(1, 300))
@settings(max_examples=50, deadline=None)
def test_the_gradient_is_that_of_finite_differences(p: float, q: float, v: float) -> None:
    random = np.random.default_rng(2)
    x, mean = random.integers(1, 30, 200), random.gamma(3, 15, 200)
    values = np.array([p, q, v])
    total, gradient = gamma_gamma.log_likelihood(x, mean, values)
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-5 * values[i]
        up, down = (gamma_gamma.log_likelihood(x, mean, values + sign * step)[0] for sign in (1, -1))
        slope = (up - down) / (2 * step[i])
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-9 * abs(total) / step[i] ** 0.5)


def test_the_expected_spend_moves_from_everybody_s_mean_to_one_s_own() -> None:
    values = {"p": 6.25, "q": 3.74, "v": 15.44}
    everybody = 6.25 * 15.44 / 2.74
    spend = gamma_gamma.expected_spend(np.array([0, 1, 5, 1000]), np.array([0.0, 60.0, 60.0, 60.0]), values)
    assert spend[0] == pytest.approx(everybody)
    assert everybody < spend[1] < spend[2] < spend[3] < 60
    assert spend[3] == pytest.approx(60, rel=0.001)


def test_the_expected_spend_is_the_mean_of_the_simulated_next_purchase() -> None:
    values = {"p": 4.0, "q": 5.0, "v": 30.0}
    random = np.random.default_rng(8)
    nu = random.gamma(5.0, 1 / 30.0, 400_000)
    first = random.gamma(4.0 * 3, 1 / (3 * nu))  # mean of three purchases
    following = random.gamma(4.0, 1 / nu)
    band = (first > 38) & (first < 42)
    expected = gamma_gamma.expected_spend(np.array([3]), np.array([40.0]), values)[0]
    assert following[band].mean() == pytest.approx(expected, abs=4 * following[band].std() / np.sqrt(band.sum()))


def test_parameters_are_recovered_within_their_standard_errors() -> None:
    random = np.random.default_rng(5)
    n = 20_000
    x = random.integers(1, 12, n)
    nu = random.gamma(3.7, 1 / 15.0, n)
    mean = random.gamma(6.0 * x, 1 / (x * nu))
    estimate = gamma_gamma.fit(x, mean)
    assert estimate.converged
    for name, truth in {"p": 6.0, "q": 3.7, "v": 15.0}.items():
        error = estimate.standard_errors[name]
        assert error is not None
        assert error < 0.1 * truth
        assert abs(estimate.values[name] - truth) < 4 * error


def test_the_money_s_unit_only_rescales_v() -> None:
    random = np.random.default_rng(6)
    x = random.integers(1, 12, 500)
    mean = random.gamma(6.0 * x, 1 / (x * random.gamma(3.7, 1 / 15.0, 500)))
    dollars, cents = gamma_gamma.fit(x, mean), gamma_gamma.fit(x, mean * 100)
    assert cents.values["v"] == pytest.approx(100 * dollars.values["v"], rel=1e-3)
    assert cents.values["p"] == pytest.approx(dollars.values["p"], rel=1e-3)


def test_everybody_paying_the_same_runs_to_the_limit_and_says_so() -> None:
    estimate = gamma_gamma.fit(np.array([1, 2, 3, 4]), np.full(4, 9.9))
    assert not estimate.converged
    spend = gamma_gamma.expected_spend(np.array([0, 3]), np.array([0.0, 9.9]), estimate.values)
    np.testing.assert_allclose(spend, 9.9, rtol=0.01)


@pytest.mark.parametrize(
    ("x", "mean"),
    [
        ([], []),
        ([3], [5.0]),
        ([0, 1], [5.0, 5.0]),
        ([1, 1], [0.0, 5.0]),
        ([1, 1], [float("nan"), 5.0]),
        ([1], [1.0, 2.0]),
    ],
)
def test_what_teaches_nothing_is_refused(x: list[int], mean: list[float]) -> None:
    with pytest.raises(InvalidInput):
        gamma_gamma.fit(np.array(x, np.int64), np.array(mean))


def test_a_mean_that_does_not_exist_is_refused_and_not_made_up() -> None:
    with pytest.raises(InvalidInput, match="above 1"):
        gamma_gamma.expected_spend(np.array([0]), np.array([0.0]), {"p": 2.0, "q": 1.0, "v": 10.0})


def test_correlation_is_of_how_often_and_how_much() -> None:
    assert gamma_gamma.correlation(np.array([1, 2, 3]), np.array([10.0, 20.0, 30.0])) == pytest.approx(1)
    assert gamma_gamma.correlation(np.array([1, 1, 1]), np.array([10.0, 20.0, 30.0])) is None
    assert gamma_gamma.correlation(np.array([1, 2]), np.array([10.0, 20.0])) is None
