"""The last requests as they were understood, for whoever debugs an integration.

Kept in this process's memory after the privacy settings were applied: so many requests, so many messages of
each, and so many bytes together, whatever clients send.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tilth.collect.formats import Refused
from tilth.collect.model import Alias, Group, Item, Message, Track

__all__ = ["Seen", "SeenMessage", "SeenRefusal", "Watch"]

_REQUESTS = 300
_MESSAGES = 20
# Bytes of one message or refused text, and of everything that is held.
_MOST_MESSAGE = 64 * 1024
_MOST_RAW = 4_000
_MOST_TOGETHER = 32 * 1024 * 1024
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(Message)


class SeenMessage(msgspec.Struct, frozen=True, kw_only=True):
    """ids: kind and value, as the sender knows the person. at: when it happened, UTC."""

    type: str
    name: str
    ids: list[tuple[str, str]]
    at: datetime
    event_id: str
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]


class SeenRefusal(msgspec.Struct, frozen=True, kw_only=True):
    field: str
    reason: str
    raw: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One request. number: rises by one; at: when it came; source: None for an unknown key. note: why all of it was
    refused or dropped. differences: where it differs from the tracking plan. more: messages beyond those shown."""

    number: int
    at: datetime
    source: str | None
    format: str
    path: str
    status: int
    accepted: int
    duplicate: int
    quarantined: int
    dropped: int
    note: str
    messages: list[SeenMessage]
    refused: list[SeenRefusal]
    differences: list[str]
    more: int


class _Held(msgspec.Struct, frozen=True, gc=False):
    at: int
    source: str | None
    format: str
    path: str
    status: int
    counts: tuple[int, int, int, int]
    note: str
    messages: list[bytes]
    refused: list[Refused]
    differences: list[str]
    more: int
    size: int


class Watch:
    """The last few hundred requests. Thread-safe."""

    def __init__(self) -> None:
        self._held: deque[tuple[int, _Held]] = deque()
        self._number = 0
        self._size = 0
        self._lock = threading.Lock()

    def add(
        self,
        at: int,
        source: str | None,
        format: str,
        path: str,
        status: int,
        counts: tuple[int, int, int, int],
        note: str = "",
        messages: list[Message] | None = None,
        refused: list[Refused] | None = None,
        differences: list[str] | None = None,
    ) -> None:
        """counts: accepted, duplicate, quarantined, dropped."""
        encoded = [_encoder.encode(one) for one in (messages or [])[:_MESSAGES]]
        shown = [one for one in encoded if len(one) <= _MOST_MESSAGE]
        texts = [Refused(r.field, r.reason, r.raw[:_MOST_RAW]) for r in (refused or [])[:_MESSAGES]]
        held = _Held(
            at, source, format, path[:200], status, counts, note, shown, texts, (differences or [])[:_MESSAGES],
            len(messages or []) - len(shown), sum(map(len, shown)) + sum(len(r.raw) for r in texts),
        )  # fmt: skip
        with self._lock:
            self._number += 1
            if len(self._held) == _REQUESTS:
                self._size -= self._held.popleft()[1].size
            self._held.append((self._number, held))
            self._size += held.size
            while self._size > _MOST_TOGETHER:
                self._size -= self._held.popleft()[1].size

    @property
    def newest(self) -> int:
        return self._number

    def since(self, number: int, source: str = "") -> list[Seen]:
        """Requests after `number`, oldest first."""
        with self._lock:
            found = [(n, one) for n, one in self._held if n > number and (not source or one.source == source)]
        return [_seen(n, one) for n, one in found]


def _seen(number: int, held: _Held) -> Seen:
    accepted, duplicate, quarantined, dropped = held.counts
    return Seen(
        number=number, at=_instant(held.at), source=held.source, format=held.format, path=held.path, status=held.status,
        accepted=accepted, duplicate=duplicate, quarantined=quarantined, dropped=dropped, note=held.note,
        messages=[_message(_decoder.decode(one)) for one in held.messages],
        refused=[SeenRefusal(field=r.field, reason=r.reason, raw=r.raw) for r in held.refused],
        differences=held.differences, more=held.more,
    )  # fmt: skip


def _message(message: Message) -> SeenMessage:
    traits: dict[str, Any] = {}
    for one in message.operations:
        traits |= one.traits
    ids = [(one.kind, one.value) for one in message.ids]
    if isinstance(message, Alias):
        ids.append((message.previous.kind, message.previous.value))
    if isinstance(message, Track):
        name = message.event
    elif isinstance(message, Group):
        name = f"{message.group_kind} {message.group_id}"
    else:
        name = f"{message.item_kind} {message.item_id}" if isinstance(message, Item) else ""
    return SeenMessage(
        type=type(message).__name__.lower(), name=name, ids=ids, at=_instant(message.ts), event_id=message.event_id,
        properties=dict(getattr(message, "properties", {})), traits=traits, context=message.context,
    )  # fmt: skip


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
