"""What BG/NBD and MBG/NBD have in common: gamma purchase rates and beta dropout chances.

Everybody buys at a Poisson rate λ ~ Gamma(r, α) while active and stops for good with chance
p ~ Beta(a, b) at each opportunity. The two models differ only in the opportunities: after every repeat
purchase (BG/NBD), or after the first purchase as well (MBG/NBD). With n = x opportunities in the first
and n = x + 1 in the second, both likelihoods are

    Γ(r+x)/Γ(r) · α^r (α+T)^-(r+x) · B(a, b+n)/B(a, b) · (1 + o),
    o = a/(b+n-1) · ((α+T)/(α+tx))^(r+x)      (o = 0 where n = 0),

o being the odds that the person has stopped, so P(alive) = 1/(1+o). Given that someone is active at T
their future is again such a process, with r+x, α+T, a and b+n, and after every purchase a chance to stop.
So for the number of purchases N within t

    P(N > k) = [Π_{j≤k-1} (b+n+j)/(a+b+n+j)] · P(M > k),   M ~ NegBin(r+x, t/(α+T+t)):

the (k+1)-th purchase happens if the Poisson process gets that far and the person stays after each of the
k before it. E[N] = Σ P(N > k), a sum of positive terms without the removable singularities (at a = 1 and
a + b + x = 1) and cancellations of the hypergeometric form in the papers, to which it is equal.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from tilth.compiled import njit
from tilth.errors import InvalidInput
from tilth.segments.clv.base import (
    CHUNK,
    Estimate,
    FutureCounts,
    Triples,
    chunks,
    each_chunk,
    positive_parameters,
    worker_threads,
)
from tilth.segments.clv.maximum import maximise

__all__ = ["NAMES", "fit", "future", "log_likelihood", "p_alive"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

NAMES = ("r", "alpha", "a", "b")
# A count beyond this is not summed any more; with days as the finest time it cannot matter.
MOST = 2_000_000


# Exponents within ± this leave room for a product of two in a double.
STEEP = 600.0


@njit(cache=True, nogil=True)
def _stopped_part(
    low: int,
    high: int,
    start: Int64,
    last: Int64,
    people: Int64,
    odds: Float64,
    rate: Float64,
    log_odds: Float64,
    count: Float64,
    steep: npt.NDArray[np.bool_],
    log_last: Float64,
    inverse_last: Float64,
    out: Float64,
) -> float:
    """Σ people · ln(1+o) over the triples of cells low..high; per cell, what its derivatives need.

    o is the product of a factor of the cell (x, T) and one of the pair (x, tx), so no triple needs an
    exponential of its own; and the logarithm is taken of a product of many 1+o. Where such factors would
    not fit a double (`steep` cells, of very frequent buyers) o is made from logarithms instead.
    out[:, cell]: Σ people·w, Σ people·w·ln(α+tx) and Σ people·w/(α+tx), with w = o/(1+o).
    """
    total = 0.0
    product = 1.0
    for c in range(low, high):
        stopped = 0.0
        by_log = 0.0
        by_inverse = 0.0
        factor = odds[c]
        for i in range(start[c], start[c + 1]):
            j = last[i]
            m = people[i]
            if steep[c]:
                u = log_odds[c] - count[c] * log_last[j]
                if u > 0.0:
                    e = math.exp(-u)
                    w = 1.0 / (1.0 + e)
                    total += m * (u + math.log1p(e))
                else:
                    e = math.exp(u)
                    w = e / (1.0 + e)
                    total += m * math.log1p(e)
            else:
                o = factor * rate[j]
                f = 1.0 + o
                w = o / f
                if m < 8 and f < 1e8:
                    # f^m by the bits of m: at most 1e56, so the product stays below 1e306.
                    f2 = f * f
                    power = f if m & 1 else 1.0
                    power *= f2 if m & 2 else 1.0
                    power *= f2 * f2 if m & 4 else 1.0
                    product *= power
                    if product > 1e250:
                        total += math.log(product)
                        product = 1.0
                else:
                    total += m * math.log1p(o)
            w *= m
            stopped += w
            by_log += w * log_last[j]
            by_inverse += w * inverse_last[j]
        out[0, c] = stopped
        out[1, c] = by_log
        out[2, c] = by_inverse
    return total + math.log(product)


def _log_odds(most: int, a: float, b: float, first: int) -> tuple[Float64, Float64]:
    """ln(a/(b+n-1)) and 1/(b+n-1) for x = 0..most with n = x + first; -inf and 0 where n = 0."""
    n = np.arange(most + 1) + first
    odds = np.full(most + 1, -np.inf)
    inverse = np.zeros(most + 1)
    possible = n > 0
    inverse[possible] = 1.0 / (b + n[possible] - 1.0)
    odds[possible] = np.log(a) + np.log(inverse[possible])
    return odds, inverse


def log_likelihood(triples: Triples, values: Float64, first: int) -> tuple[float, Float64]:
    """Total log-likelihood and its gradient in (r, alpha, a, b).

    first: 1 where the first purchase is followed by a chance to stop (MBG/NBD), else 0.
    """
    with worker_threads() as pool:
        return _Likelihood(triples, first, pool)(values)


class _Likelihood:
    """The likelihood of one group of people, ready to be evaluated many times."""

    def __init__(self, triples: Triples, first: int, pool: ThreadPoolExecutor) -> None:
        self.triples = triples
        self.first = first
        self.pool = pool
        self.by_x = triples.people_by_x()
        self.time = np.arange(int(triples.T.max()) + 1) / triples.unit_days
        self.cell_people = np.add.reduceat(triples.people, triples.cell_start[:-1]).astype(np.float64)
        # Whole cells with about as many triples each.
        low = np.unique(np.searchsorted(triples.cell_start, np.arange(0, len(triples.x), CHUNK)))
        low = low[low < len(triples.cell_x)]
        self.pieces = list(zip(low.tolist(), [*low[1:].tolist(), len(triples.cell_x)], strict=True))

    def __call__(self, values: Float64) -> tuple[float, Float64]:
        t = self.triples
        r, alpha, a, b = (float(v) for v in values)
        most = len(self.by_x) - 1
        steps = np.arange(most + self.first)
        # ln Γ(r+x)/Γ(r) and its derivative, for every x at once; likewise for the beta functions.
        rate = np.concatenate(([0.0], np.cumsum(np.log(r + steps[:most]))))
        rate_r = np.concatenate(([0.0], np.cumsum(1.0 / (r + steps[:most]))))
        stay = np.concatenate(([0.0], np.cumsum(-np.log1p(a / (b + steps)))))[self.first :]
        stay_a = np.concatenate(([0.0], np.cumsum(-1.0 / (a + b + steps))))[self.first :]
        stay_b = np.concatenate(([0.0], np.cumsum(a / ((b + steps) * (a + b + steps)))))[self.first :]
        log_time = np.log(alpha + self.time)
        inverse_time = 1.0 / (alpha + self.time)
        log_odds, inverse_b = _log_odds(most, a, b, self.first)
        count = np.asarray(r + t.cell_x, dtype=np.float64)
        watched, inverse_watched = log_time[t.cell_end], inverse_time[t.cell_end]
        log_last, inverse_last = log_time[t.last_days], inverse_time[t.last_days]
        middle = (log_time[0] + log_time[-1]) / 2
        steep = count * (log_time[-1] - log_time[0]) > STEEP
        with np.errstate(over="ignore", invalid="ignore"):
            odds = np.exp(log_odds[t.cell_x] + count * (watched - middle))
            rate_last = np.exp((r + t.last_x) * (middle - log_last))
        per_cell = np.empty((3, len(count)))
        log_cell = log_odds[t.cell_x] + count * watched
        parts = each_chunk(
            self.pool,
            self.pieces,
            lambda low, high: _stopped_part(
                low,
                high,
                t.cell_start,
                t.last,
                t.people,
                odds,
                rate_last,
                log_cell,
                count,
                steep,
                log_last,
                inverse_last,
                per_cell,
            ),
        )
        stopped, stopped_log, stopped_inverse = per_cell
        n, cell_people = self.by_x, self.cell_people
        # Sums, not `@`: on arrays of this length a dot product would wake the threads of the linear algebra library.
        people = float(n.sum())
        log_alpha = math.log(alpha)
        total = (
            sum(parts)
            - float((cell_people * count * watched).sum())
            + float(n @ (rate + stay))
            + people * r * log_alpha
        )
        gradient = np.array(
            [
                float(((stopped - cell_people) * watched - stopped_log).sum()) + float(n @ rate_r) + people * log_alpha,
                float((count * ((stopped - cell_people) * inverse_watched - stopped_inverse)).sum())
                + people * r / alpha,
                float(n @ stay_a) + float(stopped.sum()) / a,
                float(n @ stay_b) - float((stopped * inverse_b[t.cell_x]).sum()),
            ]
        )
        return float(total), gradient


def fit(triples: Triples, first: int) -> Estimate:
    """Maximum-likelihood estimates of r, alpha, a, b; see `log_likelihood` for `first`.

    Raises `InvalidInput` where nobody ever came back: then no purchase rate can be told from none.
    """
    if int(triples.x.max()) == 0:
        raise InvalidInput("history", "nobody bought again in the calibration period, so no purchase rate can be told")
    scale = triples.mean_watched
    rate = float(triples.people @ triples.x) / triples.population
    part = triples.sample()
    with worker_threads() as pool:
        return maximise(
            _Likelihood(triples, first, pool),
            names=NAMES,
            starts=[(0.5, scale / 4, 0.8, 2.5), (1.0, scale / max(rate, 0.05), 0.5, 5.0), (1.0, scale, 1.0, 1.0)],
            lower=(1e-4, 1e-5 * scale, 1e-4, 1e-4),
            upper=(1e4, 1e5 * scale, 1e4, 1e5),
            people=triples.population,
            sample=None if part is None else _Likelihood(part, first, pool),
            sample_people=1.0 if part is None else part.population,
        )


def p_alive(triples: Triples, values: dict[str, float], first: int) -> Float64:
    """float64[k]: the probability that a person with each (x, tx, T) is still active at T."""
    r, alpha, a, b = positive_parameters(values, NAMES)
    log_odds, _ = _log_odds(int(triples.x.max()), a, b, first)
    # log1p keeps the small gap of a recent purchase exact.
    gap = np.log1p((triples.T - triples.tx) / triples.unit_days / (alpha + triples.tx / triples.unit_days))
    odds = log_odds[triples.x] + (r + triples.x) * gap
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum(odds, 700.0))))


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
    a: float,
    b: float,
    first: int,
) -> tuple[Float64, Int64, Float64]:
    mean = np.zeros(high - low)
    size = np.zeros(high - low, np.int64)
    more = np.empty(64 * (high - low))
    used = 0
    for i in range(low, high):
        shape = r + x[i]
        stay = b + x[i] + first
        odds = horizon / (alpha + T[i] / unit_days)
        z = odds / (1.0 + odds)
        log_p = -shape * math.log1p(odds)
        log_z = math.log(z)
        # While p_k is too small for a double its logarithm is carried instead.
        tiny = log_p < -600.0
        p = 0.0 if tiny else math.exp(log_p)
        tail = -math.expm1(log_p)
        staying = 1.0
        total = 0.0
        recorded = False
        k = 0
        while k < MOST:
            above = staying * max(tail, 0.0)
            total += above
            if not recorded:
                if used == len(more):
                    grown = np.empty(2 * len(more))
                    grown[:used] = more
                    more = grown
                more[used] = above
                used += 1
                size[i - low] += 1
                recorded = above <= least
            # Bound of everything still to come: the terms fall at least as fast as ratio^j.
            ratio = max((shape + k) / (k + 1.0) * z, z)
            if recorded and not tiny and ratio < 1.0:
                rest = 1.0 / (1.0 - ratio)
                if staying * p * ratio * rest * rest <= 1e-13 * total or staying * p * rest * rest < 1e-300:
                    break
            if tiny:
                log_p += math.log((shape + k) / (k + 1.0)) + log_z
                if log_p >= -600.0:
                    tiny = False
                    p = math.exp(log_p)
            else:
                p *= (shape + k) / (k + 1.0) * z
            tail -= p
            staying *= (stay + k) / (a + stay + k)
            k += 1
        mean[i - low] = total
    return mean, size, more[:used].copy()


def future(
    values: dict[str, float],
    x: Int64,
    T: Int64,
    unit_days: float,
    horizon: float,
    least: float,
    first: int,
) -> FutureCounts:
    """Distribution of the purchases within `horizon` time units of people active at T, a row a cell (x, T)."""
    r, alpha, a, b = positive_parameters(values, NAMES)
    with worker_threads() as pool:
        parts = each_chunk(
            pool,
            chunks(len(x), 2048),
            lambda low, high: _future_part(low, high, x, T, unit_days, horizon, least, r, alpha, a, b, first),
        )
    sizes = np.concatenate([part[1] for part in parts])
    return FutureCounts(
        mean=np.concatenate([part[0] for part in parts]),
        start=np.concatenate(([0], np.cumsum(sizes))),
        more=np.concatenate([part[2] for part in parts]),
    )
