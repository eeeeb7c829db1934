"""The overview's numbers, by hand and against a slow count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.measure.overview import average, sales

Int64 = npt.NDArray[np.int64]


@dataclass
class Orders:
    uid: Int64
    ts: Int64
    amount: Int64
    refund_uid: Int64
    refund_ts: Int64
    refund_amount: Int64
    everyone: Int64
    currency: str
    as_of: int


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def orders(
    rows: list[tuple[int, int, int]], refunds: list[tuple[int, int, int]] | None = None, others: int = 0
) -> Orders:
    rows, back = sorted(rows), sorted(refunds or [])
    uid, ts, amount = (np.array([r[i] for r in rows], np.int64) for i in range(3))
    ruid, rts, ramount = (np.array([r[i] for r in back], np.int64) for i in range(3))
    known = set(uid.tolist()) | set(ruid.tolist())
    extra = list(range(10_000, 10_000 + others))
    last = max([r[1] for r in rows + back], default=-1)
    return Orders(uid, ts, amount, ruid, rts, ramount, np.array(sorted(known) + extra, np.int64), "GBP", last + 1)


def test_totals_and_repeat_rate_have_their_denominators() -> None:
    data = orders(
        [(1, at("2024-01-05"), 1000), (1, at("2024-02-05"), 2000), (2, at("2024-02-06"), 501)],
        refunds=[(1, at("2024-02-07"), 300)],
        others=3,
    )
    found = sales(data, "UTC")
    assert (found.people, found.buyers, found.orders) == (5, 2, 3)
    assert (found.revenue, found.refunds, found.refund_orders) == (3501, 300, 1)
    assert (found.repeat.repeaters, found.repeat.buyers) == (1, 2)
    assert found.average_order == 1167


def test_months_are_calendar_months_of_the_zone() -> None:
    # 16:30 UTC on 31 January is 1 February in Shanghai.
    data = orders([(1, at("2024-01-31T16:30:00"), 1000), (1, at("2024-02-10"), 500), (2, at("2024-04-01"), 700)])
    months = {m.month: m for m in sales(data, "Asia/Shanghai").months}
    assert list(months) == ["2024-02", "2024-03", "2024-04"]
    assert (months["2024-02"].orders, months["2024-02"].buyers, months["2024-02"].new_buyers) == (2, 1, 1)
    assert (months["2024-03"].orders, months["2024-03"].revenue) == (0, 0)
    assert sales(data, "UTC").months[0].month == "2024-01"


def test_changes_compare_the_last_30_days_of_data_with_the_30_before() -> None:
    data = orders(
        [
            (1, at("2024-01-01"), 100),
            (1, at("2024-03-05"), 1000),
            (2, at("2024-03-30T23:59:59"), 3000),
            (3, at("2024-02-10"), 700),
            (4, at("2024-02-29"), 900),
        ]
    )
    changes = {c.key: c for c in sales(data, "UTC").changes}
    revenue = changes["revenue"]
    assert (revenue.since, revenue.until) == (date(2024, 3, 1), date(2024, 3, 30))
    assert (revenue.now, revenue.before) == (4000, 1600)
    assert (changes["new_buyers"].now, changes["new_buyers"].before) == (1, 2)
    returning = changes["returning"]
    assert (returning.numerator, returning.denominator, returning.now) == (1, 2, 0.5)
    assert (returning.before_numerator, returning.before_denominator) == (0, 2)


def test_there_is_no_before_where_the_data_does_not_reach_back() -> None:
    data = orders([(1, at("2024-03-20"), 100), (2, at("2024-03-30"), 100)])
    for change in sales(data, "UTC").changes:
        assert change.before is None
        assert change.before_denominator is None


def test_a_workspace_without_orders_has_zeros_and_no_rates_of_nothing() -> None:
    found = sales(orders([], others=2), "UTC")
    assert (found.people, found.buyers, found.orders, found.revenue, found.average_order) == (2, 0, 0, 0, 0)
    assert found.months == []
    assert found.changes == []


def test_an_average_rounds_half_up_and_exactly() -> None:
    assert average(5, 2) == 3
    assert average(4, 3) == 1
    assert average(10**18 + 1, 2) == 5 * 10**17 + 1
    assert average(0, 0) == 0


instants = st.integers(at("2023-01-01"), at("2024-12-31"))
rows = st.lists(st.tuples(st.integers(1, 8), instants, st.integers(0, 10**6)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(rows, rows, st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]))
def test_months_agree_with_a_count_by_hand(
    bought: list[tuple[int, int, int]], back: list[tuple[int, int, int]], zone: str
) -> None:
    from zoneinfo import ZoneInfo

    def month(ts: int) -> str:
        return datetime.fromtimestamp(ts / 1_000_000, ZoneInfo(zone)).strftime("%Y-%m")

    found = sales(orders(bought, back), zone)
    first = {uid: min(r[1] for r in group) for uid, group in groupby(sorted(bought), key=lambda r: r[0]) if uid}
    first = {uid: min(r[1] for r in bought if r[0] == uid) for uid in first}
    for m in found.months:
        inside = [r for r in bought if month(r[1]) == m.month]
        assert m.revenue == sum(r[2] for r in inside)
        assert m.orders == len(inside)
        assert m.buyers == len({r[0] for r in inside})
        assert m.new_buyers == sum(month(ts) == m.month for ts in first.values())
        assert m.refunds == sum(r[2] for r in back if month(r[1]) == m.month)
    assert sum(m.revenue for m in found.months) == found.revenue == sum(r[2] for r in bought)
    assert sum(m.new_buyers for m in found.months) == found.buyers
