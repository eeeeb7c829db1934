"""Times to the steps of a funnel, counted by size: exact, whatever the durations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.behavior.kernels.spread import binned, values_of_sizes
from tilth.behavior.step_times import StepTimes, step_times

DURATIONS = st.one_of(st.integers(0, 200), st.integers(0, 10**7), st.integers(0, 2 * 10**15))
UNITS = st.lists(st.lists(DURATIONS, min_size=0, max_size=4), max_size=60)


def _part(units: list[list[int]], steps: int) -> Any:
    reach = np.array([len(u) for u in units], np.int8)
    ts = np.array([t for u in units for t in np.cumsum([10**15, *u]).tolist()], np.int64)
    return reach, ts, StepTimes.of(reach, ts, steps)


def _times(parts: list[Any], steps: int) -> Any:
    return step_times([p[2] for p in parts], steps, lambda wanted: [values_of_sizes(p[0], p[1], wanted) for p in parts])


@settings(max_examples=150, deadline=None)
@given(st.lists(UNITS, min_size=1, max_size=4))
def test_quantiles_over_buckets_are_those_of_all_durations(buckets: list[list[list[int]]]) -> None:
    found = _times([_part(units, 5) for units in buckets], 5)
    everyone = [u for units in buckets for u in units]
    assert found[0].people == len(everyone)
    for k in range(1, 5):
        there = [u for u in everyone if len(u) >= k]
        assert found[k].people == len(there)
        for held, durations in (
            (found[k].from_previous, [u[k - 1] for u in there]),
            (found[k].from_first, [sum(u[:k]) for u in there]),
        ):
            if not there:
                assert held == {}
                continue
            values = np.array(durations, np.float64) / 1e6
            assert held["mean"] == pytest.approx(values.mean(), rel=1e-12)
            assert held["median"] == pytest.approx(np.quantile(values, 0.5), rel=1e-12)
            assert held["p90"] == pytest.approx(np.quantile(values, 0.9), rel=1e-12)


def test_a_sum_of_durations_that_is_too_long_for_64_bits_has_its_mean() -> None:
    century = 100 * 365 * 86_400_000_000
    units = [[century]] * 5_000
    found = _times([_part(units, 2)], 2)
    assert found[1].from_first == {"mean": century / 1e6, "median": century / 1e6, "p90": century / 1e6}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0, 1000), min_size=1, max_size=50),
    st.one_of(st.integers(1, 40), st.lists(st.floats(0, 1000), min_size=2, max_size=8, unique=True).map(sorted)),
)
def test_bins_hold_what_numpy_puts_in_them(values: list[float], bins: int | list[float]) -> None:
    data = np.array(values)
    if isinstance(bins, int):
        low, high = data.min(), data.max()
        edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    else:
        edges = np.array(bins)
    assert binned(data, edges, isinstance(bins, int)).tolist() == np.histogram(data, edges)[0].tolist()
