"""Slow, obviously correct versions of the CLV models: the definitions, integrated or simulated.

Everything here is scalar and follows the story of the model, not the formulas of the product.
"""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import integrate, special, stats


@dataclass(frozen=True)
class OrderArrays:
    """A purchase history as plain arrays."""

    uid: np.ndarray
    ts: np.ndarray
    amount: np.ndarray
    currency: str = "USD"


def orders(rows: list[tuple[int, str, int]], zone: str = "UTC") -> OrderArrays:
    """A history from (uid, local time as ISO text, minor units), in any order."""
    moments = [
        round(dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()) * 1_000_000
        for _, text, _ in rows
    ]
    uid = np.array([row[0] for row in rows], np.int64)
    amount = np.array([row[2] for row in rows], np.int64)
    ts = np.array(moments, np.int64)
    order = np.lexsort((ts, uid))
    return OrderArrays(uid[order], ts[order], amount[order])


# ---------------------------------------------------------------- what the models say of one person


def trapezoid(log_integrand: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> float:
    """∫ exp(log_integrand(u)) du by the trapezoidal rule.

    For analytic integrands that vanish at both ends the rule converges exponentially.
    """
    u = np.linspace(low, high, 40_001)
    return float(np.exp(log_integrand(u)).sum() * (u[1] - u[0]))


def gamma_moment(shape: float, rate: float, power: float, time: float) -> float:
    """E[λ^power e^(-λ time)] for λ ~ Gamma(shape, rate), integrated over u = ln λ."""
    norm = shape * np.log(rate) - special.gammaln(shape)
    middle = np.log((shape + power) / (rate + time))
    return trapezoid(
        lambda u: norm + (shape + power) * u - (rate + time) * np.exp(u),
        middle - 45 / min(shape + power, 1.0),
        middle + 6,
    )


def beta_moment(a: float, b: float, stops: int, stays: int) -> float:
    """E[p^stops (1-p)^stays] for p ~ Beta(a, b), integrated over u = ln(p/(1-p))."""

    def density(first: float, second: float) -> float:
        low, high = -45 / min(first, 1.0), 45 / min(second, 1.0)
        return trapezoid(lambda u: -first * np.logaddexp(0, -u) - second * np.logaddexp(0, u), low, high)

    return density(a + stops, b + stays) / density(a, b)


def dropout_likelihood(
    x: int, tx: float, T: float, r: float, alpha: float, a: float, b: float, first: int
) -> tuple[float, float]:
    """(active, stopped): the two parts of BG/NBD (first=0) and MBG/NBD (first=1) for one person.

    Active: stayed at every chance, bought at rate λ until T. Stopped: at the last chance, the one after the
    last purchase, having stayed at the chances before.
    """
    chances = x + first
    active = gamma_moment(r, alpha, x, T) * beta_moment(a, b, 0, chances)
    stopped = gamma_moment(r, alpha, x, tx) * beta_moment(a, b, 1, chances - 1) if chances else 0.0
    return active, stopped


def pareto_likelihood(
    x: int, tx: float, T: float, r: float, alpha: float, s: float, beta: float
) -> tuple[float, float]:
    """(active, stopped) of Pareto/NBD: the moment of stopping is integrated from the last purchase to T."""

    def rate(time: float) -> float:
        return float(
            np.exp(special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + time))
        )

    def stops_at(time: float) -> float:
        return float(s * beta**s / (beta + time) ** (s + 1))

    active = rate(T) * (beta / (beta + T)) ** s
    stopped = integrate.quad(lambda y: rate(y) * stops_at(y), tx, T, epsabs=0, epsrel=1e-12, limit=500)[0]
    return active, float(stopped)


def bgnbd_expected(x: int, tx: float, T: float, t: float, r: float, alpha: float, a: float, b: float) -> float:
    """Equation 10 of Fader, Hardie, Lee (2005) as printed."""
    z = t / (alpha + T + t)
    shape = special.hyp2f1(r + x, b + x, a + b + x - 1, z)
    top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + t)) ** (r + x) * shape)
    odds = a / (b + x - 1) * ((alpha + T) / (alpha + tx)) ** (r + x) if x else 0.0
    return float(top / (1 + odds))


def pareto_expected(x: int, T: float, t: float, r: float, alpha: float, s: float, beta: float) -> float:
    """Expected purchases of somebody active at T, as printed in Fader and Hardie's note (not for s = 1)."""
    return float((r + x) * (beta + T) / ((alpha + T) * (s - 1)) * (1 - ((beta + T) / (beta + T + t)) ** (s - 1)))


def dropout_count(k: int, t: float, r: float, alpha: float, a: float, b: float) -> float:
    """P(X(t) = k) for a fresh customer: equation 8 of Fader, Hardie, Lee (2005) as printed."""
    stays = special.beta(a, b + k) / special.beta(a, b)
    poisson = stats.nbinom.pmf(k, r, alpha / (alpha + t))
    if k == 0:
        return float(stays * poisson)
    leaves = special.beta(a + 1, b + k - 1) / special.beta(a, b)
    before = sum(stats.nbinom.pmf(j, r, alpha / (alpha + t)) for j in range(k))
    return float(stays * poisson + leaves * (1 - before))


