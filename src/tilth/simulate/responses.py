"""How people respond to what is done to them: planted treatments with known effects.

A treatment multiplies a person's rate of visits and of orders by exp(effect), where

    effect(t) = class × strength × match × base × 2^(-t / half-life) × max(0, 1 - fatigue × recent)

class is +1.0 for the persuadable, 0 for the sure thing and the lost cause and -0.6 for the sleeping
dog; strength, half-life (days) and fatigue (loss per message in the last fortnight) are the
person's; match is how well the treatment's content fits the person's need, its offer the person's
price sensitivity. Nothing is treated yet when the company is simulated; `log_rate` is what a run
against the product asks for, and `expected` is what its estimates are held against.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.draws import begin, beta, choose, exponential, uniform
from tilth.simulate.kinds import KINDS

__all__ = ["CLASSES", "CONTENT_MATCH", "TREATMENTS", "Treatment", "draw_responses", "expected", "log_rate"]

_STREAM = 7
CLASSES = ("persuadable", "sure_thing", "lost_cause", "sleeping_dog")
_SIGN = np.array([1.0, 0.0, 0.0, -0.6])
_WEIGHTS = {  # by kind: share of each class
    "casual": (0.34, 0.22, 0.34, 0.10),
    "regular": (0.20, 0.60, 0.06, 0.14),
    "giver": (0.28, 0.40, 0.26, 0.06),
    "bargain_hunter": (0.58, 0.14, 0.24, 0.04),
    "explorer": (0.42, 0.14, 0.36, 0.08),
    "office": (0.14, 0.66, 0.10, 0.10),
    "ring_account": (0.0, 0.0, 1.0, 0.0),
}
# Content (for a need) by the person's need: 1 is a perfect match.
CONTENT_MATCH = np.array(
    [
        [1.00, 0.35, 0.10, 0.40, 0.20],
        [0.30, 1.00, 0.35, 0.15, 0.25],
        [0.10, 0.30, 1.00, 0.10, 0.30],
        [0.40, 0.20, 0.10, 1.00, 0.25],
        [0.20, 0.25, 0.30, 0.25, 1.00],
    ]
)


class Treatment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be done to a person.

    kind: message, coupon, price, recommendation, referral, sample. base: effect on the log rate of
    orders of a fully responsive, fully matched person, and visit: of visits, at once after treatment.
    content: number of the need it speaks to, or -1. offer: how much of the effect goes with price
    sensitivity (0..1). cost: fen each.
    """

    key: str
    kind: str
    base: float
    visit: float
    content: int = -1
    offer: float = 0.0
    cost: int = 0


TREATMENTS = (
    Treatment(key="spring_message", kind="message", base=0.45, visit=0.80, content=1, cost=5),
    Treatment(key="health_message", kind="message", base=0.40, visit=0.70, content=0, cost=5),
    Treatment(key="gift_guide", kind="message", base=0.50, visit=0.75, content=2, cost=5),
    Treatment(key="coupon_10", kind="coupon", base=0.70, visit=0.60, offer=0.8, cost=900),
    Treatment(key="coupon_20", kind="coupon", base=1.00, visit=0.70, offer=0.9, cost=1900),
    Treatment(key="member_price", kind="price", base=0.35, visit=0.20, offer=0.6, cost=400),
    Treatment(key="taste_recommendation", kind="recommendation", base=0.40, visit=0.35, content=4, cost=0),
    Treatment(key="free_sample", kind="sample", base=0.55, visit=0.50, content=4, cost=690),
    Treatment(key="referral_prompt", kind="referral", base=0.05, visit=0.15, cost=0),
    Treatment(key="placebo", kind="message", base=0.0, visit=0.0, cost=5),
)


@njit(cache=True, nogil=True)
def _fill(people: Any, low: int, high: int, seed: int, classes: Any) -> None:
    state = np.empty(1, np.uint64)
    for i in range(low, high):
        begin(state, seed, _STREAM, i)
        p = people[i]
        p.persuasion_class = choose(state, classes[p.kind])
        p.response = 0.25 + 1.5 * beta(state, 2.0, 2.0)
        p.half_life = 2.0 + 7.0 * exponential(state)
        p.fatigue = 0.05 + 0.25 * uniform(state)


def draw_responses(people: NDArray[Any], low: int, high: int, seed: int) -> None:
    """Response parameters of the people `low..high`."""
    weights = np.array([_WEIGHTS[kind.name] for kind in KINDS])
    _fill(people.view(np.recarray), low, high, seed, np.cumsum(weights, axis=1))


def log_rate(
    treatment: Treatment, people: NDArray[Any], days_since: float = 0.0, recent: int = 0, metric: str = "orders"
) -> NDArray[np.float64]:
    """What the treatment adds to each person's log rate, `days_since` days after it.

    recent: messages in the fortnight before. metric: `orders` or `visits`.
    """
    match = np.ones(len(people))
    if treatment.content >= 0:
        match = CONTENT_MATCH[treatment.content, people["need"]]
    match = match * (1 - treatment.offer + treatment.offer * people["price_sensitivity"])
    tired = np.maximum(0.0, 1 - people["fatigue"] * recent)
    size = treatment.base if metric == "orders" else treatment.visit
    decay = np.exp2(-days_since / people["half_life"].astype(np.float64))
    out: NDArray[np.float64] = _SIGN[people["persuasion_class"]] * people["response"] * match * size * decay * tired
    return out


def expected(
    treatment: Treatment, people: NDArray[Any], alive: NDArray[np.bool_], metric: str, days: int = 30
) -> NDArray[np.float64]:
    """Each person's expected difference, treated minus not, over `days` after one treatment.

    `orders`: rate × ∫ (exp(effect(t)) - 1) dt for who is still active, else 0 (leaving after an
    order is neglected: it is second order in a window this short). `revenue`: that times the
    person's mean order, in fen at list price. `visits`: with the effect on visits. `converted`:
    difference in the probability of at least one order.
    """
    step = 0.5
    effect = log_rate(treatment, people, metric="visits" if metric == "visits" else "orders")
    decay = np.exp2(-step / people["half_life"].astype(np.float64))
    effect = effect * np.sqrt(decay)  # the middle of the first step
    lift = np.zeros(len(people))
    for _ in range(int(days / step)):
        lift += np.expm1(effect) * step
        effect = effect * decay
    rate = people["rate"] * alive
    if metric == "orders":
        return rate * lift
    if metric == "revenue":
        return rate * lift * people["value"]
    if metric == "converted":
        out: NDArray[np.float64] = np.exp(-rate * days) - np.exp(-rate * (days + lift))
        return out
    return rate / people["conversion"] * lift
