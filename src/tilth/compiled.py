"""Kernels compiled when they are first called.

Loading the compiler takes a tenth of a gigabyte and most of a second, which a server at rest and a
command that only looks something up should not pay. `njit` here has numba's signature and leaves the
function as it is until its first call; then it, and the kernels it names, become numba's.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["njit"]

_lock = threading.RLock()


class _Waiting:
    """A kernel that has not been called yet, and the compiled one afterwards."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self._options = options
        self._compiled: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        compiled = self._compiled or self.compile()
        return compiled(*arguments)

    def compile(self) -> Callable[..., Any]:
        """The numba function; kernels it refers to are compiled first, because numba must see them as such."""
        with _lock:
            if self._compiled is None:
                from numba import njit

                names = self.py_func.__globals__
                for name in _names(self.py_func):
                    if isinstance(names.get(name), _Waiting) and names[name] is not self:
                        names[name] = names[name].compile()
                self._compiled = njit(**self._options)(self.py_func)
            return self._compiled


def _names(function: Callable[..., Any]) -> set[str]:
    found: set[str] = set()
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        found.update(code.co_names)
        codes.extend(c for c in code.co_consts if hasattr(c, "co_names"))
    return found


def njit(*, cache: bool = True, nogil: bool = True) -> Any:
    """Compile the decorated function at its first call. Only positional arguments; not for generators or recursion."""

    def mark(function: Callable[..., Any]) -> _Waiting:
        return _Waiting(function, {"cache": cache, "nogil": nogil})

    return mark
