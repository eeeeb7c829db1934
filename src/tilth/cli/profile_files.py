"""Files of profile changes: CSV (a person a line, traits in columns) and JSON lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tilth.collect.profiles import ProfileRow
from tilth.errors import InvalidInput

__all__ = ["read_profiles"]

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})\.\d{1,6}")


def read_profiles(path: Path, id_column: str, kind: str, texts: set[str]) -> Iterator[ProfileRow]:
    """The file's rows. texts: traits whose cells stay text. Raises `InvalidInput` with the line."""
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        yield from _json_lines(path)
        return
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            names = lines.fieldnames or []
            if id_column not in names:
                raise InvalidInput("id_column", f"{id_column!r} is not a column of {path.name}", list(names))
            for line in lines:
                if None in line:
                    raise InvalidInput(f"line {lines.line_num}", "has more cells than the header")
                traits = {n: _value(v, n in texts) for n, v in line.items() if n and n != id_column and v}
                yield ProfileRow(id=(line[id_column] or "").strip(), kind=kind, set=traits)
    except UnicodeDecodeError as error:
        raise InvalidInput(path.name, f"is not UTF-8 text ({error.reason})") from None
    except csv.Error as error:
        raise InvalidInput(path.name, f"is not CSV: {error}") from None


def _json_lines(path: Path) -> Iterator[ProfileRow]:
    decoder = msgspec.json.Decoder(ProfileRow)
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InvalidInput(f"line {number}", str(error)) from None


def _value(cell: str, text: bool) -> Any:
    """A cell as JSON. Leading zeros and long digits are codes, not numbers."""
    if text:
        return cell
    if cell in ("true", "false"):
        return cell == "true"
    if _WHOLE.fullmatch(cell):
        return int(cell)
    return float(cell) if _DECIMAL.fullmatch(cell) else cell
