"""segment layering|list|save|export: layers of people, and segments kept from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from tilth.cli.options import DEFAULT_WORKSPACE, AsJson, WorkspacePath, open_workspace, operator, pairs
from tilth.cli.output import notice, print_json, print_table, say

__all__ = ["register", "write_pieces"]

segment = typer.Typer(help="Layerings and segments.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    segment.command("layering")(layering)
    segment.command("kinds")(kinds)
    segment.command("list")(list_segments)
    segment.command("save")(save)
    segment.command("export")(export)
    app.add_typer(segment, name="segment")


Language = Annotated[str | None, typer.Option("--lang", help="zh-CN or en [default: the terminal's].")]


def _value(text: str) -> Any:
    """A parameter as typed: JSON where it is JSON (numbers, lists), else text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def layering(
    kind: Annotated[str, typer.Argument(help="rfm, value, pareto, stage, matrix, clusters …")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: Annotated[str | None, typer.Option(help="Day to look back from [default: the last with data].")] = None,
    param: Annotated[list[str] | None, typer.Option(help="Parameter of the kind: name=value.")] = None,
    save: Annotated[bool, typer.Option("--save/--no-save", help="Keep the result.")] = True,
    lang: Language = None,
    json: AsJson = False,
) -> None:
    """Put everyone into a layer, and test how much the layers mean."""
    # Values may hold commas (lists), so each --param is one pair.
    parameters = {k: _value(v) for piece in param or [] for k, v in _one(piece).items()}
    # What is saved goes to the state database only, so this works beside a running server.
    with open_workspace(workspace, read_only=True) as opened:
        made = opened.segments.layering(kind, as_of=as_of, parameters=parameters or None, save=save)
    if json:
        print_json(made)
        return
    from tilth.measure import decimal_text

    revenue = f"revenue {made.currency}"
    print_table(
        f"{say(made.name, lang)}  {made.as_of}  {made.people:,}" + (f"  (id {made.id})" if made.id else ""),
        ["layer", "name", "people", "share", "orders", revenue, "of revenue", "next"],
        [
            (
                layer.key,
                say(layer.name, lang),
                f"{layer.people:,}",
                f"{layer.people_share:.1%}",
                f"{layer.orders:,}",
                decimal_text(layer.revenue, made.currency),
                f"{layer.revenue_share:.1%}",
                say(layer.suggestion, lang),
            )
            for layer in made.layers
        ],
        right=["people", "share", "orders", revenue, "of revenue"],
    )
    quality = made.quality
    typer.echo(f"{quality.score}/100  {say(quality.verdict, lang)}")
    for warning in quality.warnings:
        notice(f"! {say(warning.text, lang)}")


def _one(piece: str) -> dict[str, str]:
    name, sign, value = piece.partition("=")
    return {name.strip(): value} if sign else pairs([piece], "--param")


def kinds(workspace: WorkspacePath = DEFAULT_WORKSPACE, lang: Language = None, json: AsJson = False) -> None:
    """Which layerings there are, and their parameters."""
    with open_workspace(workspace, read_only=True) as opened:
        found = opened.segments.kinds()
    if json:
        print_json(found)
        return
    print_table(
        "",
        ["kind", "name", "about", "parameters"],
        [(k.kind, say(k.name, lang), say(k.about, lang), ", ".join(p.name for p in k.parameters)) for k in found],
    )


def list_segments(workspace: WorkspacePath = DEFAULT_WORKSPACE, json: AsJson = False) -> None:
    """Saved layerings and segments."""
    with open_workspace(workspace, read_only=True) as opened:
        layerings, segments = opened.segments.saved(), opened.segments.segments()
    if json:
        print_json({"layerings": layerings, "segments": segments})
        return
    print_table(
        "layerings",
        ["id", "kind", "as of", "people", "quality"],
        [(s.id, s.kind, s.as_of, s.people, s.quality_score) for s in layerings],
    )
    print_table("segments", ["key", "name", "people", "by"], [(s.key, s.name, s.people, s.by) for s in segments])


def save(
    layering_id: Annotated[str, typer.Argument(help="Id of a saved layering.")],
    layer: Annotated[str, typer.Argument(help="Key of the layer.")],
    key: Annotated[str, typer.Option(help="Key of the new segment.")],
    name: Annotated[str | None, typer.Option(help="Its name [default: the key].")] = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    json: AsJson = False,
) -> None:
    """Keep a layer's people as a static segment."""
    with open_workspace(workspace, read_only=True) as opened:
        made = opened.segments.save_segment(layering_id, layer, key, name or key, operator())
    if json:
        print_json(made)
    else:
        typer.echo(f"segment {made.key}: {made.people:,} people")


def export(
    what: Annotated[str, typer.Argument(help="A segment's key, or LAYERING or LAYERING:LAYER.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: .csv or .xlsx.")],
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
) -> None:
    """Write a segment, a layer or a whole layering to a CSV or Excel file that is safe to open."""
    form = "xlsx" if output.suffix.lower() == ".xlsx" else "csv"
    with open_workspace(workspace, read_only=True) as opened:
        pieces: Iterable[bytes]
        head, _, layer = what.partition(":")
        if head.isdigit():
            _, pieces = opened.segments.export_layer(head, layer or None, form)
        else:
            _, pieces = opened.segments.export_segment(what, form)
        write_pieces(output, pieces)
    typer.echo(str(output))


def write_pieces(output: Path, pieces: Iterable[bytes]) -> None:
    """Write by rename: a failure half-way leaves no half file."""
    temporary = output.with_name(output.name + ".part")
    try:
        with open(temporary, "wb") as file:
            file.writelines(pieces)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)
