"""Arguments that many commands share, and opening the workspace they name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tilth.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = ["DEFAULT_WORKSPACE", "AsJson", "WorkspacePath", "is_interactive", "open_workspace", "operator", "pairs"]

WorkspacePath = Annotated[
    Path,
    typer.Option("--workspace", "-w", help="Folder of the workspace.", envvar="TILTH_WORKSPACE", show_default=True),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

DEFAULT_WORKSPACE = Path("./tilth-data")


def open_workspace(path: Path, *, read_only: bool = False) -> Workspace:
    """Open for writing, or for reading beside a running server."""
    import tilth

    try:
        return tilth.open(path, read_only=read_only)
    except NotFound as error:
        if error.what == "workspace":
            raise NotFound("workspace", f"{path} (make one with: tilth init --workspace {path})") from None
        raise


def pairs(values: Iterable[str], field: str) -> dict[str, str]:
    """`a=b,c=d` (also given several times) as a mapping. Raises `InvalidInput` naming the piece."""
    found: dict[str, str] = {}
    for value in values:
        for piece in value.split(","):
            name, sign, content = piece.partition("=")
            if not sign or not name.strip():
                raise InvalidInput(field, f"{piece!r} is not of the form name=value")
            if name.strip() in found:
                raise InvalidInput(field, f"{name.strip()!r} is given twice")
            found[name.strip()] = content.strip()
    return found


def is_interactive() -> bool:
    """Whether somebody is there to answer a question."""
    import sys

    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def operator() -> str:
    """Who the audit log names: the account of the operating system."""
    import getpass

    try:
        return f"command line ({getpass.getuser()})"
    except (KeyError, OSError):
        return "command line"
