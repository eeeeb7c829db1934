"""Since when is a person in their layer?

The layering's fitted rule is applied to the person as they stood on each earlier day, so the answer
does not depend on when somebody happened to compute a layering.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tilth.segments.days import LocalDays
from tilth.segments.history import NEVER, PurchaseHistory
from tilth.segments.layering import Assignment
from tilth.segments.standing import NONE, Standing

__all__ = ["day_by_day", "unbroken_since"]

Int64 = npt.NDArray[np.int64]


def day_by_day(
    person: PurchaseHistory, days: LocalDays, first: int, last: int, seen: Int64, window_days: int
) -> Standing:
    """One person's standing at the end of each day from `first` to `last`, a row a day.

    person: a history of this person alone. seen: the local days with any event, ascending, each once;
    engagement counts those within `window_days`.
    """
    on = np.arange(first, last + 1)
    n = len(on)
    bought = days.of(person.ts)
    refunded = np.sort(days.of(person.refund_ts))
    count = np.searchsorted(bought, on, side="right")
    has = count > 0
    before = np.maximum(count - 1, 0)
    money = np.concatenate(([0], np.cumsum(person.amount)))
    returned = np.concatenate(([0], np.cumsum(person.refund_amount)))
    distinct = np.unique(bought)
    buying_days = np.searchsorted(distinct, on, side="right")
    logs = np.concatenate(([0.0, 0.0], np.cumsum(np.log(np.diff(distinct)))))
    upto = np.searchsorted(seen, on, side="right")
    active = upto - np.searchsorted(seen, on - window_days, side="right")
    nobody = len(person.ts) == 0
    last_day = np.zeros(n, np.int64) if nobody else bought[before]
    return Standing(
        as_of=last,
        currency=person.currency,
        uid=np.full(n, person.everyone[0] if len(person.everyone) else 0),
        orders=count,
        revenue=money[count],
        refunds=returned[np.searchsorted(refunded, on, side="right")],
        recency=np.where(has, on - last_day, NONE),
        tenure=np.where(has, on - (0 if nobody else int(bought[0])), NONE),
        buying_days=buying_days,
        gap_logs=logs[buying_days] if len(distinct) else np.zeros(n),
        last_ts=np.full(n, NEVER) if nobody else np.where(has, person.ts[before], NEVER),
        seen_recency=np.where(active > 0, on - (seen[np.maximum(upto - 1, 0)] if len(seen) else 0), NONE),
        active_days=active,
        events=np.zeros(n, np.int64),
        value=np.full(n, np.nan),
    )


def unbroken_since(rows: Standing, assignment: Assignment, key: str) -> int | None:
    """The first day of the last unbroken stretch in layer `key`, ending with the last row; None if that is another."""
    places = [i for i, layer in enumerate(assignment.layers) if layer.key == key]
    if not places or len(rows) == 0:
        return None
    inside = assignment.codes == places[0]
    if not inside[-1]:
        return None
    breaks = np.flatnonzero(~inside)
    stretch = len(inside) - (int(breaks[-1]) + 1 if len(breaks) else 0)
    return rows.as_of - stretch + 1
