"""Tables of text as people's programs write them: CSV in any encoding, workbooks with typed cells."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from tilth.simulate.calendar import OFFSET

__all__ = ["chinese_times", "local_times", "slash_times", "thousands", "write_csv", "write_workbook", "yuan"]

_EPOCH_1900 = 25569  # days from Excel's day 0 to 1970-01-01


def _local(ts: NDArray[Any]) -> pa.Array:
    return pa.array(np.asarray(ts, np.int64) + OFFSET).cast(pa.timestamp("us"))


def local_times(ts: NDArray[Any]) -> pa.Array:
    """`2024-01-05 13:22:10`."""
    return pc.strftime(_local(ts).cast(pa.timestamp("s"), safe=False), "%Y-%m-%d %H:%M:%S")


def slash_times(ts: NDArray[Any]) -> pa.Array:
    """`2024/1/5 13:22`, as a spreadsheet shows a time by default."""
    local = _local(ts)
    parts = [pc.year(local), "/", pc.month(local), "/", pc.day(local), " ", pc.hour(local)]
    texts = [part if isinstance(part, str) else part.cast(pa.string()) for part in parts]
    return pc.binary_join_element_wise(*texts, pc.strftime(local.cast(pa.timestamp("s"), safe=False), ":%M"), "")


def chinese_times(ts: NDArray[Any]) -> pa.Array:
    """`2024年1月5日 13:22`."""
    local = _local(ts)
    clock = pc.strftime(local.cast(pa.timestamp("s"), safe=False), " %H:%M")
    numbers = [pc.year(local), pc.month(local), pc.day(local)]
    year, month, day = (number.cast(pa.string()) for number in numbers)
    return pc.binary_join_element_wise(year, "年", month, "月", day, "日", clock, "")


def yuan(fen: NDArray[Any]) -> pa.Array:
    """`1234.50`, exactly; `-12.00` for negative amounts."""
    fen = np.asarray(fen, np.int64)
    size = np.abs(fen)
    sign = pa.array(np.where(fen < 0, "-", ""))
    cents = pa.array(np.char.zfill((size % 100).astype("U2"), 2))
    return pc.binary_join_element_wise(sign, pa.array(size // 100).cast(pa.string()), ".", cents, "")


def thousands(fen: NDArray[Any], sign: str = "") -> pa.Array:
    """`1,234.50`, with a currency sign in front if given."""
    texts = yuan(fen)
    texts = pc.replace_substring_regex(texts, r"(\d)(\d{3})\.", r"\1,\2.")
    texts = pc.replace_substring_regex(texts, r"(\d)(\d{3}),", r"\1,\2,")
    return pc.binary_join_element_wise(sign, texts, "") if sign else texts


def write_csv(path: Path, columns: dict[str, pa.Array], encoding: str = "utf-8", tail: list[str] | None = None) -> None:
    """A CSV file; `tail`: lines put after the table as they are."""
    buffer = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(columns), buffer, options)
    header = ",".join(columns) + "\n"
    if encoding == "utf-8" and not tail:
        with path.open("wb") as file:
            file.write(header.encode())
            file.write(buffer.getbuffer())
        return
    text = header + buffer.getvalue().decode() + "".join(line + "\n" for line in tail or [])
    path.write_bytes(text.encode(encoding))


def write_workbook(
    path: Path,
    sheet: str,
    columns: dict[str, pa.Array],
    over: dict[str, pa.Array] | None = None,
    tail: list[list[Any]] | None = None,
    blank: int = 0,
) -> None:
    """A workbook of one sheet. Numeric columns become numbers, timestamps dates, the rest text.

    over: text that somebody typed over the cells of a column (null: nothing). tail: rows put after
    the table; blank: rows of formatted, empty cells after that.

    Written column by column as XML (ECMA-376, inline strings): a library that writes cell by cell takes
    ten times as long.
    """
    names = list(columns)
    rows = len(columns[names[0]])
    numbers = pa.array(np.arange(2, rows + 2)).cast(pa.string())
    cells: list[Any] = ['<row r="', numbers, '">']
    for at, (name, column) in enumerate(columns.items()):
        typed = (over or {}).get(name)
        cells += _cells(_letter(at), numbers, column, typed)
    lines = pc.binary_join_element_wise(*cells, "</row>", "").to_pylist()
    body = [_row(1, names, 2), *lines]
    body += [_row(rows + 2 + k, row, 0) for k, row in enumerate(tail or [])]
    after = rows + 2 + len(tail or [])
    for number in range(after, after + blank):
        empty = "".join(f'<c r="{_letter(c)}{number}" s="2"/>' for c in range(len(names)))
        body.append(f'<row r="{number}">{empty}</row>')
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELATIONS.format(type="officeDocument", target="xl/workbook.xml", more=""),
        "xl/workbook.xml": _WORKBOOK.format(sheet=escape(sheet)),
        "xl/_rels/workbook.xml.rels": _RELATIONS.format(
            type="worksheet", target="worksheets/sheet1.xml", more=_STYLE_RELATION
        ),
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": f"{_XML}<worksheet {_MAIN}><sheetData>{''.join(body)}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, text in parts.items():
            # A fixed time: the same company gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), text.encode(), zipfile.ZIP_DEFLATED, 3)


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_OFFICE = "http://schemas.openxmlformats.org"
_MAIN = f'xmlns="{_OFFICE}/spreadsheetml/2006/main"'
_REL = f"{_OFFICE}/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    f'{_XML}<Types xmlns="{_OFFICE}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>'
)
_RELATIONS = (
    f'{_XML}<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_REL}/{{type}}" Target="{{target}}"/>{{more}}</Relationships>'
)
_STYLE_RELATION = f'<Relationship Id="rId2" Type="{_REL}/styles" Target="styles.xml"/>'
_WORKBOOK = (
    f'{_XML}<workbook {_MAIN} xmlns:r="{_REL}"><sheets>'
    '<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
# Cell formats: 0 general, 1 date and time, 2 bold.
_STYLES = (
    f'{_XML}<styleSheet {_MAIN}><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _letter(column: int) -> str:
    return chr(ord("A") + column)


def _row(number: int, cells: list[Any], style: int) -> str:
    out = []
    for c, cell in enumerate(cells):
        head = f'<c r="{_letter(c)}{number}" s="{style}"'
        if isinstance(cell, str) and cell:
            out.append(f'{head} t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
        elif not isinstance(cell, str):
            out.append(f"{head}><v>{cell!r}</v></c>")
    return f'<row r="{number}">{"".join(out)}</row>'


def _cells(letter: str, numbers: pa.Array, column: pa.Array, typed: pa.Array | None) -> list[Any]:
    """A column's cells, one text a row; an empty text is no cell."""
    head = pc.binary_join_element_wise(f'<c r="{letter}', numbers, '"', "")
    if pa.types.is_string(column.type):
        return [_text_cells(head, column if typed is None else pc.coalesce(typed, column))]
    style = ""
    if pa.types.is_timestamp(column.type):
        days = column.cast(pa.int64()).to_numpy(zero_copy_only=False) / 86_400e6 + _EPOCH_1900
        column, style = pa.array(days), ' s="1"'
    # repr gives the shortest digits that read back as the same number.
    values = pa.array([repr(value) for value in column.to_pylist()])
    plain = pc.binary_join_element_wise(head, style, "><v>", values, "</v></c>", "")
    if typed is None:
        return [plain]
    return [pc.if_else(pc.is_null(typed), plain, _text_cells(head, pc.fill_null(typed, "")))]


def _text_cells(head: pa.Array, texts: pa.Array) -> pa.Array:
    for mark, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        texts = pc.replace_substring(texts, mark, instead)
    cells = pc.binary_join_element_wise(head, ' t="inlineStr"><is><t>', texts, "</t></is></c>", "")
    return pc.if_else(pc.equal(texts, ""), "", cells)
