"""Sessions: in order, linked to orders and ids, and converting by cell as planted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tilth.simulate.catalog import CATEGORIES
from tilth.simulate.channels import CHANNELS, PLANTED, SCENES
from tilth.simulate.visits import EVENTS

CODE = {name: code for code, name in enumerate(EVENTS)}


def _sessions(rows):
    """Session number of each row and, by session: channel, scene, first category (-1), whether paid."""
    begins = rows["event"] == CODE["visit"]
    number = np.cumsum(begins)
    count = int(number[-1]) + 1
    screen = (rows["source"] != 3) & (rows["event"] <= CODE["pay"])
    category = np.full(count, -1)
    shown = np.flatnonzero(screen & (rows["product"] >= 0))[::-1]
    category[number[shown]] = rows["product"][shown] // 6
    paid = np.zeros(count, bool)
    paid[number[rows["event"] == CODE["pay"]]] = True
    channel, scene = np.zeros(count, int), np.zeros(count, int)
    channel[number[begins]], scene[number[begins]] = rows["channel"][begins], rows["scene"][begins]
    return number, channel, scene, category, paid


def test_a_session_goes_from_visit_to_pay_in_order(rows):
    number, *_ = _sessions(rows)
    steps = rows["event"] <= CODE["pay"]
    screens, session = rows[steps & (rows["source"] != 3)], number[steps & (rows["source"] != 3)]
    same = session[1:] == session[:-1]
    assert (np.diff(screens["ts"])[same] > 0).all()
    assert (np.diff(screens["event"].astype(int))[same] >= 0).all()


def test_every_payment_is_an_order_seconds_later_for_the_same_money(rows):
    pays = rows[rows["event"] == CODE["pay"]]
    orders = rows[(rows["event"] == CODE["purchase"]) & (rows["source"] != 3)]
    assert len(pays) == len(orders)
    assert np.array_equal(pays["amount"], orders["amount"])
    assert np.array_equal(pays["order"], orders["order"])
    wait = orders["ts"] - pays["ts"]
    assert (wait > 0).all()
    assert (wait <= 1_000_000).all()
    assert (orders["ts"] % 1_000_000 == 0).all(), "the order system counts in seconds"


def test_funnels_lose_people_at_every_step(rows):
    count = np.bincount(rows["event"], minlength=len(EVENTS))
    steps = [count[CODE[name]] for name in ("visit", "cart", "checkout", "pay")]
    assert all(a > 1.1 * b for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize(("cell", "factor"), PLANTED.items(), ids=lambda x: "-".join(x) if isinstance(x, tuple) else "")
def test_planted_cells_stand_out_from_their_margins(rows, cell, factor):
    _, channel, scene, category, paid = _sessions(rows)
    c = [x.name for x in CHANNELS].index(cell[0])
    k = [x.name for x in CATEGORIES].index(cell[2])
    around = (channel == c) & (scene == SCENES.index(cell[1])) & (category >= 0)
    mine, others = around & (category == k), around & (category != k)
    assert mine.sum() > 30
    ratio = paid[mine].mean() / paid[others].mean()
    assert ratio > 1.25 if factor > 1 else ratio < 0.65


def test_people_sign_up_once_and_are_known_by_it_afterwards(company, rows):
    signed = rows[rows["event"] == CODE["sign_up"]]
    assert len(np.unique(signed["person"])) == len(signed)
    assert np.array_equal(company.outcomes["signed"][signed["person"]], signed["ts"])
    own = rows[(rows["source"] != 3) & (rows["owner"] == rows["person"])]
    since = own["ts"] >= company.outcomes["signed"][own["person"]]
    assert (own["who"][~since] != 3).all()
    old_device = own["ts"] < company.people["new_device"][own["person"]]
    assert (own["who"][since & old_device] == 3).all()


def test_a_new_device_is_unknown_until_they_sign_in_on_it(company, rows):
    signs = rows[rows["event"] == CODE["sign_in"]]
    assert len(signs) > 100
    assert (signs["ts"] >= company.people["new_device"][signs["person"]]).all()
    strangers = rows[rows["who"] == 1]
    assert (strangers["ts"] >= company.people["new_device"][strangers["person"]]).all()


def test_expecting_mothers_turn_to_herbal_tea(company, rows):
    carts = rows[(rows["event"] == CODE["view"]) & (rows["product"] >= 0)]
    day = company.calendar.day_of(carts["ts"]) - company.people["stage_day"][carts["person"]]
    inside = (day >= 0) & (day < 700)
    herbal = carts["product"] // 6 == 6
    assert herbal[inside].mean() > 2 * herbal[~inside].mean()


def test_shares_are_opened_by_friends(company, rows):
    opened = rows[rows["event"] == CODE["share_open"]]
    assert len(opened) > 300
    first, friends = company.graph.first, company.graph.friends
    for row in opened[:: len(opened) // 200]:
        assert row["person"] in friends[first[row["owner"]] : first[row["owner"] + 1]]
