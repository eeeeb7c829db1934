"""import orders|events|profiles, and the quarantine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, is_interactive, open_workspace, operator, pairs
from tilth.cli.output import notice, print_json, print_lines, print_table, say
from tilth.errors import InvalidInput

if TYPE_CHECKING:
    from tilth.collect.imports import Progress, Proposal, Summary
    from tilth.workspace import Workspace

__all__ = ["register"]

quarantine = typer.Typer(help="Rows that could not be taken: list, replay after a fix, dismiss.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.command("import")(import_files)
    quarantine.command("list")(list_rows)
    quarantine.command("replay")(replay)
    quarantine.command("dismiss")(dismiss)
    app.add_typer(quarantine, name="quarantine")


Files = Annotated[list[str], typer.Argument(help="Files, folders or globs; several are one import.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="What a column is, as role=Column: customer=CustomerID,time=InvoiceDate,…"),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", "--rule", help="Switch a rule: returns=off, zero_price=on, no_customer=quarantine …"),
]


def import_files(
    kind: Annotated[str, typer.Argument(help="orders, events or profiles.")],
    files: Files,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    map: Map = None,
    where: Where = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times that name none [default: the workspace's].")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of the money.")] = None,
    date_order: Annotated[str | None, typer.Option(help="Order of dates such as 03/04/2024: ymd, dmy or mdy.")] = None,
    decimal: Annotated[str | None, typer.Option(help="Decimal sign: . or ,")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of text files [default: found out].")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter of text files [default: found out].")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook [default: the first with data].")] = None,
    level: Annotated[str | None, typer.Option(help="line: a row is an order line; order: a row is an order.")] = None,
    id_kind: Annotated[str | None, typer.Option(help="Kind of id in the customer column.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")] = False,
    json: AsJson = False,
) -> None:
    """Import files. Columns are recognised and shown before anything is written."""
    if kind not in ("orders", "events", "profiles"):
        raise InvalidInput("kind", f"{kind!r} cannot be imported", ["orders", "events", "profiles"])
    given = {
        "timezone": timezone, "currency": currency, "date_order": date_order, "decimal": decimal, "level": level,
        "encoding": encoding, "delimiter": delimiter, "sheet": sheet, "id_kind": id_kind,
    }  # fmt: skip
    options: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    if where:
        options["rules"] = pairs(where, "--where")
    mapping = pairs(map, "--map") if map else None
    paths: list[str | Path] = [*files]
    with open_workspace(workspace) as opened:
        if not json:
            proposal = opened.imports.propose(kind, paths, map=mapping, options=options)
            show_proposal(proposal)
            if is_interactive() and not yes and not dry_run and not proposal.questions:
                typer.confirm("Import like this?", default=True, abort=True)
        summary = _with_progress(opened, kind, paths, mapping, options, dry_run, quiet=json)
    if json:
        print_json(summary)
    else:
        show_summary(summary)


def _with_progress(
    opened: Workspace,
    kind: str,
    files: list[str | Path],
    mapping: dict[str, str] | None,
    options: dict[str, Any],
    dry_run: bool,
    *,
    quiet: bool,
) -> Summary:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[rate]}  {task.fields[left]}"),
        console=Console(stderr=True),
        disable=quiet,
        transient=True,
    )
    with bar:
        task = bar.add_task("reading", total=None, rate="", left="")

        def show(progress: Progress) -> None:
            left = progress.seconds_left
            bar.update(
                task,
                description=f"{progress.phase}  {progress.rows_read:,} rows",
                completed=progress.bytes_done,
                total=progress.bytes_total or None,
                rate=f"{progress.rate:,.0f} rows/s",
                left="" if left is None else f"{left:.0f} s left",
            )

        return opened.imports.run_files(
            kind, files, map=mapping, options=options, dry_run=dry_run, progress=show, by=operator()
        )


def show_proposal(proposal: Proposal) -> None:
    """The columns as they were understood, with how sure that is and why."""
    form = proposal.format
    parts = [form.kind, form.compression if form.compression != "none" else "", form.encoding, form.sheet]
    row = "an order" if proposal.level == "order" else "a line of an order"
    notice(", ".join(part for part in parts if part) + (f"; a row is {row}" if proposal.kind == "orders" else ""))
    print_table(
        "",
        ["column", "is", "sure", "because", "for example"],
        [
            (
                c.column,
                c.role or "–",
                f"{c.confidence:.0%}" if c.role else "",
                say(c.why),
                ", ".join(c.samples[:3]),
            )
            for c in proposal.columns
        ],
        right=["sure"],
    )
    for warning in proposal.warnings:
        notice(f"note: {say(warning)}")
    for question in proposal.questions:
        notice(f"question: {question.field}: {say(question.reason)}")


def show_summary(summary: Summary) -> None:
    """The counts, which add up."""
    skipped = ", ".join(f"{rule} {n:,}" for rule, n in summary.skipped.items() if n)
    bad = ", ".join(f"{reason} {n:,}" for reason, n in summary.quarantined.items() if n)
    print_lines(
        ("rows read", f"{summary.rows_read:,}"),
        ("  accepted", f"{summary.rows_accepted:,}"),
        ("  duplicate", f"{summary.rows_duplicate:,}"),
        ("  quarantined", f"{summary.rows_quarantined:,}{f'  ({bad})' if bad else ''}"),
        ("  skipped", f"{summary.rows_skipped:,}{f'  ({skipped})' if skipped else ''}"),
        ("people", f"{summary.people:,} ({summary.new_people:,} new, {summary.buyers:,} bought)"),
        ("orders", f"{summary.orders:,} ({summary.refund_orders:,} refunds)"),
        ("revenue", f"{summary.revenue.amount} {summary.revenue.currency} (refunds {summary.refunds.amount})"),
        ("from, to", f"{summary.first or '–'}, {summary.last or '–'}"),
        ("seconds", f"{summary.seconds:.1f}"),
    )
    if summary.dry_run:
        typer.echo("A dry run: nothing was written.")
    if summary.rows_quarantined and not summary.dry_run:
        typer.echo("See the rows in quarantine with: tilth quarantine list")


Reason = Annotated[str | None, typer.Option(help="Only rows with this reason.")]
OfImport = Annotated[str | None, typer.Option("--import", help="Only rows of this import.")]
Text = Annotated[str | None, typer.Option("--q", help="Only rows whose raw text holds this.")]


def list_rows(
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    reason: Reason = None,
    import_id: OfImport = None,
    q: Text = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    json: AsJson = False,
) -> None:
    """Rows in quarantine: where they stand, why, and their raw text."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.imports.quarantine(import_id=import_id, reason=reason, q=q, limit=limit)
    if json:
        print_json(found)
        return
    print_table(
        f"{found.total:,} rows",
        ["id", "file", "line", "column", "reason", "raw"],
        [(r.id, r.file, r.line, r.column, f"{r.reason}: {r.detail}", r.raw[:120]) for r in found.rows],
        right=["id", "line"],
    )


def replay(
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    ids: Annotated[list[int] | None, typer.Option("--id", help="These rows only.")] = None,
    reason: Reason = None,
    import_id: OfImport = None,
    q: Text = None,
    replace: Annotated[list[str] | None, typer.Option(help="New value of a column: Column=value.")] = None,
    json: AsJson = False,
) -> None:
    """Try rows again, after a fix."""
    from tilth.server.refused_events import replay_quarantined

    with open_workspace(workspace) as opened:
        done = replay_quarantined(
            opened,
            ids=ids or None,
            filter=None if ids else {"import_id": import_id, "reason": reason, "q": q},
            replace=pairs(replace, "--replace") if replace else None,
        )
    if json:
        print_json(done)
    else:
        typer.echo(
            f"{done.replayed:,} replayed: {done.accepted:,} accepted, {done.duplicate:,} duplicate, "
            f"{done.still_quarantined:,} still in quarantine"
        )


def dismiss(
    ids: Annotated[list[int], typer.Argument(help="Rows to put aside for good.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
) -> None:
    """Mark rows as not worth keeping; they stay on record."""
    with open_workspace(workspace) as opened:
        typer.echo(f"{opened.imports.dismiss(ids=ids):,} dismissed")
