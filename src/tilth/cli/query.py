"""query KIND and sql."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tilth.cli.layers import write_pieces
from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace
from tilth.cli.output import notice, print_json, print_lines, print_table, say
from tilth.errors import InvalidInput

if TYPE_CHECKING:
    from tilth.behavior import Behavior, QuestionKind

__all__ = ["register"]

query = typer.Typer(help="Ask a question.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    query.command("clv")(clv)
    for kind, about in QUESTIONS.items():
        query.command(kind, help=about)(_question(kind))
    app.add_typer(query, name="query")
    app.command()(sql)


Body = Annotated[str | None, typer.Option("--body", help="The question as JSON: a file, or - for standard input.")]

# The kernels are loaded with the first question, so the kinds are named here; a test holds them to be all.
QUESTIONS = {
    "funnel": "How many people take step after step, and where they stop.",
    "retention": "How many come back, period after period.",
    "lifecycle": "New, returning, resurrecting and dormant people per period.",
    "stickiness": "People by the number of periods they were active in.",
    "trends": "A metric over time, with breakdown and formulas.",
    "distribution": "People by how often or how much.",
    "sessions": "Sessions: how many, how long, how deep.",
    "paths": "Which way people go from step to step.",
    "attribution": "Which touches get the credit for conversions.",
    "ltv": "What a cohort has brought in, period after period.",
    "timeline": "One person's events.",
}


def _question(kind: str) -> Callable[..., None]:
    def ask(
        workspace: WorkspacePath = DEFAULT_WORKSPACE,
        body: Body = None,
        since: Annotated[str | None, typer.Option("--from", help="First day of the range.")] = None,
        to: Annotated[str | None, typer.Option(help="Last day of the range, included.")] = None,
        last: Annotated[str | None, typer.Option(help="Relative range, such as 30d.")] = None,
        timezone: Annotated[str | None, typer.Option(help="IANA name of the zone of calendar days.")] = None,
        segment: Annotated[str | None, typer.Option(help="Only people in this segment.")] = None,
        limit: Annotated[int | None, typer.Option(help="Values of a breakdown.", min=1)] = None,
        allow_unknown: Annotated[bool, typer.Option(help="Let names pass that nobody has seen.")] = False,
        who: Annotated[
            list[str] | None,
            typer.Option(help="List the people behind a number, named as NAME=VALUE, such as step=1; may be repeated."),
        ] = None,
        top: Annotated[int, typer.Option(help="How many people to list at most.", min=1)] = 1_000,
        json: AsJson = False,
    ) -> None:
        from tilth.behavior import questions

        asked = read_body(body)
        if since is not None or to is not None:
            if last is not None or since is None or to is None:
                raise InvalidInput("range", "takes --from and --to together, or --last")
            asked["range"] = {"from": since, "to": to}
        elif last is not None:
            asked["range"] = {"last": last}
        given = {"timezone": timezone, "segment": segment, "limit": limit, "allow_unknown": allow_unknown or None}
        asked |= {k: v for k, v in given.items() if v is not None}
        with open_workspace(workspace, read_only=True) as opened:
            if who is not None:
                print_json(_people(questions[kind], opened.behavior, asked, who, top))
            else:
                print_json(questions[kind].ask(opened.behavior, asked))

    return ask


def _people(kind: QuestionKind, behavior: Behavior, asked: dict[str, Any], who: list[str], top: int) -> Any:
    """The people behind the number that `--who` names, `top` at most."""
    given: dict[str, Any] = {}
    for part in who:
        name, sign, value = part.partition("=")
        if not sign:
            raise InvalidInput("--who", f"{part!r} is not NAME=VALUE")
        given[name] = value
    from tilth.behavior import named_number

    which = named_number(kind, given, "--who ", from_text=True)
    assert kind.people is not None
    people: list[Any] = []
    cursor = ""
    while True:
        page = kind.people(behavior, asked, cursor=cursor, limit=min(1_000, top - len(people)), **which)
        people += page.people
        cursor = page.next
        if not cursor or len(people) >= top:
            return msgspec.structs.replace(page, people=people)


def read_body(body: str | None) -> dict[str, Any]:
    """The JSON object of `--body FILE|-`, or nothing."""
    if body is None:
        return {}
    try:
        text = sys.stdin.buffer.read() if body == "-" else Path(body).read_bytes()
        value = msgspec.json.decode(text)
    except OSError as error:
        raise InvalidInput("--body", f"cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise InvalidInput("--body", f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput("--body", "must be a JSON object")
    return value


def clv(
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    model: Annotated[str | None, typer.Option(help="bgnbd, pareto_nbd or mbgnbd.")] = None,
    time_unit: Annotated[str | None, typer.Option(help="day, week or month.")] = None,
    calibration_end: Annotated[str | None, typer.Option(help="Last day the parameters are learned from.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day of the history used.")] = None,
    horizon: Annotated[float | None, typer.Option(help="How far to forecast, in time units.")] = None,
    top: Annotated[int | None, typer.Option(help="How many people to list.", min=0)] = None,
    body: Body = None,
    export: Annotated[
        Path | None, typer.Option(help="Also write everybody's forecast to this .csv or .xlsx file.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Customer lifetime value: who is still a customer, what to expect of them, and how well that held before."""
    from tilth.segments.clv import CLVRequest
    from tilth.server.clv import clv_answer

    given = {
        "model": model, "time_unit": time_unit, "calibration_end": calibration_end, "until": until,
        "horizon": horizon, "top": top,
    }  # fmt: skip
    values = read_body(body) | {k: v for k, v in given.items() if v is not None}
    try:
        request = msgspec.convert(values, CLVRequest)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        raise InvalidInput(path.rstrip("`") or "query", reason) from None
    with open_workspace(workspace, read_only=True) as opened:
        answer = clv_answer(opened, request)
        if export is not None:
            from tilth.segments.export import write_file
            from tilth.server.clv import clv_table

            columns, rows = clv_table(opened, request)
            write_pieces(export, write_file("xlsx" if export.suffix.lower() == ".xlsx" else "csv", columns, rows))
    if json:
        print_json(answer)
        return
    print_lines(
        ("model", f"{answer.model} per {answer.time_unit}"),
        ("people", f"{answer.people:,}"),
        *[(name, f"{value:.4g}") for name, value in answer.parameters.items()],
        ("log-likelihood", f"{answer.log_likelihood:.1f}"),
    )
    if answer.gamma_gamma is not None:
        money = answer.gamma_gamma
        print_lines(("money p, q, v", f"{money.p:.4g}, {money.q:.4g}, {money.v:.4g} ({money.people:,} repeat buyers)"))
    if answer.holdout is not None:
        held = answer.holdout
        print_lines(
            ("holdout purchases", f"{held.actual_total:,.0f} actual, {held.expected_total:,.0f} expected"),
            ("error per person", f"{held.mae:.3f}, against {held.naive_mae:.3f} of repeating the last period"),
        )
    for warning in answer.warnings:
        notice(f"! {say(warning.text)}")
    print_table(
        "highest expected value",
        ["id", "alive", "purchases", "from", "to", "value"],
        [
            (
                p.distinct_ids[0].id if p.distinct_ids else p.uid,
                f"{p.p_alive:.0%}",
                f"{p.expected_purchases:.2f}",
                f"{p.low:.0f}",
                f"{p.high:.0f}",
                f"{p.expected_value.text} {p.expected_value.currency}",
            )
            for p in answer.top[:20]
        ],
        right=["alive", "purchases", "from", "to", "value"],
    )