def pareto_count(k: int, t: float, r: float, alpha: float, s: float, beta: float) -> float:
    """P(X(t) = k) for a fresh customer: negative binomial given how long they stay."""

    def given(time: float) -> float:
        return float(stats.nbinom.pmf(k, r, alpha / (alpha + time)))

    inside = integrate.quad(lambda y: given(y) * s * beta**s / (beta + y) ** (s + 1), 0, t, epsrel=1e-11, limit=500)[0]
    return float(inside + given(t) * (beta / (beta + t)) ** s)


def hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """2F1(a, b; c; z) for positive parameters and 0 <= z < 1, term by term."""
    terms = [1.0]
    while len(terms) < 10 or terms[-1] > 1e-19 * terms[0] or terms[-1] > terms[-2]:
        k = len(terms) - 1
        terms.append(terms[-1] * (a + k) * (b + k) / ((c + k) * (k + 1)) * z)
        if len(terms) > 20_000:
            raise ValueError("z is too near to 1 for the series")
    return math.fsum(terms)


def count_interval(mass: list[float], level: float) -> tuple[int, int]:
    """The predictive interval of a count with the given probabilities, by walking along them."""
    outside = (1 - level) / 2
    cumulative = np.cumsum(mass)
    low = next(k for k, reached in enumerate(cumulative) if reached > outside)
    high = next(k for k, reached in enumerate(cumulative) if reached >= 1 - outside)
    return low, high


def gamma_gamma_likelihood(x: int, mean: float, p: float, q: float, v: float) -> float:
    """Density of the mean of x spends: each Gamma(p, ν), ν ~ Gamma(q, v), integrated over ν."""

    middle = np.log((p * x + q) / (v + x * mean))

    def log_integrand(u: np.ndarray) -> np.ndarray:
        nu = np.exp(u)
        spends = stats.gamma.logpdf(mean, p * x, scale=1 / (nu * x))
        return spends + stats.gamma.logpdf(nu, q, scale=1 / v) + u

    return trapezoid(log_integrand, middle - 45 / min(p * x + q, 1.0), middle + 6)


# ---------------------------------------------------------------- orders to (x, tx, T)


def summary(
    history: OrderArrays, zone: str, end: dt.date, until: dt.date
) -> dict[int, tuple[int, int, int, float, int, int]]:
    """uid -> (x, tx, T, mean of repeat transactions, later, recent), day by day with dates and dicts."""
    days: dict[int, dict[dt.date, int]] = {}
    for uid, ts, amount in zip(history.uid, history.ts, history.amount, strict=True):
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(ts))
        day = moment.astimezone(zoneinfo.ZoneInfo(zone)).date()
        mine = days.setdefault(int(uid), {})
        mine[day] = mine.get(day, 0) + int(amount)
    result = {}
    for uid, mine in days.items():
        bought = sorted(day for day in mine if day <= end)
        if not bought:
            continue
        repeats = bought[1:]
        mean = sum(mine[day] for day in repeats) / len(repeats) if repeats else 0.0
        later = sum(end < day <= until for day in mine)
        recent = sum(day > end - (until - end) for day in repeats)
        result[uid] = (len(repeats), (bought[-1] - bought[0]).days, (end - bought[0]).days, mean, later, recent)
    return result


# ---------------------------------------------------------------- companies with a known truth


def simulate_purchases(
    model: str, people: int, days: int, acquisition_days: int, values: dict[str, float], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(uid, time in days) of everybody's purchases, sorted; parameters per week.

    First purchases fall evenly over the first `acquisition_days`.
    """
    random = np.random.default_rng(seed)
    rate = random.gamma(values["r"], 1 / values["alpha"], people) / 7
    time = random.uniform(0, acquisition_days, people)
    uid = np.arange(people)
    if model == "pareto_nbd":
        leave = time + random.exponential(1, people) * 7 / random.gamma(values["s"], 1 / values["beta"], people)
        chance = np.zeros(people)
    else:
        leave = np.full(people, np.inf)
        chance = random.beta(values["a"], values["b"], people)
    uids, times = [uid], [time]
    stays = random.random(people) >= chance if model == "mbgnbd" else np.ones(people, bool)
    while True:
        uid, time, rate, chance, leave = (v[stays] for v in (uid, time, rate, chance, leave))
        time = time + random.exponential(1, len(uid)) / rate
        happens = (time < days) & (time < leave)
        uid, time, rate, chance, leave = (v[happens] for v in (uid, time, rate, chance, leave))
        if len(uid) == 0:
            break
        uids.append(uid)
        times.append(time)
        stays = random.random(len(uid)) >= chance
    whole, moments = np.concatenate(uids), np.concatenate(times)
    order = np.lexsort((moments, whole))
    return whole[order], moments[order]


def simulate_orders(
    model: str,
    people: int,
    days: int,
    acquisition_days: int,
    values: dict[str, float],
    spend: dict[str, float],
    seed: int,
) -> OrderArrays:
    """A history from 1970-01-01 on; spends in cents by gamma-gamma with v in dollars."""
    uid, time = simulate_purchases(model, people, days, acquisition_days, values, seed)
    random = np.random.default_rng(seed + 1)
    nu = random.gamma(spend["q"], 1 / spend["v"], people)[uid]
    amount = np.maximum(1, np.round(100 * random.gamma(spend["p"], 1 / nu))).astype(np.int64)
    return OrderArrays(uid.astype(np.int64), (time * 86_400_000_000).astype(np.int64), amount)
