"""apply, plan: definitions as YAML files, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import print_json
from tilth.errors import InvalidInput

__all__ = ["register"]

plan = typer.Typer(help="The tracking plan: which events there should be.", no_args_is_help=True)
_PARTS = ("tracking_plan", "sources", "metrics", "alerts", "trees", "stages")


def register(app: typer.Typer) -> None:
    app.command("apply")(apply)
    plan.command("show")(show_plan)
    plan.command("infer")(infer)
    app.add_typer(plan, name="plan")


def apply(
    files: Annotated[
        list[Path], typer.Argument(help="YAML files with tracking_plan, sources, metrics, alerts, trees and stages.")
    ],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the files.")] = False,
    json: AsJson = False,
) -> None:
    """Put definitions in force. All files are checked before anything is changed; works beside a running server."""
    from tilth.cli.measured_definitions import Measured
    from tilth.collect import SourceSettings
    from tilth.collect.plan_yaml import load_yaml, plan_from, read_as
    from tilth.server import audit

    plans: list[Any] = []
    measured = Measured()
    sources: list[tuple[str, SourceSettings]] = []
    for path in files:
        try:
            document = load_yaml(path.read_text("utf-8"), str(path))
        except UnicodeDecodeError:
            raise InvalidInput(str(path), "is not UTF-8 text") from None
        if not isinstance(document, dict):
            raise InvalidInput(str(path), "must be a mapping", list(_PARTS))
        for name in document:
            if name not in _PARTS:
                raise InvalidInput(f"{path}: {name}", "is not known", list(_PARTS))
        if "tracking_plan" in document:
            plans.append(plan_from(document["tracking_plan"], "tracking_plan"))
        listed = document.get("sources") or {}
        if not isinstance(listed, dict):
            raise InvalidInput(f"{path}: sources", "must be a mapping of names to settings")
        for name, settings in listed.items():
            sources.append((str(name), read_as(settings or {}, SourceSettings, f"sources.{name}")))
        measured.read(document)
    if len(plans) > 1:
        raise InvalidInput("tracking_plan", "is given twice")
    done: dict[str, Any] = {"plan_version": None, "sources": [name for name, _ in sources]}
    done |= {part: names for part, names in measured.names().items() if names}
    if not dry_run:
        with open_workspace(workspace, read_only=True) as opened:
            who = operator()
            for one in plans:
                done["plan_version"] = opened.collect.plans.save(one, who).version
                audit.record(opened.database, who, "plan.save", f"version {done['plan_version']}", {"mode": one.mode})
            known = {s.name: s for s in opened.collect.sources.all()}
            for name, settings in sources:
                if name in known:
                    opened.collect.sources.change(known[name].id, settings)
                else:
                    opened.collect.sources.create(name, settings)
                audit.record(opened.database, who, "source.change", name)
            measured.save(opened, who)
    if json:
        print_json(done)
    else:
        said = [f"tracking plan, version {done['plan_version']}"] if done["plan_version"] else []
        said += [f"source {name}" for name in done["sources"]]
        said += [f"{part} {name}" for part, names in measured.names().items() for name in names]
        typer.echo("the files are well" if dry_run else f"in force: {', '.join(said) or 'nothing'}")


def show_plan(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print the plan in force as YAML, as `tilth apply` takes it."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.collect.plans.current()
    if json:
        print_json(found)
    else:
        _print_plan(found.plan)


def infer(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print the plan in force with what arrived in the last four weeks added; nothing is saved."""
    from tilth.collect.observed import infer_plan, observe

    with open_workspace(workspace, read_only=True) as opened:
        current = opened.collect.plans.current().plan
        found = infer_plan(observe(opened.lake, current, opened.settings.memory_mb), current)
    if json:
        print_json(found)
    else:
        _print_plan(found)


def _print_plan(found: Any) -> None:
    from tilth.collect.plan_yaml import plan_yaml

    typer.echo("tracking_plan:")
    for line in plan_yaml(found).splitlines():
        typer.echo(f"  {line}")
