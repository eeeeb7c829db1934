"""Everyone in a list: what each person bought and when they were seen, filtered, sorted, paged.

One pass over the lake gives a few numbers per person as arrays; a page of a list of millions is then
a mask and a slice. The arrays are kept until the lake or the tail changes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.errors import InvalidInput
from tilth.lake import Lake
from tilth.people import DistinctId, People
from tilth.segments.history import NEVER, PurchaseHistory, purchase_history
from tilth.settings import Settings

__all__ = ["PeoplePage", "PeopleQuery", "PersonRow", "Roster", "RosterArrays"]

Int64 = npt.NDArray[np.int64]
SORTS = ("uid", "-last_purchase", "-monetary", "-orders", "-last_seen")
MAX_PAGE = 200


class PeopleQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which people, in which order. Money in minor units, instants in UTC µs, both ends included.

    q: an id (exact, then beginnings) or the beginning of a name. cursor: `next` of the page before.
    """

    q: str = ""
    min_orders: int | None = None
    max_orders: int | None = None
    min_revenue: int | None = None
    max_revenue: int | None = None
    last_purchase_after: int | None = None
    last_purchase_before: int | None = None
    sort: str = "uid"
    cursor: str = ""
    limit: int = 50


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list. revenue: gross purchases in minor units; instants in UTC µs."""

    uid: int
    distinct_ids: list[DistinctId]
    traits: dict[str, object]
    first_seen: int | None
    last_seen: int | None
    orders: int
    revenue: int
    refunds: int
    last_purchase: int | None


class PeoplePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page: total counts all that match; next is empty on the last page."""

    people: list[PersonRow]
    total: int
    next: str


@dataclass(frozen=True)
class RosterArrays:
    """Per person, ascending by uid: int64[k] each; instants in UTC µs with `NEVER` for none."""

    uid: Int64
    orders: Int64
    revenue: Int64
    refunds: Int64
    first_seen: Int64
    last_seen: Int64
    first_purchase: Int64
    last_purchase: Int64

    def position(self, uid: int) -> int | None:
        """The row of a person, or None."""
        at = int(np.searchsorted(self.uid, uid))
        return at if at < len(self.uid) and self.uid[at] == uid else None


