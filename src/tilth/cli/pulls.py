"""pulls: rows of a database, or files of a folder or bucket, fetched every so often."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import print_json, print_lines, print_table
from tilth.errors import InvalidInput, StorageFailed

if TYPE_CHECKING:
    from tilth.collect.pulls import Pull, PullRun

__all__ = ["register"]

pulls = typer.Typer(help="Pulls: rows or files fetched every so often as events.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="The pull's key.")]
Definition = Annotated[
    Path, typer.Argument(help="YAML or JSON: key, connection, rules, every_minutes … as in docs/pulls.md.")
]
SecretVariable = Annotated[
    str | None,
    typer.Option("--secret-env", help="Environment variable with the password or secret key.", metavar="NAME"),
]


def register(app: typer.Typer) -> None:
    pulls.command("list")(list_pulls)
    pulls.command("create")(create)
    pulls.command("preview")(preview)
    pulls.command("run")(run)
    pulls.command("show")(show)
    pulls.command("pause")(pause)
    pulls.command("resume")(resume)
    pulls.command("reset")(reset)
    pulls.command("delete")(delete)
    app.add_typer(pulls, name="pulls")


# All beside a running server: the state database says who runs a pull, and nothing here writes the lake.


def list_pulls(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Every pull, how far it came and when it runs next."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.pulls.all()
    if json:
        print_json([_plain(one) for one in found])
        return
    print_table(
        "",
        ["key", "title", "source", "kind", "every", "mark", "last", "error"],
        [
            (
                one.key, one.title, one.source, _kind(one),
                _when(one),
                one.mark, _instant(one.last_at), one.error,
            )
            for one in found
        ],
    )  # fmt: skip


def create(
    definition: Definition,
    secret_env: SecretVariable = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Make a pull of a definition. Try it with `pulls preview` first."""
    from tilth.server import audit

    given = _definition(definition)
    with open_workspace(workspace, read_only=True) as opened:
        made = opened.pulls.create(
            given.key, given.connection, given.rules, title=given.title, source=given.source,
            secret=_secret(secret_env) or given.secret, every_minutes=given.every_minutes, enabled=given.enabled,
        )  # fmt: skip
        audit.record(opened.database, operator(), "pull.create", made.key, {"kind": _kind(made), "source": made.source})
    if json:
        print_json(_plain(made))
    else:
        typer.echo(f"made {made.key}; events come under the source {made.source}")


