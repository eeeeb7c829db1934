"""Run one import in its own process, to be killed: `importing.py WORKSPACE FILE [POINT COUNT]`.

With a POINT the process ends itself, as hard as a kill, at the COUNT-th time it comes there.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tilth.collect.imports import delimited, running, service, staging, writing
from tilth.lake import Lake
from tilth.people import People
from tilth.workspace import Workspace

POINTS: dict[str, tuple[Any, str, bool]] = {
    "before staging a file": (staging.Staging, "_write", False),
    "after staging a chunk": (staging.Staging, "add", True),
    "after recording a chunk": (running.Run, "_record", True),
    "before resolving people": (People, "resolve", False),
    "after resolving people": (People, "resolve", True),
    "before a part is appended": (Lake, "append", False),
    "after a part is appended": (Lake, "append", True),
    "before the lake's commit": (Lake, "_commit", False),
    "before the import is done": (service.Jobs, "finish", False),
    "after the import is done": (service.Jobs, "finish", True),
}


def arm(point: str, count: int) -> None:
    owner, name, after = POINTS[point]
    real = getattr(owner, name)
    seen = [0]

    def armed(*args: Any, **kwargs: Any) -> Any:
        seen[0] += 1
        if seen[0] == count and not after:
            os._exit(137)
        result = real(*args, **kwargs)
        if seen[0] == count and after:
            os._exit(137)
        return result

    setattr(owner, name, armed)


def cut_small() -> None:
    """Small pieces, so that there is much to be interrupted."""
    delimited.CHUNK_BYTES = 32_768
    writing._PART_ROWS_PER_MB = 1
    writing._PASS_ROWS_PER_MB = 2
    writing._LEAST_PART = 1_000


if __name__ == "__main__":
    cut_small()
    if len(sys.argv) > 3:
        arm(sys.argv[3], int(sys.argv[4]))
    with Workspace.open(sys.argv[1]) as workspace:
        summary = workspace.imports.run_files("orders", [sys.argv[2]])
        print(summary.rows_read, summary.rows_accepted, summary.rows_duplicate, summary.orders, summary.revenue.minor)
