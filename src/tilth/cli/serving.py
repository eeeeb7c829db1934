"""init, serve, demo, doctor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace
from tilth.cli.output import notice, print_json, print_lines, print_table
from tilth.errors import Busy, InvalidInput

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = ["register"]

Port = Annotated[int | None, typer.Option(help="Port to listen on [default: the workspace's, 8765].", min=1, max=65535)]
Host = Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")]


def register(app: typer.Typer) -> None:
    app.command()(init)
    app.command()(serve)
    app.command()(demo)
    app.command()(doctor)


def init(
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    name: Annotated[str | None, typer.Option(help="What the console calls it.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name; calendar days are in it.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 code of its money.")] = None,
    language: Annotated[str | None, typer.Option(help="Console's language: zh-CN or en.")] = None,
    buckets: Annotated[
        int | None, typer.Option(help="How many ways events are split by person.", min=1, max=1024)
    ] = None,
    json: AsJson = False,
) -> None:
    """Make an empty workspace with its first source and admin."""
    import msgspec

    from tilth.server.run import first_link
    from tilth.settings import load_settings
    from tilth.workspace import Workspace

    given: dict[str, Any] = {
        "name": name,
        "timezone": timezone,
        "currency": currency.upper() if currency else None,
        "language": language,
        "buckets": buckets,
    }
    settings = msgspec.structs.replace(load_settings(workspace), **{k: v for k, v in given.items() if v is not None})
    with Workspace.create(workspace, settings) as made:
        source = made.collect.sources.create("default")
        link = first_link(made, settings.host, settings.port)
        if json:
            print_json(
                {"workspace": str(made.folder), "write_key": source.write_key, "sign_in": link, "settings": settings}
            )
            return
        print_lines(("workspace", made.folder), ("write key", source.write_key), ("sign in", link))
        typer.echo("The key and the link are shown once. Start the server with: tilth serve")


def serve(
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    port: Port = None,
    host: Host = None,
    link: Annotated[bool, typer.Option("--link", help="Print a sign-in link even when there is a password.")] = False,
    json: AsJson = False,
) -> None:
    """Serve the API, the console and background work until interrupted.

    On PostgreSQL further nodes may serve the same workspace: they take events and answer questions, and one of
    them does the writing when the first one ends.
    """
    try:
        opened = open_workspace(workspace)
    except Busy:
        opened = open_workspace(workspace, read_only=True)
        if opened.database.is_sqlite:
            opened.close()
            raise
        notice("another node does the writing; this one takes events and answers questions")
    with opened:
        _serve(opened, host, port, link=link, json=json)


def _serve(opened: Workspace, host: str | None, port: int | None, *, link: bool = False, json: bool = False) -> None:
    import logging

    from tilth.server.run import admin_link, first_link, serve

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    def ready(on_host: str, on_port: int) -> None:
        address = (admin_link if link else first_link)(opened, on_host, on_port)
        if json:
            print_json({"address": f"http://{on_host}:{on_port}/", "sign_in": address})
            return
        typer.echo(f"Tilth is at http://{on_host}:{on_port}")
        if address:
            typer.echo(f"Sign in (this link works once): {address}")
        typer.echo("Stop with Ctrl-C.")

    serve(opened, host, port, on_ready=ready)
    if not json:
        typer.echo("Stopped; everything accepted is stored.")


def demo(
    orders: Annotated[
        list[str] | None,
        typer.Option(help="Your own file of orders instead of the simulated company; may be repeated."),
    ] = None,
    people: Annotated[int, typer.Option(help="People in the simulated company.", min=100)] = 20_000,
    days: Annotated[int, typer.Option(help="Days it has been in business.", min=60)] = 730,
    seed: Annotated[int, typer.Option(help="Which of the possible companies.")] = 7,
    currency: Annotated[str | None, typer.Option(help="Currency of the file's money where it names none.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Time zone of the file's times.")] = None,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="Folder [default: ./tilth-demo, or one named for the file]."),
    ] = None,
    port: Port = None,
    host: Host = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Build the workspace and end.")] = False,
) -> None:
    """Try Tilth: the simulated company, or a file of your own, imported, layered and served."""
    import msgspec

    from tilth.demo import build_company, build_from_orders
    from tilth.settings import load_settings

    if orders:
        folder = workspace or Path(f"./tilth-demo-{_stem(orders[0])}")
        given: dict[str, Any] = {"currency": currency, "timezone": timezone, "name": _stem(orders[0])}
        settings = msgspec.structs.replace(load_settings(folder), **{k: v for k, v in given.items() if v is not None})
        opened = build_from_orders(folder, orders, settings=settings, report=notice)
    else:
        if currency or timezone:
            raise InvalidInput("currency" if currency else "timezone", "belongs to --orders; the company's is set")
        opened = build_company(workspace or Path("./tilth-demo"), people=people, days=days, seed=seed, report=notice)
    with opened:
        typer.echo(f"workspace {opened.folder}")
        if not no_serve:
            _serve(opened, host, port, link=True)


def _stem(path: str) -> str:
    name = re.sub(r"[*?\[\]]+", "", Path(path).name)
    stem = re.sub(r"(\.(csv|tsv|txt|jsonl?|ndjson|xlsx?|parquet|gz|zst|zip))+$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "orders"


def doctor(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print the settings in force and where they come from, and check that all is well."""
    from tilth.server.health import diagnostics

    with open_workspace(workspace, read_only=True) as opened:
        found = diagnostics(opened)
    if json:
        print_json(found)
    else:
        print_lines(("tilth", found.version), ("python", found.python), ("platform", found.platform))
        print_table("", ["setting", "value", "from"], [(s.name, s.value, s.origin) for s in found.settings])
        print_table("", ["check", "", "detail"], [(c.name, "ok" if c.ok else "FAILED", c.detail) for c in found.checks])
    if not found.ok:
        raise typer.Exit(1)
