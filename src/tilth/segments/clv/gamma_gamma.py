"""Gamma-gamma: what a purchase of a person is worth, learned from their own and everybody's purchases.

P. S. Fader, B. G. S. Hardie, K. L. Lee, RFM and CLV: Using Iso-Value Curves for Customer Base Analysis,
Journal of Marketing Research 42 (4), 2005; P. S. Fader, B. G. S. Hardie, The Gamma-Gamma Model of Monetary
Value, 2013. On the 946 repeat buyers of the CDNOW sample the estimates are p = 6.25, q = 3.74, v = 15.44
(dollars).

One person's spends are Gamma(shape p, rate ν), and ν ~ Gamma(shape q, rate v) over people (the paper
calls v gamma). After x repeat purchases of mean m the expected spend is

    E = p (v + x m) / (p x + q - 1),

a weighted mean of m and everybody's mean p v/(q - 1), which needs q > 1 to exist. The model assumes that
how much and how often are unrelated; `correlation` says how far the data agrees.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import scipy

from tilth.compiled import njit
from tilth.errors import InvalidInput
from tilth.segments.clv.base import SAMPLE, Estimate, chunks, each_chunk, positive_parameters, worker_threads
from tilth.segments.clv.distinct import distinct
from tilth.segments.clv.maximum import maximise

__all__ = ["NAMES", "correlation", "expected_spend", "fit", "log_likelihood"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

NAMES = ("p", "q", "v")


@njit(cache=True, nogil=True)
def _part(low: int, high: int, group: Int64, total: Float64, v: float, typical: float, groups: int) -> Float64:
    """Σ ln((x m + v)/typical) and Σ 1/(x m + v) over people low..high, by number of purchases.

    People come sorted by group. One logarithm is taken of the product of many people's terms.
    """
    out = np.zeros((2, groups))
    product = 1.0
    for i in range(low, high):
        scale = total[i] + v
        out[1, group[i]] += 1.0 / scale
        product *= scale / typical
        if product > 1e150 or product < 1e-150 or i + 1 == high or group[i + 1] != group[i]:
            out[0, group[i]] += math.log(product)
            product = 1.0
    return out


class _Likelihood:
    """The likelihood of one group of people, ready to be evaluated many times."""

    def __init__(self, x: Int64, mean: Float64, pool: ThreadPoolExecutor) -> None:
        self.pool = pool
        order = np.argsort(x, kind="stable")
        self.counts, self.group, n = distinct(x[order])
        self.n = n.astype(np.float64)
        self.total = (x * mean)[order]
        self.typical = float(np.exp(np.log(self.total).mean()))
        log_mean = np.log(mean)
        self.log_mean = float(log_mean.sum())
        self.spread = float((x * log_mean).sum()) + float(self.n @ (self.counts * np.log(self.counts)))

    def __call__(self, values: Float64) -> tuple[float, Float64]:
        p, q, v = (float(value) for value in values)
        n, counts, people = self.n, self.counts, float(len(self.total))
        typical = max(self.typical, v)
        parts = each_chunk(
            self.pool,
            chunks(len(self.total)),
            lambda low, high: _part(low, high, self.group, self.total, v, typical, len(counts)),
        )
        log_scale, inverse = np.array(parts).sum(axis=0)
        log_scale += n * math.log(typical)
        value = (
            float(n @ (scipy.special.gammaln(p * counts + q) - scipy.special.gammaln(p * counts)))
            + people * (q * math.log(v) - float(scipy.special.gammaln(q)))
            + p * self.spread
            - self.log_mean
            - float((p * counts + q) @ log_scale)
        )
        slope = scipy.special.digamma(p * counts + q)
        gradient = np.array(
            [
                float(n @ (counts * (slope - scipy.special.digamma(p * counts))))
                + self.spread
                - float(counts @ log_scale),
                float(n @ slope) + people * (math.log(v) - float(scipy.special.digamma(q))) - float(log_scale.sum()),
                people * q / v - float((p * counts + q) @ inverse),
            ]
        )
        return float(value), gradient


def log_likelihood(x: Int64, mean: Float64, values: Float64) -> tuple[float, Float64]:
    """Total log-likelihood of the people's mean spends and its gradient in (p, q, v).

    x: int64[n] repeat purchases, at least 1. mean: float64[n] their mean amount, positive.
    """
    with worker_threads() as pool:
        return _Likelihood(x, mean, pool)(values)


def fit(x: Int64, mean: Float64) -> Estimate:
    """Maximum-likelihood estimates of p, q, v from repeat buyers.

    x: int64[n] repeat purchases, all at least 1. mean: float64[n] their mean amount, all positive; `v`
    is in the same money. Raises `InvalidInput` on fewer than two people or on other values.
    """
    x = np.ascontiguousarray(x, dtype=np.int64)
    mean = np.ascontiguousarray(mean, dtype=np.float64)
    if len(x) != len(mean) or len(x) < 2:
        raise InvalidInput(
            "history", "at least two people with a paid repeat purchase are needed to learn what is spent"
        )
    if (x < 1).any() or not (np.isfinite(mean) & (mean > 0)).all():
        raise InvalidInput("history", "repeat purchases must be counted from 1 and their mean amount be positive")
    typical = float(np.exp(np.log(mean).mean()))
    every = len(x) // SAMPLE
    with worker_threads() as pool:
        return maximise(
            _Likelihood(x, mean, pool),
            names=NAMES,
            starts=[(1.0, 2.0, typical), (6.0, 4.0, typical / 2), (2.0, 10.0, 5 * typical)],
            lower=(1e-3, 1e-3, 1e-4 * typical),
            upper=(1e4, 1e4, 1e6 * typical),
            people=float(len(x)),
            sample=_Likelihood(x[::every], mean[::every], pool) if every >= 4 else None,
            sample_people=float(len(x[::every])) if every >= 4 else 1.0,
        )


def expected_spend(x: Int64, mean: Float64, values: dict[str, float]) -> Float64:
    """float64[n]: the expected amount of a future purchase of people with x purchases of mean `mean`.

    For x = 0 it is everybody's mean and `mean` is not used. Raises `InvalidInput` where q <= 1, as then
    everybody's mean does not exist.
    """
    p, q, v = positive_parameters(values, NAMES)
    if q <= 1:
        raise InvalidInput("parameters.q", "must be above 1 for the mean spend to exist")
    return np.asarray(p * (v + np.where(x > 0, x * mean, 0.0)) / (p * x + q - 1.0))


def correlation(x: Int64, mean: Float64) -> float | None:
    """Pearson's correlation of how often and how much; None where one of the two does not vary."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(mean) == 0:
        return None
    return float(np.corrcoef(x, mean)[0, 1])
