"""A `feedback` event as a line of work."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tilth.collect.model import Message, Track

__all__ = ["FEEDBACK", "MOST_TEXT", "bounded", "feedback_row"]

# The name of the event that is feedback, whoever sends it.
FEEDBACK = "feedback"
MOST_TEXT = 8_000
_MOST_WORDS = 200


def feedback_row(message: Message, source: str) -> dict[str, Any] | None:
    """The line that a message makes; None where it is no feedback or says nothing."""
    if not isinstance(message, Track) or message.event != FEEDBACK or not message.ids:
        return None
    told = message.properties
    text = bounded(told.get("text"), MOST_TEXT)
    if not text:
        return None
    return {
        "source": source,
        "event_id": message.event_id,
        "kind": message.ids[0].kind,
        "distinct_id": message.ids[0].value,
        "at": message.ts,
        "text": text,
        "topic": bounded(told.get("topic"), _MOST_WORDS),
        "channel": bounded(told.get("channel"), _MOST_WORDS),
        "rating": _rating(told.get("rating")),
        "status": "open",
        "assignee": "",
        "changed_at": message.ts,
    }


def bounded(value: Any, most: int) -> str:
    """Text as it can be kept: without NUL and halves of characters, at most `most` characters."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
    return text if len(text) <= most else text[: most - 1] + "…"


def _rating(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = float(value)
    return number if abs(number) < 1e9 else None
