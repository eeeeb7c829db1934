"""Instants as the API shows them: int64 UTC µs inside, ISO-8601 with Z outside."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

__all__ = ["DAY", "HOUR", "SECOND", "day_of", "instant", "instant_or_none", "micros", "now"]

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """This moment, UTC µs."""
    return time.time_ns() // 1000


def instant(value: int) -> datetime:
    """UTC µs as an aware datetime, which msgspec writes with a Z."""
    return _EPOCH + timedelta(microseconds=int(value))


def instant_or_none(value: int | None) -> datetime | None:
    return None if value is None else instant(value)


def micros(value: datetime) -> int:
    """The inverse of `instant`."""
    return (value - _EPOCH) // timedelta(microseconds=1)


def day_of(value: int, timezone: str) -> date:
    """The calendar day of an instant in the named zone."""
    return instant(value).astimezone(ZoneInfo(timezone)).date()
