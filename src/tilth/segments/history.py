"""Everyone's purchases, read from the lake in one pass per bucket.

`purchase_history` gives one row an order, sorted by person and time: what every layering and the
CLV models start from. Each `purchase` event is one order; a `purchase_added` event (lines of a known
order that arrived in a later import) adds money to its order and never counts as another; refunds
are kept apart. Item lines are skipped. `activity` folds the same rows into how often and how
recently a person was seen at all, which is what engagement is measured by.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from tilth.compiled import njit
from tilth.segments.days import LocalDays

if TYPE_CHECKING:
    from tilth.lake import Lake, PersonRows, Run, View
    from tilth.people import People

__all__ = ["NEVER", "Activity", "PurchaseHistory", "activity", "person_history", "purchase_history"]

Int64 = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Roles = npt.NDArray[np.uint8]
NEVER = int(np.iinfo(np.int64).min)  # the null of int64 columns, and "no such instant"
FOREVER = int(np.iinfo(np.int64).max)

_OTHER, _PURCHASE, _ADDED, _REFUND, _LINE = 0, 1, 2, 3, 4
_ROLES = {
    "purchase": _PURCHASE,
    "purchase_added": _ADDED,
    "refund": _REFUND,
    "purchase_item": _LINE,
    "refund_item": _LINE,
}

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PurchaseHistory:
    """One row an order, sorted by (uid, ts), and everybody we know.

    uid, ts (UTC µs), amount (minor units of `currency`; money of added lines included; an order
    without an amount has 0). refund_uid, refund_ts, refund_amount: the same for refunds (positive).
    everyone: all people known, ascending, each of the uids above among them. first_seen: UTC µs of
    each one's first event of any kind, `NEVER` for people known only by their profile.
    as_of: the exclusive end in UTC µs: events with ts < as_of are in it.
    """

    uid: Int64
    ts: Int64
    amount: Int64
    refund_uid: Int64
    refund_ts: Int64
    refund_amount: Int64
    everyone: Int64
    first_seen: Int64
    currency: str
    as_of: int

    def until(self, instant: int) -> PurchaseHistory:
        """The history as it was known just before `instant` (UTC µs): later events, and people first seen later, gone.

        People without any event stay: when they became known is not on record.
        """
        keep = self.ts < instant
        refunds = self.refund_ts < instant
        known = self.first_seen < instant
        return dataclasses.replace(
            self,
            uid=self.uid[keep],
            ts=self.ts[keep],
            amount=self.amount[keep],
            refund_uid=self.refund_uid[refunds],
            refund_ts=self.refund_ts[refunds],
            refund_amount=self.refund_amount[refunds],
            everyone=self.everyone[known],
            first_seen=self.first_seen[known],
            as_of=instant,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activity:
    """How much people were seen in a window [since, until), people ascending by uid.

    active_days: local days with any event. events: events that are not commerce (purchases, refunds
    and their lines). last_seen: UTC µs of the last event of any kind.
    """

    uid: Int64
    active_days: Int64
    events: Int64
    last_seen: Int64

    def aligned(self, everyone: Int64) -> Activity:
        """The same for exactly the people given (ascending); who was not seen gets zeros and `NEVER`."""
        place = np.searchsorted(everyone, self.uid)
        inside = place < len(everyone)
        inside[inside] = everyone[place[inside]] == self.uid[inside]
        place = place[inside]
        active, events = np.zeros(len(everyone), np.int64), np.zeros(len(everyone), np.int64)
        last = np.full(len(everyone), NEVER, np.int64)
        active[place], events[place], last[place] = (
            self.active_days[inside],
            self.events[inside],
            self.last_seen[inside],
        )
        return Activity(uid=everyone, active_days=active, events=events, last_seen=last)


def purchase_history(
    lake: Lake,
    people: People,
    *,
    until: int | None = None,
    currency: str = "CNY",
    everyone: Int64 | None = None,
) -> PurchaseHistory:
    """Read every order and refund with ts < `until` (UTC µs; None: all there are).

    Money added to an order by a later import counts at the order's own time. Takes two light passes
    over the lake's runs, buckets in parallel. With `until` None, `as_of` is just after the last event.
    currency: what the amounts are in. everyone: the uids known, where the caller has them already.
    """
    end = FOREVER if until is None else until
    view = lake.view()
    found = _in_buckets(lake, lambda bucket: lake.runs(bucket, ("p_amount",), view))
    known = people.everyone() if everyone is None else everyone
    slots = max((int(run.uid[-1]) + 1 for runs in found for run in runs if len(run)), default=0)
    first_seen = np.full(slots, FOREVER, np.int64)
    orders, refunds = np.zeros(slots, np.int64), np.zeros(slots, np.int64)

    def count(bucket: int) -> _Counted:
        result = _Counted()
        for run in found[bucket]:
            rows = np.empty(len(run), np.int32)
            last, added, used = _count_rows(
                run.uid, run.ts, run.code, _roles(run), end, first_seen, orders, refunds, rows
            )
            result.rows.append(rows[:used].copy())
            result.last, result.added = max(result.last, last), result.added + added
        return result

    counted = _in_buckets(lake, count)
    with_added = any(c.added for c in counted)
    tables = (_OrderTable(orders, keep_rows=with_added), _OrderTable(refunds, keep_rows=False))

    def fill(bucket: int) -> None:
        for number, run in enumerate(found[bucket]):
            _fill_rows(
                counted[bucket].rows[number], run.uid, run.ts, run.code, run.columns["p_amount"], _roles(run),
                number << 40, *tables[0].arrays, *tables[1].arrays,
            )  # fmt: skip

    _in_buckets(lake, fill)
    for table in tables:
        table.sort_if_needed()
    if with_added:
        _add_money(lake, view, tables[0], end)

    seen = np.flatnonzero(first_seen != FOREVER)
    if len(known) == len(seen) and np.array_equal(known, seen):
        since = first_seen[seen]
        all_people: Int64 = seen
    else:
        all_people = np.union1d(np.asarray(known, np.int64), seen)
        since = np.full(len(all_people), NEVER, np.int64)
        since[np.searchsorted(all_people, seen)] = first_seen[seen]
    if until is not None:
        all_people, since = all_people[since < until], since[since < until]
    last = max((c.last for c in counted), default=NEVER)
    return PurchaseHistory(
        uid=tables[0].uid,
        ts=tables[0].ts,
        amount=tables[0].amount,
        refund_uid=tables[1].uid,
        refund_ts=tables[1].ts,
        refund_amount=tables[1].amount,
        everyone=all_people,
        first_seen=since,
        currency=currency,
        as_of=until if until is not None else (last + 1 if last != NEVER else 0),
    )


def person_history(lake: Lake, uid: int, rows: PersonRows, currency: str) -> PurchaseHistory:
    """As `purchase_history` for one person alone, from their rows with `p_amount` (`Lake.person`)."""
    amounts = rows.columns["p_amount"]
    ts = rows.ts.tolist()
    orders = [[t, amount or 0] for t, event, amount in zip(ts, rows.event, amounts, strict=True) if event == "purchase"]
    refunds = [(t, amount or 0) for t, event, amount in zip(ts, rows.event, amounts, strict=True) if event == "refund"]
    if "purchase_added" in rows.event:
        orders = _with_added(lake, uid, orders)
    return PurchaseHistory(
        uid=np.full(len(orders), uid, np.int64),
        ts=np.array([t for t, _ in orders], np.int64),
        amount=np.array([amount for _, amount in orders], np.int64),
        refund_uid=np.full(len(refunds), uid, np.int64),
        refund_ts=np.array([t for t, _ in refunds], np.int64),
        refund_amount=np.array([amount for _, amount in refunds], np.int64),
        everyone=np.array([uid], np.int64),
        first_seen=np.array([ts[0] if ts else NEVER], np.int64),
        currency=currency,
        as_of=ts[-1] + 1 if ts else 0,
    )


def _with_added(lake: Lake, uid: int, orders: list[list[int]]) -> list[list[int]]:
    """One person's orders (ts, amount) with the money that later imports added. Order numbers are many and wanted
    seldom, so they are read for this only."""
    columns = ["ts", "event", "p_order_id", "p_amount"]
    rows = [row for table in lake.scan(columns, uids=[uid]) for row in table.to_pylist()]
    names = [row["p_order_id"] for row in rows if row["event"] == "purchase"]
    if len(names) != len(orders):
        return orders  # an order came in between the two looks; the next page has both
    alone: list[list[int]] = []
    for row in rows:
        if row["event"] != "purchase_added" or row["p_amount"] is None:
            continue
        at = int(np.datetime64(row["ts"].replace(tzinfo=None), "us").astype(np.int64))
        before = sum(1 for t, _ in orders if t <= at) - 1
        if row["p_order_id"] is not None and row["p_order_id"] in names:
            orders[names.index(row["p_order_id"])][1] += row["p_amount"]
        elif orders:
            orders[max(before, 0)][1] += row["p_amount"]
        else:
            alone.append([at, row["p_amount"]])
    return sorted(orders + alone)


def activity(lake: Lake, days: LocalDays, *, since: int, until: int) -> Activity:
    """Fold all events with since <= ts < until (UTC µs) into each person's activity; `days` gives the local days."""

    view = lake.view()

    def fold(bucket: int) -> tuple[Int64, Int64, Int64, Int64]:
        runs = [run for stored in lake.runs(bucket, (), view) if len(run := stored.activity())]
        slots = max((int(run.uid[-1]) // lake.buckets + 1 for run in runs), default=0)
        rows = [(run.uid, run.ts, run.code, _roles(run)) for run in runs]
        for attempt in ("as stored", "sorted"):
            day, active, events = np.full(slots, NEVER), np.zeros(slots, np.int64), np.zeros(slots, np.int64)
            last = np.full(slots, NEVER)
            ordered = True
            for uid, ts, code, roles in rows:
                ordered &= _fold_activity(
                    uid, ts, code, roles, lake.buckets, since, until, *days.table, day, active, events, last
                )  # fmt: skip
            if ordered or attempt == "sorted":
                break
            rows = [_one_sorted_run(rows)]
        seen = np.flatnonzero(last != NEVER)
        return seen * lake.buckets + bucket, active[seen], events[seen], last[seen]

    parts = _in_buckets(lake, fold)
    uid = np.concatenate([p[0] for p in parts]) if parts else np.empty(0, np.int64)
    order = np.argsort(uid, kind="stable")
    columns = [np.concatenate([p[k] for p in parts])[order] if parts else np.empty(0, np.int64) for k in (1, 2, 3)]
    return Activity(uid=uid[order], active_days=columns[0], events=columns[1], last_seen=columns[2])


@dataclasses.dataclass
class _Counted:
    """What counting a bucket found: the last instant, how many rows add money, and for each run which rows are
    orders or refunds, so that filling need not go over all the others again."""

    last: int = NEVER
    added: int = 0
    rows: list[npt.NDArray[np.int32]] = dataclasses.field(default_factory=list)


class _OrderTable:
    """Orders (or refunds) laid out by person: room for `counts[uid]` rows each, filled in time order.

    row: which lake row each order is (run number << 40 | row), kept only where added money must find
    its order by number.
    """

    def __init__(self, counts: Int64, *, keep_rows: bool) -> None:
        starts = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        total = int(starts[-1])
        self.next = starts[:-1].copy()
        self.uid, self.ts, self.amount = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
        self.row = np.empty(total if keep_rows else 0, np.int64)

    @property
    def arrays(self) -> tuple[Int64, Int64, Int64, Int64, Int64]:
        return self.next, self.uid, self.ts, self.amount, self.row

    def sort_if_needed(self) -> None:
        # Files not compacted yet and the tail may overlap in time; then a person's orders came interleaved.
        if not _is_sorted(self.uid, self.ts):
            self._reorder(np.lexsort((self.ts, self.uid)))

    def insert(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """Add orders (uid, ts, amount) and sort again."""
        extra = np.array(rows, np.int64).reshape(-1, 3)
        self.uid = np.concatenate((self.uid, extra[:, 0]))
        self.ts = np.concatenate((self.ts, extra[:, 1]))
        self.amount = np.concatenate((self.amount, extra[:, 2]))
        self.row = np.concatenate((self.row, np.full(len(extra), -1, np.int64)))
        self._reorder(np.lexsort((self.ts, self.uid)))

    def _reorder(self, order: Int64) -> None:
        self.uid, self.ts, self.amount = self.uid[order], self.ts[order], self.amount[order]
        if len(self.row):
            self.row = self.row[order]


def _add_money(lake: Lake, view: View, orders: _OrderTable, end: int) -> None:
    """Add the amounts of `purchase_added` rows to the orders they name.

    Where the order is not there (it was never imported, or lies after `end`), the money goes to the
    person's latest order before it, and becomes an order of its own if there is none: no cent is lost.
    """
    alone: list[tuple[int, int, int]] = []
    for bucket in range(lake.buckets):
        runs = lake.runs(bucket, ("p_amount", "p_order_id"), view)
        for run in runs:
            rows = np.flatnonzero(_roles(run)[run.code] == _ADDED) if len(run) else np.empty(0, np.int64)
            for row in rows.tolist():
                uid, ts, amount = int(run.uid[row]), int(run.ts[row]), int(run.columns["p_amount"][row])
                low, high = (int(i) for i in np.searchsorted(orders.uid, (uid, uid + 1)))
                named = _order_id(runs, orders.row[low:high], _word(run, row))
                if amount == NEVER or (named is None and ts >= end):
                    continue
                if named is not None:
                    orders.amount[low + named] += amount
                elif high > low:
                    before = int(np.searchsorted(orders.ts[low:high], ts, side="right")) - 1
                    orders.amount[low + max(before, 0)] += amount
                else:
                    alone.append((uid, ts, amount))
    if alone:
        orders.insert(alone)


def _word(run: Run, row: int) -> str | None:
    code = int(run.columns["p_order_id"][row])
    return None if code < 0 else run.words["p_order_id"][code]


def _order_id(runs: list[Run], rows: Int64, wanted: str | None) -> int | None:
    """Which of one person's orders (as lake rows) bears the order number `wanted`."""
    if wanted is None:
        return None
    for place, row in enumerate(rows.tolist()):
        if row >= 0 and _word(runs[row >> 40], row & ((1 << 40) - 1)) == wanted:
            return place
    return None


def _in_buckets(lake: Lake, work: Callable[[int], T]) -> list[T]:
    """The result of `work` for each bucket, in order, on all cores (the kernels release the GIL)."""
    with ThreadPoolExecutor(max_workers=max(1, min(lake.buckets, os.cpu_count() or 1))) as pool:
        return list(pool.map(work, range(lake.buckets)))


def _roles(run: Run) -> Roles:
    return np.array([_ROLES.get(name, _OTHER) for name in run.names] or [_OTHER], np.uint8)


def _one_sorted_run(
    rows: list[tuple[Int64, Int64, Codes, Roles]],
) -> tuple[Int64, Int64, Codes, Roles]:
    uid = np.concatenate([r[0] for r in rows])
    ts = np.concatenate([r[1] for r in rows])
    role = np.concatenate([r[3][r[2]] for r in rows])
    order = np.lexsort((ts, uid))
    return uid[order], ts[order], role[order].astype(np.int32), np.arange(5, dtype=np.uint8)


@njit(cache=True, nogil=True)
def _count_rows(
    uid: Int64,
    ts: Int64,
    code: Codes,
    roles: Roles,
    end: int,
    first_seen: Int64,
    orders: Int64,
    refunds: Int64,
    rows: npt.NDArray[np.int32],
) -> tuple[int, int, int]:
    """Count each person's orders and refunds before `end`, list their rows, and note everyone's first event.

    Gives the last ts of all, how many rows add money, and how many rows were listed.
    """
    last, added, used, person = NEVER, 0, 0, -1
    for i in range(len(uid)):
        u = uid[i]
        if u != person:
            # Rows are by person and time: this is the earliest of the person, the row before the last of another.
            person = u
            first_seen[u] = min(first_seen[u], ts[i])
            if i > 0:
                last = max(last, ts[i - 1])
        role = roles[code[i]]
        if role == _ADDED:
            added += 1
        if role != _PURCHASE and role != _REFUND:
            continue
        if ts[i] >= end:
            continue
        if role == _PURCHASE:
            orders[u] += 1
        else:
            refunds[u] += 1
        rows[used] = i
        used += 1
    if len(uid) > 0:
        last = max(last, ts[-1])
    return last, added, used


@njit(cache=True, nogil=True)
def _fill_rows(
    rows: npt.NDArray[np.int32],
    uid: Int64,
    ts: Int64,
    code: Codes,
    amount: npt.NDArray[np.generic],
    roles: Roles,
    base: int,
    next_o: Int64,
    uid_o: Int64,
    ts_o: Int64,
    amount_o: Int64,
    row_o: Int64,
    next_r: Int64,
    uid_r: Int64,
    ts_r: Int64,
    amount_r: Int64,
    row_r: Int64,
) -> None:
    keep_rows = len(row_o) > 0
    for k in range(len(rows)):
        i = rows[k]
        u = uid[i]
        money = amount[i] if amount[i] != NEVER else 0
        if roles[code[i]] == _PURCHASE:
            place = next_o[u]
            next_o[u] = place + 1
            uid_o[place], ts_o[place], amount_o[place] = u, ts[i], money
            if keep_rows:
                row_o[place] = base + i
        else:
            place = next_r[u]
            next_r[u] = place + 1
            uid_r[place], ts_r[place], amount_r[place] = u, ts[i], money


@njit(cache=True, nogil=True)
def _is_sorted(uid: Int64, ts: Int64) -> bool:
    for i in range(1, len(uid)):  # noqa: SIM110 - a compiled loop, which all() would not be
        if uid[i] < uid[i - 1] or (uid[i] == uid[i - 1] and ts[i] < ts[i - 1]):
            return False
    return True


@njit(cache=True, nogil=True)
def _fold_activity(
    uid: Int64,
    ts: Int64,
    code: Codes,
    roles: Roles,
    buckets: int,
    since: int,
    until: int,
    changes: Int64,
    offsets: Int64,
    day: Int64,
    active: Int64,
    events: Int64,
    last: Int64,
) -> bool:
    """Add one run to the fold; False when a person's rows came out of time order, so days may be counted twice."""
    k = 0
    for i in range(len(uid)):
        t = ts[i]
        if t < since or t >= until:
            continue
        while k < len(changes) and t >= changes[k]:
            k += 1
        while k > 0 and t < changes[k - 1]:
            k -= 1
        today = (t + offsets[k]) // 86_400_000_000
        u = uid[i] // buckets
        if today < day[u]:
            return False
        if today > day[u]:
            day[u] = today
            active[u] += 1
        if roles[code[i]] == _OTHER:
            events[u] += 1
        if t > last[u]:
            last[u] = t
    return True
