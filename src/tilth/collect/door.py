"""The way in: a request of any SDK to messages in the intake log and the answer that SDK expects.

decode, whose key is it, what cannot be taken goes to quarantine, the rest is made durable, and only
then is it acknowledged.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from tilth.collect.formats import Format, Outcome, Refused, Trouble, WireAnswer, WireRequest, format_of
from tilth.collect.service import Collect, Receipt, Source
from tilth.errors import LimitReached, NotFound, StorageFailed

__all__ = ["Door", "Taken"]

logger = logging.getLogger("tilth.door")

# How long a key is believed after it was looked up: so long may one that another process revoked still be taken.
KEY_LIFE = 2.0
_MOST_KEYS = 10_000

Quarantine = Callable[[str, str, list[Refused]], None]
Taken = Callable[[int, int, int], None]


class Door:
    """Takes requests. Thread-safe, blocking until what came is durable.

    quarantine(source, format, refused) keeps what cannot be taken. taken(accepted, duplicate,
    quarantined) is told of every request that was.
    """

    def __init__(self, collect: Collect, quarantine: Quarantine, taken: Taken) -> None:
        self._collect = collect
        self._quarantine = quarantine
        self._taken = taken
        self._keys: dict[str, tuple[float, Source | None]] = {}
        self._seen_change = 0
        self._lock = threading.Lock()

    def take(self, request: WireRequest, now: int | None = None) -> WireAnswer:
        """The answer to a request on one of the formats' paths; never raises. now: UTC µs."""
        started = self.start(request, now)
        return started if isinstance(started, WireAnswer) else started.result()

    def start(self, request: WireRequest, now: int | None = None) -> WireAnswer | Future[WireAnswer]:
        """As `take`, without waiting for the disk: a future answer where something is to be stored first.

        Only what goes to quarantine is written before this returns.
        """
        format = format_of(request.path)
        assert format is not None, "only paths that a format handles come here"
        try:
            decoded = format.decode(request, format.limits, time.time_ns() // 1000 if now is None else now)
            if decoded.key is None:
                return decoded.answer
            source = self._source(decoded.key)
            if source is None:
                return format.refuse(request, Trouble.UNKNOWN_KEY, 0)
            if decoded.refused:
                self._quarantine(source.name, format.name, decoded.refused)
            if not decoded.messages:
                quarantined = len(decoded.refused)
                self._taken(0, 0, quarantined)
                nothing = Outcome(accepted=0, duplicate=0, quarantined=quarantined, as_of=self._collect.as_of())
                return format.settle(request, decoded, nothing)
            stored = self._collect.submit(decoded.messages, source.name, len(decoded.refused))
        except Exception as error:  # noqa: BLE001 - told to the client as a failure it can try again after
            return _failed(format, request, error)
        answer: Future[WireAnswer] = Future()

        def settle(of: Future[Receipt]) -> None:
            error = of.exception()
            if error is not None:
                answer.set_result(_failed(format, request, error))
                return
            receipt = of.result()
            self._taken(receipt.accepted, receipt.duplicate, receipt.quarantined)
            outcome = Outcome(
                accepted=receipt.accepted,
                duplicate=receipt.duplicate,
                quarantined=receipt.quarantined,
                as_of=receipt.as_of,
            )
            answer.set_result(format.settle(request, decoded, outcome))

        stored.add_done_callback(settle)
        return answer

    def _source(self, key: str) -> Source | None:
        at = time.monotonic()
        if self._collect.keys_changed != self._seen_change:
            self._seen_change = self._collect.keys_changed
            self._keys = {}
        held = self._keys.get(key)
        if held is not None and at - held[0] < KEY_LIFE:
            return held[1]
        found: Source | None
        try:
            found = self._collect.source_of_key(key)
        except NotFound:
            found = None
        with self._lock:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            self._keys[key] = (at, found)
        return found


def _failed(format: Format, request: WireRequest, error: BaseException) -> WireAnswer:
    """The client keeps what it sent and tries again; the reason is in our log."""
    if isinstance(error, LimitReached):
        return format.refuse(request, Trouble.TOO_MANY, error.retry_after or 1)
    if isinstance(error, StorageFailed):
        logger.error("a request could not be kept: %s", error.message)
    else:
        logger.error("a %s request failed", format.name, exc_info=error)
    return format.refuse(request, Trouble.UNAVAILABLE, 5)