def preview(
    definition: Definition,
    secret_env: SecretVariable = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Connect, read the first rows and show the events the rules make of them. Nothing is kept."""
    from tilth.collect.pulls import look

    given = _definition(definition)
    with open_workspace(workspace, read_only=True) as opened:
        connection, secret = opened.pulls.checked(given.connection, _secret(secret_env) or given.secret)
        seen = look(opened.pulls, connection, secret, given.rules)
    if json:
        print_json(seen)
        return
    for name in seen.files:
        typer.echo(f"file   {name}")
    import msgspec

    for what, several in (("row", seen.rows), ("event", seen.events)):
        for one in several:
            typer.echo(f"{what:6} {msgspec.json.encode(one).decode()}")
    for line in (*seen.skipped, *seen.refused):
        typer.echo(f"left   {line}")


def run(key: Key, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Run a pull now and wait for it; beside a running server too."""
    from tilth.collect.counting import Counts
    from tilth.collect.door import Door
    from tilth.collect.pulls import run_pull
    from tilth.collect.watching import Watch
    from tilth.server import audit
    from tilth.server.refused_events import keep_refused

    with open_workspace(workspace, read_only=True) as opened:
        counts = Counts(opened.database)
        door = Door(
            opened.collect,
            lambda source, format, refused: keep_refused(opened, source, refused, format),
            lambda *_taken: None,
            counts,
            Watch(),
        )
        audit.record(opened.database, operator(), "pull.run", key)
        try:
            done = run_pull(opened.pulls, door, key, "hand", lambda: False)
        finally:
            counts.save()
    if json:
        print_json(_plain(done))
    else:
        _print_runs([done])
    if done.status == "failed":
        raise StorageFailed(f"pull {key}: {done.error}")


def show(key: Key, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """One pull with its latest runs."""
    with open_workspace(workspace, read_only=True) as opened:
        found, runs = opened.pulls.get(key), opened.pulls.runs(key, 20)
    if json:
        print_json({**_plain(found), "runs": [_plain(one) for one in runs]})
        return
    print_lines(
        ("title", found.title), ("source", found.source), ("kind", _kind(found)), ("mark", found.mark or "none yet"),
        ("next", _instant(found.next_at) or "by hand"), ("error", found.error or "none"),
    )  # fmt: skip
    _print_runs(runs)


def pause(key: Key, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Run it no more by itself."""
    _switch(key, workspace, json, False)


def resume(key: Key, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Run it as scheduled again, at once for the first time."""
    _switch(key, workspace, json, True)


def reset(
    key: Key,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Forget how far it came: the next run reads everything again; known events count once."""
    _confirm(yes, f"Read everything of {key} again?")
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        before = opened.pulls.get(key).mark
        found = opened.pulls.reset(key)
        audit.record(opened.database, operator(), "pull.reset", key, {"mark": before})
    if json:
        print_json(_plain(found))
    else:
        typer.echo(f"{key} begins anew")


def delete(
    key: Key,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Forget a pull with its history; its events and its source stay."""
    _confirm(yes, f"Delete the pull {key}?")
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        opened.pulls.remove(key)
        audit.record(opened.database, operator(), "pull.remove", key)
    if json:
        print_json({"key": key, "deleted": True})
    else:
        typer.echo(f"deleted {key}")


def _switch(key: str, workspace: Path, json: bool, enabled: bool) -> None:
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        found = opened.pulls.change(key, enabled=enabled)
        audit.record(opened.database, operator(), "pull.change", key, {"changed": ["enabled"]})
    if json:
        print_json(_plain(found))
    else:
        typer.echo(f"{key} is {'on' if enabled else 'paused'}")


def _confirm(yes: bool, question: str) -> None:
    from tilth.cli.options import is_interactive

    if yes:
        return
    if not is_interactive():
        raise InvalidInput("--yes", "must be given where nobody can be asked")
    typer.confirm(question, abort=True)


def _definition(path: Path) -> Any:
    import msgspec
    import yaml

    from tilth.server.routes.pulls import NewPull

    try:
        return msgspec.convert(yaml.safe_load(path.read_text("utf-8")), NewPull)
    except FileNotFoundError:
        raise InvalidInput("definition", f"there is no file {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput("definition", str(error)) from None


def _secret(variable: str | None) -> str:
    import os

    if variable is None:
        return ""
    found = os.environ.get(variable, "")
    if not found:
        raise InvalidInput("--secret-env", f"the variable {variable} is empty or not set")
    return found


def _print_runs(runs: list[PullRun]) -> None:
    print_table(
        "",
        ["started", "status", "files", "rows", "accepted", "duplicate", "quarantined", "skipped", "mark", "error"],
        [
            (
                _instant(one.started_at), one.status, one.files, one.rows, one.accepted, one.duplicate,
                one.quarantined, one.skipped, one.mark_after, one.error,
            )
            for one in runs
        ],
        right=["files", "rows", "accepted", "duplicate", "quarantined", "skipped"],
    )  # fmt: skip


def _kind(pull: Pull) -> str:
    return str(pull.connection.__struct_config__.tag)


def _when(pull: Pull) -> str:
    if not pull.enabled:
        return "paused"
    return f"{pull.every_minutes} min" if pull.every_minutes else "by hand"


def _instant(value: int | None) -> str:
    from tilth.server.instants import instant

    return "" if value is None else instant(value).strftime("%Y-%m-%d %H:%M:%SZ")


def _plain(value: Any) -> dict[str, Any]:
    """A struct with its instants as ISO text, as the API gives them."""
    import msgspec

    from tilth.server.instants import instant

    told: dict[str, Any] = msgspec.to_builtins(value)
    return {
        name: instant(one).isoformat().replace("+00:00", "Z") if name.endswith("_at") and one is not None else one
        for name, one in told.items()
    }
