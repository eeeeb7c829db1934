"""The business in one look: totals, repeat rate, months, and what changed in the last 30 days.

Takes everyone's orders as arrays and gives numbers with their numerators and denominators; a rate
never travels without them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.measure.calendar import day_of, day_start, month_of, month_starts
from tilth.measure.text import Text

__all__ = ["Change", "Month", "Purchases", "Repeat", "Sales", "average", "first_rows", "sales"]

Int64 = npt.NDArray[np.int64]
WINDOW_DAYS = 30


class Purchases(Protocol):
    """Everyone's orders, one row each, sorted by (uid, ts); ts in UTC µs, amounts in minor units."""

    @property
    def uid(self) -> Int64: ...
    @property
    def ts(self) -> Int64: ...
    @property
    def amount(self) -> Int64: ...
    @property
    def refund_uid(self) -> Int64: ...
    @property
    def refund_ts(self) -> Int64: ...
    @property
    def refund_amount(self) -> Int64: ...
    @property
    def everyone(self) -> Int64: ...
    @property
    def currency(self) -> str: ...
    @property
    def as_of(self) -> int: ...


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """Repeat rate: `repeaters` (two orders or more) of `buyers` (one or more)."""

    repeaters: int
    buyers: int


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One calendar month of the workspace's zone; revenue and refunds in minor units.

    new_buyers: people whose first order ever is in this month.
    """

    month: str
    revenue: int
    refunds: int
    orders: int
    buyers: int
    new_buyers: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A number in the last 30 days of data and in the 30 before.

    money in minor units, share from 0 to 1 with its numerator and denominator (now, and before).
    since, until: the days compared, both included. before is None where the data does not reach
    back 60 days, or the share had nobody to be a share of.
    """

    key: str
    title: Text
    unit: Literal["money", "people", "orders", "share"]
    now: float | None
    before: float | None
    since: date
    until: date
    numerator: int | None = None
    denominator: int | None = None
    before_numerator: int | None = None
    before_denominator: int | None = None


class Sales(msgspec.Struct, frozen=True, kw_only=True):
    """Totals over all data; revenue, refunds and average_order in minor units of the currency."""

    people: int
    buyers: int
    orders: int
    revenue: int
    refunds: int
    refund_orders: int
    repeat: Repeat
    average_order: int
    months: list[Month]
    changes: list[Change]


def sales(purchases: Purchases, timezone: str) -> Sales:
    """Totals, months and changes of all orders; O(orders), no per-person loop."""
    orders = len(purchases.ts)
    revenue = int(purchases.amount.sum())
    starts = first_rows(purchases.uid)
    per_buyer = np.diff(np.append(starts, orders))
    return Sales(
        people=len(purchases.everyone),
        buyers=len(starts),
        orders=orders,
        revenue=revenue,
        refunds=int(purchases.refund_amount.sum()),
        refund_orders=len(purchases.refund_ts),
        repeat=Repeat(repeaters=int((per_buyer >= 2).sum()), buyers=len(starts)),
        average_order=average(revenue, orders),
        months=_months(purchases, starts, timezone),
        changes=_changes(purchases, starts, timezone),
    )


def average(total: int, count: int) -> int:
    """total / count in whole minor units, half up as a till rounds; never through a float. 0 of none is 0."""
    return (2 * total + count) // (2 * count) if count else 0


def first_rows(uid: Int64) -> Int64:
    """Where each person's rows begin in an array sorted by person."""
    if len(uid) == 0:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], uid[1:] != uid[:-1]))).astype(np.int64)


def _sums(index: Int64, amounts: Int64, size: int) -> Int64:
    """Exact integer sums per index (bincount with weights would go through floats)."""
    totals = np.zeros(size, np.int64)
    np.add.at(totals, index, amounts)
    return totals


