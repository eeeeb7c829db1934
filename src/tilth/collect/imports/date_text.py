"""Compiled readers of one date: decoded characters in, wall-clock microseconds out.

`iso` is the short road for `YYYY-MM-DD[ HH:MM[:SS]]` straight from the bytes; `read_date` takes every
other form from an array of `symbols` codes.
"""

from __future__ import annotations

import numpy as np

from tilth.collect.imports.symbols import AFTERNOON, DAY, HOUR, MINUTE, MONTH, MORNING, SECOND, SKIPPED, YEAR
from tilth.compiled import njit

__all__ = ["BAD", "CONFLICT", "DMY", "EMPTY", "MDY", "MONTHS", "OK", "WEEKDAYS", "YMD", "iso", "read_date"]

OK, EMPTY, BAD, CONFLICT = 0, 1, 2, 3
YMD, DMY, MDY = 1, 2, 4
_DAY_US = 86_400_000_000
MONTHS = np.array(
    [sum(ord(c) << (16 - 8 * i) for i, c in enumerate(m)) for m in
     ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]], np.int64
)  # fmt: skip
WEEKDAYS = np.array(
    [sum(ord(c) << (16 - 8 * i) for i, c in enumerate(d)) for d in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]],
    np.int64,
)


@njit(cache=True, nogil=True)
def _days(y, m, d):  # type: ignore[no-untyped-def]
    """Days since 1970-01-01 in the Gregorian calendar (H. Hinnant's algorithm)."""
    if m <= 2:
        y -= 1
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (m + (-3 if m > 2 else 9)) + 2) // 5 + d - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@njit(cache=True, nogil=True)
def _valid(y, m, d):  # type: ignore[no-untyped-def]
    if y < 1 or y > 9999 or m < 1 or m > 12 or d < 1 or d > 31:
        return False
    if d <= 28:
        return True
    if m == 2:
        return d == 29 and y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)
    return d <= 30 or m not in (4, 6, 9, 11)


@njit(cache=True, nogil=True)
def _number(b, i, n):  # type: ignore[no-untyped-def]
    """(value, digits, next position); at most 18 digits."""
    value, count = 0, 0
    while i < n and 48 <= b[i] <= 57 and count < 18:
        value = value * 10 + (b[i] - 48)
        count += 1
        i += 1
    return value, count, i


@njit(cache=True, nogil=True)
def _word(b, i, n):  # type: ignore[no-untyped-def]
    """(first three letters packed in lower case, letters, next position)."""
    packed, count = 0, 0
    while i < n and (65 <= b[i] <= 90 or 97 <= b[i] <= 122):
        if count < 3:
            packed = packed * 256 + (b[i] | 32)
        count += 1
        i += 1
    return packed, count, i


@njit(cache=True, nogil=True)
def _month_named(packed, count, months):  # type: ignore[no-untyped-def]
    if count < 3:
        return 0
    for k in range(12):
        if months[k] == packed:
            return k + 1
    return 0


@njit(cache=True, nogil=True)
def _blanks(b, i, n):  # type: ignore[no-untyped-def]
    while i < n and (b[i] == 32 or b[i] == SKIPPED):
        i += 1
    return i


@njit(cache=True, nogil=True)
def _century(value, digits):  # type: ignore[no-untyped-def]
    """A year of two digits as POSIX reads it: 69..99 are 19xx, 00..68 are 20xx."""
    if digits > 2:
        return value
    return value + (1900 if value >= 69 else 2000)


