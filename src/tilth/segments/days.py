"""Local calendar days for arrays of instants.

A day belongs to a named zone: an order at 2026-03-01T17:00Z is on 2 March in Shanghai. Days are
counted from 1970-01-01 (day 0) of that zone's calendar.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo

import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput

__all__ = ["DAY_US", "LocalDays", "day_text", "parse_day"]

DAY_US = 86_400_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = dt.date(1970, 1, 1)

Int64 = npt.NDArray[np.int64]


def parse_day(text: str, field: str = "as_of") -> int:
    """The number of the day written `YYYY-MM-DD`."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, f"{text!r} is not a day; write YYYY-MM-DD") from None
    return (day - _EPOCH_DAY).days


def day_text(day: int) -> str:
    """`YYYY-MM-DD` of a day number."""
    return (_EPOCH_DAY + dt.timedelta(days=int(day))).isoformat()


class LocalDays:
    """Day numbers of one time zone.

    `of(ts)` turns UTC microseconds into day numbers, `start(day)` gives the instant a day begins.
    Offsets are looked up in a table of the zone's changes since 1970, so a million instants take
    milliseconds.
    """

    def __init__(self, timezone: str) -> None:
        self.timezone = timezone
        self._zone = zoneinfo.ZoneInfo(timezone)
        self._changes, self._offsets = _offset_table(timezone)

    @property
    def table(self) -> tuple[Int64, Int64]:
        """Instants at which the offset changes (ascending), and the offsets (µs) before, between and after them."""
        return self._changes, self._offsets

    def of(self, ts: Int64) -> Int64:
        """int64[n]: the local day of each instant (UTC µs)."""
        if len(self._changes) == 0:
            return (ts + self._offsets[0]) // DAY_US
        return (ts + self._offsets[np.searchsorted(self._changes, ts, side="right")]) // DAY_US

    def day(self, ts: int) -> int:
        return int(self.of(np.array([ts], dtype=np.int64))[0])

    def start(self, day: int) -> int:
        """UTC µs at which the local day begins (the first instant that belongs to it)."""
        date = _EPOCH_DAY + dt.timedelta(days=int(day))
        local = dt.datetime(date.year, date.month, date.day, tzinfo=self._zone)
        guess = (local - _EPOCH) // dt.timedelta(microseconds=1)
        # Where clocks jump over midnight the guess lies in a day that does not have it.
        return guess if self.day(guess) == day else guess + _gap_after(self, guess, day)

    def end(self, day: int) -> int:
        """UTC µs at which the local day has ended: the first instant of the next."""
        return self.start(day + 1)


def _gap_after(days: LocalDays, guess: int, day: int) -> int:
    step = 60_000_000
    for minutes in range(-180, 181):
        if days.day(guess + minutes * step) == day and days.day(guess + minutes * step - 1) < day:
            return minutes * step
    return 0


@functools.lru_cache(maxsize=32)
def _offset_table(timezone: str) -> tuple[Int64, Int64]:
    """Instants (UTC µs) at which the zone's offset changes, and the offsets between them (one more)."""
    zone = zoneinfo.ZoneInfo(timezone)

    def offset(second: int) -> int:
        moment = _EPOCH + dt.timedelta(seconds=second)
        shift = moment.astimezone(zone).utcoffset()
        assert shift is not None
        return int(shift.total_seconds())

    # Changes are at least a week apart in practice; look weekly and bisect each change to the second.
    week = 7 * 86_400
    horizon = 70 * 365 * 86_400
    changes: list[int] = []
    offsets = [offset(0)]
    for second in range(week, horizon, week):
        now = offset(second)
        if now != offsets[-1]:
            low, high = second - week, second
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            changes.append(high * 1_000_000)
            offsets.append(now)
    return np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64) * 1_000_000
