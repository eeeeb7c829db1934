"""Tilth (耕耘): refined operations and user growth in one program.

`tilth.open(path)` gives a workspace whose members are the capabilities:

    ws = tilth.open("tilth-data")
    ws.imports.run_file("orders.csv")
    ws.segments.layering("rfm")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tilth.workspace import Workspace

__all__ = ["__version__", "open"]
__version__ = "0.1.0"


def open(path: str | Path = "./tilth-data", *, read_only: bool = False) -> Workspace:
    """Open the workspace in folder `path` (made with `tilth init` or `tilth demo`).

    read_only: take no writer lock, so it may be used beside a running server.
    Raises `NotFound` where there is no workspace and `Busy` where another process writes it.
    """
    # Imported here so that `import tilth` stays light.
    from tilth.workspace import Workspace

    return Workspace.open(path, read_only=read_only)
