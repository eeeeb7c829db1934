"""Predictive intervals for the purchases, and for the money, a person brings within the horizon.

**Purchases.** With A the event that the person is active now, N = 0 unless A, and
P(N > k) = P(A) · P(N > k | A), both parts exact under the model. The interval of level 1 - α runs from the
smallest k with P(N <= k) > α/2 to the smallest k with P(N <= k) >= 1 - α/2. N is a whole number, so it covers
at least 1 - α. It is the interval of the *count itself*, not of its mean, at the estimated parameters: their
own uncertainty, which fades with the number of people, is not in it.

**Money.** By the gamma-gamma model the spends of one person are Gamma(shape p, rate ν) with
ν ~ Gamma(p x + q, v + x m) after x purchases of mean m. The sum of n of them is therefore v + x m times a
beta-prime(p n, p x + q) variable, and

    P(value <= (v + x m) y) = P(N = 0) + Σ_n P(N = n) I_{y/(1+y)}(p n, p x + q),

whose quantiles at α/2 and 1 - α/2 are the interval (0 where nothing is bought with that chance).
Purchase rate and spend are independent, as the model assumes.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tilth.compiled import njit
from tilth.segments.clv.base import FutureCounts, chunks, each_chunk, worker_threads

__all__ = ["purchase_intervals", "spend_multiples"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def _first_at_most(more: Float64, start: int, end: int, bound: float, strict: bool) -> int:
    """The first k with more[start + k] <= bound (< where strict); `more` falls with k."""
    low, high = start, end - 1
    while low < high:
        middle = (low + high) // 2
        value = more[middle]
        if value < bound or (value == bound and not strict):
            high = middle
        else:
            low = middle + 1
    return low - start


@njit(cache=True, nogil=True)
def _interval_part(
    low: int, high: int, p_alive: Float64, cell: Int64, start: Int64, more: Float64, outside: float
) -> tuple[Int64, Int64]:
    least = np.zeros(high - low, np.int64)
    most = np.zeros(high - low, np.int64)
    for i in range(low, high):
        first, end = start[cell[i]], start[cell[i] + 1]
        if p_alive[i] <= 0.0:
            continue
        least[i - low] = _first_at_most(more, first, end, (1.0 - outside) / p_alive[i], True)
        most[i - low] = _first_at_most(more, first, end, outside / p_alive[i], False)
    return least, most


def purchase_intervals(p_alive: Float64, cell: Int64, counts: FutureCounts, level: float) -> tuple[Int64, Int64]:
    """(low, high), int64[k] each: the predictive interval of the purchases of each triple.

    p_alive: float64[k]. cell: int64[k], the row of `counts` of each triple. level: such as 0.95;
    `counts` must reach down to (1 - level)/2.
    """
    outside = (1.0 - level) / 2.0
    with worker_threads() as pool:
        parts = each_chunk(
            pool,
            chunks(len(p_alive)),
            lambda low, high: _interval_part(low, high, p_alive, cell, counts.start, counts.more, outside),
        )
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


@njit(cache=True, nogil=True)
def _beta_ratio(a: float, b: float, y: float) -> tuple[float, float]:
    """P(Y <= y) and P(Y > y) of a beta-prime(a, b) variable, by Lentz' form of the continued fraction."""
    x = y / (1.0 + y)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) - b * math.log1p(y))
    mirrored = x > (a + 1.0) / (a + b + 2.0)
    if mirrored:
        a, b, x = b, a, 1.0 / (1.0 + y)
    tiny = 1e-300
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    h = d
    for m in range(1, 2000):
        term = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 + term * d
        c = 1.0 + term / c
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = c if abs(c) > tiny else tiny
        h *= d * c
        term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 + term * d
        c = 1.0 + term / c
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = c if abs(c) > tiny else tiny
        step = d * c
        h *= step
        if abs(step - 1.0) < 1e-12:
            break
    part = min(max(front * h / a, 0.0), 1.0)
    if mirrored:
        return 1.0 - part, part
    return part, 1.0 - part


@njit(cache=True, nogil=True)
def _above(y: float, alive: float, more: Float64, start: int, end: int, p: float, shape: float) -> float:
    """P(value > y (v + x m)); counts past the last recorded one are taken to be above."""
    total = more[end - 1]
    for k in range(start, end - 1):
        # P(N = n | active) for n = k - start + 1
        mass = more[k] - more[k + 1]
        if mass > 0.0:
            total += mass * _beta_ratio(p * (k - start + 1), shape, y)[1]
    return alive * total


@njit(cache=True, nogil=True)
def _quantile(target: float, alive: float, more: Float64, start: int, end: int, p: float, shape: float) -> float:
    """The y with P(value > y (v + x m)) = target; 0 where even P(value > 0) is at most that."""
    if alive * more[start] <= target:
        return 0.0
    low = math.log(p / shape) - 1.0
    high = low + 2.0
    step = 1.0
    f_low = _above(math.exp(low), alive, more, start, end, p, shape) - target
    while f_low < 0.0 and low > -690.0:
        high = low
        low = max(low - step, -690.0)
        step *= 2.0
        f_low = _above(math.exp(low), alive, more, start, end, p, shape) - target
    step = 1.0
    f_high = _above(math.exp(high), alive, more, start, end, p, shape) - target
    while f_high > 0.0 and high < 690.0:
        low, f_low = high, f_high
        high = min(high + step, 690.0)
        step *= 2.0
        f_high = _above(math.exp(high), alive, more, start, end, p, shape) - target
    # Regula falsi with the Illinois rule, on ln y.
    side = 0
    middle = low
    for _ in range(80):
        if f_low == f_high:
            break
        middle = (low * f_high - high * f_low) / (f_high - f_low)
        value = _above(math.exp(middle), alive, more, start, end, p, shape) - target
        if abs(value) < 1e-10 or high - low < 1e-9:
            break
        if value > 0.0:
            low, f_low = middle, value
            if side == 1:
                f_high *= 0.5
            side = 1
        else:
            high, f_high = middle, value
            if side == -1:
                f_low *= 0.5
            side = -1
    return math.exp(middle)


@njit(cache=True, nogil=True)
def _spend_part(
    low: int,
    high: int,
    x: Int64,
    p_alive: Float64,
    cell: Int64,
    start: Int64,
    more: Float64,
    outside: float,
    p: float,
    q: float,
) -> tuple[Float64, Float64]:
    least = np.zeros(high - low)
    most = np.zeros(high - low)
    for i in range(low, high):
        first, end = start[cell[i]], start[cell[i] + 1]
        shape = p * x[i] + q
        least[i - low] = _quantile(1.0 - outside, p_alive[i], more, first, end, p, shape)
        most[i - low] = _quantile(outside, p_alive[i], more, first, end, p, shape)
    return least, most


def spend_multiples(
    x: Int64, p_alive: Float64, cell: Int64, counts: FutureCounts, level: float, p: float, q: float
) -> tuple[Float64, Float64]:
    """(low, high), float64[k] each: the predictive interval of value / (v + x m) of each triple.

    x, p_alive, cell: one a triple, as in `purchase_intervals`. p, q: of the gamma-gamma model. `counts`
    should reach down well below (1 - level)/2, since what lies beyond is taken to be above any value.
    """
    outside = (1.0 - level) / 2.0
    with worker_threads() as pool:
        parts = each_chunk(
            pool,
            chunks(len(x), 256),
            lambda low, high: _spend_part(low, high, x, p_alive, cell, counts.start, counts.more, outside, p, q),
        )
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
