"""Calendar of a question: its zone, range, periods and durations.

A day belongs to a named zone, so 2026-03-01T17:00Z is 2 March in Shanghai. Instants are int64 UTC µs.
Where a local time does not exist or exists twice, the offset before the change counts (PEP 495, fold 0).
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput, LimitReached
from tilth.settings import check_timezone

__all__ = [
    "INTERVALS",
    "NO_WINDOW",
    "Duration",
    "Periods",
    "Range",
    "Span",
    "Zone",
    "parse_duration",
    "parse_range",
    "periods_of",
    "zone_of",
]

Int64 = npt.NDArray[np.int64]
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
INTERVALS = ("hour", "day", "week", "month")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_PERIODS = 20_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY, "w": 7 * DAY}
_LONGEST = 36_525 * DAY  # a hundred years


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The days a question looks at, both included: `{"from": "2026-06-01", "to": "2026-06-30"}`.

    `{"last": "30d"}` is today and the 29 days before; with h, m or s it ends now. Where one end is
    left out the range is open there.
    """

    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Span:
    """Instants from `first` until before `end` (UTC µs). Open ends are the limits of int64."""

    first: int
    end: int

    OPEN_FIRST = np.iinfo(np.int64).min + 1
    OPEN_END = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Duration:
    """A length of time: fixed µs, or calendar months (then `us` is 0)."""

    us: int
    months: int

    def describe(self) -> str:
        return f"{self.months}mo" if self.months else f"{self.us / SECOND:g}s"


NO_WINDOW = Duration(us=np.iinfo(np.int64).max, months=0)


@dataclass(frozen=True)
class Periods:
    """Consecutive periods: the k-th runs from bounds[k] until before bounds[k+1]. labels: local starts."""

    interval: str
    bounds: Int64
    labels: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def running(self, now: int) -> str | None:
        """The label of the period that is not over at `now` (UTC µs), where it is one of these."""
        at = self.index(now)
        return self.labels[at] if 0 <= at < len(self.labels) else None

    def at(self, label: str) -> int:
        """The number of a period by its label. Raises `InvalidInput`."""
        if label not in self.labels:
            raise InvalidInput("period", f"{label[:40]!r} is not a period of this answer")
        return self.labels.index(label)

    def index(self, ts: int) -> int:
        """The period an instant is in; -1 before the first, len(self) after the last."""
        return int(np.searchsorted(self.bounds, ts, side="right")) - 1


class Zone:
    """A time zone's calendar, with the tables the kernels need (`changes`, `offsets`: µs)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.info = zoneinfo.ZoneInfo(name)
        self.changes, self.offsets = _offset_table(name)

    def local(self, ts: int) -> dt.datetime:
        """The local date and time of an instant."""
        return (_EPOCH + dt.timedelta(microseconds=ts)).astimezone(self.info)

    def date(self, ts: int) -> dt.date:
        return self.local(ts).date()

    def start(self, day: dt.date) -> int:
        """The first instant of a local day."""
        guess = self.instant(dt.datetime(day.year, day.month, day.day))
        if self.date(guess - 1) >= day and len(self.changes):
            # Clocks jumped over midnight: the day begins at the jump.
            guess = int(self.changes[np.searchsorted(self.changes, guess, side="right") - 1])
        return guess

    def instant(self, local: dt.datetime) -> int:
        """UTC µs of a local date and time without zone."""
        return (local.replace(tzinfo=self.info, fold=0) - _EPOCH) // dt.timedelta(microseconds=1)

    def add_months(self, ts: int, months: int) -> int:
        """The same local time so many months later; a day the month does not have becomes its last."""
        local = self.local(ts).replace(tzinfo=None)
        number = local.year * 12 + local.month - 1 + months
        year, month = divmod(number, 12)
        day = min(local.day, _month_length(year, month + 1))
        return self.instant(local.replace(year=year, month=month + 1, day=day))


@functools.lru_cache(maxsize=64)
def zone_of(name: str) -> Zone:
    """The zone of an IANA name. Raises `InvalidInput("timezone", …)`."""
    return Zone(check_timezone(name))


def parse_duration(text: object, field: str) -> Duration:
    """`45s 10m 2h 7d 4w 3mo` as a duration; zero and more than a hundred years are refused."""
    if not isinstance(text, str):
        raise InvalidInput(field, "must be a duration such as 45s, 10m, 2h, 7d, 4w or 3mo")
    match = re.fullmatch(r"\s*(\d{1,15})\s*(s|m|h|d|w|mo)\s*", text, re.ASCII)
    if match is None:
        raise InvalidInput(field, f"{text[:40]!r} is not a duration; write 45s, 10m, 2h, 7d, 4w or 3mo")
    number, unit = int(match[1]), match[2]
    if number == 0:
        raise InvalidInput(field, "must be longer than zero")
    if (unit == "mo" and number > 1200) or (unit != "mo" and number * _UNITS[unit] > _LONGEST):
        raise InvalidInput(field, "is longer than a hundred years; leave the window out instead")
    return Duration(us=0, months=number) if unit == "mo" else Duration(us=number * _UNITS[unit], months=0)


def parse_day(text: str, field: str) -> dt.date:
    """A day written `YYYY-MM-DD`."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, f"{text[:40]!r} is not a day; write YYYY-MM-DD") from None


