"""The command `tilth`: all commands, and the one place where errors become words and exit codes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer

from tilth import __version__
from tilth.cli import (
    access,
    data,
    definitions,
    feedback,
    importing,
    layers,
    measuring,
    people,
    pulls,
    query,
    serving,
    surveys,
)
from tilth.cli.output import print_error, print_problem
from tilth.errors import TilthError

__all__ = ["app", "main", "run"]

INTERRUPTED = 130
# The parser's own classes: typer brings them along, from click or from a copy of it.
UsageError: Any = typer.BadParameter.__bases__[0]
CommandError: Any = UsageError.__bases__[0]

app = typer.Typer(
    name="tilth",
    help="Refined operations and user growth in one program. 精细化运营与用户增长。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (serving, importing, layers, query, people, access, pulls, definitions, data, surveys, feedback, measuring):
    part.register(app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"tilth {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code.

    Errors are a line on standard error, or with `--json` the API's problem as JSON; never a traceback
    unless TILTH_DEBUG=1.
    """
    with _noting_ctrl_c() as pressed:
        return _run(arguments, pressed)


def _run(arguments: list[str], pressed: list[int]) -> int:
    as_json = "--json" in arguments
    try:
        result = app(args=arguments, standalone_mode=False)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except UsageError as error:
        if error.ctx is not None and not as_json:
            typer.echo(error.ctx.get_usage(), err=True)
        print_problem("usage", error.format_message(), as_json)
        return 2
    except CommandError as error:
        print_problem("error", error.format_message(), as_json)
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(as_json)
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("TILTH_DEBUG") == "1":
            raise
        # A library that was called back in the middle may have made an error of its own out of the Ctrl-C.
        return _interrupted(as_json) if pressed else _explain(error, as_json)
    # The parser turns Ctrl-C into this code without a word.
    if result == INTERRUPTED:
        return _interrupted(as_json)
    return result if isinstance(result, int) else 0


@contextmanager
def _noting_ctrl_c() -> Iterator[list[int]]:
    """Filled when Ctrl-C is pressed, which goes on to raise KeyboardInterrupt as it always does."""
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    # Where somebody else minds the signal, or in another thread than the first, it stays theirs.
    first = threading.current_thread() is threading.main_thread()
    ours = first and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupted(as_json: bool) -> int:
    print_problem("interrupted", "stopped; nothing is half-written. The same command again goes on.", as_json)
    return INTERRUPTED


def _explain(error: Exception, as_json: bool) -> int:
    if isinstance(error, TilthError):
        print_error(error, as_json)
        return error.exit_code
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        print_problem("storage_failed", f"{error.strerror or error}{where}", as_json)
        return 4
    print_problem("internal", f"unexpected {type(error).__name__}: {error} (TILTH_DEBUG=1 shows where)", as_json)
    return 1


if __name__ == "__main__":
    main()
