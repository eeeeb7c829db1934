"""people get, update and completeness; erase."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import print_json, print_lines, say

__all__ = ["register"]

people = typer.Typer(help="Look a person up.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    people.command("get")(get)
    people.command("update")(update)
    people.command("completeness")(completeness)
    app.add_typer(people, name="people")
    app.command()(erase)


def get(
    any_id: Annotated[str, typer.Argument(help="Any id of theirs, or uid:NUMBER.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """What is known of a person: ids, traits, portrait, layers."""
    from tilth.server.person import describe_person

    with open_workspace(workspace, read_only=True) as opened:
        person = describe_person(opened, any_id)
    if json:
        print_json(person)
        return
    drawn = person.portrait
    print_lines(
        ("uid", person.uid),
        *[(i.kind, i.id) for i in person.distinct_ids],
        *[(t.name, f"{t.value}  ({t.source})") for t in person.traits],
        ("orders", f"{drawn.orders:,}"),
        ("revenue", f"{drawn.revenue.text} {drawn.revenue.currency} (refunds {drawn.refunds.text})"),
        ("summary", say(drawn.summary)),
        *[(layer.kind, f"{say(layer.layer_name)} since {layer.since}") for layer in person.layers],
    )
    if person.clv is not None:
        value = person.clv.value_90d
        print_lines(
            ("alive", f"{person.clv.p_alive:.0%}"),
            ("90 days", f"{person.clv.expected_90d:.2f} purchases worth {value.text} {value.currency}"),
        )


def update(
    file: Annotated[
        Path,
        typer.Argument(help="CSV with a header, or JSON lines as the API takes them.", exists=True, dir_okay=False),
    ],
    id_column: Annotated[str, typer.Option(help="Column with the id (CSV).")] = "id",
    kind: Annotated[str, typer.Option(help="Kind of the ids (CSV).")] = "id",
    source: Annotated[str, typer.Option(help="Who says so: self_declared, imported, observed, computed.")] = "imported",
    create: Annotated[bool, typer.Option("--create", help="An id nobody has becomes a person.")] = False,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Change traits of many people. A CSV's other columns are traits: an empty cell changes nothing, numbers and
    true/false are read as such unless the tracking plan says the trait is text."""
    from tilth.cli.profile_files import read_profiles
    from tilth.collect.profiles import MOST_ROWS, RefusedRow

    people = written = unknown = 0
    refused: list[RefusedRow] = []
    with open_workspace(workspace) as opened:
        opened.collect.catch_up()
        traits = opened.collect.plans.current().plan.traits
        texts = {name for name, one in traits.items() if one.type == "text"}
        # Nothing is changed by a file that cannot be read to its end.
        for _ in read_profiles(file, id_column, kind, texts):
            pass
        rows = read_profiles(file, id_column, kind, texts)
        start = 0
        while part := list(itertools.islice(rows, MOST_ROWS)):
            done = opened.collect.profiles.update(part, source, create)  # type: ignore[arg-type]
            people, written, unknown = people + done.people, written + done.written, unknown + done.unknown
            refused += [msgspec.structs.replace(one, row=start + one.row) for one in done.refused]
            start += len(part)
    if json:
        print_json({"people": people, "written": written, "unknown": unknown, "refused": refused})
    else:
        print_lines(
            ("people", f"{people:,}"),
            ("traits written", f"{written:,}"),
            ("ids nobody has", f"{unknown:,}"),
            ("rows refused", f"{len(refused):,}"),
            *[(f"row {one.row + 1:,}", f"{one.field}: {one.reason}") for one in refused[:20]],
        )
    if refused:
        raise typer.Exit(1)


def completeness(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """How complete our picture of people is: over all, by field, by the channels they are known in."""
    with open_workspace(workspace, read_only=True) as opened:
        opened.collect.catch_up()
        found = opened.portraits.report()
    if json:
        print_json(found)
        return
    people = found.people
    print_lines(
        ("people", f"{people:,}"),
        ("completeness", f"{found.completeness:.1%}"),
        ("in two channels or more", f"{found.several:,} / {people:,}"),
        *[(f"{f.name} × {f.weight:g}", f"{f.known:,} / {people:,}") for f in found.fields],
        *[(f"known by {c.channel}", f"{c.people:,} people, {c.completeness:.1%} complete") for c in found.channels],
    )


def erase(
    any_id: Annotated[str, typer.Argument(help="Any id of the person, or uid:NUMBER.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Remove a person for good: events, ids, traits, memberships. Cannot be undone."""
    from tilth.server import audit
    from tilth.server.erasure import erase as erase_person

    with open_workspace(workspace) as opened:
        uid = opened.people.find(any_id)
        if not yes:
            typer.confirm(f"Erase person {uid} ({any_id}) for good?", abort=True)
        uid, removed = erase_person(opened, any_id)
        audit.record(opened.database, operator(), "person.erase", f"uid {uid}", {"events_removed": removed})
    if json:
        print_json({"uid": uid, "events_removed": removed})
    else:
        typer.echo(f"person {uid} erased, {removed:,} events removed")
