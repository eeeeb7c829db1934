"""How commands print: JSON for programs, tables for people, errors on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import typer

from tilth.errors import InvalidInput, NotFound, TilthError

__all__ = [
    "language",
    "notice",
    "print_error",
    "print_json",
    "print_lines",
    "print_problem",
    "print_table",
    "say",
]

# rich is imported where something is drawn: `tilth --help` and --json do not wait for it.


def print_json(value: Any) -> None:
    """One JSON document on standard output; structs as the API gives them."""
    body = msgspec.json.encode(value, enc_hook=_plain)
    sys.stdout.write(msgspec.json.format(body, indent=2).decode() + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> None:
    """A table; columns named in `right` hold numbers."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title) or None, title_justify="left")
    for column in columns:
        table.add_column(escape(column), justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        # Text from files may hold brackets that rich would take for markup.
        table.add_row(*["" if cell is None else escape(str(cell)) for cell in row])
    Console(highlight=False).print(table)


def print_lines(*pairs: tuple[str, Any]) -> None:
    """Aligned `name  value` lines."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        typer.echo(f"{name:<{width}}  {value}")


def language() -> str:
    """The language of the person at the terminal: Chinese where the locale says so, else English."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh-CN" if locale.lower().startswith("zh") else "en"


def say(text: Any, wanted: str | None = None) -> str:
    """A text in both languages (a pair or a mapping), in the language wanted or the terminal's."""
    chosen = wanted or language()
    if isinstance(text, dict):
        return str(text.get(chosen) or text.get("en") or "")
    return str(text.zh if chosen == "zh-CN" else text.en)


def notice(text: str) -> None:
    """A word to the person at the terminal, kept out of the data on standard output."""
    typer.echo(text, err=True)


def print_error(error: TilthError, as_json: bool) -> None:
    """What went wrong, on standard error: one line, or the API's problem as JSON."""
    more: dict[str, Any] = {}
    choices: list[str] = []
    if isinstance(error, InvalidInput):
        choices = error.choices
        more = {"field": error.field, "reason": error.reason, "choices": error.choices}
    if isinstance(error, NotFound):
        more = {"what": error.what, "name": error.name, "nearest": error.nearest}
    print_problem(error.kind, error.message, as_json, **more)
    if choices and not as_json:
        typer.echo(f"  choose one of: {', '.join(choices)}", err=True)


def print_problem(kind: str, detail: str, as_json: bool, **more: Any) -> None:
    """One line, or one JSON object, on standard error."""
    if as_json:
        problem = {"type": f"urn:tilth:error:{kind}", "detail": detail, **more}
        typer.echo(msgspec.json.encode(problem).decode(), err=True)
    else:
        typer.echo(f"tilth: {detail}", err=True)
