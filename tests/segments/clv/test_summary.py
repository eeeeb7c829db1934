"""Orders to (x, tx, T)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import clv as oracle
from tilth.errors import InvalidInput
from tilth.segments.clv.summary import Buyers, last_day, summarise
from tilth.segments.days import parse_day

EPOCH = dt.date(1970, 1, 1)


def fold(rows: list[tuple[int, str, int]], end: str, until: str | None = None, zone: str = "UTC") -> Buyers:
    last = None if until is None else parse_day(until)
    return summarise(oracle.orders(rows, zone), timezone=zone, end=parse_day(end), until=last)


def test_a_shop_s_three_customers() -> None:
    buyers = fold(
        [
            (1, "2026-01-01T10:00", 1000),  # Ann: once
            (2, "2026-01-05T09:00", 2000),  # Bo: three times
            (2, "2026-01-19T09:00", 3000),
            (2, "2026-02-02T09:00", 5000),
            (3, "2026-02-20T09:00", 9000),  # Cy: only after the end
        ],
        end="2026-02-09",
        until="2026-03-09",
    )
    assert buyers.uid.tolist() == [1, 2]
    assert buyers.x.tolist() == [0, 2]
    assert buyers.tx.tolist() == [0, 28]
    assert buyers.T.tolist() == [39, 35]
    assert buyers.mean.tolist() == [0, 4000]  # of the repeat purchases alone
    assert buyers.newcomers == 1
    assert (buyers.transactions, buyers.amount) == (4, 11000)


def test_orders_of_one_day_are_one_transaction_and_their_money_is_added() -> None:
    buyers = fold(
        [(1, "2026-01-01T10:00", 100), (1, "2026-01-08T00:00", 300), (1, "2026-01-08T23:59", 500)], end="2026-01-31"
    )
    assert (buyers.x[0], buyers.tx[0], buyers.mean[0]) == (1, 7, 800)


def test_the_day_is_the_workspace_s_and_not_utc_s() -> None:
    rows = oracle.orders([(1, "2026-01-01T15:00", 100), (1, "2026-01-01T17:00", 100)])  # 23:00 and 01:00 in Shanghai
    end = parse_day("2026-01-31")
    assert summarise(rows, timezone="UTC", end=end).x.tolist() == [0]
    assert summarise(rows, timezone="Asia/Shanghai", end=end).x.tolist() == [1]


def test_the_last_day_of_the_calibration_period_counts_to_its_end() -> None:
    rows = [(1, "2026-01-01T10:00", 1), (1, "2026-01-31T23:59", 1), (1, "2026-02-01T00:00", 1)]
    buyers = fold(rows, end="2026-01-31", until="2026-02-28")
    assert (buyers.x[0], buyers.tx[0], buyers.T[0], buyers.later[0]) == (1, 30, 30, 1)


def test_the_last_period_is_as_long_as_the_holdout_and_leaves_the_first_purchase_out() -> None:
    rows = [
        (1, "2026-01-28", 1),
        (1, "2026-01-29", 1),
        (2, "2026-01-21", 1),
        (2, "2026-01-22", 1),
        (2, "2026-01-28", 1),
    ]
    buyers = fold(rows, end="2026-01-31", until="2026-02-07")  # seven days: from 25 January
    assert buyers.recent.tolist() == [1, 1]


moment = st.datetimes(dt.datetime(2024, 2, 1), dt.datetime(2025, 4, 30)).map(lambda t: t.replace(microsecond=0, fold=0))


@given(
    st.lists(st.tuples(st.integers(1, 4), moment, st.integers(0, 10_000)), min_size=1, max_size=40),
    st.sampled_from(["UTC", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "America/Sao_Paulo"]),
    st.dates(dt.date(2024, 2, 1), dt.date(2025, 4, 30)),
    st.integers(0, 120),
)
@settings(max_examples=150, deadline=None)
def test_it_agrees_with_dates_and_dictionaries(
    rows: list[tuple[int, dt.datetime, int]], zone: str, end: dt.date, more: int
) -> None:
    history = oracle.orders([(uid, moment.isoformat(), amount) for uid, moment, amount in rows])
    until = end + dt.timedelta(days=more)
    expected = oracle.summary(history, zone, end, until)
    arguments = {"timezone": zone, "end": (end - EPOCH).days, "until": (until - EPOCH).days}
    if not expected:
        with pytest.raises(InvalidInput, match="nobody had bought"):
            summarise(history, **arguments)
        return
    buyers = summarise(history, **arguments)
    assert buyers.uid.tolist() == sorted(expected)
    for i, uid in enumerate(buyers.uid):
        got = (buyers.x[i], buyers.tx[i], buyers.T[i], buyers.mean[i], buyers.later[i], buyers.recent[i])
        assert got == pytest.approx(expected[int(uid)])


def test_orders_out_of_order_are_refused() -> None:
    history = SimpleNamespace(uid=np.array([2, 1]), ts=np.array([0, 0]), amount=np.array([1, 1]))
    with pytest.raises(InvalidInput, match="sorted"):
        summarise(history, timezone="UTC", end=10)


def test_an_empty_history_is_refused() -> None:
    nothing = np.array([], np.int64)
    history = SimpleNamespace(uid=nothing, ts=nothing, amount=nothing)
    with pytest.raises(InvalidInput, match="no orders"):
        summarise(history, timezone="UTC", end=10)
    with pytest.raises(InvalidInput, match="no orders"):
        last_day(history, "UTC")


def test_a_holdout_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidInput, match="before the end"):
        fold([(1, "2026-01-01", 1)], end="2026-01-31", until="2026-01-30")


def test_a_clock_in_another_age_is_refused() -> None:
    history = SimpleNamespace(uid=np.array([1]), ts=np.array([2**62]), amount=np.array([1]))
    with pytest.raises(InvalidInput, match="1900"):
        summarise(history, timezone="UTC", end=10)


def test_the_history_s_own_end_is_known_even_where_nobody_bought() -> None:
    rows = oracle.orders([(1, "2026-01-01T10:00", 1)])
    assert last_day(rows, "UTC") == parse_day("2026-01-01")
    ends = parse_day("2026-02-01") * 86_400_000_000  # exclusive
    watched = SimpleNamespace(uid=rows.uid, ts=rows.ts, amount=rows.amount, as_of=ends)
    assert last_day(watched, "UTC") == parse_day("2026-01-31")
