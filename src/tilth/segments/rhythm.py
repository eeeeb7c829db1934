"""Each person's own buying rhythm, shrunk towards everybody's, and how silent is too silent.

The model. Days between a person's buying days are gamma with shape k (1: at random like a Poisson
process, above: regular, below: in bursts) and a rate of the person's own. The rate is gamma(r, alpha)
over people, so what we believe of a person after x gaps that took t days in all is gamma(r + k x,
alpha + t): people with many gaps follow their own, people with none the population. After each
purchase a person may have left for good, with one probability after the first and another after
later ones. It is BG/CNBD-k (Platzer and Reutterer 2016) with any k and leaving kept homogeneous; the
silence then has a beta-prime law, whose tail is an incomplete beta function.

From it, for each person: the *usual gap* (at the rate believed), which share of such gaps the silence
has *outlasted*, the chance *p_alive* of not having left, and the chance to *return* within a year.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt
import scipy

from tilth.compiled import njit
from tilth.segments.standing import Standing

__all__ = ["Rhythm", "RhythmScores", "fit_rhythm", "rhythm_scores"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
_SAMPLE = 4_000
_ENOUGH_REPEATERS = 20
_YEAR = 365.0


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """The population's rhythm. shape: k; r, alpha (days): the gamma of rates; leave_first, leave_later:
    chance to leave after the first and after a later purchase. fitted: False when there were too few
    repeat purchases to learn from, and a cautious guess stands in."""

    shape: float
    r: float
    alpha: float
    leave_first: float
    leave_later: float
    fitted: bool = True


class RhythmScores(msgspec.Struct, frozen=True):
    """Per person, NaN for people without a purchase. usual_gap: days between buying days at the person's own
    rhythm. outlasted, p_alive, returns: see the module, 0..1."""

    usual_gap: Float64
    outlasted: Float64
    p_alive: Float64
    returns: Float64


def fit_rhythm(standing: Standing, start: Rhythm | None = None, seed: int = 1) -> Rhythm:
    """Maximum likelihood on a fixed-seed sample of at most 4,000 buyers; the open last gap counts as such.

    start: a rhythm of like people, which makes fitting faster. Needs 20 people with a repeat purchase;
    otherwise the guess is a month between purchases, or what the few gaps there are average.
    """
    rows = np.flatnonzero(standing.buyers)
    if len(rows) > _SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _SAMPLE, replace=False))
    x = standing.repeats[rows].astype(np.float64)
    observed = (standing.tenure - standing.recency)[rows].astype(np.float64)
    silent = standing.recency[rows].astype(np.float64)
    logs = standing.gap_logs[rows]
    if int((x > 0).sum()) < _ENOUGH_REPEATERS:
        mean = float(observed.sum() / x.sum()) if x.sum() else 30.0
        return Rhythm(shape=1.0, r=2.0, alpha=2.0 * max(mean, 1.0), leave_first=0.3, leave_later=0.1, fitted=False)
    if start is None or not start.fitted:
        point = [0.0, 0.0, math.log(observed.sum() / x.sum()), -0.5, -2.0]
    else:
        point = [
            math.log(start.shape), math.log(start.r), math.log(start.alpha),
            _odds(start.leave_first), _odds(start.leave_later),
        ]  # fmt: skip
    found = scipy.optimize.minimize(
        _loss,
        np.array(point),
        args=(x, observed, silent, logs),
        method="L-BFGS-B",
        bounds=[(-1.6, 2.5), (-4, 5), (-3, 12), (-9, 5), (-9, 5)],
        options={"maxiter": 60, "ftol": 1e-7},
    )
    k, r, alpha = (math.exp(v) for v in found.x[:3])
    return Rhythm(shape=k, r=r, alpha=alpha, leave_first=_chance(found.x[3]), leave_later=_chance(found.x[4]))


def rhythm_scores(standing: Standing, rhythm: Rhythm) -> RhythmScores:
    """Score everyone. The longer the silence, the more is outlasted and the smaller p_alive."""
    n = len(standing)
    usual, alive, returns = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    _score(
        standing.orders, standing.repeats, standing.tenure, standing.recency,
        rhythm.shape, rhythm.r, rhythm.alpha, rhythm.leave_first, rhythm.leave_later, usual, alive, returns,
    )  # fmt: skip
    with np.errstate(invalid="ignore"):
        outlasted = scipy.special.gammainc(rhythm.shape, rhythm.shape * np.maximum(standing.recency, 0) / usual)
    return RhythmScores(usual, outlasted, alive, returns)


def _chance(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds))


def _odds(chance: float) -> float:
    return math.log(chance / (1.0 - chance))


def _loss(point: Float64, x: Float64, observed: Float64, silent: Float64, logs: Float64) -> float:
    k, r, alpha = math.exp(point[0]), math.exp(point[1]), math.exp(point[2])
    total = _log_likelihood(k, r, alpha, _chance(point[3]), _chance(point[4]), x, observed, silent, logs)
    return -float(total) / len(x)


@njit(cache=True, nogil=True)
def _fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function (Lentz), for x < (a + 1) / (a + b + 2)."""
    tiny = 1e-300
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    h = d
    for m in range(1, 300):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 + even * d
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = 1.0 + even / c
        c = c if abs(c) > tiny else tiny
        h *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 + odd * d
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = 1.0 + odd / c
        c = c if abs(c) > tiny else tiny
        step = d * c
        h *= step
        if abs(step - 1.0) < 1e-10:
            break
    return h


