"""The graph, the spread of arrivals over it, and the rings."""

from __future__ import annotations

import datetime as dt

import numpy as np

from tilth.simulate import Company, simulate
from tilth.simulate.channels import INVITED, TEAM
from tilth.simulate.kinds import RING
from tilth.simulate.people import NEVER
from tilth.simulate.visits import EVENTS

UNTIL = dt.date(2025, 12, 31)


def test_ties_go_both_ways_without_loops_or_repeats(company):
    first, friends = company.graph.first, company.graph.friends
    left = np.repeat(np.arange(len(first) - 1), np.diff(first))
    assert (left != friends).all()
    key = left.astype(np.int64) << 32 | friends
    assert (np.diff(key) > 0).all(), "ascending and without repeats"
    back = friends.astype(np.int64) << 32 | left
    assert np.array_equal(np.sort(back), key)


def test_degrees_have_a_heavy_tail(company):
    degree = np.diff(company.graph.first)
    assert 4 < degree.mean() < 14
    # A random graph of this mean would have nobody above about thirty.
    assert degree.max() > 120
    assert np.quantile(degree, 0.999) > 8 * degree.mean()


def test_friends_of_friends_are_friends(company):
    first, friends = company.graph.first, company.graph.friends
    rng = np.random.default_rng(0)
    pairs = closed = 0
    for i in rng.choice(len(first) - 1, 3000, replace=False):
        mine = friends[first[i] : first[i + 1]]
        if not 2 <= len(mine) <= 60:
            continue
        known = set(mine.tolist())
        a, b = rng.choice(mine, 2, replace=False)
        pairs += 1
        closed += int(b) in set(friends[first[a] : first[a + 1]].tolist()) and int(b) in known
    density = len(friends) / (len(first) - 1) ** 2
    assert closed / pairs > 0.15
    assert closed / pairs > 100 * density


def test_friends_live_in_the_same_city_more_often_than_not(company):
    first, friends = company.graph.first, company.graph.friends
    left = np.repeat(np.arange(len(first) - 1), np.diff(first))
    city = company.people["city"]
    assert (city[left] == city[friends]).mean() > 0.75


def test_the_invited_come_after_a_friend_asked_them(company):
    people = company.people
    invited = np.flatnonzero((people["inviter"] >= 0) & (people["ring"] < 0))
    assert np.isin(people["channel"][invited], (INVITED, TEAM)).all()
    assert (people["arrival"][people["inviter"][invited]] < people["arrival"][invited]).all()
    accepted = {
        (int(a), int(b)): int(t)
        for a, b, t in zip(
            company.asker[company.accepted], company.asked[company.accepted], company.at[company.accepted], strict=True
        )
    }
    first, friends = company.graph.first, company.graph.friends
    for i in invited[::7].tolist():
        asker = int(people["inviter"][i])
        assert accepted[asker, i] <= people["arrival"][i]
        assert i in friends[first[asker] : first[asker + 1]]


def test_a_few_spreaders_bring_many(company):
    brought = [count for _, count in company.truth.spreaders(15)]
    people = company.people
    total = ((people["inviter"] >= 0) & (people["ring"] < 0)).sum()
    inviters = len(np.unique(people["inviter"][people["inviter"] >= 0]))
    assert brought == sorted(brought, reverse=True)
    assert brought[0] >= 8
    assert sum(brought) / total > 4 * 15 / inviters


def test_without_reward_nobody_is_persuaded():
    simulation = simulate(3000, 200, seed=1, until=UNTIL, company=Company(reward=0.0, ring_share=0.0))
    assert (simulation.people["inviter"] == -1).all()
    assert not simulation.accepted.any()


def test_a_team_forms_when_enough_friends_join_within_a_day(company, rows):
    people = company.people
    code = {name: EVENTS.index(name) for name in ("team_open", "team_join", "team_formed", "team_failed")}
    formed = rows[rows["event"] == code["team_formed"]]
    failed = rows[rows["event"] == code["team_failed"]]
    assert len(formed) > 50
    assert len(failed) > 50
    joins = rows[rows["event"] == code["team_join"]]
    members = np.bincount(joins["aux"], minlength=len(people)) + 1
    assert (members[formed["owner"]] >= people["team_size"][formed["owner"]]).all()
    assert (members[failed["owner"]] < people["team_size"][failed["owner"]]).all()
    opened = people["team_open"][joins["aux"]]
    assert (opened < NEVER).all()
    assert (joins["ts"] - opened <= 86_400e6).all()


def test_rings_share_devices_and_come_in_bursts(company, rows):
    people, outcomes = company.people, company.outcomes
    rings = company.truth.rings()
    assert len(rings) >= 3
    assert sum(len(ring.members) for ring in rings) == round(15_000 * company.company.ring_share)
    for ring in rings:
        who = np.array([company.truth.number(member) for member in ring.members])
        assert (people["kind"][who] == RING).all()
        assert np.ptp(people["arrival"][who]) <= 3 * 86_400e6 + len(who)
        assert len(ring.devices) <= 4
        assert len(ring.accounts) <= 3
        # One order for the reward; the last to come may not have got to it by the end of the window.
        assert (outcomes["orders"][who] <= 1).all()
        assert outcomes["orders"][who].mean() > 0.9
    assert {ring.shape for ring in rings} == {"star", "chain"}
    ring_orders = (rows["event"] == EVENTS.index("purchase")) & (people["ring"][rows["owner"]] >= 0)
    ring_refunds = (rows["event"] == EVENTS.index("refund")) & (people["ring"][rows["owner"]] >= 0)
    assert ring_refunds.sum() > 0.4 * ring_orders.sum()


def test_chains_of_rings_close_on_themselves(company):
    chains = [ring for ring in company.truth.rings() if ring.shape == "chain"]
    asked = set(zip(company.asker.tolist(), company.asked.tolist(), strict=True))
    for ring in chains:
        who = [company.truth.number(member) for member in ring.members]
        assert (who[-1], who[0]) in asked
