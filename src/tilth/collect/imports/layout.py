"""How a text table is laid out, from its first lines: delimiter, lines before the header, header or none, columns."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace

from tilth.collect.imports.decimals import OK as NUMBER
from tilth.collect.imports.decimals import parse_decimals
from tilth.collect.imports.instants import OK as DATE
from tilth.collect.imports.instants import parse_instants
from tilth.collect.imports.spans import Spans
from tilth.errors import InvalidInput

__all__ = ["DELIMITERS", "Layout", "column_names", "find_header", "find_layout", "split_line"]

DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv", " ": "blank"}
_LINES = 200


@dataclass(frozen=True)
class Layout:
    """kind: csv, tsv, blank or jsonl. delimiter: one character (a blank means runs of blanks and tabs).

    skip: physical lines before the first line of data, the header among them. columns: names as shown.
    newline: the character a line ends with (CR only in old files). array: a JSON array, not JSON lines.
    """

    kind: str
    delimiter: str
    skip: int
    header: bool
    columns: list[str]
    newline: str = "\n"
    array: bool = False


def split_line(text: str, delimiter: str) -> list[str]:
    """One line's cells."""
    if delimiter == " ":
        return text.split()
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    return [cell for row in rows for cell in row]


def column_names(cells: list[str]) -> list[str]:
    """Names for a header's cells: trimmed, never empty, never twice."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for number, cell in enumerate(cells, 1):
        name = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", cell)).strip().strip("\ufeff'\"") or f"column {number}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _like_data(cells: list[str]) -> list[bool]:
    column = Spans.of([c.strip() for c in cells])
    numbers = parse_decimals(column).status == NUMBER
    dates = parse_instants(column, "UTC").status == DATE
    return [bool(n or d) for n, d in zip(numbers, dates, strict=True)]


def find_header(rows: list[list[str]], header: bool | None = None) -> tuple[int, bool, list[str]]:
    """(rows before the first row of data, whether the last of them is a header, column names).

    rows: the first rows of the table, cells already split. A header holds no number and no date; rows
    above it (titles, notes) are narrower or mostly empty.
    """
    filled = [sum(1 for c in row if c.strip()) for row in rows]
    if not any(filled):
        raise InvalidInput("file", "holds no rows")
    counts = Counter(n for n in filled if n)
    # The usual width, by filled cells among the rows that are as wide as most.
    width = Counter(len(r) for r, n in zip(rows, filled, strict=True) if n).most_common(1)[0][0]
    need = max(2 if width > 1 else 1, round(0.6 * max(n for n, c in counts.items() if c >= max(counts.values()) // 2)))
    first = next((i for i, (r, n) in enumerate(zip(rows, filled, strict=True)) if n >= need and len(r) >= width - 1), 0)
    cells = rows[first]
    is_header = header if header is not None else not any(_like_data([c for c in cells if c.strip()]))
    data = rows[first + 1 : first + 51]
    if header is None and is_header and data and not any(any(_like_data(r)) for r in data):
        # No number or date anywhere: a first line like the others is data only if it repeats below.
        is_header = cells not in data
    if is_header:
        names = column_names(cells)
        if len(names) == width - 1:
            # As R writes tables: the row names have no header.
            names = ["row", *names]
        return first + 1, True, names
    return first, False, [f"column {i}" for i in range(1, max(width, len(cells)) + 1)]


def find_layout(text: str, whole: bool, delimiter: str | None = None, header: bool | None = None) -> Layout:
    """The layout of a text table that begins with `text`; whole: there is no more of it."""
    newline = "\r" if "\n" not in text and "\r" in text else "\n"
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith("{") and delimiter is None:
        return Layout("jsonl", "", 0, True, [], "\n")
    if stripped.startswith("[") and delimiter is None and stripped[1:].lstrip()[:1] in ("{", "]"):
        return Layout("jsonl", "", 0, True, [], "\n", array=True)
    lines = _records(text, newline, whole)
    if not any(line.strip() for line in lines):
        raise InvalidInput("file", "holds no rows")
    offset = 0
    declared = re.fullmatch(r"sep=(.)", lines[0].strip("\r\n")) if lines else None
    if declared:
        delimiter = delimiter or declared.group(1)
        lines, offset = lines[1:], 1
    chosen = delimiter or _find_delimiter(lines)
    rows = [split_line(line, chosen) for line in lines]
    before, is_header, names = find_header(rows, header)
    if len(names) < 2 and chosen != "\t":
        raise InvalidInput(
            "options.delimiter",
            "the file has only one column; say what separates its columns",
            [",", "tab", ";", "|", "blank"],
        )
    physical = sum(line.count(newline) + 1 for line in lines[:before])
    return Layout(DELIMITERS.get(chosen, "csv"), chosen, offset + physical, is_header, names, newline)


def _records(text: str, newline: str, whole: bool) -> list[str]:
    """The first records; a quoted cell may hold line ends. The last, perhaps cut off, is left out."""
    lines = text.split(newline)
    if (not whole and len(lines) > 1) or (lines and lines[-1] == ""):
        lines = lines[:-1]
    records: list[str] = []
    open_quote = ""
    for line in lines[: _LINES * 3]:
        if open_quote:
            open_quote += newline + line
            if open_quote.count('"') % 2 == 0:
                records.append(open_quote)
                open_quote = ""
            continue
        # Only a quote that begins a cell can span lines.
        if line.count('"') % 2 and re.search(r'(^|[,;\t|])"', line):
            open_quote = line
            continue
        records.append(line)
        if len(records) >= _LINES:
            break
    if open_quote:
        records += open_quote.split(newline)
    return [r.rstrip("\r") for r in records[:_LINES]]


def _find_delimiter(lines: list[str]) -> str:
    """The separator that splits the lines most evenly, and into most columns."""
    best: tuple[tuple[float, int, int], str] | None = None
    for rank, candidate in enumerate([",", "\t", ";", "|", " "]):
        widths = [len(split_line(line, candidate)) for line in lines if line.strip()]
        if not widths:
            continue
        width, times = Counter(widths).most_common(1)[0]
        if width < 2:
            continue
        share = times / len(widths)
        if candidate == " " and share < 0.95:
            continue
        score = (round(share * 10) / 10, 0 if candidate == " " else 1, width * 10 - rank)
        if best is None or score > best[0]:
            best = (score, candidate)
    return best[1] if best else ","


def with_columns(layout: Layout, columns: list[str]) -> Layout:
    return replace(layout, columns=columns)
