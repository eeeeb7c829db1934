"""Compiled single-pass state machines: arrays in, arrays out; they know nothing of files or requests."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__: list[str] = []


def forget_stale(folder: Path) -> bool:
    """Drop compiled kernels made of other sources; True where there were some.

    Numba looks at a kernel's own file only, so one that calls a kernel of another file that has changed since would go
    on with what it was.
    """
    sources = sorted((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder.glob("*.py"))
    cache = folder / "__pycache__"
    stamp = cache / "kernels.stamp"
    # An install that cannot be written has no cache there either.
    with contextlib.suppress(OSError):
        if stamp.exists() and stamp.read_text("utf-8") == repr(sources):
            return False
        for path in cache.glob("*.nb?"):
            path.unlink(missing_ok=True)
        cache.mkdir(exist_ok=True)
        stamp.write_text(repr(sources), "utf-8")
        return True
    return False


forget_stale(Path(__file__).parent)