@njit(cache=True, nogil=True)
def _silence(k: float, a: float, b: float, t: float) -> float:
    """Chance that a gamma(k) gap whose rate is gamma(a, b) exceeds t: 1 - I(t / (b + t); k, a)."""
    if t <= 0.0:
        return 1.0
    x, y = t / (b + t), b / (b + t)
    if k == 1.0:
        return y**a
    front = math.exp(math.lgamma(k + a) - math.lgamma(k) - math.lgamma(a) + k * math.log(x) + a * math.log(y))
    if x < (k + 1.0) / (k + a + 2.0):
        return max(0.0, 1.0 - front * _fraction(k, a, x) / k)
    return min(1.0, front * _fraction(a, k, y) / a)


@njit(cache=True, nogil=True)
def _log_likelihood(
    k: float,
    r: float,
    alpha: float,
    leave_first: float,
    leave_later: float,
    x: Float64,
    observed: Float64,
    silent: Float64,
    logs: Float64,
) -> float:
    total = 0.0
    constant = math.lgamma(k)
    base = r * math.log(alpha) - math.lgamma(r)
    for i in range(len(x)):
        n = x[i]
        a, b = r + k * n, alpha + observed[i]
        if n > 0:
            total += base + math.lgamma(a) - a * math.log(b) + (k - 1.0) * logs[i] - n * constant
            total += math.log1p(-leave_first) + (n - 1.0) * math.log1p(-leave_later)
        leave = leave_later if n > 0 else leave_first
        total += math.log(leave + (1.0 - leave) * _silence(k, a, b, silent[i]))
    return total


@njit(cache=True, nogil=True)
def _score(
    orders: Int64,
    x: Int64,
    tenure: Int64,
    recency: Int64,
    k: float,
    r: float,
    alpha: float,
    leave_first: float,
    leave_later: float,
    usual: Float64,
    alive: Float64,
    returns: Float64,
) -> None:
    for i in range(len(orders)):
        if orders[i] == 0:
            continue
        a = r + k * x[i]
        b = alpha + (tenure[i] - recency[i])
        silent = float(recency[i])
        s = _silence(k, a, b, silent)
        leave = leave_later if x[i] > 0 else leave_first
        usual[i] = k * b / a
        alive[i] = (1.0 - leave) * s / (leave + (1.0 - leave) * s)
        returns[i] = alive[i] * (1.0 - _silence(k, a, b, silent + _YEAR) / s) if s > 0.0 else 0.0
