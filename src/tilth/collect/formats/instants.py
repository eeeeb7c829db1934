"""When something happened, in UTC microseconds, although the client's clock may be wrong.

A client that says when it *sent* as well as when it happened tells its own clock's error: what lies
between the two is true even if both are wrong. So `ts = received - (sent - happened)`.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from tilth.collect.formats.contract import Refusal
from tilth.collect.formats.limits import Limits

__all__ = ["corrected", "instant", "instant_or_none"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Numbers below this are seconds (until the year 5138), below the next one milliseconds, else µs.
_SECONDS = 100_000_000_000
_MILLISECONDS = 100_000_000_000_000
# `20261118` is a date; other texts of digits only are numbers (Python reads some of them as odd dates).
_DATE_DIGITS = 8
# Beyond the year 9999 nothing is an instant, and arithmetic on it might grow without end.
_ABSURD = 10**18


def instant(value: Any, field: str, zone: tzinfo = UTC) -> int:
    """ISO 8601 text (in `zone` where it names no offset), or seconds, milliseconds or µs since 1970.

    Raises `Refusal` for anything else.
    """
    if isinstance(value, str):
        if value.isdigit() and len(value) != _DATE_DIGITS:
            return _instant_of_digits(value, field, zone)
        try:
            moment = datetime.fromisoformat(value)
            delta = (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)) - _EPOCH
        except (ValueError, OverflowError):
            return _instant_of_digits(value, field, zone)
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _instant_of_number(value, field)
    raise Refusal(field, "must be ISO 8601 text or a number")


def instant_or_none(value: Any) -> int | None:
    """As `instant`, for what may be missing or wrong without harm (a sending time)."""
    if value is None:
        return None
    try:
        return instant(value, "")
    except Refusal:
        return None


def _instant_of_digits(text: str, field: str, zone: tzinfo) -> int:
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) <= 18:
        return _instant_of_number(int(stripped), field)
    if stripped != text:
        return instant(stripped, field, zone)
    raise Refusal(field, f"{text[:40]!r} is not an ISO 8601 time")


def _instant_of_number(number: int | Decimal, field: str) -> int:
    if not -_ABSURD < number < _ABSURD:
        raise Refusal(field, "is not an instant in seconds or milliseconds since 1970")
    scale = 1_000_000
    if not -_SECONDS < number < _SECONDS:
        scale = 1_000 if -_MILLISECONDS < number < _MILLISECONDS else 1
    return int(number * scale)


def corrected(ts: int, sent: int | None, limits: Limits, now: int, field: str) -> int:
    """ts by our clock, from ts and the sending time by the client's (None: the client did not say).

    Where that gives no believable instant but ts itself is one, the sending time is what was wrong.
    Raises `Refusal` where neither is.
    """
    if sent is not None:
        ours = now - (sent - ts)
        if limits.earliest <= ours <= now + limits.ahead:
            return ours
    if limits.earliest <= ts <= now + limits.ahead:
        return ts
    raise Refusal(field, "is before 1990 or more than a day in the future")
