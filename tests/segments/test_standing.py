"""Where each person stands at the end of a day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import layerings as oracle
from tests.segments.lakes import DAY, history_of
from tilth.segments.days import LocalDays, parse_day
from tilth.segments.history import NEVER
from tilth.segments.since import day_by_day
from tilth.segments.standing import NONE, following, standing

HOURS = st.integers(0, 60 * 24).map(lambda hour: hour * 3_600_000_000)
ORDERS = st.lists(st.tuples(st.integers(1, 5), HOURS, st.integers(0, 9_999)), max_size=30)


@settings(max_examples=150, deadline=None)
@given(ORDERS, ORDERS, st.integers(-1, 62), st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]))
def test_standing_equals_the_oracle(
    orders: list[tuple[int, int, int]], refunds: list[tuple[int, int, int]], as_of: int, zone: str
) -> None:
    history = history_of(orders, refunds, profiles=[9])
    found = standing(history, LocalDays(zone), as_of)
    known = [u for u in {u for u, *_ in orders + refunds} if _first_day(orders + refunds, u, zone) <= as_of]
    expected = oracle.standings(orders, refunds, known, as_of, zone)
    assert found.uid.tolist() == sorted([*known, 9])
    for i, uid in enumerate(found.uid.tolist()):
        person = expected.get(uid, oracle.PersonStanding(0, 0, 0, None, None, 0, 0.0))
        assert (found.orders[i], found.revenue[i], found.refunds[i]) == person[:3]
        assert found.recency[i] == (NONE if person.recency is None else person.recency)
        assert found.tenure[i] == (NONE if person.tenure is None else person.tenure)
        assert found.buying_days[i] == person.buying_days
        assert found.gap_logs[i] == pytest.approx(person.gap_logs)


def _first_day(events: list[tuple[int, int, int]], uid: int, zone: str) -> int:
    return min(oracle.local_day(ts, zone) for u, ts, _ in events if u == uid)


def test_an_order_at_one_in_the_morning_in_shanghai_was_bought_that_day_not_the_day_before() -> None:
    at = LocalDays("Asia/Shanghai").start(parse_day("2026-03-02")) + 3_600_000_000
    found = standing(history_of([(1, at, 100)]), LocalDays("Asia/Shanghai"), parse_day("2026-03-02"))
    assert found.recency.tolist() == [0]


def test_two_orders_on_one_day_are_two_orders_and_one_buying_day() -> None:
    found = standing(history_of([(1, DAY, 100), (1, DAY + 5, 100), (1, 3 * DAY, 50)]), LocalDays("UTC"), 10)
    assert found.orders.tolist() == [3]
    assert found.buying_days.tolist() == [2]
    assert found.repeats.tolist() == [1]


def test_a_person_with_only_refunds_has_refunds_and_no_purchase() -> None:
    found = standing(history_of([], [(1, DAY, 700)]), LocalDays("UTC"), 5)
    assert (found.orders[0], found.refunds[0], found.recency[0], found.last_ts[0]) == (0, 700, NONE, NEVER)


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.integers(0, 60), st.integers(0, 20))
def test_money_of_the_following_period_is_what_was_spent_inside_it(
    orders: list[tuple[int, int, int]], start: int, length: int
) -> None:
    history = history_of(orders, profiles=[9])
    spent = following(history, history.everyone, start * DAY, (start + length) * DAY)
    for uid, money in zip(history.everyone.tolist(), spent.tolist(), strict=True):
        assert money == sum(a for u, ts, a in orders if u == uid and start * DAY <= ts < (start + length) * DAY)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.just(1), HOURS, st.integers(0, 999)), min_size=1, max_size=15), ORDERS)
def test_a_person_day_by_day_stands_as_on_each_of_those_days(
    orders: list[tuple[int, int, int]], refunds: list[tuple[int, int, int]]
) -> None:
    history = history_of(orders, [(1, ts, a) for _, ts, a in refunds])
    days = LocalDays("America/New_York")
    seen = np.unique(days.of(np.concatenate((history.ts, history.refund_ts))))
    rows = day_by_day(history, days, int(seen[0]), 65, seen, 7)
    for i, day in enumerate(range(int(seen[0]), 66)):
        one = standing(history, days, day)
        for field in ("orders", "revenue", "refunds", "recency", "tenure", "buying_days", "last_ts"):
            assert getattr(rows, field)[i] == getattr(one, field)[0], (field, day)
        assert rows.gap_logs[i] == pytest.approx(one.gap_logs[0])
        assert rows.active_days[i] == sum(day - 7 < d <= day for d in seen.tolist())
