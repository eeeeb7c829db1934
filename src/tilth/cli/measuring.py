"""metric, alert, tree, stages, aarrr, channels, cspdd, board, destination: numbers defined once and told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator
from tilth.cli.output import print_json, print_table
from tilth.cli.query import Body, read_body
from tilth.errors import InvalidInput

__all__ = ["register"]

metric = typer.Typer(help="Metrics: numbers defined once.", no_args_is_help=True)
alert = typer.Typer(help="Alerts on metrics.", no_args_is_help=True)
tree = typer.Typer(help="KPI trees.", no_args_is_help=True)
board = typer.Typer(help="Boards as files and by e-mail.", no_args_is_help=True)
destination = typer.Typer(help="Where notices go.", no_args_is_help=True)
channels = typer.Typer(help="Channel quality and what channels cost.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="JSON or YAML.", exists=True, dir_okay=False)]
Last = Annotated[str, typer.Option(help="Relative range, such as 30d.")]


def register(app: typer.Typer) -> None:
    metric.command("list")(list_metrics)
    metric.command("show")(show_metric)
    metric.command("set")(set_metric)
    metric.command("value")(metric_value)
    metric.command("remove")(remove_metric)
    alert.command("list")(list_alerts)
    alert.command("set")(set_alert)
    alert.command("check")(check_alerts)
    alert.command("incidents")(list_incidents)
    alert.command("remove")(remove_alert)
    tree.command("list")(list_trees)
    tree.command("set")(set_tree)
    tree.command("values")(tree_values)
    tree.command("remove")(remove_tree)
    board.command("list")(list_boards)
    board.command("file")(board_file)
    board.command("send")(send_board)
    destination.command("list")(list_destinations)
    destination.command("add")(add_destination)
    destination.command("test")(try_destination)
    destination.command("remove")(remove_destination)
    channels.command("show")(show_channels)
    channels.command("cost")(put_costs)
    for name, group in (
        ("metric", metric),
        ("alert", alert),
        ("tree", tree),
        ("board", board),
        ("destination", destination),
        ("channels", channels),
    ):
        app.add_typer(group, name=name)
    app.command("aarrr")(show_aarrr)
    app.command("cspdd")(show_cspdd)


def definition(path: Path, kind: type[Any]) -> Any:
    """A file as a struct. Raises `InvalidInput` with the field."""
    from tilth.collect.plan_yaml import load_yaml, read_as

    try:
        return read_as(load_yaml(path.read_text("utf-8"), str(path)), kind, str(path))
    except UnicodeDecodeError:
        raise InvalidInput(str(path), "is not UTF-8 text") from None


def list_metrics(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print all metrics."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.metrics.all()
    if json:
        print_json(found)
        return
    rows = [[m.metric.key, m.metric.name, m.metric.kind, m.metric.shown_unit, m.version, m.metric.owner] for m in found]
    print_table("metrics", ["key", "name", "kind", "unit", "version", "owner"], rows)


def show_metric(key: str, workspace: WorkspacePath = DEFAULT_WORKSPACE) -> None:
    """Print a metric, its versions and where it is used."""
    with open_workspace(workspace, read_only=True) as opened:
        held = opened.metrics.get(key)
        print_json({"metric": held, "versions": opened.metrics.versions(key), "uses": opened.metrics.uses(key)})


def set_metric(file: File, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Define a metric, or change the one of its key."""
    from tilth.measure.metric import Metric
    from tilth.server import audit

    made = definition(file, Metric)
    with open_workspace(workspace, read_only=True) as opened:
        who = operator()
        held = opened.metrics.save(made, who)
        audit.record(opened.database, who, "metric.change", held.metric.key, {"version": held.version})
    if json:
        print_json(held)
    else:
        typer.echo(f"metric {held.metric.key}, version {held.version}")


def metric_value(
    key: str,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    last: Last = "30d",
    body: Body = None,
    json: AsJson = False,
) -> None:
    """Print a metric over a range."""
    asked = {"range": {"last": last}, **read_body(body)}
    with open_workspace(workspace, read_only=True) as opened:
        answer = opened.metrics.values(key, asked)
    if json:
        print_json(answer)
        return
    rows = []
    for series in answer.series:
        named = "" if series.breakdown is None else str(series.breakdown)
        rows += [
            [point.period, named, point.value, point.numerator, point.denominator, point.low, point.high]
            for point in [*series.points, msgspec.structs.replace(series.total, period="all")]
        ]
    print_table(answer.name, ["period", "of", "value", "numerator", "denominator", "low", "high"], rows)