def _months(purchases: Purchases, starts: Int64, timezone: str) -> list[Month]:
    instants = [a for a in (purchases.ts, purchases.refund_ts) if len(a)]
    if not instants:
        return []
    names, begins = month_starts(min(int(a.min()) for a in instants), max(int(a.max()) for a in instants), timezone)
    month = month_of(purchases.ts, begins)
    size = len(names)
    orders = np.bincount(month, minlength=size)
    revenue = _sums(month, purchases.amount, size)
    refunds = _sums(month_of(purchases.refund_ts, begins), purchases.refund_amount, size)
    # Rows are in (uid, ts) order, so a person's months do not go back: a new pair is a new buyer of the month.
    fresh = np.concatenate(([True], (purchases.uid[1:] != purchases.uid[:-1]) | (month[1:] != month[:-1])))
    buyers = np.bincount(month[fresh[: len(month)]], minlength=size)
    new_buyers = np.bincount(month[starts], minlength=size)
    return [
        Month(
            month=names[i],
            revenue=int(revenue[i]),
            refunds=int(refunds[i]),
            orders=int(orders[i]),
            buyers=int(buyers[i]),
            new_buyers=int(new_buyers[i]),
        )
        for i in range(size)
    ]


class _Window(msgspec.Struct, frozen=True, kw_only=True):
    revenue: int
    refunds: int
    orders: int
    buyers: int
    new_buyers: int
    returning: int


def _window(purchases: Purchases, first_ts: Int64, since: int, until: int) -> _Window:
    """The numbers of since <= ts < until. first_ts: for each order its buyer's first order ever."""
    rows = (purchases.ts >= since) & (purchases.ts < until)
    refunded = (purchases.refund_ts >= since) & (purchases.refund_ts < until)
    uid = purchases.uid[rows]
    begin = first_rows(uid)
    before = first_ts[rows][begin] < since
    return _Window(
        revenue=int(purchases.amount[rows].sum()),
        refunds=int(purchases.refund_amount[refunded].sum()),
        orders=len(uid),
        buyers=len(begin),
        new_buyers=int((~before).sum()),
        returning=int(before.sum()),
    )


def _changes(purchases: Purchases, starts: Int64, timezone: str) -> list[Change]:
    if len(purchases.ts) == 0:
        return []
    last_day = day_of(max(purchases.as_of - 1, int(purchases.ts.max())), timezone)
    since_day = last_day - timedelta(days=WINDOW_DAYS - 1)
    end = day_start(last_day + timedelta(days=1), timezone)
    since = day_start(since_day, timezone)
    earlier = day_start(since_day - timedelta(days=WINDOW_DAYS), timezone)
    per_buyer = np.diff(np.append(starts, len(purchases.ts)))
    first_ts = np.repeat(purchases.ts[starts], per_buyer)
    now = _window(purchases, first_ts, since, end)
    known_before = int(purchases.ts.min()) <= earlier + 24 * 3600 * 1_000_000
    before = _window(purchases, first_ts, earlier, since) if known_before else None

    def number(
        key: str, zh: str, en: str, unit: Literal["money", "people", "orders"], of: Callable[[_Window], int]
    ) -> Change:
        return Change(
            key=key,
            title=Text(zh=zh, en=en),
            unit=unit,
            now=of(now),
            before=None if before is None else of(before),
            since=since_day,
            until=last_day,
        )

    def share(key: str, zh: str, en: str, of: Callable[[_Window], tuple[int, int]]) -> Change:
        part, whole = of(now)
        old_part, old_whole = (None, None) if before is None else of(before)
        return Change(
            key=key,
            title=Text(zh=zh, en=en),
            unit="share",
            now=part / whole if whole else None,
            before=old_part / old_whole if old_part is not None and old_whole else None,
            since=since_day,
            until=last_day,
            numerator=part,
            denominator=whole,
            before_numerator=old_part,
            before_denominator=old_whole,
        )

    return [
        number("revenue", "销售额", "Revenue", "money", lambda w: w.revenue),
        number("orders", "订单数", "Orders", "orders", lambda w: w.orders),
        number("buyers", "购买人数", "Buyers", "people", lambda w: w.buyers),
        number("new_buyers", "新客数", "New buyers", "people", lambda w: w.new_buyers),
        number("average_order", "客单价", "Average order", "money", lambda w: average(w.revenue, w.orders)),
        share(
            "returning", "老客占购买人数", "Share of buyers who had bought before", lambda w: (w.returning, w.buyers)
        ),
        share("refunds", "退款占销售额", "Refunds as a share of revenue", lambda w: (w.refunds, w.revenue)),
    ]
