"""Calendar days and months of a named zone, for arrays of instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

__all__ = ["day_of", "day_start", "month_of", "month_starts"]

Int64 = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(ts: int, timezone: str) -> date:
    """The calendar day of an instant (UTC µs)."""
    return (_EPOCH + timedelta(microseconds=int(ts))).astimezone(ZoneInfo(timezone)).date()


def day_start(day: date, timezone: str) -> int:
    """UTC µs of the day's midnight in the zone."""
    return (datetime.combine(day, time.min, tzinfo=ZoneInfo(timezone)) - _EPOCH) // timedelta(microseconds=1)


def month_starts(first: int, last: int, timezone: str) -> tuple[list[str], Int64]:
    """The months that hold the instants `first`..`last`: names `YYYY-MM` and where each begins (UTC µs)."""
    names, starts = [], []
    day, end = day_of(first, timezone).replace(day=1), day_of(last, timezone)
    while day <= end:
        names.append(f"{day:%Y-%m}")
        starts.append(day_start(day, timezone))
        day = (day + timedelta(days=32)).replace(day=1)
    return names, np.array(starts, dtype=np.int64)


def month_of(ts: Int64, starts: Int64) -> Int64:
    """For each instant the index of its month in `starts`."""
    return np.searchsorted(starts, ts, side="right").astype(np.int64) - 1
