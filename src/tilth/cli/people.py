"""people get, and erase."""

from __future__ import annotations

from typing import Annotated

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import print_json, print_lines, say

__all__ = ["register"]

people = typer.Typer(help="Look a person up.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    people.command("get")(get)
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
