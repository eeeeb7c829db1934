"""Companies with a known structure, for the tests of layerings and their quality."""

from __future__ import annotations

import numpy as np

from tests.segments.lakes import DAY, history_of
from tilth.segments.history import PurchaseHistory

__all__ = ["coin_company", "known_groups", "rhythm_company"]


def rhythm_company(
    people: int = 3_000,
    days: int = 540,
    shape: float = 1.0,
    r: float = 2.0,
    alpha: float = 40.0,
    leave_first: float = 0.4,
    leave_later: float = 0.1,
    seed: int = 1,
) -> PurchaseHistory:
    """People arrive all along, buy with gamma gaps at a rate of their own, and leave for good after a purchase."""
    random = np.random.default_rng(seed)
    orders = []
    rates = random.gamma(r, 1 / alpha, people)
    spend = random.gamma(4.0, 2_500.0, people)
    for uid in range(people):
        at, first = float(random.uniform(0, days)), True
        while at < days:
            orders.append((uid + 1, int(at * DAY), int(spend[uid] * random.gamma(5.0, 0.2)) + 1))
            if random.random() < (leave_first if first else leave_later):
                break
            at, first = at + random.gamma(shape) / rates[uid], False
    return history_of(orders)


def known_groups(each: int = 400, days: int = 540, seed: int = 2) -> tuple[PurchaseHistory, np.ndarray]:  # type: ignore[type-arg]
    """Three kinds of people, and which kind each is: weekly small buyers, monthly large ones, and twice-a-year ones."""
    random = np.random.default_rng(seed)
    kinds = [(7.0, 3_000.0), (30.0, 30_000.0), (170.0, 8_000.0)]
    orders = []
    truth = np.repeat(np.arange(3), each)
    for uid, kind in enumerate(truth.tolist()):
        gap, money = kinds[kind]
        at = float(random.uniform(0, min(gap, 60)))
        while at < days:
            orders.append((uid + 1, int(at * DAY), int(money * random.uniform(0.8, 1.25))))
            at += gap * random.gamma(9.0, 1 / 9)
    return history_of(orders), truth


def coin_company(people: int = 2_000, days: int = 360, seed: int = 3) -> PurchaseHistory:
    """Nobody differs: each person buys each day with the same small chance, for the same kind of amount."""
    random = np.random.default_rng(seed)
    person, day = np.nonzero(random.random((people, days)) < 0.02)
    money = random.integers(1_000, 9_000, len(person))
    first = [(uid + 1, 0, 5_000) for uid in range(people)]
    return history_of([*first, *zip((person + 1).tolist(), (day * DAY + 1).tolist(), money.tolist(), strict=True)])
