"""What the lake holds now, folded once and kept until it changes."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tilth.segments.days import LocalDays
from tilth.segments.history import NEVER, PurchaseHistory, activity, purchase_history
from tilth.segments.rhythm import Rhythm, fit_rhythm
from tilth.segments.standing import Standing, standing

if TYPE_CHECKING:
    from tilth.lake import Lake
    from tilth.people import People
    from tilth.settings import Settings

__all__ = ["Snapshot", "Snapshots"]

_KEPT_STANDINGS = 2  # a hundred bytes a person each


class Snapshot:
    """The purchase history at one version of the lake, and standings folded from it.

    first_day, last_day: local days of the first and last event of any kind, None without events.
    first_order_day: None without orders.
    """

    def __init__(self, lake: Lake, history: PurchaseHistory, timezone: str) -> None:
        self._lake = lake
        self.history = history
        self.days = LocalDays(timezone)
        seen = history.first_seen[history.first_seen != NEVER]
        self.first_day = self.days.day(int(seen.min())) if len(seen) else None
        self.last_day = self.days.day(history.as_of - 1) if len(seen) else None
        self.first_order_day = self.days.day(int(history.ts.min())) if len(history.ts) else None
        self._standings: OrderedDict[tuple[int, int], Standing] = OrderedDict()
        self._rhythms: dict[int, Rhythm] = {}
        self.answers: dict[object, object] = {}  # of questions that depend on nothing but this history
        self._lock = threading.Lock()

    @property
    def newest_day(self) -> int:
        """The last day with data; today where there is no event at all."""
        if self.last_day is not None:
            return self.last_day
        today = dt.datetime.now(ZoneInfo(self.days.timezone)).date()
        return (today - dt.date(1970, 1, 1)).days

    def standing(self, as_of: int, window_days: int = 90, *, keep: bool = True) -> Standing:
        """Where everyone stands at the end of day `as_of`, engagement over the `window_days` up to it.

        keep: hold it for the next question (the last two are held).
        """
        key = (as_of, window_days)
        with self._lock:
            if key in self._standings:
                self._standings.move_to_end(key)
                return self._standings[key]
        seen = activity(
            self._lake, self.days, since=self.days.start(as_of - window_days + 1), until=self.days.end(as_of)
        )
        found = standing(self.history, self.days, as_of, seen)
        if keep:
            with self._lock:
                self._standings[key] = found
                while len(self._standings) > _KEPT_STANDINGS:
                    self._standings.popitem(last=False)
        return found

    def rhythm(self, standing: Standing) -> Rhythm:
        """The population's rhythm as known at the standing's day."""
        with self._lock:
            if standing.as_of in self._rhythms:
                return self._rhythms[standing.as_of]
        found = fit_rhythm(standing)
        with self._lock:
            self._rhythms[standing.as_of] = found
        return found

    def of_person(self, uid: int) -> PurchaseHistory:
        """One person's part of the history."""
        h = self.history
        low, high = (int(i) for i in np.searchsorted(h.uid, (uid, uid + 1)))
        refund_low, refund_high = (int(i) for i in np.searchsorted(h.refund_uid, (uid, uid + 1)))
        at, after = (int(i) for i in np.searchsorted(h.everyone, (uid, uid + 1)))
        return PurchaseHistory(
            uid=h.uid[low:high],
            ts=h.ts[low:high],
            amount=h.amount[low:high],
            refund_uid=h.refund_uid[refund_low:refund_high],
            refund_ts=h.refund_ts[refund_low:refund_high],
            refund_amount=h.refund_amount[refund_low:refund_high],
            everyone=h.everyone[at:after],
            first_seen=h.first_seen[at:after],
            currency=h.currency,
            as_of=h.as_of,
        )


class Snapshots:
    """Hands out the snapshot of now; reads the lake again only when it, its tail or the people changed."""

    def __init__(self, lake: Lake, people: People, settings: Settings) -> None:
        self._lake, self._people, self._settings = lake, people, settings
        self._lock = threading.Lock()
        self._held: tuple[int, object, int, Snapshot] | None = None
        self._everyone: tuple[int, npt.NDArray[np.int64]] | None = None

    def now(self) -> Snapshot:
        """The snapshot of this moment."""
        with self._lock:
            tail = self._lake.tail()
            version, revision = self._lake.version, self._people.revision()
            # The tail is one object until it changes; no rows are no rows, whichever object says so.
            rows = tail if tail.num_rows else None
            held = self._held
            if held is None or held[0] != version or held[1] is not rows or held[2] != revision:
                # The directory tells when it grew, so a million uids are not read again for every new order.
                if self._everyone is None or self._everyone[0] != revision:
                    self._everyone = revision, self._people.everyone()
                history = purchase_history(
                    self._lake, self._people, currency=self._settings.currency, everyone=self._everyone[1]
                )
                self._held = held = (version, rows, revision, Snapshot(self._lake, history, self._settings.timezone))
            return held[3]

    def forget(self) -> None:
        """Read everything again at the next question (people were removed)."""
        with self._lock:
            self._held = self._everyone = None
