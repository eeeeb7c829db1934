"""Guessing passwords gets slower: after some failures one must wait, twice as long each time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from tilth.errors import LimitReached

__all__ = ["SlowDown"]


class SlowDown:
    """Failures counted per key (an address with an e-mail, an e-mail alone).

    The first `free` failures cost nothing; each further one makes the key wait `2^(n - free)`
    seconds, at most `longest`. A success clears the key; so does an hour of quiet. Kept in memory,
    for at most `keys` keys: an attacker who invents keys only pushes out his own.
    """

    def __init__(
        self, free: int = 5, longest: int = 900, keys: int = 50_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = free
        self._longest = longest
        self._keys = keys
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, key: str) -> None:
        """Raise `LimitReached` with the seconds left while the key must wait."""
        with self._lock:
            count, last, until = self._failures.get(key, (0, 0.0, 0.0))
            at = self._clock()
            if count and at - last > 3600:
                del self._failures[key]
                return
            if at < until:
                wait = max(1, round(until - at))
                raise LimitReached(f"too many failed attempts; try again in {wait} s", retry_after=wait)

    def failed(self, key: str) -> None:
        with self._lock:
            count = self._failures.pop(key, (0, 0.0, 0.0))[0] + 1
            at = self._clock()
            wait = 0.0 if count < self._free else float(min(2 ** (count - self._free + 1), self._longest))
            self._failures[key] = (count, at, at + wait)
            while len(self._failures) > self._keys:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)
