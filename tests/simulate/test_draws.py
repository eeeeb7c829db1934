"""The generator: right distributions, and numbers that belong to a key."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy import stats

from tilth.simulate import draws


@njit
def _sample(kind, count, a, b):
    state = np.empty(1, np.uint64)
    draws.begin(state, 5, 1, 42)
    out = np.empty(count)
    for i in range(count):
        if kind == 0:
            out[i] = draws.uniform(state)
        elif kind == 1:
            out[i] = draws.exponential(state)
        elif kind == 2:
            out[i] = draws.normal(state)
        elif kind == 3:
            out[i] = draws.gamma(state, a)
        else:
            out[i] = draws.beta(state, a, b)
    return out


@pytest.mark.parametrize(
    ("kind", "a", "b", "law"),
    [
        (0, 0, 0, stats.uniform()),
        (1, 0, 0, stats.expon()),
        (2, 0, 0, stats.norm()),
        (3, 0.3, 0, stats.gamma(0.3)),
        (3, 1.0, 0, stats.gamma(1.0)),
        (3, 7.5, 0, stats.gamma(7.5)),
        (4, 1.6, 6.4, stats.beta(1.6, 6.4)),
        (4, 0.4, 0.4, stats.beta(0.4, 0.4)),
    ],
)
def test_draws_follow_their_law(kind, a, b, law):
    assert stats.kstest(_sample(kind, 40_000, float(a), float(b)), law.cdf).pvalue > 1e-4


def test_poisson_draws_have_poisson_frequencies():
    @njit
    def sample(mean, count):
        state = np.empty(1, np.uint64)
        draws.begin(state, 5, 1, 7)
        out = np.empty(count, np.int64)
        for i in range(count):
            out[i] = draws.poisson(state, mean)
        return out

    seen = np.bincount(sample(1.7, 40_000), minlength=9)[:9]
    expected = stats.poisson(1.7).pmf(np.arange(9)) * 40_000
    assert ((seen - expected) ** 2 / expected).sum() < stats.chi2(8).ppf(0.9999)


def test_a_key_gives_the_same_numbers_whatever_is_drawn_for_others():
    alone = draws.uniforms(9, 3, np.array([17]))
    among = draws.uniforms(9, 3, np.arange(100))
    assert alone[0] == among[17]
    assert len(np.unique(among)) == 100


def test_streams_and_seeds_are_independent():
    keys = np.arange(20_000)
    base = draws.uniforms(1, 1, keys)
    for other in (draws.uniforms(2, 1, keys), draws.uniforms(1, 2, keys), draws.uniforms(1, 1, keys + 1)):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.03


def test_choices_come_with_their_probabilities():
    @njit
    def sample(cumulative, count):
        state = np.empty(1, np.uint64)
        draws.begin(state, 1, 1, 1)
        out = np.zeros(cumulative.shape[0])
        for _ in range(count):
            out[draws.choose(state, cumulative)] += 1
        return out / count

    assert sample(np.cumsum([0.2, 0.0, 0.5, 0.3]), 50_000) == pytest.approx([0.2, 0.0, 0.5, 0.3], abs=0.01)
