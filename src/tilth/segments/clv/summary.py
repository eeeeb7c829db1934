"""From a history of orders to (x, tx, T) a person, which is all that the purchase models see.

A *transaction* is a calendar day (in the workspace's zone) on which a person bought; several orders of a
day are one, with their amounts added up. Of each person with a transaction on or before the last day of
the calibration period:

    x     transactions after the first one (repeat transactions)
    tx    days from the first transaction to the last (0 where x = 0)
    T     days from the first transaction to the end of the calibration period
    mean  mean amount of the x repeat transactions (the first is left out, as it has seldom the amount
          of those that follow)

In weeks and months these are fractions: days / 7 and days / 30.4375. This is how the CDNOW summary of
the papers is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tilth.compiled import njit
from tilth.errors import InvalidInput
from tilth.segments.clv.base import Triples
from tilth.segments.days import LocalDays

__all__ = ["Buyers", "Orders", "last_day", "summarise"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

# From 1900 to 2200, as days since 1970: what lies outside is a broken clock, not an order.
EARLIEST, LATEST = -25_567, 84_006


class Orders(Protocol):
    """What is read of a purchase history: one row an order, sorted by (uid, ts).

    uid: int64[n]. ts: int64[n], UTC µs. amount: int64[n], minor units.
    """

    @property
    def uid(self) -> Int64: ...
    @property
    def ts(self) -> Int64: ...
    @property
    def amount(self) -> Int64: ...


@dataclass(frozen=True, kw_only=True)
class Buyers:
    """People who bought in the calibration period, ascending by uid; one value a person in each array.

    uid, x: int64[n]. tx, T: int64[n], days. mean: float64[n], minor units, 0 where x = 0. later: int64[n]
    transactions after the calibration period, up to the last day looked at. recent: int64[n] repeat
    transactions within the last `until - end` days of the calibration period. end, until: the last
    days of the calibration period and of what was looked at, as days since 1970. newcomers: people whose
    first transaction came after the calibration period; they are not among the buyers. transactions,
    amount: how many transactions the calibration period has, and their sum in minor units.
    """

    uid: Int64
    x: Int64
    tx: Int64
    T: Int64
    mean: Float64
    later: Int64
    recent: Int64
    end: int
    until: int
    newcomers: int
    transactions: int
    amount: float

    def triples(self, unit_days: float) -> Triples:
        """The distinct (x, tx, T), in time units of `unit_days` days."""
        return Triples.of(self.x, self.tx, self.T, unit_days)


@njit(cache=True, nogil=True)
def _fold(
    uid: Int64,
    day: Int64,
    amount: Int64,
    end: int,
    until: int,
    out_uid: Int64,
    x: Int64,
    tx: Int64,
    T: Int64,
    mean: Float64,
    later: Int64,
    recent: Int64,
) -> tuple[int, int, int, float]:
    """One pass over the orders; returns people written, newcomers, transactions and their amount."""
    people = 0
    newcomers = 0
    transactions = 0
    money = 0.0
    rows = len(uid)
    since = end - (until - end)
    i = 0
    while i < rows:
        person = uid[i]
        first = day[i]
        if first > end:
            if first <= until:
                newcomers += 1
            while i < rows and uid[i] == person:
                i += 1
            continue
        bought = 0
        after = 0
        lately = 0
        last = first
        repeat = 0.0
        while i < rows and uid[i] == person and day[i] <= until:
            today = day[i]
            spent = 0.0
            # A clock set back across midnight could make a later order's day an earlier one.
            while i < rows and uid[i] == person and day[i] <= today:
                spent += amount[i]
                i += 1
            if today <= end:
                bought += 1
                money += spent
                last = today
                if bought > 1:
                    repeat += spent
                    if today > since:
                        lately += 1
            else:
                after += 1
        while i < rows and uid[i] == person:
            i += 1
        out_uid[people] = person
        x[people] = bought - 1
        tx[people] = last - first
        T[people] = end - first
        mean[people] = repeat / (bought - 1) if bought > 1 else 0.0
        later[people] = after
        recent[people] = lately
        transactions += bought
        people += 1
    return people, newcomers, transactions, money


@njit(cache=True, nogil=True)
def _misplaced(uid: Int64, ts: Int64) -> int:
    """How many orders come before the one above them."""
    wrong = 0
    for i in range(1, len(uid)):
        wrong += uid[i] < uid[i - 1] or (uid[i] == uid[i - 1] and ts[i] < ts[i - 1])
    return wrong


def last_day(history: Orders, timezone: str) -> int:
    """The last local day the history knows of (days since 1970): that of its `as_of`, else of its last order."""
    if len(history.ts) == 0:
        raise InvalidInput("history", "there are no orders")
    last = int(history.ts.max())
    as_of = getattr(history, "as_of", None)
    if as_of is not None:
        last = max(last, int(as_of) - 1)
    return LocalDays(timezone).day(last)


def summarise(history: Orders, *, timezone: str, end: int, until: int | None = None) -> Buyers:
    """Fold the orders into one row a person.

    timezone: IANA name; days are its days. end: the last day of the calibration period, until: the last
    day looked at (default: the same), both included and counted from 1970. Raises `InvalidInput` where
    nobody bought by `end`, where `until` is earlier, and where the orders are not sorted by (uid, ts).
    """
    final = end if until is None else until
    if final < end:
        raise InvalidInput("until", "must not be before the end of the calibration period")
    uid = np.ascontiguousarray(history.uid, dtype=np.int64)
    ts = np.ascontiguousarray(history.ts, dtype=np.int64)
    amount = np.ascontiguousarray(history.amount, dtype=np.int64)
    if not len(uid) == len(ts) == len(amount):
        raise InvalidInput("history", "uid, ts and amount must have one value an order")
    if len(uid) == 0:
        raise InvalidInput("history", "there are no orders")
    if _misplaced(uid, ts):
        raise InvalidInput("history", "the orders must be sorted by person and time")
    day = LocalDays(timezone).of(ts)
    if int(day.min()) < EARLIEST or max(int(day.max()), final) > LATEST or end < EARLIEST:
        raise InvalidInput("history", "dates must lie between 1900 and 2199")
    size = int(np.count_nonzero(uid[1:] != uid[:-1])) + 1
    whole = [np.empty(size, np.int64) for _ in range(6)]
    mean = np.empty(size)
    out_uid, x, tx, T, later, recent = whole
    people, newcomers, transactions, money = _fold(uid, day, amount, end, final, out_uid, x, tx, T, mean, later, recent)
    if people == 0:
        raise InvalidInput("calibration_end", "nobody had bought by then")
    return Buyers(
        uid=out_uid[:people],
        x=x[:people],
        tx=tx[:people],
        T=T[:people],
        mean=mean[:people],
        later=later[:people],
        recent=recent[:people],
        end=int(end),
        until=int(final),
        newcomers=int(newcomers),
        transactions=int(transactions),
        amount=float(money),
    )
