"""How much of a client's body is looked at. Every bound is checked before the memory is spent."""

from __future__ import annotations

from datetime import UTC, tzinfo

import msgspec

__all__ = ["Limits"]

_DAY = 24 * 3600 * 1_000_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one request.

    event, batch: bytes of one event and of a whole body, compressed as well as expanded. depth:
    levels of nesting of one event. events: events of one body. values: JSON values of one body (a
    body of `[[],[],…` would otherwise take thirty times its size in memory). earliest: the first
    believable instant, UTC µs (1990-01-01). ahead: how far in the future a clock may be, in µs. zone: of
    times that name no offset.
    """

    event: int
    batch: int
    depth: int = 200
    events: int = 10_000
    values: int = 2_000_000
    earliest: int = 631_152_000_000_000
    ahead: int = _DAY
    zone: tzinfo = UTC