def remove_metric(key: str, workspace: WorkspacePath = DEFAULT_WORKSPACE) -> None:
    """Remove a metric that nothing uses."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        opened.metrics.delete(key)
        audit.record(opened.database, operator(), "metric.remove", key)
    typer.echo(f"metric {key} removed")


def list_alerts(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print all alerts and how they stand."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.alerts.all()
    if json:
        print_json(found)
        return
    rows = [[a.alert.key, a.alert.name, a.alert.metric, a.alert.condition.kind, a.state, a.judged] for a in found]
    print_table("alerts", ["key", "name", "metric", "condition", "state", "judged"], rows)


def set_alert(file: File, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Make an alert, or change the one of its key."""
    from tilth.errors import NotFound
    from tilth.measure.alerts import Alert
    from tilth.server import audit

    made = definition(file, Alert)
    with open_workspace(workspace, read_only=True) as opened:
        who = operator()
        try:
            held = opened.alerts.change(made.key, made)
        except NotFound:
            held = opened.alerts.make(made, who)
        audit.record(opened.database, who, "alert.change", made.key, {"version": held.version})
    if json:
        print_json(held)
    else:
        typer.echo(f"alert {held.alert.key}, version {held.version}")


def check_alerts(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Judge alerts whose period is over, and send what is to be told; a server does so by itself."""
    with open_workspace(workspace, read_only=True) as opened:
        judged = opened.alerts.check_all()
        sent = opened.outbox.deliver()
        firing = [a.alert.key for a in opened.alerts.all() if a.state == "firing"]
    if json:
        print_json({"judged": judged, "sent": sent, "firing": firing})
    else:
        typer.echo(f"{judged} judged, {sent} notices sent; firing: {', '.join(firing) or 'none'}")


def list_incidents(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print incidents, open ones first."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.alerts.incidents()
    if json:
        print_json(found)
        return
    rows = [[i.id, i.name, i.first_period, i.last_period, i.value, i.expected, i.acknowledged_by] for i in found]
    print_table("incidents", ["id", "alert", "from", "to", "value", "expected", "looked after by"], rows)


def remove_alert(key: str, workspace: WorkspacePath = DEFAULT_WORKSPACE) -> None:
    """Remove an alert."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        opened.alerts.delete(key)
        audit.record(opened.database, operator(), "alert.remove", key)
    typer.echo(f"alert {key} removed")


def list_trees(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print all KPI trees."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.trees.all()
    if json:
        print_json(found)
    else:
        print_table("KPI trees", ["key", "name", "version"], [[t.tree.key, t.tree.name, t.version] for t in found])


def set_tree(file: File, workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Make a KPI tree, or change the one of its key."""
    from tilth.errors import NotFound
    from tilth.measure.kpi_tree import Tree
    from tilth.server import audit

    made = definition(file, Tree)
    with open_workspace(workspace, read_only=True) as opened:
        who = operator()
        try:
            held = opened.trees.change(made.key, made)
        except NotFound:
            held = opened.trees.make(made, who)
        audit.record(opened.database, who, "tree.change", made.key, {"version": held.version})
    if json:
        print_json(held)
    else:
        typer.echo(f"KPI tree {held.tree.key}, version {held.version}")


def tree_values(
    key: str, workspace: WorkspacePath = DEFAULT_WORKSPACE, last: Last = "30d", json: AsJson = False
) -> None:
    """Print a tree's numbers beside those of the range before."""
    with open_workspace(workspace, read_only=True) as opened:
        answer = opened.trees.values(key, {"range": {"last": last}})
    if json:
        print_json(answer)
        return
    rows = [
        [n.id, n.parent, n.name, n.value, n.previous, n.of_root, n.pace.status if n.pace else ""] for n in answer.nodes
    ]
    print_table(answer.name, ["node", "of", "name", "value", "before", "adds to the change", "pace"], rows)


def remove_tree(key: str, workspace: WorkspacePath = DEFAULT_WORKSPACE) -> None:
    """Remove a KPI tree."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        opened.trees.delete(key)
        audit.record(opened.database, operator(), "tree.remove", key)
    typer.echo(f"KPI tree {key} removed")


def list_boards(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print all boards."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.boards.all()
    if json:
        print_json(found)
    else:
        print_table(
            "boards", ["id", "title", "tiles", "version"], [[b.id, b.title, len(b.tiles), b.version] for b in found]
        )


def board_file(
    board_id: int,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to: a name that ends in .pdf or .html.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
) -> None:
    """Write a board with its answers as PDF or HTML."""
    with open_workspace(workspace, read_only=True) as opened:
        made = opened.board_schedules.file(board_id, output.suffix.removeprefix("."))
    output.write_bytes(made.content)
    typer.echo(f"wrote {output} ({len(made.content):,} bytes)")


def send_board(
    board_id: int,
    to: Annotated[list[int], typer.Option(help="Number of a destination; several times for several.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    pdf: Annotated[bool, typer.Option(help="Also as a file.")] = True,
) -> None:
    """Send a board now."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        count = opened.board_schedules.send(board_id, to, pdf=pdf)
        audit.record(opened.database, operator(), "board.send", str(board_id), {"destinations": count})
        sent = opened.outbox.deliver()
    typer.echo(f"{sent} sent; what was not is tried again by the server")


def list_destinations(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Print where notices go."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.destinations.all()
    if json:
        print_json(found)
    else:
        rows = [[d.id, d.name, d.kind, d.shown, d.enabled] for d in found]
        print_table("destinations", ["id", "name", "kind", "to", "on"], rows)


def add_destination(
    name: str,
    kind: Annotated[str, typer.Option(help="email, webhook, wecom, dingtalk, feishu or slack.")],
    address: Annotated[str, typer.Option(help="E-mail addresses, or the URL.")],
    secret: Annotated[str, typer.Option(help="What it is signed with.")] = "",
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Add a destination."""
    from tilth.notify import Destination
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        who = operator()
        made = opened.destinations.make(Destination(name=name, kind=kind, address=address, secret=secret), who)
        audit.record(opened.database, who, "destination.create", made.name, {"kind": kind})
    if json:
        print_json(made)
    else:
        typer.echo(f"destination {made.id}: {made.name}")


def try_destination(destination_id: int, workspace: WorkspacePath = DEFAULT_WORKSPACE) -> None:
    """Send a test message."""
    import time

    from tilth.errors import StorageFailed
    from tilth.notify import Message
    from tilth.notify.http import Refused

    with open_workspace(workspace, read_only=True) as opened:
        name = opened.settings.name
        try:
            opened.destinations.send(
                destination_id,
                Message(title=f"{name}: test", text="This destination works."),
                f"test:{destination_id}:{time.time_ns()}",
            )
        except Refused as refused:
            raise StorageFailed(f"it was not taken: {refused}") from None
    typer.echo("sent")


def remove_destination(destination_id: int, workspace: WorkspacePath = DEFAULT_WORKSPACE) -> None:
    """Remove a destination."""
    from tilth.server import audit

    with open_workspace(workspace, read_only=True) as opened:
        opened.destinations.delete(destination_id)
        audit.record(opened.database, operator(), "destination.remove", str(destination_id))
    typer.echo(f"destination {destination_id} removed")


def show_channels(workspace: WorkspacePath = DEFAULT_WORKSPACE, last: Last = "30d", json: AsJson = False) -> None:
    """Print what each channel brings, costs and earns."""
    from tilth.measure.stage_boards import ask_channels

    with open_workspace(workspace, read_only=True) as opened:
        answer = ask_channels(opened.behavior, opened.stages, opened.costs, opened.settings, {"range": {"last": last}})
    if json:
        print_json(answer)
        return
    rows = [
        [c.channel, c.people, c.activated.share, c.payers.people, c.revenue, c.cost, c.cac, c.roi, c.cumulative]
        for c in answer.channels
    ]
    columns = ["channel", "people", "activated", "payers", "revenue", "cost", "CAC", "ROI", "cumulative"]
    print_table(f"channels, {answer.first} to {answer.last}", columns, rows)


def put_costs(file: File, workspace: WorkspacePath = DEFAULT_WORKSPACE) -> None:
    """Take what channels cost from a CSV file with the columns day, channel and cost."""
    from tilth.measure.costs import costs_of_csv
    from tilth.server import audit
    from tilth.settings import currency_digits

    with open_workspace(workspace, read_only=True) as opened:
        try:
            text = file.read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidInput(str(file), "is not UTF-8 text") from None
        costs = costs_of_csv(text, currency_digits(opened.settings.currency))
        who = operator()
        count = opened.costs.put(costs, who)
        audit.record(opened.database, who, "costs.put", "channels", {"costs": count})
    typer.echo(f"{count} costs")


def show_aarrr(workspace: WorkspacePath = DEFAULT_WORKSPACE, last: Last = "30d") -> None:
    """Print acquisition, activation, retention, revenue and referral as JSON."""
    from tilth.measure.stage_boards import ask_aarrr

    with open_workspace(workspace, read_only=True) as opened:
        asked = {"range": {"last": last}, "compare": True}
        print_json(ask_aarrr(opened.behavior, opened.stages, opened.costs, opened.settings, asked))


def show_cspdd(workspace: WorkspacePath = DEFAULT_WORKSPACE, last: Last = "90d") -> None:
    """Print the way from channel over scene, product and decision to the deal as JSON."""
    from tilth.measure.stage_boards import ask_cspdd

    with open_workspace(workspace, read_only=True) as opened:
        print_json(ask_cspdd(opened.behavior, opened.stages, {"range": {"last": last}}))
