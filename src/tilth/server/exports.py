"""Tables as downloads that are safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import quote

from litestar.response import Stream

from tilth.segments.export import Value, write_file

__all__ = ["ExportFormat", "attachment", "cell", "table_file"]

ExportFormat = Literal["csv", "xlsx"]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def cell(value: Any, type_name: str = "") -> Value:
    """A value of an SQL result as a cell: exact decimals become numbers where a spreadsheet keeps them exact."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and type_name.startswith("DECIMAL"):
        try:
            digits = len(Decimal(value).as_tuple().digits)
        except InvalidOperation:
            return value
        return float(value) if digits <= 15 else value
    return str(value)


def table_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[Value]], format: ExportFormat) -> Stream:
    """The table as a download named `name`."""
    return attachment(f"{name}.{format}", write_file(format, columns, rows))


def attachment(filename: str, pieces: Iterable[bytes]) -> Stream:
    """A download with a name that survives every browser."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in filename)
    media = _XLSX if filename.endswith(".xlsx") else "text/csv"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}"
    return Stream(
        iter(pieces), media_type=media, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"}
    )