def sql(
    statement: Annotated[
        str, typer.Argument(help="One SELECT over events, orders, order_items, people; - to read it.")
    ] = "",
    saved: Annotated[str, typer.Option(help="Run the saved query of this title.")] = "",
    save: Annotated[str, typer.Option(help="Save the statement under this title instead of running it.")] = "",
    list_saved: Annotated[bool, typer.Option("--list", help="Print saved queries.")] = False,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    limit: Annotated[int, typer.Option(help="Rows at most.", min=1, max=1_000_000)] = 1000,
    timeout: Annotated[float, typer.Option(help="Seconds at most.", min=0.1, max=3600)] = 60.0,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    json: AsJson = False,
) -> None:
    """Run one read-only SELECT, or one that is saved."""
    from tilth.server.sql_views import run_sql

    if (statement != "") + (saved != "") + list_saved != 1:
        raise typer.BadParameter(
            "give a statement, --saved TITLE or --list, and one of them only", param_hint="statement"
        )
    text = sys.stdin.read() if statement == "-" else statement
    with open_workspace(workspace, read_only=True) as opened:
        if list_saved:
            found = opened.saved_sql.all()
            if json:
                print_json(found)
            else:
                print_table(
                    "saved queries", ["id", "title", "by", "about"], [[q.id, q.title, q.by, q.about] for q in found]
                )
            return
        if saved:
            text = opened.saved_sql.named(saved).sql
        if save:
            from tilth.cli.options import operator
            from tilth.measure.saved_sql import SqlToSave
            from tilth.server import audit

            made = opened.saved_sql.save(SqlToSave(title=save, sql=text), operator())
            audit.record(opened.database, operator(), "sql.save", made.title)
            notice(f"saved as number {made.id}")
            return
        result = run_sql(opened, text, limit=limit, timeout=timeout)
    if json:
        print_json(result)
    elif csv:
        from tilth.segments.export import write_file
        from tilth.server.exports import cell

        cells = ([cell(v, t) for v, t in zip(row, result.types, strict=True)] for row in result.rows)
        for piece in write_file("csv", result.columns, cells):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    else:
        print_table("", result.columns, result.rows)
    if result.truncated:
        notice(f"only the first {limit:,} rows are shown; ask for more with --limit")
