"""surveys list, show, create, update, open, close, links, results."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import notice, print_json, print_lines, print_table
from tilth.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from tilth.collect.surveys import Survey
    from tilth.measure.survey_results import QuestionResult
    from tilth.workspace import Workspace

__all__ = ["register"]

surveys = typer.Typer(help="Surveys: define, send, read the answers.", no_args_is_help=True)
_Key = Annotated[str, typer.Argument(help="The survey's key.")]


def register(app: typer.Typer) -> None:
    surveys.command("list")(list_all)
    surveys.command("show")(show)
    surveys.command("create")(create)
    surveys.command("update")(update)
    surveys.command("open")(open_one)
    surveys.command("close")(close)
    surveys.command("links")(links)
    surveys.command("results")(results)
    app.add_typer(surveys, name="surveys")


def list_all(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """All surveys, newest first."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.collect.surveys.all()
        funnels = {one.survey.key: opened.collect.surveys.funnel(one.survey.key) for one in found}
    if json:
        print_json([{"survey": one, "funnel": funnels[one.survey.key]} for one in found])
        return
    print_table(
        "",
        ["key", "title", "status", "questions", "invited", "answered"],
        [
            (
                one.survey.key,
                one.survey.title,
                one.status,
                len(one.survey.questions),
                funnels[one.survey.key].invited,
                funnels[one.survey.key].answered,
            )
            for one in found
        ],
        right=("questions", "invited", "answered"),
    )


def show(key: _Key, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """One survey, as YAML that `create` and `update` take."""
    import msgspec
    import yaml

    with open_workspace(workspace, read_only=True) as opened:
        record = opened.collect.surveys.get(key)
    if json:
        print_json(record)
    else:
        typer.echo(yaml.safe_dump(msgspec.to_builtins(record.survey), allow_unicode=True, sort_keys=False).rstrip())


def create(
    file: Annotated[Path, typer.Argument(help="The survey as YAML or JSON.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """A new survey, as a draft."""
    survey = _read(file)
    with open_workspace(workspace, read_only=True) as opened:
        record = opened.collect.surveys.create(survey)
        _audit(opened, "survey.create", survey.key)
    if json:
        print_json(record)
    else:
        typer.echo(f"survey {survey.key} made as a draft; open it with: tilth surveys open {survey.key}")


def update(
    file: Annotated[Path, typer.Argument(help="The survey as YAML or JSON.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Change a survey; once it was open its questions keep their kinds."""
    survey = _read(file)
    with open_workspace(workspace, read_only=True) as opened:
        record = opened.collect.surveys.save(survey)
        _audit(opened, "survey.change", survey.key)
    if json:
        print_json(record)
    else:
        typer.echo(f"survey {survey.key} changed")


def open_one(key: _Key, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Let people answer."""
    with open_workspace(workspace, read_only=True) as opened:
        record = opened.collect.surveys.open(key)
        _audit(opened, "survey.open", key)
    if json:
        print_json(record)
    else:
        public = " for everyone" if record.survey.public else ""
        typer.echo(f"survey {key} is open{public} at /s/{key}")


def close(key: _Key, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Take no more answers; those that came stay."""
    with open_workspace(workspace, read_only=True) as opened:
        record = opened.collect.surveys.close(key)
        _audit(opened, "survey.close", key)
    if json:
        print_json(record)
    else:
        typer.echo(f"survey {key} is closed")


def links(
    key: _Key,
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of people, of whatever kind.")] = None,
    segment: Annotated[str | None, typer.Option(help="Also the members of this segment.")] = None,
    days: Annotated[int, typer.Option(help="How many days the links are good.")] = 30,
    base: Annotated[str, typer.Option(help="The server's own address.")] = "http://127.0.0.1:8765",
    out: Annotated[Path | None, typer.Option(help="Write a CSV file instead.")] = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Personal links for people by id or of a segment."""
    if not ids and segment is None:
        raise InvalidInput("ids", "is empty, and so is --segment")
    missing: list[str] = []
    with open_workspace(workspace, read_only=True) as opened:
        opened.collect.surveys.get(key)
        opened.collect.catch_up()
        uids: list[int] = []
        for one in ids or []:
            try:
                uids.append(opened.people.find(one))
            except NotFound:
                missing.append(one)
        if segment is not None:
            uids += opened.segments.member_uids(segment).tolist()
        made = opened.collect.surveys.links(key, uids, days)
        _audit(opened, "survey.links", key)
    start = base.rstrip("/")
    rows = [
        (one.id, one.uid, f"{start}{one.path}", datetime.fromtimestamp(one.expires, UTC).isoformat()) for one in made
    ]
    columns = ("id", "uid", "url", "expires_at")
    if out is not None:
        from tilth.segments.export import write_file

        with out.open("wb") as file:
            file.writelines(write_file("csv", columns, rows))
    if json:
        print_json({"links": [dict(zip(columns, row, strict=True)) for row in rows], "missing": missing})
        return
    if missing:
        notice(f"nobody has these ids: {', '.join(missing)}")
    if out is not None:
        typer.echo(f"{len(rows):,} links written to {out}")
        return
    for row in rows:
        typer.echo(f"{row[0]}\t{row[2]}")


def results(
    key: _Key,
    segment: Annotated[str | None, typer.Option(help="Only the members of this segment.")] = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """What people answered: each person's newest answer."""
    from tilth.measure.survey_results import survey_results

    with open_workspace(workspace, read_only=True) as opened:
        survey = opened.collect.surveys.get(key).survey
        found = survey_results(
            opened.lake,
            survey,
            funnel=opened.collect.surveys.funnel(key) if segment is None else None,
            as_of=opened.collect.as_of(),
            segment=segment,
            uids=None if segment is None else opened.segments.member_uids(segment),
            memory_mb=opened.settings.memory_mb,
        )
    if json:
        print_json(found)
        return
    print_lines(("survey", f"{survey.key}  {survey.title}"), ("people", f"{found.people:,}"))
    if found.funnel is not None:
        invited = found.funnel
        print_lines(("links", f"{invited.invited:,} made, {invited.opened:,} opened, {invited.answered:,} answered"))
    for question in found.questions:
        typer.echo(f"\n{question.title}  ({question.answered:,} of {question.of:,} answered)")
        for line in _lines(question):
            typer.echo(f"  {line}")


def _lines(question: QuestionResult) -> list[str]:
    lines: list[str] = []
    if question.nps is not None:
        score = question.nps
        between = "" if score.low is None else f" ({score.low:+.1f} to {score.high:+.1f})"
        lines.append(
            f"NPS {score.score:+.1f}{between}: {score.promoters:,} promoters, {score.passives:,} passives, "
            f"{score.detractors:,} detractors"
        )
    if question.average is not None:
        mean = question.average
        between = "" if mean.low is None else f" ({mean.low:.2f} to {mean.high:.2f})"
        lines.append(f"mean {mean.mean:.2f}{between}")
    lines += [
        f"{one.label}: {one.people:,} of {one.of:,} = {one.share:.1%} ({one.low:.1%} to {one.high:.1%})"
        for one in question.choices
        if one.share is not None and one.low is not None and one.high is not None
    ]
    return lines


def _read(file: Path) -> Survey:
    from tilth.collect.surveys import survey_of_text

    try:
        return survey_of_text(file.read_text("utf-8"), str(file))
    except UnicodeDecodeError:
        raise InvalidInput(str(file), "is not UTF-8 text") from None


def _audit(opened: Workspace, action: str, key: str, **detail: Any) -> None:
    from tilth.server import audit

    audit.record(opened.database, operator(), action, key, detail)