class Roster:
    """The list of all people. Thread-safe."""

    def __init__(self, lake: Lake, people: People, settings: Settings) -> None:
        self._lake = lake
        self._people = people
        self._settings = settings
        self._lock = threading.Lock()
        self._kept: tuple[int, pa.Table, int, RosterArrays] | None = None
        self._orders: dict[str, Int64] = {}

    def arrays(self) -> RosterArrays:
        """The numbers of everyone now."""
        with self._lock:
            version, tail, revision = self._lake.version, self._lake.tail(), self._people.revision()
            kept = self._kept
            if kept is None or kept[0] != version or kept[1] is not tail or kept[2] != revision:
                history = purchase_history(self._lake, self._people, currency=self._settings.currency)
                arrays = roster_arrays(history, _last_seen(self._lake, history.everyone))
                self._kept = kept = (version, tail, revision, arrays)
                self._orders = {}
            return kept[3]

    def page(self, query: PeopleQuery, only: Int64 | None = None) -> PeoplePage:
        """One page of the people that match. only: uids to choose from (a layer, a segment)."""
        if query.sort not in SORTS:
            raise InvalidInput("sort", f"{query.sort!r} is not an order of this list", list(SORTS))
        if not 1 <= query.limit <= MAX_PAGE:
            raise InvalidInput("limit", f"must be between 1 and {MAX_PAGE}")
        arrays = self.arrays()
        mask = self._mask(arrays, query, only)
        order = self._order(arrays, query.sort)
        chosen = order[mask[order]]
        start = self._start(arrays, chosen, query.cursor)
        rows = chosen[start : start + query.limit]
        more = start + query.limit < len(chosen)
        return PeoplePage(
            people=self._rows(arrays, rows),
            total=len(chosen),
            next=str(arrays.uid[rows[-1]]) if more and len(rows) else "",
        )

    def _order(self, arrays: RosterArrays, sort: str) -> Int64:
        with self._lock:
            found = self._orders.get(sort)
        if found is None:
            keys = {
                "uid": arrays.uid,
                "-last_purchase": arrays.last_purchase,
                "-monetary": arrays.revenue,
                "-orders": arrays.orders,
                "-last_seen": arrays.last_seen,
            }
            key = keys[sort]
            # Descending and stable: among equals the earlier uid comes first.
            found = (
                np.arange(len(key)) if sort == "uid" else np.argsort(-np.where(key == NEVER, -1, key), kind="stable")
            )
            with self._lock:
                self._orders[sort] = found
        return found

    def _mask(self, arrays: RosterArrays, query: PeopleQuery, only: Int64 | None) -> npt.NDArray[np.bool_]:
        mask = np.ones(len(arrays.uid), bool)
        if query.q.strip():
            mask &= np.isin(arrays.uid, np.array(self._people.search(query.q, 1000), np.int64))
        if only is not None:
            mask &= np.isin(arrays.uid, only)
        bounds = (
            (arrays.orders, query.min_orders, query.max_orders),
            (arrays.revenue, query.min_revenue, query.max_revenue),
            (arrays.last_purchase, query.last_purchase_after, query.last_purchase_before),
        )
        for values, low, high in bounds:
            if low is not None:
                mask &= values >= low
            if high is not None:
                # Someone who never bought did not buy before a day.
                mask &= (values <= high) & (values != NEVER)
        return mask

    def _start(self, arrays: RosterArrays, chosen: Int64, cursor: str) -> int:
        if not cursor:
            return 0
        if not cursor.isdigit():
            raise InvalidInput("cursor", "is not a page's `next`")
        at = np.flatnonzero(arrays.uid[chosen] == int(cursor))
        if len(at) == 0:
            raise InvalidInput("cursor", "is of a list that has changed; start again from the first page")
        return int(at[0]) + 1

    def _rows(self, arrays: RosterArrays, rows: Int64) -> list[PersonRow]:
        uids = arrays.uid[rows].tolist()
        ids, traits = self._people.distinct_ids(uids), self._people.traits(uids)
        return [
            PersonRow(
                uid=uid,
                distinct_ids=ids[uid],
                traits={t.name: t.value for t in traits[uid]},
                first_seen=known(arrays.first_seen[row]),
                last_seen=known(arrays.last_seen[row]),
                orders=int(arrays.orders[row]),
                revenue=int(arrays.revenue[row]),
                refunds=int(arrays.refunds[row]),
                last_purchase=known(arrays.last_purchase[row]),
            )
            for uid, row in zip(uids, rows.tolist(), strict=True)
        ]


def known(instant: np.int64) -> int | None:
    """An instant, or None for `NEVER`."""
    return None if instant == NEVER else int(instant)


def roster_arrays(history: PurchaseHistory, last_seen: Int64) -> RosterArrays:
    """Fold a history into one row per person."""
    people = history.everyone
    count = len(people)
    place = np.searchsorted(people, history.uid)
    orders = np.bincount(place, minlength=count).astype(np.int64)
    revenue, refunds = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(revenue, place, history.amount)
    np.add.at(refunds, np.searchsorted(people, history.refund_uid), history.refund_amount)
    first, last = np.full(count, NEVER, np.int64), np.full(count, NEVER, np.int64)
    if len(place):
        # Orders are sorted by (uid, ts): the first and last of each person's block.
        edge = np.flatnonzero(np.concatenate(([True], place[1:] != place[:-1])))
        first[place[edge]] = history.ts[edge]
        last[place[edge]] = history.ts[np.concatenate((edge[1:], [len(place)])) - 1]
    return RosterArrays(
        uid=people,
        orders=orders,
        revenue=revenue,
        refunds=refunds,
        first_seen=history.first_seen,
        last_seen=last_seen,
        first_purchase=first,
        last_purchase=last,
    )


def _last_seen(lake: Lake, people: Int64) -> Int64:
    last = np.full(len(people), NEVER, np.int64)
    view = lake.view()
    for bucket in range(lake.buckets):
        for stored in lake.runs(bucket, (), view):
            run = stored.activity()
            if len(run) == 0:
                continue
            ends = np.flatnonzero(np.concatenate((run.uid[1:] != run.uid[:-1], [True])))
            place = np.searchsorted(people, run.uid[ends])
            np.maximum.at(last, place, run.ts[ends])
    return last
