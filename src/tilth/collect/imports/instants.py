"""Dates of every usual form to instants: numeric, Chinese, with month names, Excel serials, `19970101`, epochs.

A value with its own offset (`Z`, `+08:00`) is that instant; any other is wall-clock time in the zone
of the import. A clock time that occurs twice (autumn) is the first; one that does not occur (spring)
is read with the offset before the change, as Python does.

`03/04/2011` is two dates. Which order a column uses is never assumed: each value says which orders it
can be read in (`Parsed.orders`), and the import asks when they leave a choice or contradict each other.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tilth.collect.imports.date_text import BAD, CONFLICT, DMY, EMPTY, MDY, MONTHS, OK, WEEKDAYS, YMD, iso, read_date
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.symbols import symbol
from tilth.compiled import njit

__all__ = ["BAD", "CONFLICT", "DMY", "EMPTY", "MDY", "OK", "ORDERS", "YMD", "Parsed", "parse_instants"]

ORDERS = {"ymd": YMD, "dmy": DMY, "mdy": MDY}

_WIDTH = 64


@dataclass(frozen=True)
class Parsed:
    """One column of instants.

    ts: UTC µs where status is OK. status: OK, EMPTY, BAD (no date), CONFLICT (a date, but not in the
    order asked for). orders: which of YMD | DMY | MDY the value could be read in when its parts are
    numbers in a doubtful order, else 0. differs: those readings are different days.
    """

    ts: npt.NDArray[np.int64]
    status: npt.NDArray[np.uint8]
    orders: npt.NDArray[np.uint8]
    differs: npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _parse(data, starts, ends, order, walls, offsets, months, weekdays, ts, status, orders, differs):  # type: ignore[no-untyped-def]
    b = np.empty(_WIDTH, np.int64)
    piece = 0
    for i in range(len(starts)):
        local = iso(data, starts[i], ends[i])
        has, minutes = False, 0
        orders[i] = 0
        differs[i] = False
        if local >= 0:
            status[i] = OK
        else:
            at, end, n = starts[i], ends[i], 0
            while at < end and n < _WIDTH:
                code, width = symbol(data, at, end)
                b[n] = code
                n += 1
                at += width
            while n > 0 and b[n - 1] == 32 and at >= end:
                n -= 1
            if at < end:
                status[i], ts[i] = BAD, 0
                continue
            state, local, has, minutes, orders[i], differs[i] = read_date(b, n, order, months, weekdays)
            status[i] = state
            if state != OK:
                ts[i] = 0
                continue
        if has:
            ts[i] = local - minutes * 60_000_000
        else:
            # Rows near each other are mostly in the same piece of the zone's history.
            if not (walls[piece] <= local and (piece + 1 == len(walls) or local < walls[piece + 1])):
                piece = max(np.searchsorted(walls, local, side="right") - 1, 0)
            ts[i] = local - offsets[piece]


@functools.lru_cache(maxsize=32)
def zone_pieces(timezone: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(wall-clock µs from which each offset holds, offset in µs) of a zone, 1900 to 2100."""
    zone = zoneinfo.ZoneInfo(timezone)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    def offset(seconds: int) -> int:
        moment = (epoch + dt.timedelta(seconds=seconds)).astimezone(zone)
        found = moment.utcoffset()
        assert found is not None, "a zone always has an offset"
        return int(found.total_seconds())

    first = int((dt.datetime(1900, 1, 1, tzinfo=dt.UTC) - epoch).total_seconds())
    last = int((dt.datetime(2100, 1, 1, tzinfo=dt.UTC) - epoch).total_seconds())
    walls, offsets = [np.iinfo(np.int64).min // 4], [offset(first)]
    step = 6 * 86_400
    for low in range(first, last, step):
        before, after = offset(low), offset(low + step)
        if before == after:
            continue
        a, b = low, low + step
        while b - a > 1:
            middle = (a + b) // 2
            a, b = (middle, b) if offset(middle) == before else (a, middle)
        walls.append((b + max(before, after)) * 1_000_000)
        offsets.append(after)
    return np.array(walls, np.int64), np.array(offsets, np.int64) * 1_000_000


def parse_instants(column: Spans, timezone: str, order: str | None = None) -> Parsed:
    """Read a column of dates and times. order: `ymd`, `dmy`, `mdy`, or None to take whatever is possible.

    With None, a value of doubtful order is read day first when it can be; look at `orders` and
    `differs` before trusting it.
    """
    n = len(column)
    result = Parsed(np.empty(n, np.int64), np.empty(n, np.uint8), np.empty(n, np.uint8), np.empty(n, np.bool_))
    walls, offsets = zone_pieces(timezone)
    wanted = ORDERS[order] if order is not None else 0
    _parse(
        column.data, column.starts, column.ends, wanted, walls, offsets, MONTHS, WEEKDAYS, result.ts, result.status,
        result.orders, result.differs,
    )  # fmt: skip
    return result
