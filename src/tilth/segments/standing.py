"""Where each person stands at the end of a day: the numbers every layering is made from.

One pass over the orders. Days are local calendar days, so "bought today" is recency 0 whatever the
hour, and two orders on one day are one buying day for a person's rhythm.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from tilth.compiled import njit
from tilth.segments.days import LocalDays
from tilth.segments.history import NEVER, Activity, PurchaseHistory

__all__ = ["NONE", "Standing", "following", "standing"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
NONE = -1  # days since something that has not happened


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """Arrays over the people known at the end of day `as_of` (number of the local day).

    uid: ascending. orders; revenue and refunds in minor units. recency, tenure: days since the last
    and the first purchase (`NONE`: no purchase). buying_days: distinct days with a purchase.
    gap_logs: sum of log(days between neighbouring buying days). last_ts: UTC µs of the last
    purchase or `NEVER`. seen_recency: days since the last event of any kind (`NONE`: not seen in the
    activity window). active_days, events: see `Activity`, in that window. value: expected money in
    the coming horizon in minor units (NaN where it has not been worked out).
    """

    as_of: int
    currency: str
    uid: Int64
    orders: Int64
    revenue: Int64
    refunds: Int64
    recency: Int64
    tenure: Int64
    buying_days: Int64
    gap_logs: Float64
    last_ts: Int64
    seen_recency: Int64
    active_days: Int64
    events: Int64
    value: Float64

    def __len__(self) -> int:
        return len(self.uid)

    @property
    def buyers(self) -> npt.NDArray[np.bool_]:
        return self.orders > 0

    @property
    def repeats(self) -> Int64:
        """Buying days after the first: x of the buying models (0 for people without a purchase)."""
        return np.maximum(self.buying_days - 1, 0)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Standing:
        """The standing of some rows (an index may occur more than once, as in a bootstrap sample)."""
        arrays = {
            field.name: getattr(self, field.name)[rows]
            for field in dataclasses.fields(self)
            if field.name not in ("as_of", "currency")
        }
        return dataclasses.replace(self, **arrays)


def standing(history: PurchaseHistory, days: LocalDays, as_of: int, activity: Activity | None = None) -> Standing:
    """Fold `history` up to the end of local day `as_of`. Later orders, and people first seen later, are left out.

    activity: for the engagement columns; without it they are zero and `NONE`.
    """
    end = days.end(as_of)
    known = history.first_seen < end
    everyone = history.everyone if known.all() else history.everyone[known]
    n = len(everyone)
    whole = {name: np.zeros(n, np.int64) for name in ("orders", "revenue", "refunds", "buying_days")}
    first, last, last_ts = np.full(n, NEVER), np.full(n, NEVER), np.full(n, NEVER)
    gap_logs = np.zeros(n)
    _fold_orders(
        history.uid, history.ts, history.amount, everyone, end, *days.table, _LOGS,
        whole["orders"], whole["revenue"], whole["buying_days"], first, last, last_ts, gap_logs,
    )  # fmt: skip
    _fold_refunds(history.refund_uid, history.refund_ts, history.refund_amount, everyone, end, whole["refunds"])
    bought = whole["orders"] > 0
    seen = (
        activity.aligned(everyone)
        if activity is not None
        else Activity(
            uid=everyone, active_days=np.zeros(n, np.int64), events=np.zeros(n, np.int64), last_seen=np.full(n, NEVER)
        )
    )
    was_seen = seen.last_seen != NEVER
    return Standing(
        as_of=as_of,
        currency=history.currency,
        uid=everyone,
        **whole,
        recency=np.where(bought, as_of - last, NONE),
        tenure=np.where(bought, as_of - first, NONE),
        gap_logs=gap_logs,
        last_ts=last_ts,
        seen_recency=np.where(was_seen, as_of - days.of(np.where(was_seen, seen.last_seen, 0)), NONE),
        active_days=seen.active_days,
        events=seen.events,
        value=np.full(n, np.nan),
    )


def following(history: PurchaseHistory, everyone: Int64, start: int, end: int) -> Int64:
    """int64[len(everyone)]: money each person spent with start <= ts < end (UTC µs), in minor units."""
    spent = np.zeros(len(everyone), np.int64)
    _fold_between(history.uid, history.ts, history.amount, everyone, start, end, spent)
    return spent


# Logarithms of 0..4095 days: a table beats 2.5 million calls of log.
_LOGS = np.array([0.0, *(math.log(d) for d in range(1, 4096))])


@njit(cache=True, nogil=True)
def _fold_orders(
    uid: Int64,
    ts: Int64,
    amount: Int64,
    everyone: Int64,
    end: int,
    changes: Int64,
    offsets: Int64,
    logs: Float64,
    orders: Int64,
    revenue: Int64,
    buying_days: Int64,
    first: Int64,
    last: Int64,
    last_ts: Int64,
    gap_logs: Float64,
) -> None:
    person, k = 0, 0
    people = len(everyone)
    for i in range(len(uid)):
        t = ts[i]
        if t >= end:
            continue
        while person < people and everyone[person] < uid[i]:
            person += 1
        if person == people:
            break
        if everyone[person] != uid[i]:
            continue
        while k < len(changes) and t >= changes[k]:
            k += 1
        while k > 0 and t < changes[k - 1]:
            k -= 1
        today = (t + offsets[k]) // 86_400_000_000
        orders[person] += 1
        revenue[person] += amount[i]
        last_ts[person] = t
        if first[person] == NEVER:
            first[person] = today
            last[person] = today
            buying_days[person] = 1
        elif today > last[person]:
            gap = today - last[person]
            gap_logs[person] += logs[gap] if gap < len(logs) else np.log(gap)
            last[person] = today
            buying_days[person] += 1


@njit(cache=True, nogil=True)
def _fold_refunds(uid: Int64, ts: Int64, amount: Int64, everyone: Int64, end: int, refunds: Int64) -> None:
    person = 0
    for i in range(len(uid)):
        while person < len(everyone) and everyone[person] < uid[i]:
            person += 1
        if person == len(everyone):
            break
        if everyone[person] == uid[i] and ts[i] < end:
            refunds[person] += amount[i]


@njit(cache=True, nogil=True)
def _fold_between(uid: Int64, ts: Int64, amount: Int64, everyone: Int64, start: int, end: int, spent: Int64) -> None:
    person = 0
    for i in range(len(uid)):
        while person < len(everyone) and everyone[person] < uid[i]:
            person += 1
        if person == len(everyone):
            break
        if everyone[person] == uid[i] and start <= ts[i] < end:
            spent[person] += amount[i]
