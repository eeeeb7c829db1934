"""How people buy: when the first order comes, how fast the next, when they leave, what is in a basket.

After the first order a person orders as a Poisson process on the calendar's clock with an own rate
(gamma within the kind) and leaves after each further order with an own probability (beta within the
kind): the BG/NBD model of Fader, Hardie and Lee (2005), to the letter. The target value of an order
at list price is gamma around the person's mean, and the means are inverse gamma (Gamma-Gamma);
rounding to whole packs is random and leaves the expectation where it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.calendar import DAY
from tilth.simulate.channels import CHANNELS, STORE, TEAM, fit_table
from tilth.simulate.draws import begin, beta, choose, exponential, gamma, poisson, uniform
from tilth.simulate.kinds import KINDS
from tilth.simulate.people import NEVER

__all__ = ["COUPONS", "MAX_LINES", "draw_purchases", "fill_basket"]

_STREAM = 4
MAX_LINES = 8
COUPONS = (0, 5, 10, 20)  # percent off


@njit(cache=True, nogil=True)
def _fill(
    people: Any, low: int, high: int, seed: int, tastes: Any, kinds: Any, first_order: Any, fit: Any, end: int
) -> None:
    state = np.empty(1, np.uint64)
    cumulative = np.empty(tastes.shape[1])
    for i in range(low, high):
        begin(state, seed, _STREAM, i)
        p = people[i]
        k = kinds[p.kind]
        p.rate = gamma(state, k.rate_shape) / k.rate_shape * k.rate_mean / 7.0
        p.drop = beta(state, k.drop_a, k.drop_b)
        # Mean of an inverse gamma with shape q is scale / (q - 1).
        p.value = k.value_mean * (k.value_spread - 1.0) / gamma(state, k.value_spread)
        p.value_shape = k.value_shape
        p.lines = k.lines
        p.coupon = beta(state, 8.0 * k.coupon, 8.0 * (1.001 - k.coupon))
        p.price_sensitivity = beta(state, 10.0 * k.price_sensitivity, 10.0 * (1.001 - k.price_sensitivity))
        p.refund = k.refund * 2.0 * uniform(state) if p.ring < 0 else k.refund
        total = 0.0
        for c in range(tastes.shape[1]):
            total += tastes[i - low, c]
            cumulative[c] = total
        p.landing = choose(state, cumulative)
        # Whether and when the first order comes does not depend on the rate: who has ordered at
        # least once is then a fair sample of rates, as BG/NBD assumes.
        chance = min(0.97, first_order[p.channel] * fit[p.channel, p.scene, p.landing])
        u, soon, wait = uniform(state), uniform(state), exponential(state)
        p.first_wait = NEVER
        if p.ring >= 0:
            p.buyer = True
            p.first_wait = np.int64((0.05 + 0.4 * soon) * DAY)
        elif u < chance:
            p.buyer = True
            if soon < 0.58 or p.channel == STORE or p.channel == TEAM:
                p.first_wait = 0
            else:
                p.first_wait = np.int64(0.02 * DAY + 13.0 * wait * DAY)
        if p.arrival + p.first_wait >= end:
            p.first_wait = NEVER


def _kind_table() -> Any:
    names: tuple[str, ...] = (
        "rate_shape",
        "rate_mean",
        "drop_a",
        "drop_b",
        "value_mean",
        "value_shape",
        "value_spread",
    )
    names += ("lines", "coupon", "refund", "price_sensitivity")
    table = np.zeros(len(KINDS), [(name, "f8") for name in names])
    for k, kind in enumerate(KINDS):
        for name in names:
            table[name][k] = getattr(kind, name)
    return table.view(np.recarray)


def draw_purchases(people: NDArray[Any], low: int, high: int, seed: int, tastes: NDArray[np.float64], end: int) -> None:
    """Purchase parameters of the people `low..high`; `tastes` are theirs. `end`: UTC µs."""
    first_order = np.array([channel.first_order for channel in CHANNELS])
    _fill(people.view(np.recarray), low, high, seed, tastes, _kind_table(), first_order, fit_table(), end)


@njit(cache=True, nogil=True)
def fill_basket(
    state: Any, person: Any, lead: int, taste_cumulative: Any, price: Any, product: Any, quantity: Any, paid: Any
) -> tuple[int, int, int]:
    """Draw one order. Writes product number, quantity and paid unit price (fen) by line.

    lead: category of the first line. Returns lines, coupon (index in COUPONS), total paid in fen.
    """
    lines = min(MAX_LINES, 1 + poisson(state, person.lines))
    target = person.value * gamma(state, person.value_shape) / person.value_shape
    coupon = 0
    if uniform(state) < person.coupon:
        u = uniform(state) + 0.35 * (person.price_sensitivity - 0.5)
        coupon = 1 if u < 0.45 else (2 if u < 0.8 else 3)
    off = 100 - COUPONS[coupon]
    left = 1.0
    total = 0
    for line in range(lines):
        # Broken stick: what is left is shared with those still to come.
        part = left if line == lines - 1 else left * min(0.95, 2.0 * uniform(state) / (lines - line))
        left -= part
        share = target * part
        category = lead if line == 0 else choose(state, taste_cumulative)
        level = 0
        for candidate in range(price.shape[1]):
            if price[category, candidate] <= share:
                level = candidate
        if level > 0 and uniform(state) < 0.35:
            level -= 1
        list_price = price[category, level]
        packs = share / list_price
        q = int(packs) + (1 if uniform(state) < packs - int(packs) else 0)
        q = min(max(q, 1), 200)
        product[line] = category * price.shape[1] + level
        quantity[line] = q
        paid[line] = (list_price * off + 50) // 100
        total += q * paid[line]
    return lines, coupon, total