def parse_range(asked: Range | None, zone: Zone, now: int) -> Span:
    """The instants of a range. now: UTC µs, what relative ranges are measured from."""
    if asked is None:
        return Span(Span.OPEN_FIRST, Span.OPEN_END)
    if asked.last is not None:
        if asked.from_ is not None or asked.to is not None:
            raise InvalidInput("range.last", "cannot be combined with from and to")
        return _last(parse_duration(asked.last, "range.last"), asked.last, zone, now)
    first, end = Span.OPEN_FIRST, Span.OPEN_END
    begin = parse_day(asked.from_, "range.from") if asked.from_ is not None else None
    until = parse_day(asked.to, "range.to") if asked.to is not None else None
    if begin is None and until is None:
        raise InvalidInput("range", 'must have from and to, or last, such as {"last": "30d"}')
    if begin is not None and until is not None and begin > until:
        raise InvalidInput("range", f"is backwards: {begin} is after {until}")
    for day, field in ((begin, "range.from"), (until, "range.to")):
        if day is not None and not 1900 <= day.year <= 2200:
            raise InvalidInput(field, "must be between 1900 and 2200")
    if begin is not None:
        first = zone.start(begin)
    if until is not None:
        end = zone.start(until + dt.timedelta(days=1))
    return Span(first, end)


def _last(length: Duration, text: str, zone: Zone, now: int) -> Span:
    if length.months == 0 and not text.strip().endswith(("d", "w")):
        return Span(now - length.us, now)
    today = zone.date(now)
    if length.months:
        begin = _back_months(today, length.months) + dt.timedelta(days=1)
    else:
        try:
            begin = today - dt.timedelta(days=length.us // DAY - 1)
        except OverflowError:
            raise InvalidInput("range.last", "reaches before year 1") from None
    return Span(zone.start(begin), zone.start(today + dt.timedelta(days=1)))


def _back_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, _month_length(year, month + 1)))


def periods_of(
    interval: str, first: int, end: int, zone: Zone, week_starts: str = "monday", field: str = "interval"
) -> Periods:
    """The periods from the one that holds `first` to the one that holds the last instant before `end`."""
    if interval not in INTERVALS:
        raise InvalidInput(field, f"{interval!r} is not an interval", list(INTERVALS))
    if week_starts not in WEEKDAYS:
        raise InvalidInput("week_starts", f"{week_starts!r} is not a day of the week", list(WEEKDAYS))
    shortest = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 28 * DAY}[interval]
    if (end - first) // shortest > MAX_PERIODS:
        raise LimitReached(
            f"{interval} over this range makes more than {MAX_PERIODS:,} periods; "
            "choose a longer interval or a shorter range"
        )
    last = max(first, end - 1)
    if interval == "hour":
        return _hours(first, last, zone)
    day = _floor(interval, zone.date(first), week_starts)
    # Where a day was skipped whole the next may begin before `first`'s own day does.
    bounds = [zone.start(day)]
    labels: list[str] = []
    while not labels or bounds[-1] <= last:
        labels.append(day.isoformat())
        day = _next(interval, day)
        bounds.append(zone.start(day))
    return Periods(interval, np.array(bounds, np.int64), labels)


