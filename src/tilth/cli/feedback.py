"""feedback list, show, answer, note, assign, close, reopen, stats."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import print_json, print_lines, print_table
from tilth.errors import InvalidInput

__all__ = ["register"]

feedback = typer.Typer(help="Feedback: what people told us, as work.", no_args_is_help=True)
_Number = Annotated[int, typer.Argument(help="Its number.")]
_Numbers = Annotated[list[int], typer.Argument(help="Their numbers.")]
_STATUSES = ("open", "answered", "closed")


def register(app: typer.Typer) -> None:
    feedback.command("list")(list_some)
    feedback.command("show")(show)
    feedback.command("answer")(answer)
    feedback.command("note")(note)
    feedback.command("assign")(assign)
    feedback.command("close")(close)
    feedback.command("reopen")(reopen)
    feedback.command("stats")(stats)
    app.add_typer(feedback, name="feedback")


def list_some(
    status: Annotated[str, typer.Option(help="open, answered or closed; all: every one.")] = "open",
    topic: Annotated[str | None, typer.Option(help="Only this topic.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only this colleague's; - for nobody's.")] = None,
    older_days: Annotated[int | None, typer.Option(help="At least so many days old.", min=0)] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """The list to work through: open work, oldest first."""
    from tilth.collect.feedback import Filters

    if status not in (*_STATUSES, "all"):
        raise InvalidInput("status", f"{status!r} is not known", [*_STATUSES, "all"])
    chosen = Filters(
        status=None if status == "all" else status,  # type: ignore[arg-type]
        topic=topic,
        assignee=assignee,
        older_days=older_days,
    )
    with open_workspace(workspace, read_only=True) as opened:
        opened.collect.catch_up()
        page = opened.collect.feedback.page(chosen, limit=limit)
    if json:
        print_json(page)
        return
    print_table(
        f"{len(page.items):,} of {page.total:,}",
        ["number", "at", "status", "topic", "assignee", "person", "text"],
        [
            (one.id, _day(one.at), one.status, one.topic, one.assignee, one.distinct_id, one.text[:80])
            for one in page.items
        ],
        right=("number",),
    )


def show(number: _Number, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """One piece of feedback and what was done with it."""
    with open_workspace(workspace, read_only=True) as opened:
        opened.collect.catch_up()
        item, entries = opened.collect.feedback.get(number)
    if json:
        print_json({"item": item, "entries": entries})
        return
    print_lines(
        ("number", item.id),
        ("at", _day(item.at)),
        ("person", item.distinct_id),
        ("status", item.status),
        ("topic", item.topic),
        ("assignee", item.assignee),
        ("text", item.text),
        *[(f"{one.kind}", f"{_day(one.at)} {one.by}: {one.text}") for one in entries],
    )


def answer(
    number: _Number,
    text: Annotated[str, typer.Argument(help="What was answered.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Keep the answer that was given; it goes to the person's timeline too."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        opened.collect.catch_up()
        item = opened.collect.feedback.answer(number, text, operator())
        audit.record(opened.database, operator(), "feedback.answer", str(number))
    if json:
        print_json(item)
    else:
        typer.echo(f"feedback {number} is answered")


def note(
    number: _Number,
    text: Annotated[str, typer.Argument(help="A word for colleagues.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """A word for colleagues; the person never sees it."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        item = opened.collect.feedback.note(number, text, operator())
        audit.record(opened.database, operator(), "feedback.note", str(number))
    if json:
        print_json(item)
    else:
        typer.echo(f"noted on feedback {number}")


def assign(
    number: _Number,
    assignee: Annotated[str, typer.Argument(help="Whose work it is; empty for nobody's.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Make it somebody's work."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        item = opened.collect.feedback.assign(number, assignee, operator())
        audit.record(opened.database, operator(), "feedback.assign", str(number), {"assignee": assignee})
    if json:
        print_json(item)
    else:
        typer.echo(f"feedback {number} is {item.assignee or 'nobody'}'s")


def close(numbers: _Numbers, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Nothing more to do here."""
    _move(numbers, "closed", workspace, json)


def reopen(numbers: _Numbers, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """There is something to do after all."""
    _move(numbers, "open", workspace, json)


def _move(numbers: list[int], status: str, workspace: WorkspacePath, json: bool) -> None:
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        moved = opened.collect.feedback.move(numbers, status, operator())  # type: ignore[arg-type]
        audit.record(opened.database, operator(), "feedback.status", status, {"items": len(moved)})
    if json:
        print_json({"moved": moved})
    else:
        typer.echo(f"{len(moved):,} of {len(numbers):,} are {status} now")


def stats(
    days: Annotated[int, typer.Option(min=1, max=3650, help="Feedback of the last so many days.")] = 90,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """How much waits, for how long, and how fast people get a first answer."""
    with open_workspace(workspace, read_only=True) as opened:
        opened.collect.catch_up()
        found = opened.collect.feedback.stats(days)
    if json:
        print_json(found)
        return
    lines = [
        ("open", f"{found.open:,}"),
        ("answered", f"{found.answered:,}"),
        ("closed", f"{found.closed:,}"),
    ]
    if found.oldest_open_at is not None:
        age = (time.time() - found.oldest_open_at / 1e6) / 86_400
        lines.append(("oldest open", f"{age:.1f} days"))
    if found.median_seconds is not None and found.p90_seconds is not None:
        lines.append(
            (
                "first answer",
                f"median {found.median_seconds / 3600:.1f} h, 90 % within {found.p90_seconds / 3600:.1f} h "
                f"({found.answered_of:,} of {found.received:,} in {found.days} days)",
            )
        )
    print_lines(*lines)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M")
