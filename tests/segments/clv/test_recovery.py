"""Companies with a known truth: the truth is found again, and the future is as forecast."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracles import clv as oracle
from tilth.segments.clv import MODELS, CLVRequest, clv, summarise

SPEND = {"p": 5.0, "q": 4.0, "v": 20.0}
# Slow enough that hardly ever two purchases fall on one day, which the models do not know of.
TRUTH = {
    "bgnbd": {"r": 0.6, "alpha": 36.0, "a": 0.8, "b": 2.5},
    "mbgnbd": {"r": 0.8, "alpha": 36.0, "a": 0.9, "b": 2.0},
    "pareto_nbd": {"r": 0.6, "alpha": 44.0, "s": 0.6, "beta": 48.0},
}
DAYS = 2912


@pytest.mark.parametrize("name", sorted(TRUTH))
@pytest.mark.parametrize("seed", [1, 2])
def test_the_truth_is_within_four_standard_errors(name: str, seed: int) -> None:
    history = oracle.simulate_orders(name, 20_000, DAYS, 1400, TRUTH[name], SPEND, seed)
    buyers = summarise(history, timezone="UTC", end=DAYS - 1)
    estimate = MODELS[name].fit(buyers.triples(7.0))
    assert estimate.converged
    for parameter, truth in TRUTH[name].items():
        error = estimate.standard_errors[parameter]
        assert error is not None
        assert error < 0.25 * truth
        assert abs(estimate.values[parameter] - truth) < 4 * error


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_the_standard_errors_are_the_spread_over_repeated_companies(name: str) -> None:
    logs, errors = [], []
    for seed in range(30):
        history = oracle.simulate_orders(name, 3000, DAYS, 1400, TRUTH[name], SPEND, 100 + seed)
        estimate = MODELS[name].fit(summarise(history, timezone="UTC", end=DAYS - 1).triples(7.0))
        first = next(iter(TRUTH[name]))
        logs.append(np.log(estimate.values[first]))
        errors.append((estimate.standard_errors[first] or 0.0) / estimate.values[first])
    assert np.mean(errors) == pytest.approx(np.std(logs, ddof=1), rel=0.5)
    assert np.mean(logs) == pytest.approx(np.log(TRUTH[name][first]), abs=4 * np.std(logs) / np.sqrt(30) + 0.02)


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_the_holdout_total_and_the_calibration_table_come_true(name: str) -> None:
    history = oracle.simulate_orders(name, 20_000, 2 * DAYS, 1400, TRUTH[name], SPEND, 5)
    answer = clv(history, CLVRequest(model=name, calibration_end="1977-12-21", until="1985-12-11"))
    check = answer.holdout
    assert check is not None
    assert check.periods == 416
    assert check.actual_total == pytest.approx(check.expected_total, rel=0.04)
    assert check.mae < check.naive_mae
    for row in check.calibration:
        if row.people > 300:
            assert row.actual == pytest.approx(row.expected, rel=0.12, abs=0.02)
    # Money: what everybody spent in the holdout period, in cents.
    later = history.ts >= DAYS * 86_400_000_000
    bought_before = np.isin(history.uid[later], answer.forecasts.uid)
    spent = history.amount[later][bought_before].sum()
    assert answer.expected_value.amount == pytest.approx(spent, rel=0.06)


def test_another_model_than_the_true_one_still_gives_totals_of_the_right_size() -> None:
    history = oracle.simulate_orders("pareto_nbd", 10_000, 2 * DAYS, 1400, TRUTH["pareto_nbd"], SPEND, 6)
    for name in MODELS:
        check = clv(history, CLVRequest(model=name, calibration_end="1977-12-21", until="1985-12-11")).holdout
        assert check is not None
        assert check.expected_total == pytest.approx(check.actual_total, rel=0.25)


def test_a_ridge_without_a_top_is_not_called_a_maximum() -> None:
    # To Pareto/NBD, people who leave by BG/NBD's rules all leave at one rate: s and beta grow without end.
    truth = {"r": 0.6, "alpha": 9.0, "a": 0.8, "b": 2.5}
    history = oracle.simulate_orders("bgnbd", 20_000, 400, 200, truth, SPEND, 7)
    answer = clv(history, CLVRequest(model="pareto_nbd"))
    assert not answer.converged
    assert {"parameter_at_limit", "not_converged"} & {notice.key for notice in answer.warnings}
    assert np.isfinite(answer.forecasts.expected_purchases).all()