def extended(periods: Periods, more: int, zone: Zone) -> Periods:
    """The same periods and `more` after them."""
    if periods.interval == "hour":
        # An hour more than enough for every change of clocks in between.
        longer = _hours(int(periods.bounds[0]), int(periods.bounds[-1]) + (more + 4) * HOUR, zone)
        keep = len(periods) + more
        return Periods("hour", longer.bounds[: keep + 1], longer.labels[:keep])
    bounds, labels = periods.bounds.tolist(), list(periods.labels)
    day = _next(periods.interval, dt.date.fromisoformat(labels[-1]))
    for _ in range(more):
        labels.append(day.isoformat())
        day = _next(periods.interval, day)
        bounds.append(zone.start(day))
    return Periods(periods.interval, np.array(bounds, np.int64), labels)


def before(periods: Periods, zone: Zone) -> int:
    """The instant at which the period before the first one begins."""
    first = int(periods.bounds[0])
    if periods.interval == "hour":
        return first - HOUR
    day = dt.date.fromisoformat(periods.labels[0])
    if periods.interval == "month":
        return zone.start(_back_months(day, 1))
    return zone.start(day - dt.timedelta(days=7 if periods.interval == "week" else 1))


def _floor(interval: str, day: dt.date, week_starts: str) -> dt.date:
    if interval == "week":
        return day - dt.timedelta(days=(day.weekday() - WEEKDAYS.index(week_starts)) % 7)
    return day.replace(day=1) if interval == "month" else day


def _next(interval: str, day: dt.date) -> dt.date:
    if interval == "month":
        return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    return day + dt.timedelta(days=7 if interval == "week" else 1)


def _hours(first: int, last: int, zone: Zone) -> Periods:
    moment = zone.local(first)
    at = first - ((moment.minute * 60 + moment.second) * SECOND + moment.microsecond)
    bounds: list[int] = []
    labels: list[str] = []
    while at <= last or not labels:
        bounds.append(at)
        labels.append(zone.local(at).isoformat(timespec="minutes"))
        at += HOUR
        minute = zone.local(at).minute
        if minute:
            # The offset changed by part of an hour: go on at the next full hour of the clock.
            at += (60 - minute) * 60 * SECOND
    bounds.append(at)
    return Periods("hour", np.array(bounds, np.int64), labels)


def _month_length(year: int, month: int) -> int:
    first = dt.date(year, month, 1)
    return ((first + dt.timedelta(days=31)).replace(day=1) - first).days


@functools.lru_cache(maxsize=64)
def _offset_table(name: str) -> tuple[Int64, Int64]:
    """Instants (UTC µs) at which the zone's offset changes, 1970 to 2100, and the offsets around them (one more)."""
    info = zoneinfo.ZoneInfo(name)

    def offset(second: int) -> int:
        shift = (_EPOCH + dt.timedelta(seconds=second)).astimezone(info).utcoffset()
        assert shift is not None
        return round(shift.total_seconds())

    # Two changes are never within a week: look weekly and bisect each change to the second.
    week = 7 * 86_400
    changes: list[int] = []
    offsets = [offset(0)]
    for second in range(week, 131 * 365 * 86_400, week):
        now = offset(second)
        if now != offsets[-1]:
            low, high = second - week, second
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            changes.append(high * SECOND)
            offsets.append(now)
    return np.array(changes, np.int64), np.array(offsets, np.int64) * SECOND