@njit(cache=True, nogil=True)
def _clock(b, i, n):  # type: ignore[no-untyped-def]
    """(µs of day, position or -1). Reads `8`..`08:26:00.123`, with AM/PM words before or after."""
    half = 0
    if i < n and (b[i] == MORNING or b[i] == AFTERNOON):
        half = b[i]
        i = _blanks(b, i + 1, n)
    hour, digits, i = _number(b, i, n)
    minute, second, micro = 0, 0, 0
    if digits == 6 or digits == 4:
        if digits == 6:
            second = hour % 100
            hour //= 100
        minute = hour % 100
        hour //= 100
    elif digits < 1 or digits > 2:
        return 0, -1
    elif i < n and (b[i] == 58 or b[i] == HOUR):
        minute, count, i = _number(b, i + 1, n)
        if count > 2:
            return 0, -1
        if count == 0 and (i == 0 or b[i - 1] != HOUR):
            return 0, -1
        if i < n and (b[i] == 58 or b[i] == MINUTE):
            second, count, i = _number(b, i + 1, n)
            if count > 2 or (count == 0 and b[i - 1] != MINUTE):
                return 0, -1
            if i < n and b[i] == SECOND:
                i += 1
    elif half == 0:
        # A bare hour is only a time when AM or PM says so: `1 Jan 2011 5 PM`.
        j = _blanks(b, i, n)
        packed, count, _ = _word(b, j, n)
        if count != 2 or not (packed == 24941 or packed == 28781):
            return 0, -1
    if i + 1 < n and (b[i] == 46 or b[i] == 44 or b[i] == 58) and 48 <= b[i + 1] <= 57:
        i += 1
        places = 0
        while i < n and 48 <= b[i] <= 57:
            if places < 6:
                micro = micro * 10 + (b[i] - 48)
                places += 1
            i += 1
        for _ in range(6 - places):
            micro *= 10
    j = _blanks(b, i, n)
    if j + 1 < n and (b[j] | 32 == 97 or b[j] | 32 == 112):
        after = j + 1
        if b[after] == 46:
            after += 1
        if after < n and b[after] | 32 == 109:
            half = MORNING if b[j] | 32 == 97 else AFTERNOON
            i = after + 1
            if i < n and b[i] == 46:
                i += 1
    if half != 0:
        if hour > 12 and half == MORNING:
            return 0, -1
        if hour == 12:
            hour = 0 if half == MORNING else 12
        elif half == AFTERNOON and hour < 12:
            hour += 12
    if hour == 24 and minute == 0 and second == 0 and micro == 0:
        return 86_400_000_000, i
    if hour > 23 or minute > 59 or second > 60:
        return 0, -1
    if second == 60:  # a leap second is told as the second before it
        second = 59
    return (hour * 3600 + minute * 60 + second) * 1_000_000 + micro, i


@njit(cache=True, nogil=True)
def _offset(b, i, n):  # type: ignore[no-untyped-def]
    """(has one, minutes east, position or -1 when malformed)."""
    i = _blanks(b, i, n)
    if i >= n:
        return False, 0, i
    if b[i] == 90 or b[i] == 122:
        return True, 0, _blanks(b, i + 1, n)
    if 65 <= b[i] <= 90:
        packed, count, j = _word(b, i, n)
        if count == 3 and (packed == 7697507 or packed == 6778228):  # utc, gmt
            i = _blanks(b, j, n)
            if i >= n:
                return True, 0, i
        else:
            return False, 0, -1
    if b[i] != 43 and b[i] != 45:
        return False, 0, -1
    sign = 1 if b[i] == 43 else -1
    hours, count, i = _number(b, i + 1, n)
    minutes = 0
    if count == 4:
        minutes = hours % 100
        hours //= 100
    elif count == 1 or count == 2:
        if i < n and b[i] == 58:
            minutes, count, i = _number(b, i + 1, n)
            if count != 2:
                return False, 0, -1
    else:
        return False, 0, -1
    if hours > 15 or minutes > 59:
        return False, 0, -1
    return True, sign * (hours * 60 + minutes), _blanks(b, i, n)


