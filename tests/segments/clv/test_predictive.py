"""Intervals: right by definition, and covering what happens."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tests.oracles import clv as oracle
from tilth.segments.clv import MODELS, CLVRequest, Triples, clv
from tilth.segments.clv.base import FutureCounts
from tilth.segments.clv.forecast import SpendModel, forecast
from tilth.segments.clv.predictive import _beta_ratio, purchase_intervals, spend_multiples
from tilth.segments.clv.summary import summarise

TRUTH = {
    "bgnbd": {"r": 0.6, "alpha": 9.0, "a": 0.8, "b": 2.5},
    "mbgnbd": {"r": 0.8, "alpha": 9.0, "a": 0.9, "b": 2.0},
    "pareto_nbd": {"r": 0.6, "alpha": 11.0, "s": 0.6, "beta": 12.0},
}


@given(
    who=st.tuples(st.integers(1, 20), st.integers(30, 200), st.integers(0, 300)),
    horizon=st.floats(1, 80),
    level=st.sampled_from([0.5, 0.8, 0.95, 0.99]),
    name=st.sampled_from(sorted(MODELS)),
)
@settings(max_examples=60, deadline=None)
def test_the_interval_of_purchases_cuts_half_of_what_is_outside_from_each_end(
    who: tuple[int, int, int], horizon: float, level: float, name: str
) -> None:
    x, tx, silent = who
    T = tx + silent
    model, values = MODELS[name], TRUTH[name]
    triples = Triples.of(np.array([x]), np.array([tx]), np.array([T]), 7.0)
    alive = model.p_alive(triples, values)
    counts = model.future(values, triples.cell_x, triples.cell_end, 7.0, horizon, (1 - level) / 2)
    low, high = purchase_intervals(alive, triples.cell, counts, level)

    if name == "pareto_nbd":
        fresh = partial(oracle.pareto_count, r=0.6 + x, alpha=11 + T / 7, s=0.6, beta=12 + T / 7)
    else:
        b = values["b"] + x + (name == "mbgnbd")
        fresh = partial(oracle.dropout_count, r=values["r"] + x, alpha=9 + T / 7, a=values["a"], b=b)
    mass = [float(alive[0]) * fresh(k, horizon) for k in range(int(high[0]) + 3)]
    mass[0] += 1 - float(alive[0])
    assert (low[0], high[0]) == oracle.count_interval(mass, level)


def test_a_person_who_is_gone_is_expected_to_buy_exactly_nothing() -> None:
    counts = FutureCounts(mean=np.array([3.0]), start=np.array([0, 3]), more=np.array([0.9, 0.5, 0.001]))
    low, high = purchase_intervals(np.array([0.0, 0.01, 1.0]), np.zeros(3, np.int64), counts, 0.95)
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [0, 0, 2]


@given(st.floats(0.05, 800), st.floats(0.05, 800), st.floats(-8, 8))
@settings(max_examples=300, deadline=None)
def test_the_beta_prime_distribution_is_the_incomplete_beta_function(a: float, b: float, log_y: float) -> None:
    y = float(np.exp(log_y)) * a / b
    below, above = _beta_ratio(a, b, y)
    assert below == pytest.approx(special.betainc(a, b, y / (1 + y)), rel=1e-8, abs=1e-13)
    assert above == pytest.approx(special.betainc(b, a, 1 / (1 + y)), rel=1e-8, abs=1e-13)


@pytest.mark.parametrize("x", [0, 1, 8])
@pytest.mark.parametrize("alive", [1.0, 0.6, 0.01])
def test_the_interval_of_the_value_is_that_of_simulated_baskets(x: int, alive: float) -> None:
    p, q, level = 6.0, 3.7, 0.9
    chances = np.array([0.1, 0.3, 0.25, 0.2, 0.15])  # of 0, 1, 2, 3, 4 purchases when active
    more = 1 - np.cumsum(chances)
    more[-1] = 0.0
    counts = FutureCounts(mean=np.array([2.0]), start=np.array([0, 5]), more=more)
    place = np.zeros(1, np.int64)
    low, high = spend_multiples(np.array([x]), np.array([alive]), place, counts, level, p, q)

    random = np.random.default_rng(4)
    draws = 400_000
    bought = random.choice(5, draws, p=chances) * (random.random(draws) < alive)
    rate = random.gamma(p * x + q, 1.0, draws)  # of one person with v + x m = 1
    value = np.where(bought > 0, random.gamma(np.maximum(p * bought, 1e-9), 1.0) / rate, 0.0)
    if low[0] > 0:
        assert np.mean(value < low[0]) == pytest.approx(0.05, abs=0.002)
    else:
        assert np.mean(value == 0) > 0.05
    if high[0] > 0:
        assert np.mean(value > high[0]) == pytest.approx(0.05, abs=0.002)
    else:
        assert np.mean(value > 0) < 0.05


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_intervals_cover_what_simulated_people_then_do(name: str) -> None:
    spend = {"p": 5.0, "q": 4.0, "v": 20.0}
    history = oracle.simulate_orders(name, 6000, 560, 200, TRUTH[name], spend, seed=11)
    answer = clv(
        history,
        CLVRequest(model=name, calibration_end="1970-12-31", until="1971-07-14", level=0.9, value_intervals=True),
    )
    assert answer.holdout is not None
    # A count's interval covers at least its level, and no more than its steps make it.
    assert 0.9 <= answer.holdout.covered <= 0.98

    forecasts = answer.forecasts
    assert forecasts.value_low is not None
    assert forecasts.value_high is not None
    end = 365 * 86_400_000_000
    later = history.ts >= end
    spent = np.bincount(history.uid[later], weights=history.amount[later], minlength=6000)[forecasts.uid]
    inside = (spent >= forecasts.value_low - 0.5) & (spent <= forecasts.value_high + 0.5)
    assert 0.9 <= inside.mean() <= 0.98


@pytest.mark.parametrize("seed", [3, 4])
def test_each_end_of_the_value_interval_leaves_out_its_share_of_simulated_people(seed: int) -> None:
    # Loyal buyers, so that both ends have money at them; the true parameters, so that only chance is left;
    # and rates low enough that hardly ever two purchases fall on one day.
    values, spend = {"r": 3.0, "alpha": 96.0, "a": 0.4, "b": 20.0}, {"p": 5.0, "q": 4.0, "v": 20.0}
    half = 8 * 364
    history = oracle.simulate_orders("bgnbd", 8000, 2 * half, half // 2, values, spend, seed=seed)
    buyers = summarise(history, timezone="UTC", end=half - 1)
    made = forecast(
        buyers,
        buyers.triples(7.0),
        MODELS["bgnbd"],
        values,
        SpendModel(values={**spend, "v": 2000.0}, everybody=0.0),
        horizon=half / 7,
        level=0.9,
        with_value_intervals=True,
    )
    assert made.value_low is not None
    assert made.value_high is not None
    later = history.ts >= half * 86_400_000_000
    spent = np.bincount(history.uid[later], weights=history.amount[later], minlength=8000)[made.uid]
    for at, left_out in ((made.value_low, spent < made.value_low), (made.value_high, spent > made.value_high)):
        has_money = at > 0
        assert has_money.sum() > 1000
        error = np.sqrt(0.05 * 0.95 / has_money.sum())
        assert left_out[has_money].mean() == pytest.approx(0.05, abs=4 * error)
