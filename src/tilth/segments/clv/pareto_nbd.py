"""Pareto/NBD: people buy at their own steady pace and stop for good at a random moment.

D. C. Schmittlein, D. G. Morrison, R. Colombo, Counting Your Customers: Who Are They and What Will They
Do Next?, Management Science 33 (1), 1987; likelihood as in P. S. Fader, B. G. S. Hardie, A Note on
Deriving the Pareto/NBD Model and Related Expressions, 2005. On the CDNOW sample calibrated over 39 weeks
the estimates are r = 0.553, alpha = 10.578, s = 0.606, beta = 11.669, log-likelihood -9595.0.

Parameters: purchase rates per time unit are Gamma(shape r, rate alpha), rates of stopping are
Gamma(shape s, rate beta).

The likelihood of (x, tx, T) is Γ(r+x)/Γ(r) α^r β^s times

    (α+T)^-(r+x) (β+T)^-s + P(tx) - P(T),     P(d) = ∫_d^∞ s (α+y)^-(r+x) (β+y)^-(s+1) dy,

the person being active still, or having stopped somewhere between the last purchase and T. With
n = r+s+x the integral is, in the form that has only positive terms and cannot overflow,

    P(d) = s/n (α+d)^-(r+x) (β+d)^-s  2F1(1, r+x; n+1; (α-β)/(α+d))            where α >= β,
    P(d) = s/n (α+d)^(1-r-x) (β+d)^-(s+1)  2F1(1, s+1; n+1; (β-α)/(β+d))       where α < β,

which Euler's transformation turns into the two cases of the papers. It is needed once per distinct
(x, tx) and (x, T), in logarithms.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from tilth.compiled import njit
from tilth.errors import InvalidInput
from tilth.segments.clv.base import (
    Estimate,
    FutureCounts,
    PurchaseModel,
    Triples,
    chunks,
    each_chunk,
    positive_parameters,
    worker_threads,
)
from tilth.segments.clv.gauss_fraction import gauss_fraction
from tilth.segments.clv.maximum import maximise

__all__ = ["PARETO_NBD", "log_likelihood"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

NAMES = ("r", "alpha", "s", "beta")
# Nodes over the moment of stopping within the horizon; the integrand is smooth in that variable.
NODES = 64
MOST = 200_000


@njit(cache=True, nogil=True)
def _stopped_part(
    low: int, high: int, x: Int64, days: Int64, unit_days: float, r: float, alpha: float, s: float, beta: float
) -> Float64:
    """ln P(d) and its derivatives by r, alpha, s, beta: float64[high - low, 5]."""
    out = np.empty((high - low, 5))
    for i in range(low, high):
        d = days[i] / unit_days
        shape = r + x[i]
        n = shape + s
        a = alpha + d
        b = beta + d
        log_a = math.log(a)
        log_b = math.log(b)
        row = out[i - low]
        if alpha >= beta:
            h, by_b, by_c, by_z = gauss_fraction(shape, n + 1.0, (alpha - beta) / a)
            row[0] = math.log(s / n * h) - shape * log_a - s * log_b
            row[1] = -1.0 / n - log_a + (by_b + by_c) / h
            row[2] = -shape / a + by_z / h * b / (a * a)
            row[3] = 1.0 / s - 1.0 / n - log_b + by_c / h
            row[4] = -s / b - by_z / h / a
        else:
            h, by_b, by_c, by_z = gauss_fraction(s + 1.0, n + 1.0, (beta - alpha) / b)
            row[0] = math.log(s / n * h) + (1.0 - shape) * log_a - (s + 1.0) * log_b
            row[1] = -1.0 / n - log_a + by_c / h
            row[2] = (1.0 - shape) / a - by_z / h / b
            row[3] = 1.0 / s - 1.0 / n - log_b + (by_b + by_c) / h
            row[4] = -(s + 1.0) / b + by_z / h * a / (b * b)
    return out


@njit(cache=True, nogil=True)
def _likelihood_part(
    low: int,
    high: int,
    x: Int64,
    T: Int64,
    people: Int64,
    at_last: Int64,
    at_end: Int64,
    stopped: Float64,
    unit_days: float,
    r: float,
    alpha: float,
    s: float,
    beta: float,
) -> Float64:
    """Sums over triples of ln(active + stopped) and of its derivatives: float64[5]."""
    out = np.zeros(5)
    for i in range(low, high):
        shape = r + x[i]
        a = alpha + T[i] / unit_days
        b = beta + T[i] / unit_days
        log_a = math.log(a)
        log_b = math.log(b)
        active = -shape * log_a - s * log_b
        last = stopped[at_last[i]]
        end = stopped[at_end[i]]
        top = max(active, last[0])
        e0 = math.exp(active - top)
        e1 = math.exp(last[0] - top)
        e2 = math.exp(end[0] - top)
        both = e0 + (e1 - e2)
        m = people[i]
        out[0] += m * (top + math.log(both))
        m /= both
        out[1] += m * (-e0 * log_a + e1 * last[1] - e2 * end[1])
        out[2] += m * (-e0 * shape / a + e1 * last[2] - e2 * end[2])
        out[3] += m * (-e0 * log_b + e1 * last[3] - e2 * end[3])
        out[4] += m * (-e0 * s / b + e1 * last[4] - e2 * end[4])
    return out


class _Likelihood:
    """The likelihood of one group of people, ready to be evaluated many times."""

    def __init__(self, triples: Triples, pool: ThreadPoolExecutor) -> None:
        self.triples = triples
        self.pool = pool
        self.by_x = triples.people_by_x()
        # Every (x, d) that P is needed at: d = tx, then d = T.
        self.pair_x = np.concatenate((triples.last_x, triples.cell_x))
        self.pair_days = np.concatenate((triples.last_days, triples.cell_end))
        self.at_last = triples.last
        self.at_end = len(triples.last_x) + triples.cell

    def stopped(self, values: Float64) -> Float64:
        """ln P(d) with derivatives for every pair (x, d)."""
        r, alpha, s, beta = (float(v) for v in values)
        unit = self.triples.unit_days
        parts = each_chunk(
            self.pool,
            chunks(len(self.pair_x), 4096),
            lambda low, high: _stopped_part(low, high, self.pair_x, self.pair_days, unit, r, alpha, s, beta),
        )
        return np.concatenate(parts)

    def __call__(self, values: Float64) -> tuple[float, Float64]:
        t = self.triples
        r, alpha, s, beta = (float(v) for v in values)
        stopped = self.stopped(values)
        parts = each_chunk(
            self.pool,
            chunks(len(t.x)),
            lambda low, high: _likelihood_part(
                low, high, t.x, t.T, t.people, self.at_last, self.at_end, stopped, t.unit_days, r, alpha, s, beta
            ),
        )
        total, *gradient = np.array(parts).sum(axis=0)
        steps = np.arange(len(self.by_x) - 1)
        rate = np.concatenate(([0.0], np.cumsum(np.log(r + steps))))
        rate_r = np.concatenate(([0.0], np.cumsum(1.0 / (r + steps))))
        n, people = self.by_x, float(self.by_x.sum())
        total += float(n @ rate) + people * (r * math.log(alpha) + s * math.log(beta))
        gradient[0] += float(n @ rate_r) + people * math.log(alpha)
        gradient[1] += people * r / alpha
        gradient[2] += people * math.log(beta)
        gradient[3] += people * s / beta
        return float(total), np.array(gradient)


def log_likelihood(triples: Triples, values: Float64) -> tuple[float, Float64]:
    """Total log-likelihood and its gradient in (r, alpha, s, beta)."""
    with worker_threads() as pool:
        return _Likelihood(triples, pool)(values)


def fit(triples: Triples) -> Estimate:
    """Maximum-likelihood estimates of r, alpha, s, beta.

    Raises `InvalidInput` where nobody ever came back: then no purchase rate can be told from none.
    """
    if int(triples.x.max()) == 0:
        raise InvalidInput("history", "nobody bought again in the calibration period, so no purchase rate can be told")
    scale = triples.mean_watched
    rate = float(triples.people @ triples.x) / triples.population
    part = triples.sample()
    with worker_threads() as pool:
        return maximise(
            _Likelihood(triples, pool),
            names=NAMES,
            starts=[
                (0.5, scale / 3, 0.6, scale / 3),
                (1.0, scale / max(rate, 0.05), 0.5, scale),
                (1.0, scale, 1.0, scale),
            ],
            lower=(1e-4, 1e-4 * scale, 1e-4, 1e-4 * scale),
            upper=(1e3, 1e4 * scale, 1e3, 1e4 * scale),
            people=triples.population,
            sample=None if part is None else _Likelihood(part, pool),
            sample_people=1.0 if part is None else part.population,
        )


def p_alive(triples: Triples, values: dict[str, float]) -> Float64:
    """float64[k]: the probability that a person with each (x, tx, T) is still active at T."""
    theta = np.array(positive_parameters(values, NAMES))
    r, alpha, s, beta = theta
    with worker_threads() as pool:
        likelihood = _Likelihood(triples, pool)
        stopped = likelihood.stopped(theta)[:, 0]
    end = triples.T / triples.unit_days
    active = -(r + triples.x) * np.log(alpha + end) - s * np.log(beta + end)
    last = np.exp(np.minimum(stopped[likelihood.at_last] - active, 700.0))
    odds = last - np.exp(np.minimum(stopped[likelihood.at_end] - active, 700.0))
    return np.asarray(1.0 / (1.0 + np.maximum(odds, 0.0)))


@njit(cache=True, nogil=True)
def _future_part(
    low: int,
    high: int,
    x: Int64,
    T: Int64,
    unit_days: float,
    horizon: float,
    least: float,
    r: float,
    alpha: float,
    s: float,
    beta: float,
    nodes: Float64,
    weights: Float64,
) -> tuple[Float64, Int64, Float64]:
    """Given that a person is active at T their rates are Gamma(r+x, α+T) and Gamma(s, β+T).

    The time τ they stay active has survival ((β+T)/(β+T+τ))^s, and given it purchases are negative
    binomial. The quadrature is over y = ln(1 + τ/c), c the smaller of α+T and β+T: in y everything is
    analytic within π of the real line, whatever the scales. Those who stay to the end are one more node.
    """
    mean = np.zeros(high - low)
    size = np.zeros(high - low, np.int64)
    more = np.empty(64 * (high - low))
    used = 0
    count = len(nodes) + 1
    z = np.empty(count)
    share = np.empty(count)
    p = np.empty(count)
    log_p = np.empty(count)
    tail = np.empty(count)
    for i in range(low, high):
        shape = r + x[i]
        a = alpha + T[i] / unit_days
        b = beta + T[i] / unit_days
        span = -math.log1p(horizon / b)
        order = (s - 1.0) * span
        # (1 - e^order)/(s - 1), without its removable singularity at s = 1.
        lasting = -span if order == 0.0 else -span * math.expm1(order) / order
        mean[i - low] = shape * b / a * lasting
        stays = math.exp(s * span)
        c = min(a, b)
        # Past this nobody is active any more, to double precision.
        reach = math.log1p(min(horizon, b * math.expm1(min(39.0 / s, 500.0))) / c)
        for j in range(count):
            if j == count - 1:
                active = horizon
                share[j] = stays
            else:
                active = c * math.expm1(reach * nodes[j])
                lasts = math.exp(-s * math.log1p(active / b))
                share[j] = reach * weights[j] * s * lasts * (c + active) / (b + active)
            odds = active / a
            z[j] = odds / (1.0 + odds)
            log_p[j] = -shape * math.log1p(odds)
            p[j] = 0.0 if log_p[j] < -600.0 else math.exp(log_p[j])
            tail[j] = -math.expm1(log_p[j])
        for k in range(MOST):
            above = 0.0
            for j in range(count):
                above += share[j] * max(tail[j], 0.0)
            if used == len(more):
                grown = np.empty(2 * len(more))
                grown[:used] = more
                more = grown
            more[used] = above
            used += 1
            size[i - low] += 1
            if above <= least:
                break
            for j in range(count):
                ratio = (shape + k) / (k + 1.0) * z[j]
                if p[j] == 0.0 and log_p[j] < -600.0:
                    if ratio > 0.0:
                        log_p[j] += math.log(ratio)
                        if log_p[j] >= -600.0:
                            p[j] = math.exp(log_p[j])
                else:
                    p[j] *= ratio
                tail[j] -= p[j]
    return mean, size, more[:used].copy()


def future(
    values: dict[str, float], x: Int64, T: Int64, unit_days: float, horizon: float, least: float
) -> FutureCounts:
    """Distribution of the purchases within `horizon` time units of people active at T, a row a cell (x, T)."""
    r, alpha, s, beta = positive_parameters(values, NAMES)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = (nodes + 1.0) / 2.0, weights / 2.0
    with worker_threads() as pool:
        parts = each_chunk(
            pool,
            chunks(len(x), 1024),
            lambda low, high: _future_part(
                low, high, x, T, unit_days, horizon, least, r, alpha, s, beta, nodes, weights
            ),
        )
    sizes = np.concatenate([part[1] for part in parts])
    return FutureCounts(
        mean=np.concatenate([part[0] for part in parts]),
        start=np.concatenate(([0], np.cumsum(sizes))),
        more=np.concatenate([part[2] for part in parts]),
    )


PARETO_NBD = PurchaseModel(name="pareto_nbd", parameters=NAMES, fit=fit, p_alive=p_alive, future=future)