@njit(cache=True, nogil=True)
def _orders_of(a, ad, b, c, cd):  # type: ignore[no-untyped-def]
    """Which orders the numbers a, b, c (a and c with their digits) can be a date in."""
    feasible = 0
    if ad == 4 and cd <= 2:
        return YMD if _valid(a, b, c) else 0
    if cd == 4 or cd == 2 or cd == 1:
        if cd != 1:
            year = _century(c, cd)
            if ad <= 2 and _valid(year, b, a):
                feasible |= DMY
            if ad <= 2 and _valid(year, a, b):
                feasible |= MDY
        if ad == 2 and cd <= 2 and _valid(_century(a, ad), b, c):
            feasible |= YMD
    return feasible


@njit(cache=True, nogil=True)
def _in_order(order, a, ad, b, c, cd):  # type: ignore[no-untyped-def]
    """Days since 1970 of the numbers read in one order."""
    if order == YMD:
        return _days(_century(a, ad), b, c)
    year = _century(c, cd)
    return _days(year, b, a) if order == DMY else _days(year, a, b)


@njit(cache=True, nogil=True)
def read_date(b, n, order, months, weekdays):  # type: ignore[no-untyped-def]
    """(status, local µs, has offset, offset minutes, feasible orders, readings differ)."""
    bad = (BAD, 0, False, 0, 0, False)
    i = _blanks(b, 0, n)
    if i >= n:
        return EMPTY, 0, False, 0, 0, False
    day = 0
    time_of_day = 0
    feasible = 0
    differs = False
    if 48 <= b[i] <= 57:
        start = i
        first, digits, i = _number(b, i, n)
        if i == n or (b[i] == 46 and digits >= 5) or (digits == 8 and (b[i] == 32 or b[i] == 84)) or digits > 8:
            # Digits only: compact dates, epochs and Excel serials are told apart by their length.
            if digits == 8:
                y, m, d = first // 10000, first // 100 % 100, first % 100
                if not _valid(y, m, d) or y < 1900 or y > 2199:
                    return bad
                day = _days(y, m, d)
                if i == n:
                    return OK, day * _DAY_US, False, 0, 0, False
                i = _blanks(b, i + 1, n)
                if i == n:
                    return OK, day * _DAY_US, False, 0, 0, False
                time_of_day, i = _clock(b, i, n)
                if i < 0:
                    return bad
                has, minutes, i = _offset(b, i, n)
                if i < 0 or i != n:
                    return bad
                return OK, day * _DAY_US + time_of_day, has, minutes, 0, False
            if digits == 14 or digits == 12:
                stamp = first if digits == 14 else first * 100
                y, m, d = stamp // 10**10, stamp // 10**8 % 100, stamp // 10**6 % 100
                hh, mm, ss = stamp // 10**4 % 100, stamp // 100 % 100, stamp % 100
                if i != n or not _valid(y, m, d) or y < 1900 or y > 2199 or hh > 23 or mm > 59 or ss > 59:
                    return bad
                return OK, _days(y, m, d) * _DAY_US + (hh * 3600 + mm * 60 + ss) * 1_000_000, False, 0, 0, False
            fraction, places = 0, 1
            if i < n:
                i += 1
                taken = 0
                while i < n and 48 <= b[i] <= 57:
                    if taken < 12:
                        fraction = fraction * 10 + (b[i] - 48)
                        places *= 10
                        taken += 1
                    i += 1
                if i != n:
                    return bad
            if digits == 5 and 18264 <= first <= 73051 and start == _blanks(b, 0, n):  # 1950..2100
                milli = np.int64(np.floor(np.float64(fraction) / np.float64(places) * 86_400_000.0 + 0.5))
                return OK, (first - 25569) * _DAY_US + milli * 1000, False, 0, 0, False
            micro = np.int64(np.float64(fraction) / np.float64(places) * 1e6)
            if digits == 10:
                return OK, first * 1_000_000 + micro, True, 0, 0, False
            if digits == 13:
                return OK, first * 1000, True, 0, 0, False
            if digits == 16:
                return OK, first, True, 0, 0, False
            return bad
        sep = b[i]
        if sep == YEAR or sep == 45 or sep == 47 or sep == 46:
            i = _blanks(b, i + 1, n)
            packed, letters, after = _word(b, i, n)
            if letters:
                month = _month_named(packed, letters, months)
                i = after
                if month == 0 or i >= n or (b[i] != sep and b[i] != 32):
                    return bad
                third, third_digits, i = _number(b, i + 1, n)
                if digits == 4:
                    y, d = first, third
                else:
                    if third_digits != 2 and third_digits != 4:
                        return bad
                    y, d = _century(third, third_digits), first
                if not _valid(y, month, d):
                    return bad
                day = _days(y, month, d)
            else:
                second, second_digits, i = _number(b, i, n)
                if second_digits < 1 or second_digits > 2 or i >= n:
                    return bad
                if b[i] != sep and not (sep == YEAR and b[i] == MONTH):
                    return bad
                i = _blanks(b, i + 1, n)
                third, third_digits, i = _number(b, i, n)
                if third_digits < 1 or third_digits > 4 or third_digits == 3 or digits > 4 or digits == 3:
                    return bad
                if i < n and b[i] == DAY:
                    i += 1
                if sep == YEAR:
                    y = _century(first, digits)
                    if not _valid(y, second, third) or third_digits > 2:
                        return bad
                    day = _days(y, second, third)
                elif digits == 4:
                    if third_digits > 2 or not _valid(first, second, third):
                        return bad
                    day = _days(first, second, third)
                else:
                    feasible = _orders_of(first, digits, second, third, third_digits)
                    if feasible == 0:
                        return bad
                    chosen = order & feasible
                    if order != 0 and chosen == 0:
                        return CONFLICT, 0, False, 0, feasible, False
                    if chosen == 0:
                        chosen = feasible
                    one = 0
                    for candidate in (YMD, DMY, MDY):
                        if feasible & candidate:
                            other = _in_order(candidate, first, digits, second, third, third_digits)
                            if one != 0 and other != one:
                                differs = True
                            one = other
                    for candidate in (DMY, MDY, YMD):
                        if chosen & candidate:
                            day = _in_order(candidate, first, digits, second, third, third_digits)
                            break
        elif sep == 32 or 65 <= sep <= 90 or 97 <= sep <= 122:
            i = _blanks(b, i, n)
            packed, letters, i = _word(b, i, n)
            month = _month_named(packed, letters, months)
            if month == 0 or digits > 2:
                return bad
            while i < n and (b[i] == 32 or b[i] == 44 or b[i] == 46 or b[i] == 45):
                i += 1
            year, year_digits, i = _number(b, i, n)
            year = _century(year, year_digits)
            if (year_digits != 4 and year_digits != 2) or not _valid(year, month, first):
                return bad
            day = _days(year, month, first)
        else:
            return bad
    else:
        packed, letters, i = _word(b, i, n)
        if letters < 3:
            return bad
        for k in range(7):
            if weekdays[k] == packed:
                while i < n and (b[i] == 32 or b[i] == 44 or b[i] == 46):
                    i += 1
                if i < n and 48 <= b[i] <= 57:
                    # `Fri, 01 Jan 2011 …`: the rest is an ordinary date.
                    for j in range(n - i):
                        b[j] = b[i + j]
                    return _numbered(b, n - i, order, months)
                packed, letters, i = _word(b, i, n)
                break
        month = _month_named(packed, letters, months)
        if month == 0:
            return bad
        while i < n and (b[i] == 32 or b[i] == 45 or b[i] == 46):
            i += 1
        d, digits, i = _number(b, i, n)
        if digits < 1 or digits > 2:
            return bad
        if i + 1 < n and b[i] | 32 in (115, 110, 114, 116):  # 1st, 2nd, 3rd, 4th
            i += 2
        while i < n and (b[i] == 32 or b[i] == 44 or b[i] == 45):
            i += 1
        keep = i
        year, digits, i = _number(b, i, n)
        if digits <= 2 and i < n and b[i] == 58:
            # `Jan  1 08:26:00 2011`, as the C library writes it.
            time_of_day, i = _clock(b, keep, n)
            if i < 0:
                return bad
            i = _blanks(b, i, n)
            year, digits, i = _number(b, i, n)
            if digits != 4 or i != n or not _valid(year, month, d):
                return bad
            return OK, _days(year, month, d) * _DAY_US + time_of_day, False, 0, 0, False
        year = _century(year, digits)
        if (digits != 4 and digits != 2) or not _valid(year, month, d):
            return bad
        day = _days(year, month, d)
    has, minutes = False, 0
    if i < n:
        before = i
        while i < n and (b[i] == 32 or b[i] == 44 or b[i] == 84 or b[i] == 116 or b[i] == SKIPPED or b[i] == 45):
            i += 1
        if i < n:
            if i == before and b[i] != MORNING and b[i] != AFTERNOON and b[before - 1] != DAY:
                return bad
            time_of_day, i = _clock(b, i, n)
            if i < 0:
                return bad
            has, minutes, i = _offset(b, i, n)
            if i < 0 or i != n:
                return bad
        elif b[before] == 45 or b[before] == 84:
            return bad
    return OK, day * _DAY_US + time_of_day, has, minutes, feasible, differs


