"""Business lift out of time: do the layers say anything about what happens next?

The layering is made again as of an earlier day, from what was known then, and each layer's money in
the *following* period is looked at. `spread` puts a single number on it: a concentration (Gini)
coefficient. Layers are ranked by one half of the people and the other half's money is counted along
that ranking, so a layering that knows nothing scores zero on average, not above it, and 1 would be
all money in a vanishing top layer.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import scipy

from tilth.segments.blocks import Blocks, Interval, interval, resample
from tilth.segments.days import day_text

__all__ = ["LayerLift", "Lift", "choose_period", "lift"]

Float64 = npt.NDArray[np.float64]
_DRAWS = 400
SHORTEST, LONGEST = 14, 90  # days of the following period


class LayerLift(msgspec.Struct, frozen=True, kw_only=True):
    """A layer's people at the calibration's end and their mean money afterwards (minor units a person), with
    its 95 % interval; None for the interval of a single person."""

    key: str
    people: int
    mean: float
    low: float | None
    high: float | None


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """outcome: `revenue` (minor units a person). calibration_end: the day the layering was made as of; until: the
    last day of the following period. spread: 0 nothing, 1 everything. top_over_average: mean of the layer that
    the other half of the people ranks first, over everybody's mean."""

    outcome: str
    calibration_end: str
    until: str
    horizon_days: int
    layers: list[LayerLift]
    spread: Interval
    top_over_average: float


def choose_period(first_day: int, as_of: int, last_day: int) -> tuple[int, int] | None:
    """(calibration end, last day of the following period) as local day numbers, or None where there is too little time.

    A quarter of the time known, 14 to 90 days. Where that much data lies after the as-of day, the layering
    itself is tested on it; else it is made again that much earlier.
    """
    horizon = min(LONGEST, (as_of - first_day + 1) // 4)
    if horizon < SHORTEST:
        return None
    if as_of + horizon <= last_day:
        return as_of, as_of + horizon
    return as_of - horizon, as_of


def lift(
    codes: npt.NDArray[np.int16], keys: list[str], money: npt.NDArray[np.int64], calibration_end: int, until: int
) -> Lift | None:
    """The lift of layers `codes` (made as of day `calibration_end`) on `money` spent after it up to day `until`.

    None where nobody spent anything or there are fewer than two layers or ten people.
    """
    k = len(keys)
    people = np.bincount(codes, minlength=k)
    if len(codes) < 10 or (people > 0).sum() < 2 or not money.any():
        return None
    blocks = Blocks(len(codes))
    n, y = blocks.sums(codes, k), blocks.sums(codes, k, money)
    left, right = slice(0, None, 2), slice(1, None, 2)
    whole = np.ones((1, 1))
    spread, top = _cross(_summed(whole, n, y, left), _summed(whole, n, y, right))
    sizes = len(n[left]), len(n[right])
    drawn, _ = _cross(
        _summed(resample(sizes[0], _DRAWS, seed=4), n, y, left),
        _summed(resample(sizes[1], _DRAWS, seed=5), n, y, right),
    )
    found = interval(float(spread[0]), drawn)
    if found is None:
        return None
    return Lift(
        outcome="revenue",
        calibration_end=day_text(calibration_end),
        until=day_text(until),
        horizon_days=until - calibration_end,
        layers=_means(codes, keys, money, people),
        spread=found,
        top_over_average=float(top[0]),
    )


def _summed(weights: Float64, n: Float64, y: Float64, half: slice) -> tuple[Float64, Float64]:
    """People and money per layer [draws, k] of one half of the blocks; weights [1, 1] stands for all once."""
    if weights.shape == (1, 1):
        return n[half].sum(axis=0)[None, :], y[half].sum(axis=0)[None, :]
    return weights @ n[half], weights @ y[half]


def _cross(a: tuple[Float64, Float64], b: tuple[Float64, Float64]) -> tuple[Float64, Float64]:
    """Concentration and the top layer's mean over the average, each half ranked by the other, averaged."""
    one, two = _along(a, b), _along(b, a)
    return (one[0] + two[0]) / 2, (one[1] + two[1]) / 2


def _along(ranking: tuple[Float64, Float64], counted: tuple[Float64, Float64]) -> tuple[Float64, Float64]:
    n, y = ranking
    with np.errstate(divide="ignore", invalid="ignore"):
        overall = y.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
        means = np.where(n > 0, y / n, overall)
        order = np.argsort(means, axis=1, kind="stable")
        people = np.take_along_axis(counted[0], order, 1)
        money = np.take_along_axis(counted[1], order, 1)
        p = people / people.sum(axis=1, keepdims=True)
        q = money / money.sum(axis=1, keepdims=True)
        concentration = 1 - (p * (2 * np.cumsum(q, axis=1) - q)).sum(axis=1)
        # The best layer that has anybody in the half that counts.
        last = people.shape[1] - 1 - np.argmax(people[:, ::-1] > 0, axis=1)
        at = np.arange(len(people))
        top = (money[at, last] / people[at, last]) / (money.sum(axis=1) / people.sum(axis=1))
    return concentration, np.nan_to_num(top, nan=1.0, posinf=1.0)


def _means(
    codes: npt.NDArray[np.int16], keys: list[str], money: npt.NDArray[np.int64], people: npt.NDArray[np.int64]
) -> list[LayerLift]:
    k = len(keys)
    values = money.astype(np.float64)
    means = np.bincount(codes, values, k) / np.maximum(people, 1)
    deviation = np.bincount(codes, (values - means[codes]) ** 2, k)
    layers = []
    for i in np.flatnonzero(people).tolist():
        n = int(people[i])
        low: float | None = None
        high: float | None = None
        if n > 1:
            half = float(scipy.special.stdtrit(n - 1, 0.975)) * float(np.sqrt(deviation[i] / (n - 1) / n))
            # Nobody spends less than nothing.
            low, high = max(0.0, float(means[i]) - half), float(means[i]) + half
        layers.append(LayerLift(key=keys[i], people=n, mean=float(means[i]), low=low, high=high))
    return layers
