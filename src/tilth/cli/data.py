"""flush, compact, export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from tilth.cli.layers import write_pieces
from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace
from tilth.cli.output import print_json
from tilth.errors import InvalidInput

__all__ = ["register"]

FORMATS = ("csv", "xlsx", "jsonl", "parquet")


def register(app: typer.Typer) -> None:
    app.command()(flush)
    app.command()(compact)
    app.command()(export)


def flush(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Move acknowledged events from the intake log into the lake now."""
    with open_workspace(workspace) as opened:
        written = opened.collect.flush()
    if json:
        print_json({"events": written})
    else:
        typer.echo(f"{written:,} events written")


def compact(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Merge the lake's small files, and remove what a crash left behind."""
    with open_workspace(workspace) as opened:
        merged, swept = opened.lake.compact(), opened.lake.sweep()
        files = opened.lake.stats().files
    if json:
        print_json({"partitions_merged": merged, "files": files, "files_swept": swept})
    else:
        typer.echo(f"{merged:,} partitions merged, {files:,} files now, {swept:,} left-overs removed")


def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: .csv, .xlsx, .jsonl or .parquet.")],
    what: Annotated[str, typer.Argument(help="orders, order_items, people or events.")] = "events",
    statement: Annotated[str | None, typer.Option("--sql", help="A SELECT to export instead of a table.")] = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Write a table, or the rows of a SELECT, to a file (CSV and Excel are safe to open in a spreadsheet)."""
    form = output.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise InvalidInput("--output", f"{output.name!r} names no known format", [f".{f}" for f in FORMATS])
    from tilth.server.sql_views import TABLES, table_batches

    if statement is None and what not in TABLES:
        raise InvalidInput("what", f"{what!r} is not a table", list(TABLES))
    with (
        open_workspace(workspace, read_only=True) as opened,
        table_batches(opened, statement or f"SELECT * FROM {what} ORDER BY uid") as (schema, batches),
    ):
        counted = _Counted(batches)
        write_pieces(output, _pieces(schema, counted, form))
    if json:
        print_json({"file": str(output), "rows": counted.rows, "bytes": output.stat().st_size})
    else:
        typer.echo(f"{counted.rows:,} rows in {output}")


class _Counted:
    """Batches with the number of rows that went by."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches
        self.rows = 0

    def __iter__(self) -> Iterator[Any]:
        for batch in self._batches:
            self.rows += batch.num_rows
            yield batch


def _pieces(schema: Any, batches: Iterable[Any], form: str) -> Iterator[bytes]:
    """The file in pieces, a batch of rows in memory at a time."""
    from tilth.lake.sql import plain_value

    if form == "parquet":
        yield from _parquet(schema, batches)
    elif form == "jsonl":
        encoder = msgspec.json.Encoder()
        for batch in batches:
            for row in batch.to_pylist():
                yield encoder.encode({name: plain_value(value) for name, value in row.items()}) + b"\n"
    else:
        from tilth.segments.export import write_file
        from tilth.server.exports import cell

        kinds = ["DECIMAL" if str(kind).startswith("decimal") else "" for kind in schema.types]
        rows = (
            [cell(plain_value(value), kind) for value, kind in zip(row, kinds, strict=True)]
            for batch in batches
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        )
        yield from write_file(form, schema.names, rows)


def _parquet(schema: Any, batches: Iterable[Any]) -> Iterator[bytes]:
    import tempfile

    import pyarrow.parquet as pq

    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
        file.seek(0)
        while piece := file.read(1 << 20):
            yield piece
