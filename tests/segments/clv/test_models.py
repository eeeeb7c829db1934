"""The purchase models against their definitions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

from tests.oracles import clv as oracle
from tilth.errors import InvalidInput
from tilth.segments.clv import BGNBD, MBGNBD, PARETO_NBD, PurchaseModel, Triples, beta_geometric, pareto_nbd
from tilth.segments.clv.distinct import distinct
from tilth.segments.clv.gauss_fraction import gauss_fraction

FIRST = {"bgnbd": 0, "mbgnbd": 1}
LIKELIHOOD: dict[str, Callable[..., tuple[float, np.ndarray]]] = {
    "bgnbd": partial(beta_geometric.log_likelihood, first=0),
    "mbgnbd": partial(beta_geometric.log_likelihood, first=1),
    "pareto_nbd": pareto_nbd.log_likelihood,
}
MODELS = [BGNBD, MBGNBD, PARETO_NBD]

parameter = st.floats(0.05, 20)
time_scale = st.floats(0.3, 60)


@st.composite
def person(draw: st.DrawFn) -> tuple[int, int, int]:
    """(x, tx, T), times in days."""
    watched = draw(st.integers(0, 700))
    last = draw(st.integers(0, watched))
    return (0, 0, watched) if last == 0 else (draw(st.integers(1, min(last, 40))), last, watched)


def one(x: int, tx: int, T: int) -> Triples:
    return Triples.of(np.array([x]), np.array([tx]), np.array([T]), 7.0)


def many(seed: int, people: int = 300) -> Triples:
    """Made-up people, many of them the same."""
    random = np.random.default_rng(seed)
    T = random.integers(0, 400, people)
    tx = (T * random.choice([0.0, 0.2, 0.5, 0.9, 1.0], people)).astype(np.int64)
    x = np.where(tx > 0, random.integers(1, 12, people), 0)
    return Triples.of(x, tx, T, 7.0)


@given(person(), parameter, time_scale, parameter, parameter, st.sampled_from([0, 1]))
@example((0, 0, 0), 0.3, 4.0, 0.8, 2.4, 0)
@example((40, 41, 700), 0.3, 4.0, 0.8, 2.4, 0)
@settings(max_examples=40, deadline=None)
def test_the_dropout_likelihoods_are_the_integral_of_the_story(
    who: tuple[int, int, int], r: float, alpha: float, a: float, b: float, first: int
) -> None:
    x, tx, T = who
    active, stopped = oracle.dropout_likelihood(x, tx / 7, T / 7, r, alpha, a, b, first)
    values = np.array([r, alpha, a, b])
    total, _ = beta_geometric.log_likelihood(one(x, tx, T), values, first)
    assert total == pytest.approx(np.log(active + stopped), rel=1e-7, abs=1e-7)
    alive = beta_geometric.p_alive(one(x, tx, T), dict(zip(beta_geometric.NAMES, values, strict=True)), first)
    assert alive[0] == pytest.approx(active / (active + stopped), rel=1e-6, abs=1e-12)


@given(person(), parameter, time_scale, parameter, time_scale)
@example((0, 0, 0), 0.5, 10.0, 0.6, 11.0)
@example((5, 210, 210), 0.5, 10.0, 0.6, 11.0)
@example((3, 60, 400), 0.5, 10.0, 0.6, 10.0)
@example((12, 60, 400), 0.5, 60.0, 0.6, 0.3)
@example((12, 60, 400), 0.5, 0.3, 0.6, 60.0)
@settings(max_examples=100, deadline=None)
def test_the_pareto_likelihood_is_the_integral_over_the_moment_of_stopping(
    who: tuple[int, int, int], r: float, alpha: float, s: float, beta: float
) -> None:
    x, tx, T = who
    active, stopped = oracle.pareto_likelihood(x, tx / 7, T / 7, r, alpha, s, beta)
    values = np.array([r, alpha, s, beta])
    total, _ = pareto_nbd.log_likelihood(one(x, tx, T), values)
    assert total == pytest.approx(np.log(active + stopped), rel=1e-9, abs=1e-9)
    alive = pareto_nbd.p_alive(one(x, tx, T), dict(zip(pareto_nbd.NAMES, values, strict=True)))
    assert alive[0] == pytest.approx(active / (active + stopped), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("alpha", "beta"), [(10.6, 11.7), (11.7, 10.6), (300.0, 0.4), (0.4, 300.0), (5.0, 5.0)])
@pytest.mark.parametrize("x", [200, 2000])
def test_the_pareto_likelihood_survives_very_frequent_buyers(alpha: float, beta: float, x: int) -> None:
    # The published formula overflows here; the whole must still be finite and lie between its two parts' bounds.
    days = x + 300
    values = np.array([0.6, alpha, 0.6, beta])
    total, gradient = pareto_nbd.log_likelihood(one(x, x, days), values)
    assert np.isfinite(total)
    assert np.isfinite(gradient).all()
    alive = pareto_nbd.p_alive(one(x, x, days), dict(zip(pareto_nbd.NAMES, values, strict=True)))
    assert 0 <= alive[0] < 1e-3  # silent for 300 days after buying daily
    recent = pareto_nbd.p_alive(one(x, days, days), dict(zip(pareto_nbd.NAMES, values, strict=True)))
    assert recent[0] == 1.0


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@given(seed=st.integers(0, 1000), p1=parameter, p2=time_scale, p3=parameter, p4=parameter)
@settings(max_examples=25, deadline=None)
def test_the_gradient_is_that_of_finite_differences(
    model: PurchaseModel, seed: int, p1: float, p2: float, p3: float, p4: float
) -> None:
    triples = many(seed)
    values = np.array([p1, p2, p3, p4])
    total, gradient = LIKELIHOOD[model.name](triples, values)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5 * values[i]
        up, down = LIKELIHOOD[model.name](triples, values + step)[0], LIKELIHOOD[model.name](triples, values - step)[0]
        slope = (up - down) / (2 * step[i])
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-9 * abs(total) / step[i] ** 0.5)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_people_with_the_same_history_are_counted_not_recomputed(model: PurchaseModel) -> None:
    x, tx, T = np.array([2, 0, 2, 1]), np.array([20, 0, 20, 7]), np.array([40, 30, 40, 9])
    values = np.array([0.4, 5.0, 0.8, 2.5])
    triples = Triples.of(x, tx, T, 7.0)
    assert len(triples.x) == 3
    assert triples.people.sum() == 4
    np.testing.assert_array_equal(triples.x[triples.person], x)
    np.testing.assert_array_equal(triples.tx[triples.person], tx)
    np.testing.assert_array_equal(triples.T[triples.person], T)
    np.testing.assert_array_equal(triples.cell_x[triples.cell], triples.x)
    np.testing.assert_array_equal(triples.cell_end[triples.cell], triples.T)
    together, _ = LIKELIHOOD[model.name](triples, values)
    alone = sum(LIKELIHOOD[model.name](one(*who), values)[0] for who in zip(x, tx, T, strict=True))
    assert together == pytest.approx(alone, rel=1e-12)


@given(person(), parameter, time_scale, parameter, parameter, st.floats(0.5, 100))
@settings(max_examples=100, deadline=None)
def test_expected_purchases_of_bgnbd_are_the_published_equation(
    who: tuple[int, int, int], r: float, alpha: float, a: float, b: float, horizon: float
) -> None:
    x, tx, T = who
    if abs(a - 1) < 0.01 or a + b + x - 1 < 0.01:
        return  # where the printed form divides by zero
    printed = oracle.bgnbd_expected(x, tx / 7, T / 7, horizon, r, alpha, a, b)
    # The printed form subtracts nearly equal numbers; compare to what it can carry.
    values = {"r": r, "alpha": alpha, "a": a, "b": b}
    alive = BGNBD.p_alive(one(x, tx, T), values)[0]
    mean = BGNBD.future(values, np.array([x]), np.array([T]), 7.0, horizon, 0.025).mean[0]
    noise = 1e-11 * abs((a + b + x - 1) / (a - 1))
    assert alive * mean == pytest.approx(printed, rel=1e-7, abs=noise)


@pytest.mark.parametrize("a", [1.0, 0.3, 0.7])
def test_expected_purchases_pass_smoothly_through_the_holes_of_the_printed_equation(a: float) -> None:
    hole = {"r": 0.5, "alpha": 4.0, "a": a, "b": 1.0 - a if a < 1 else 2.0}  # a = 1, or a + b + x = 1
    beside = [{**hole, "a": a * (1 - 1e-6)}, {**hole, "a": a * (1 + 1e-6)}]
    at, left, right = (
        BGNBD.future(v, np.array([0]), np.array([70]), 7.0, 26.0, 0.025).mean[0] for v in (hole, *beside)
    )
    assert left > at > right
    assert at == pytest.approx((left + right) / 2, rel=1e-9)


@given(person(), parameter, time_scale, parameter, time_scale, st.floats(0.5, 100))
@settings(max_examples=60, deadline=None)
def test_expected_purchases_of_pareto_nbd_are_the_published_equation(
    who: tuple[int, int, int], r: float, alpha: float, s: float, beta: float, horizon: float
) -> None:
    x, _, T = who
    if abs(s - 1) < 0.01:
        return  # where the printed form divides by zero
    values = {"r": r, "alpha": alpha, "s": s, "beta": beta}
    mean = PARETO_NBD.future(values, np.array([x]), np.array([T]), 7.0, horizon, 0.025).mean[0]
    assert mean == pytest.approx(oracle.pareto_expected(x, T / 7, horizon, r, alpha, s, beta), rel=1e-9)


def test_expected_purchases_of_pareto_nbd_exist_where_s_is_one() -> None:
    at, left, right = (
        PARETO_NBD.future(
            {"r": 0.5, "alpha": 10.0, "s": s, "beta": 12.0}, np.array([2]), np.array([140]), 7.0, 39.0, 0.025
        ).mean[0]
        for s in (1.0, 1 - 1e-6, 1 + 1e-6)
    )
    assert at == pytest.approx((left + right) / 2, rel=1e-9)


@given(person(), parameter, time_scale, parameter, time_scale, st.floats(1, 52))
@settings(max_examples=30, deadline=None)
def test_the_future_of_an_active_person_is_a_fresh_customer_with_updated_parameters(
    who: tuple[int, int, int], r: float, alpha: float, third: float, fourth: float, horizon: float
) -> None:
    x, _, T = who
    for model in MODELS:
        values = dict(zip(model.parameters, (r, alpha, third, fourth), strict=True))
        more = model.future(values, np.array([x]), np.array([T]), 7.0, horizon, 1e-4).more
        if model.name == "pareto_nbd":
            count = partial(oracle.pareto_count, t=horizon, r=r + x, alpha=alpha + T / 7, s=third, beta=fourth + T / 7)
        else:
            stays = fourth + x + FIRST[model.name]
            count = partial(oracle.dropout_count, t=horizon, r=r + x, alpha=alpha + T / 7, a=third, b=stays)
        reach = min(len(more), 12)
        expected = 1 - np.cumsum([count(k) for k in range(reach)])
        np.testing.assert_allclose(more[:reach], expected, atol=2e-8)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize(("x", "T"), [(0, 0), (3, 100), (60, 200), (900, 1000), (5000, 6000)])
def test_the_mean_is_the_sum_of_the_tail_probabilities(model: PurchaseModel, x: int, T: int) -> None:
    values = dict(zip(model.parameters, (0.5, 6.0, 0.7, 3.0), strict=True))
    counts = model.future(values, np.array([x]), np.array([T]), 7.0, 39.0, 1e-12)
    assert counts.more.sum() == pytest.approx(counts.mean[0], rel=2e-4 if model is PARETO_NBD else 1e-8)
    assert (np.diff(counts.more) <= 1e-15).all()


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_person_who_bought_more_recently_is_likelier_to_be_active(model: PurchaseModel) -> None:
    values = dict(zip(model.parameters, (0.5, 6.0, 0.7, 3.0), strict=True))
    tx = np.arange(7, 280, 7)
    triples = Triples.of(np.full(len(tx), 4), tx, np.full(len(tx), 280), 7.0)
    alive = model.p_alive(triples, values)[triples.person]
    assert (np.diff(alive) > 0).all()
    assert 0 < alive[0] < alive[-1] < 1


def test_somebody_who_never_came_back_is_surely_active_to_bgnbd_but_not_to_mbgnbd() -> None:
    values = {"r": 0.5, "alpha": 6.0, "a": 0.7, "b": 3.0}
    assert BGNBD.p_alive(one(0, 0, 300), values)[0] == 1.0
    assert MBGNBD.p_alive(one(0, 0, 300), values)[0] < 0.7


@given(st.floats(0.01, 300), st.floats(0.01, 50), st.floats(0, 0.995))
@settings(max_examples=200, deadline=None)
def test_the_continued_fraction_is_the_hypergeometric_function(b: float, more: float, z: float) -> None:
    c = b + 1 + more
    value, by_b, by_c, by_z = gauss_fraction(b, c, z)
    assert value == pytest.approx(oracle.hypergeometric(1, b, c, z), rel=1e-12)
    step = 1e-5
    assert by_b == pytest.approx(
        (gauss_fraction(b + step * b, c, z)[0] - gauss_fraction(b - step * b, c, z)[0]) / (2 * step * b),
        rel=1e-4,
        abs=1e-7 * value,
    )
    assert by_c == pytest.approx(
        (gauss_fraction(b, c + step, z)[0] - gauss_fraction(b, c - step, z)[0]) / (2 * step), rel=1e-4, abs=1e-7 * value
    )
    # dF/dz = (b/c) 2F1(2, b+1; c+1; z)
    assert by_z == pytest.approx(b / c * oracle.hypergeometric(2, b + 1, c + 1, z), rel=1e-10)


@pytest.mark.parametrize("z", [1 - 1e-4, 1 - 1e-6])
def test_the_continued_fraction_holds_next_to_its_singularity(z: float) -> None:
    assert gauss_fraction(0.5, 2.1, z)[0] == pytest.approx(special.hyp2f1(1, 0.5, 2.1, z), rel=1e-7)


@pytest.mark.parametrize(
    ("x", "tx", "T"),
    [([], [], []), ([1], [0], [10]), ([0], [5], [10]), ([2], [11], [10]), ([-1], [0], [10]), ([1, 2], [3], [4])],
)
def test_contradictory_people_are_refused(x: list[int], tx: list[int], T: list[int]) -> None:
    with pytest.raises(InvalidInput) as refused:
        Triples.of(np.array(x), np.array(tx), np.array(T), 7.0)
    assert refused.value.field == "history"


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_parameters_that_make_no_sense_are_refused_by_name(model: PurchaseModel) -> None:
    for name in model.parameters:
        for bad in (0.0, -1.0, float("nan"), float("inf")):
            values = {**dict.fromkeys(model.parameters, 1.0), name: bad}
            with pytest.raises(InvalidInput, match=name):
                model.p_alive(one(1, 7, 14), values)


@given(st.lists(st.integers(0, 2**61), min_size=1, max_size=200) | st.lists(st.integers(0, 9), min_size=1))
@settings(max_examples=100, deadline=None)
def test_distinct_values_are_those_of_numpy(keys: list[int]) -> None:
    array = np.array(keys, np.int64)
    for got, expected in zip(distinct(array), np.unique(array, return_inverse=True, return_counts=True), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("first", [0, 1])
def test_the_factored_odds_are_those_made_from_logarithms(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    triples, values = many(3, people=3000), np.array([0.4, 5.0, 0.8, 2.5])
    factored = beta_geometric.log_likelihood(triples, values, first)
    monkeypatch.setattr(beta_geometric, "STEEP", -1.0)
    logs = beta_geometric.log_likelihood(triples, values, first)
    assert factored[0] == pytest.approx(logs[0], rel=1e-13)
    np.testing.assert_allclose(factored[1], logs[1], rtol=1e-10)


def test_very_frequent_buyers_fit_beside_ordinary_ones() -> None:
    # Odds of e^1500: the logarithm must carry them.
    triples = Triples.of(np.array([400, 400, 1]), np.array([420, 900, 30]), np.array([900, 900, 60]), 7.0)
    values = np.array([0.4, 0.5, 0.8, 2.5])
    total, gradient = beta_geometric.log_likelihood(triples, values, 0)
    alone = [
        beta_geometric.log_likelihood(one(*who), values, 0) for who in ((400, 420, 900), (400, 900, 900), (1, 30, 60))
    ]
    assert total == pytest.approx(sum(part[0] for part in alone), rel=1e-12)
    np.testing.assert_allclose(gradient, sum(part[1] for part in alone), rtol=1e-10)
    assert np.isfinite(total)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_starting_on_a_sample_ends_at_everybody_s_maximum(
    model: PurchaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = {"r": 0.6, "alpha": 9.0, "a": 0.8, "b": 2.5, "s": 0.6, "beta": 10.0}
    uid, time = oracle.simulate_purchases(model.name, 20_000, 400, 200, truth, seed=7)
    day = time.astype(np.int64)
    first, last = (np.searchsorted(uid, np.arange(20_000), side=side) for side in ("left", "right"))
    x = np.array([len(np.unique(day[i:j])) - 1 for i, j in zip(first, last, strict=True)])
    triples = Triples.of(x, day[last - 1] - day[first], 399 - day[first], 7.0)
    assert triples.sample() is None
    whole = model.fit(triples)
    monkeypatch.setattr("tilth.segments.clv.base.SAMPLE", 2000)
    assert triples.sample() is not None
    sampled = model.fit(triples)
    assert sampled.converged
    for name in model.parameters:
        error = whole.standard_errors[name]
        assert error is not None
        assert sampled.values[name] == pytest.approx(whole.values[name], abs=0.002 * error)
    assert sampled.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-5)