@njit(cache=True, nogil=True)
def _numbered(b, n, order, months):  # type: ignore[no-untyped-def]
    """A date after its weekday: day, month name, year, and perhaps a time."""
    bad = (BAD, 0, False, 0, 0, False)
    d, _, i = _number(b, 0, n)
    while i < n and (b[i] == 32 or b[i] == 45):
        i += 1
    packed, letters, i = _word(b, i, n)
    month = _month_named(packed, letters, months)
    if month == 0:
        return bad
    while i < n and (b[i] == 32 or b[i] == 44 or b[i] == 45):
        i += 1
    year, year_digits, i = _number(b, i, n)
    year = _century(year, year_digits)
    if (year_digits != 4 and year_digits != 2) or not _valid(year, month, d):
        return bad
    time_of_day = 0
    has, minutes = False, 0
    i = _blanks(b, i, n)
    if i < n:
        time_of_day, i = _clock(b, i, n)
        if i < 0:
            return bad
        has, minutes, i = _offset(b, i, n)
        if i < 0 or i != n:
            return bad
    return OK, _days(year, month, d) * _DAY_US + time_of_day, has, minutes, 0, False


@njit(cache=True, nogil=True)
def _two(data, at):  # type: ignore[no-untyped-def]
    """Two digits as a number, or -1."""
    a, b = np.int64(data[at]) - 48, np.int64(data[at + 1]) - 48
    if a < 0 or a > 9 or b < 0 or b > 9:
        return -1
    return a * 10 + b


@njit(cache=True, nogil=True)
def iso(data, at, end):  # type: ignore[no-untyped-def]
    """Local µs of `YYYY-MM-DD[ T]HH:MM[:SS]` or `YYYY-MM-DD`, else -1: by far the commonest, so it has its own road."""
    size = end - at
    if size != 10 and size != 16 and size != 19:
        return -1
    sep = data[at + 4]
    if (sep != 45 and sep != 47) or data[at + 7] != sep:
        return -1
    century, year, month, day = _two(data, at), _two(data, at + 2), _two(data, at + 5), _two(data, at + 8)
    if century < 0 or year < 0 or not _valid(century * 100 + year, month, day):
        return -1
    local = _days(century * 100 + year, month, day) * _DAY_US
    if size == 10:
        return local
    if (data[at + 10] != 32 and data[at + 10] != 84) or data[at + 13] != 58:
        return -1
    hour, minute, second = _two(data, at + 11), _two(data, at + 14), 0
    if size == 19:
        if data[at + 16] != 58:
            return -1
        second = _two(data, at + 17)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    return local + (hour * 3600 + minute * 60 + second) * 1_000_000
