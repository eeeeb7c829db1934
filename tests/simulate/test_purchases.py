"""Purchases are BG/NBD to the letter, and baskets keep their expectation."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from scipy import optimize, special, stats

from tilth.simulate import Company, simulate
from tilth.simulate.kinds import KINDS, RING

UNTIL = dt.date(2025, 12, 31)


def log_likelihood(parameters, x, recency, age):
    """BG/NBD, Fader, Hardie and Lee (2005), equation 6."""
    r, alpha, a, b = parameters
    norm = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    norm = norm + special.betaln(a, b + x) - special.betaln(a, b)
    alive = -(r + x) * np.log(alpha + age)
    repeat = np.maximum(x, 1)
    left = np.log(a / (b + repeat - 1)) - (r + x) * np.log(alpha + recency)
    return (norm + np.where(x > 0, np.logaddexp(alive, left), alive)).sum()


@pytest.fixture(scope="module")
def bargain_hunters():
    """One kind, no season: (x, recency, age) in weeks."""
    kind = next(k for k, kind in enumerate(KINDS) if kind.name == "bargain_hunter")
    plain = Company(only_kind=kind, season_strength=0.0, ring_share=0.0, fallen_store=-1)
    simulation = simulate(16_000, 730, seed=21, until=UNTIL, company=plain)
    simulation.complete()
    outcomes = simulation.outcomes[simulation.outcomes["orders"] > 0]
    week = 7 * 86_400e6
    recency = (outcomes["last_order"] - outcomes["first_order"]) / week
    age = (simulation.calendar.end - outcomes["first_order"]) / week
    return KINDS[kind], outcomes["orders"] - 1, recency, age


def test_a_fit_of_bgnbd_finds_the_planted_parameters(bargain_hunters):
    kind, x, recency, age = bargain_hunters
    truth = np.array([kind.rate_shape, kind.alpha, kind.drop_a, kind.drop_b])
    fit = optimize.minimize(lambda logs: -log_likelihood(np.exp(logs), x, recency, age), np.zeros(4), method="L-BFGS-B")
    at_truth = log_likelihood(truth, x, recency, age)
    # Twice the difference is chi-square with four degrees of freedom when the truth is the truth.
    assert 2 * (-fit.fun - at_truth) < stats.chi2(4).ppf(0.999)
    for wrong in ([1.2, 1, 1, 1], [1, 1.2, 1, 1], [1, 1, 1.3, 1], [1, 1, 1, 1.3]):
        assert 2 * (-fit.fun - log_likelihood(truth * np.array(wrong), x, recency, age)) > stats.chi2(4).ppf(0.999)


def test_baskets_cost_on_average_what_the_person_spends(company):
    people, outcomes = company.people, company.outcomes
    for kind in range(RING):
        # Whoever hardly uses coupons pays list prices; rounding to packs is random both ways.
        mine = (people["kind"] == kind) & (outcomes["orders"] > 0)
        expected = (outcomes["orders"] * people["value"].astype(np.float64) * (1 - 0.115 * people["coupon"]))[
            mine
        ].sum()
        assert outcomes["spent"][mine].sum() == pytest.approx(expected, rel=0.06), KINDS[kind].name


def test_orders_add_up_to_their_lines(rows):
    purchases, items = rows[rows["event"] == 6], rows[rows["event"] == 7]
    assert (items["amount"] == items["quantity"].astype(np.int64) * items["price"]).all()
    key = purchases["owner"].astype(np.int64) << 20 | purchases["order"]
    line = items["owner"].astype(np.int64) << 20 | items["order"]
    assert len(np.unique(key)) == len(key)
    order = np.argsort(key)
    sums = np.bincount(np.searchsorted(key[order], line), weights=items["amount"], minlength=len(key))
    assert np.array_equal(sums.astype(np.int64), purchases["amount"][order])
    lines = np.bincount(np.searchsorted(key[order], line), minlength=len(key))
    assert np.array_equal(lines, purchases["aux"][order])


def test_refunds_come_after_their_order_and_never_exceed_it(rows):
    purchases, refunds = rows[rows["event"] == 6], rows[rows["event"] == 8]
    key = purchases["owner"].astype(np.int64) << 20 | purchases["order"]
    back = refunds["owner"].astype(np.int64) << 20 | refunds["order"]
    assert len(np.unique(back)) == len(back) > 100
    order = np.argsort(key)
    bought = purchases[order][np.searchsorted(key[order], back)]
    assert (refunds["ts"] > bought["ts"]).all()
    assert (refunds["amount"] <= bought["amount"]).all()
    partial = refunds["amount"] < bought["amount"]
    assert 0 < partial.sum() < len(refunds) / 2
    assert np.isin(refunds["source"][partial], (0, 2)).all(), "only the app and the website take back single lines"


def test_a_few_bring_much_of_the_revenue(company):
    spent = np.sort(company.outcomes["spent"][company.outcomes["orders"] > 0])[::-1]
    top = spent[: len(spent) // 5].sum() / spent.sum()
    assert 0.55 < top < 0.9


def test_bargain_hunters_use_coupons_and_regulars_seldom(company, rows):
    purchases = rows[rows["event"] == 6]
    kind = company.people["kind"][purchases["owner"]]
    names = [k.name for k in KINDS]
    used = purchases["coupon"] > 0
    assert used[kind == names.index("bargain_hunter")].mean() > 0.7
    assert used[kind == names.index("regular")].mean() < 0.35


def test_the_company_has_its_winter_peak(company, rows):
    purchases = rows[rows["event"] == 6]
    month = company.calendar.month[company.calendar.day_of(purchases["ts"])]
    second = company.calendar.day_of(purchases["ts"]) > 365
    counts = np.bincount(month[second], minlength=12)
    assert counts[[10, 11, 0]].mean() > 1.25 * counts[[5, 6, 7]].mean()


def test_the_fallen_store_fell(company, rows):
    from tilth.simulate.channels import STORES

    sold = rows[(rows["event"] == 6) & (rows["source"] == 3)]
    day = company.calendar.day_of(sold["ts"])
    fall = int(company.company.fallen_at * company.calendar.days)

    def ratio(store):
        mine = day[sold["store"] == store]
        return (mine >= fall).sum() / max((mine < fall).sum(), 1)

    others = [ratio(s) for s in range(len(STORES)) if s != company.company.fallen_store]
    assert ratio(company.company.fallen_store) < 0.55 * np.median(others)
