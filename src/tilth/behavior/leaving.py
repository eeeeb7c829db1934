"""A question whose asker has gone is not worked out to its end: it is looked after each bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tilth.errors import Cancelled

__all__ = ["look", "stop_when", "watching"]

_gone: ContextVar[Callable[[], bool] | None] = ContextVar("tilth_asker_gone", default=None)


@contextmanager
def stop_when(gone: Callable[[], bool]) -> Iterator[None]:
    """Questions asked inside raise `Cancelled` soon after `gone()` is true. Holds for the threads they start."""
    token = _gone.set(gone)
    try:
        yield
    finally:
        _gone.reset(token)


def watching() -> Callable[[], bool]:
    """What tells whether the asker of the present question has gone, for use in other threads."""
    return _gone.get() or _nobody_left


def look(gone: Callable[[], bool]) -> None:
    """Raises `Cancelled` when the asker has gone."""
    if gone():
        raise Cancelled("whoever asked has gone")


def _nobody_left() -> bool:
    return False
