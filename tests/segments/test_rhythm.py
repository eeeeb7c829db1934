"""A person's own rhythm: recovered from data, shrunk to everybody's, falling with silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc, betaln
from scipy.stats import betaprime

from tests.segments.companies import rhythm_company
from tests.segments.lakes import DAY, history_of
from tilth.segments.days import LocalDays
from tilth.segments.rhythm import Rhythm, _log_likelihood, _silence, fit_rhythm, rhythm_scores
from tilth.segments.standing import Standing, following, standing

UTC = LocalDays("UTC")
POPULATION = Rhythm(shape=1.0, r=2.0, alpha=60.0, leave_first=0.3, leave_later=0.1)


def person(buying_days: list[int], as_of: int) -> Standing:
    return standing(history_of([(1, day * DAY, 1_000) for day in buying_days]), UTC, as_of)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.2, 8), st.floats(0.05, 300), st.floats(0.1, 5_000), st.floats(0, 5_000))
def test_silence_is_the_tail_of_a_beta_prime(k: float, a: float, b: float, t: float) -> None:
    assert _silence(k, a, b, t) == pytest.approx(1 - betainc(k, a, t / (b + t)), abs=2e-7)
    assert _silence(k, a, b, t) == pytest.approx(float(betaprime.sf(t / b, k, a)), abs=2e-7)


def test_the_likelihood_of_one_person_is_that_of_their_gaps_and_silence() -> None:
    # Gaps of 10 and 20 days, then 30 days of nothing.
    k, r, alpha, first, later = 1.7, 2.3, 35.0, 0.3, 0.1
    one = np.array([2.0]), np.array([30.0]), np.array([30.0]), np.array([np.log(10) + np.log(20)])
    found = _log_likelihood(k, r, alpha, first, later, *one)
    # Integrate over the person's rate by hand.
    rates = np.linspace(1e-6, 2.0, 400_001)
    from scipy.special import gammaincc, gammaln

    def gap(days: float) -> np.ndarray:  # type: ignore[type-arg]
        return np.exp(k * np.log(rates) + (k - 1) * np.log(days) - rates * days - gammaln(k))

    prior = np.exp(r * np.log(alpha) + (r - 1) * np.log(rates) - alpha * rates - gammaln(r))
    inside = prior * (1 - first) * gap(10) * (1 - later) * gap(20) * (later + (1 - later) * gammaincc(k, rates * 30))
    assert found == pytest.approx(np.log(np.trapezoid(inside, rates)), abs=1e-4)
    assert np.isfinite(betaln(k, r))


@pytest.mark.parametrize("shape", [1.0, 3.0])
def test_the_planted_rhythm_is_recovered(shape: float) -> None:
    history = rhythm_company(people=4_000, shape=shape, r=2.0, alpha=40.0, leave_first=0.4, leave_later=0.1)
    found = fit_rhythm(standing(history, UTC, 539))
    assert found.fitted
    assert found.shape == pytest.approx(shape, rel=0.2)
    assert found.r == pytest.approx(2.0, rel=0.3)
    assert found.shape * found.alpha / found.r == pytest.approx(shape * 40 / 2, rel=0.2)
    assert found.leave_first == pytest.approx(0.4, abs=0.06)
    assert found.leave_later == pytest.approx(0.1, abs=0.03)


def test_fitting_again_from_a_known_start_gives_the_same_rhythm() -> None:
    people = standing(rhythm_company(people=1_500), UTC, 539)
    once = fit_rhythm(people)
    again = fit_rhythm(people, once)
    assert again.shape == pytest.approx(once.shape, rel=0.02)
    assert again.leave_later == pytest.approx(once.leave_later, abs=0.01)


def test_thirty_days_of_silence_mean_little_to_a_quarterly_buyer_and_much_to_a_weekly_one() -> None:
    weekly = rhythm_scores(person(list(range(0, 210, 7)), as_of=233), POPULATION)
    quarterly = rhythm_scores(person([0, 90, 180], as_of=210), POPULATION)
    assert weekly.usual_gap[0] == pytest.approx(7, abs=3)
    assert quarterly.usual_gap[0] > 40
    assert weekly.outlasted[0] > 0.9 > 0.6 > quarterly.outlasted[0]
    assert weekly.p_alive[0] < quarterly.p_alive[0]


def test_with_few_purchases_the_usual_gap_is_the_populations_and_with_many_ones_own() -> None:
    population = 60 / 2
    gaps = [rhythm_scores(person(list(range(0, 5 * n, 5)), 5 * n), POPULATION).usual_gap[0] for n in (1, 2, 5, 20)]
    assert gaps[0] == pytest.approx(population)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 10


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 60), max_size=8),
    st.floats(0.4, 4),
    st.floats(0.3, 5),
    st.floats(5, 300),
    st.floats(0.02, 0.6),
)
def test_the_longer_the_silence_the_later_and_the_less_alive(
    gaps: list[int], k: float, r: float, alpha: float, leave: float
) -> None:
    bought = np.cumsum([0, *gaps]).tolist()
    rhythm = Rhythm(shape=k, r=r, alpha=alpha, leave_first=leave, leave_later=leave / 2)
    scored = [rhythm_scores(person(bought, bought[-1] + silent), rhythm) for silent in (0, 1, 5, 20, 100, 400, 2_000)]
    outlasted, alive = [s.outlasted[0] for s in scored], [s.p_alive[0] for s in scored]
    assert outlasted == sorted(outlasted)
    assert alive == sorted(alive, reverse=True)
    assert all(0 <= v <= 1 for s in scored for v in (s.outlasted[0], s.p_alive[0], s.returns[0]))


def test_the_chance_to_return_is_near_what_happens() -> None:
    history = rhythm_company(people=6_000, days=900, seed=5)
    early = standing(history, UTC, 534)
    scored = rhythm_scores(early, fit_rhythm(early))
    came_back = following(history, early.uid, UTC.end(534), UTC.end(899)) > 0
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        group = (scored.returns >= low) & (scored.returns < high)
        expected = scored.returns[group].mean()
        chance = 3 * np.sqrt(expected * (1 - expected) / group.sum())
        assert came_back[group].mean() == pytest.approx(expected, abs=0.02 + chance), (low, high)


def test_too_few_repeat_purchases_give_a_guess_that_says_so() -> None:
    few = standing(history_of([(u, DAY * u, 100) for u in range(1, 9)]), UTC, 30)
    guess = fit_rhythm(few)
    assert not guess.fitted
    assert np.isfinite(rhythm_scores(few, guess).usual_gap).all()
