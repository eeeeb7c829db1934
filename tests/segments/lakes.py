"""Small stand-ins for the lake and the directory, and histories built by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tests.oracles.layerings import Event
from tilth.lake import NULL_INT, Run
from tilth.segments.history import PurchaseHistory

DAY = 86_400_000_000
NAMES = ["purchase", "purchase_added", "purchase_item", "refund", "refund_item", "page_view"]


def run_of(events: Sequence[Event]) -> Run:
    """A run as the lake gives it: sorted by (uid, ts), texts as codes."""
    rows = sorted(events, key=lambda e: (e.uid, e.ts))
    words = sorted({e.order for e in rows if e.order is not None})
    return Run(
        uid=np.array([e.uid for e in rows], np.int64),
        ts=np.array([e.ts for e in rows], np.int64),
        code=np.array([NAMES.index(e.name) for e in rows], np.int32),
        names=NAMES,
        columns={
            "p_amount": np.array([NULL_INT if e.amount is None else e.amount for e in rows], np.int64),
            "p_order_id": np.array([-1 if e.order is None else words.index(e.order) for e in rows], np.int32),
        },
        words={"p_order_id": words},
    )


class ListLake:
    """A lake over a list of events; `pieces` deals each bucket's events to that many runs, overlapping in time."""

    def __init__(self, events: Iterable[Event], buckets: int = 3, pieces: int = 1) -> None:
        self.buckets = buckets
        self.events = list(events)
        self.pieces = pieces

    def view(self) -> None:
        """It does not change, so there is nothing to pin."""

    def runs(self, bucket: int, columns: Sequence[str] = (), view: object = None) -> list[Run]:
        own = [e for e in self.events if e.uid % self.buckets == bucket]
        return [run_of(own[k :: self.pieces]) for k in range(self.pieces) if own[k :: self.pieces]]


class ListPeople:
    """A directory that knows these uids."""

    def __init__(self, uids: Iterable[int]) -> None:
        self.uids = sorted(uids)

    def everyone(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(self.uids, np.int64)


def history_of(
    orders: Sequence[tuple[int, int, int]],
    refunds: Sequence[tuple[int, int, int]] = (),
    profiles: Sequence[int] = (),
    currency: str = "CNY",
) -> PurchaseHistory:
    """A history from (uid, ts µs, minor units) orders and refunds; profiles: people without any event."""
    bought = np.array(sorted(orders), np.int64).reshape(-1, 3)
    returned = np.array(sorted(refunds), np.int64).reshape(-1, 3)
    seen: dict[int, int] = {}
    for uid, ts, _ in [*orders, *refunds]:
        seen[uid] = min(ts, seen.get(uid, ts))
    for uid in profiles:
        seen.setdefault(uid, NULL_INT)
    everyone = sorted(seen)
    last = max((ts for _, ts, _ in [*orders, *refunds]), default=-1)
    return PurchaseHistory(
        uid=bought[:, 0].copy(),
        ts=bought[:, 1].copy(),
        amount=bought[:, 2].copy(),
        refund_uid=returned[:, 0].copy(),
        refund_ts=returned[:, 1].copy(),
        refund_amount=returned[:, 2].copy(),
        everyone=np.array(everyone, np.int64),
        first_seen=np.array([seen[u] for u in everyone], np.int64),
        currency=currency,
        as_of=last + 1,
    )
