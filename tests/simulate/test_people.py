"""Who the people are: parameters as stated, kind by kind."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from scipy import stats

from tilth.simulate import Company, simulate
from tilth.simulate.calendar import CITIES
from tilth.simulate.channels import CHANNELS, INVITED, TEAM
from tilth.simulate.kinds import KINDS
from tilth.simulate.people import NEVER


@pytest.mark.parametrize("kind", range(len(KINDS) - 1), ids=lambda k: KINDS[k].name)
def test_each_kind_has_its_gamma_rates_and_beta_dropout(company, kind):
    mine = company.people[company.people["kind"] == kind]
    stated = KINDS[kind]
    rates = stats.gamma(stated.rate_shape, scale=1 / stated.alpha)
    assert stats.kstest(mine["rate"] * 7, rates.cdf).pvalue > 1e-4
    assert stats.kstest(mine["drop"], stats.beta(stated.drop_a, stated.drop_b).cdf).pvalue > 1e-4
    # Inverse gamma means: 1 / value is gamma.
    q = stated.value_spread
    inverse = stats.gamma(q, scale=1 / (stated.value_mean * (q - 1)))
    assert stats.kstest(1 / mine["value"].astype(np.float64), inverse.cdf).pvalue > 1e-4


def test_who_orders_at_all_does_not_depend_on_the_rate(company):
    people, outcomes = company.people, company.outcomes
    for kind in range(len(KINDS) - 1):
        mine = people["kind"] == kind
        ordered = outcomes["orders"] > 0
        assert stats.ks_2samp(people["rate"][mine & ordered], people["rate"][mine & ~ordered]).pvalue > 1e-4


def test_channels_bring_the_people_they_are_said_to_bring(company):
    people = company.people
    kinds = [kind.name for kind in KINDS]
    names = [channel.name for channel in CHANNELS]

    def share(channel, kind):
        return np.mean(people["kind"][people["channel"] == names.index(channel)] == kinds.index(kind))

    assert share("抖音", "bargain_hunter") > 0.3
    assert share("知乎", "regular") > 0.35
    assert share("小红书", "explorer") > 0.25
    volume = np.bincount(people["channel"], minlength=len(CHANNELS))
    assert volume[names.index("抖音")] == max(volume)
    assert volume[INVITED] > 0.06 * len(people)
    assert volume[TEAM] > 0.02 * len(people)


def test_cities_have_their_shares(company):
    shares = np.bincount(company.people["city"], minlength=len(CITIES)) / len(company.people)
    assert shares == pytest.approx([city.share for city in CITIES], abs=0.015)


def test_the_matrix_of_tastes_has_rank_three(company):
    tastes = company.tastes(0, 2000)
    assert tastes.sum(axis=1) == pytest.approx(1.0)
    logs = np.log(tastes)
    logs -= logs.mean(axis=1, keepdims=True)  # a taste is known up to its normalisation
    singular = np.linalg.svd(logs - logs.mean(axis=0), compute_uv=False)
    assert singular[2] > 1e-3 * singular[0]
    assert singular[3] < 1e-9 * singular[0]


def test_a_company_of_one_kind_has_one_kind():
    simulation = simulate(800, 100, seed=1, until=dt.date(2025, 5, 1), company=Company(only_kind=2, ring_share=0.0))
    assert (simulation.people["kind"] == 2).all()


def test_most_sign_up_and_every_online_buyer_has(company):
    outcomes = company.outcomes
    assert (outcomes["signed"][outcomes["orders"] > 0] < NEVER).all()
    signed = (outcomes["signed"] < NEVER).mean()
    assert 0.7 < signed < 0.9, "some never do"
