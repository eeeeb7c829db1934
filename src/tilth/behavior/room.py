"""The memory that questions may take at once.

What a question reads is mapped from disk and costs nothing here; what it makes for a bucket (keys, masks, numbers)
is counted before it is made. Where there is no room a bucket waits for another to end; what would not fit
alone is refused with the size it would need.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from tilth.errors import LimitReached

__all__ = ["Room", "bytes_of"]

_PATIENCE = 60.0


class Room:
    """So many bytes, shared by all questions of a process. Thread-safe."""

    def __init__(self, size: int, patience: float = _PATIENCE) -> None:
        self.size = size
        self._patience = patience
        self._taken = 0
        self._freed = threading.Condition()

    @property
    def taken(self) -> int:
        """Bytes in use now."""
        return self._taken

    def take(self, count: int) -> None:
        """Wait for so many bytes. Raises `LimitReached` where they are more than all, or do not become free."""
        self.check(count, "for one part of the data")
        with self._freed:
            if not self._freed.wait_for(lambda: self._taken + count <= self.size, self._patience):
                raise LimitReached(
                    f"other questions hold the memory this one needs (about {_megabytes(count)} MB); ask again later"
                )
            self._taken += count

    def give_back(self, count: int) -> None:
        """Give back what `take` got."""
        with self._freed:
            self._taken -= count
            self._freed.notify_all()

    def check(self, count: int, what: str) -> None:
        """Raises `LimitReached`, saying what it would need, where so many bytes are more than all."""
        if count > self.size:
            raise LimitReached(
                f"this question would need about {_megabytes(count)} MB {what}, and may take "
                f"{_megabytes(self.size)} MB, half of memory_mb; choose a shorter range, fewer steps or another "
                "property, or raise memory_mb"
            )


def bytes_of(values: Any) -> int:
    """Bytes of the arrays in nested tuples and lists."""
    if isinstance(values, np.ndarray):
        return values.nbytes
    if isinstance(values, (tuple, list)):
        parts: Iterable[Any] = values
        return sum(bytes_of(v) for v in parts)
    return 0


def _megabytes(count: int) -> str:
    return f"{max(1, -(-count // 1_000_000)):,}"
