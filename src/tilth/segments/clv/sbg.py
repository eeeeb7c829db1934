"""Shifted-beta-geometric: how long subscribers stay where leaving is seen (contractual settings).

P. S. Fader, B. G. S. Hardie, How to Project Customer Retention, Journal of Interactive Marketing 21 (1),
2007. On the “Regular” customers of the paper (1000 who became 631, 468, 382, 326, 289, 262, 241 in seven
years) the estimates are alpha = 0.704, beta = 1.182; on its “High End” ones 0.668, 3.806.

Each subscriber leaves at the end of a period with their own chance θ ~ Beta(alpha, beta):

    P(T = t) = B(alpha+1, beta+t-1)/B(alpha, beta),  S(t) = B(alpha, beta+t)/B(alpha, beta).

Retention in period t is (beta+t-1)/(alpha+beta+t-1): it rises with t although nobody becomes more
loyal, because the ones who leave easily are gone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.clv.base import Estimate, positive_parameters
from tilth.segments.clv.maximum import maximise

__all__ = ["NAMES", "SubscriptionForecast", "fit", "fit_survivors", "forecast", "log_likelihood"]

Float64 = npt.NDArray[np.float64]

NAMES = ("alpha", "beta")


class SubscriptionForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of new subscribers.

    survival: share still there after 0, 1, …, k periods. retention: share of those there at the start
    of period 1, …, k who stay through it. expected_periods: periods (renewals included, the first one
    counted) paid for within the k periods. remaining: discounted expected residual periods of somebody
    who has just renewed for the `age`-th time, and infinite where it does not converge (None).
    """

    survival: tuple[float, ...]
    retention: tuple[float, ...]
    expected_periods: float
    remaining: float | None


def log_likelihood(left: Float64, stayed: Float64, values: Float64) -> tuple[float, Float64]:
    """Log-likelihood and its gradient in (alpha, beta).

    left[t - 1]: how many left in period t = 1..k. stayed[t - 1]: how many were still there when their
    watching ended after t periods.
    """
    alpha, beta = (float(v) for v in values)
    steps = np.arange(len(left))
    # ln S(t) = Σ_{j<t} ln((beta+j)/(alpha+beta+j)); leaving in t costs alpha/(alpha+beta+t-1) after S(t-1).
    stay = -np.log1p(alpha / (beta + steps))
    survival = np.concatenate(([0.0], np.cumsum(stay)))
    by_alpha = np.concatenate(([0.0], np.cumsum(-1.0 / (alpha + beta + steps))))
    by_beta = np.concatenate(([0.0], np.cumsum(alpha / ((beta + steps) * (alpha + beta + steps)))))
    whole = alpha + beta + steps
    value = left @ (survival[:-1] + np.log(alpha / whole)) + stayed @ survival[1:]
    gradient = np.array(
        [
            left @ (by_alpha[:-1] + 1.0 / alpha - 1.0 / whole) + stayed @ by_alpha[1:],
            left @ (by_beta[:-1] - 1.0 / whole) + stayed @ by_beta[1:],
        ]
    )
    return float(value), gradient


def fit(left: Sequence[float] | Float64, stayed: Sequence[float] | Float64) -> Estimate:
    """Maximum-likelihood estimates of alpha, beta; several cohorts are fitted together by adding them up.

    left, stayed: as in `log_likelihood`, the same length. Raises `InvalidInput` on numbers that are not
    counts, where nobody is left to learn from, and where nobody left.
    """
    gone = np.asarray(left, dtype=np.float64)
    there = np.asarray(stayed, dtype=np.float64)
    if gone.ndim != 1 or gone.shape != there.shape or len(gone) == 0:
        raise InvalidInput("left", "must have one number a period, as many as `stayed`")
    if not (np.isfinite(gone).all() and np.isfinite(there).all()) or (gone < 0).any() or (there < 0).any():
        raise InvalidInput("left", "must be numbers of people, none negative")
    if gone.sum() == 0:
        raise InvalidInput("left", "nobody has left yet, so how long people stay cannot be told")
    return maximise(
        lambda values: log_likelihood(gone, there, values),
        names=NAMES,
        starts=[(1.0, 1.0), (0.7, 3.0), (5.0, 50.0)],
        lower=(1e-4, 1e-4),
        upper=(1e5, 1e6),
        people=float(gone.sum() + there.sum()),
    )


def fit_survivors(survivors: Sequence[int]) -> Estimate:
    """The estimates from one cohort: how many there were at the start and after each period.

    >>> estimate = fit_survivors([1000, 631, 468, 382, 326, 289, 262, 241])
    >>> {name: round(value, 3) for name, value in estimate.values.items()}
    {'alpha': 0.704, 'beta': 1.182}
    """
    if len(survivors) < 2:
        raise InvalidInput("survivors", "needs the number at the start and after at least one period")
    if any(after > before or after < 0 for before, after in pairwise(survivors)):
        raise InvalidInput("survivors", "cannot grow from one period to the next, nor be negative")
    left = -np.diff(np.asarray(survivors, dtype=np.float64))
    stayed = np.zeros(len(left))
    stayed[-1] = survivors[-1]
    return fit(left, stayed)


def forecast(values: dict[str, float], periods: int, *, age: int = 0, discount: float = 0.0) -> SubscriptionForecast:
    """Survival and retention over `periods` periods, and what somebody of an `age` is still good for.

    age: renewals made so far. discount: interest per period, 0.1 for 10 %. The residual counts the
    payments after this one, each discounted by 1/(1 + discount) a period; without discount it is finite
    only where alpha > 1.
    """
    alpha, beta = positive_parameters(values, NAMES)
    if not 1 <= periods <= 100_000:
        raise InvalidInput("periods", "must be between 1 and 100000")
    if age < 0 or not 0 <= discount < 1e6:
        raise InvalidInput("age" if age < 0 else "discount", "must not be negative")
    steps = np.arange(periods)
    retention = (beta + steps) / (alpha + beta + steps)
    survival = np.concatenate(([1.0], np.cumprod(retention)))
    return SubscriptionForecast(
        survival=tuple(survival.tolist()),
        retention=tuple(retention.tolist()),
        expected_periods=float(survival[:-1].sum()),
        remaining=_residual(alpha, beta + age, 1.0 / (1.0 + discount)),
    )


def _residual(alpha: float, beta: float, factor: float) -> float | None:
    """Σ_{t>=1} factor^t S(t) for somebody whose chance to leave is Beta(alpha, beta)."""
    if factor == 1.0:
        # E[(1 - θ)/θ]
        return beta / (alpha - 1.0) if alpha > 1.0 else None
    total, term, t = 0.0, 1.0, 0
    while t < 10_000_000:
        ratio = factor * (beta + t) / (alpha + beta + t)
        term *= ratio
        total += term
        t += 1
        # What follows is below a geometric series with the discount factor alone.
        if term * factor / (1.0 - factor) < 1e-12 * max(total, math.ulp(1.0)):
            break
    return total
