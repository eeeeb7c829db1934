"""An event as programs of ours make it."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Event"]


class Event(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Something that happened. ts: UTC µs. kind: the kind of `distinct_id`.

    properties: what the source sent, JSON values; decimals keep their exact text as `Decimal`.
    """

    distinct_id: str
    event: str
    ts: int
    event_id: str
    kind: str = "id"
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
