"""Tables of every format and encoding come out as the same cells, with the right line numbers."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.collect.imports.chunks import TableReader
from tilth.collect.imports.files import expand
from tilth.collect.imports.opening import open_table
from tilth.collect.imports.tokens import FEW, MANY, WHOLE, tokenize

ROWS = [
    ["客户编号", "下单时间", "实付金额"],
    ["A1", "2024-01-05 10:00:00", "12.50"],
    ["张三", "2024-01-06 11:30:00", "1,080.00"],
]


def csv_text(rows: list[list[str]] = ROWS, delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def cells(reader: TableReader, **given: Any) -> list[list[str]]:
    wanted = set(range(len(reader.columns)))
    return [
        [c.value(i) for c in chunk.columns if c is not None]
        for chunk in reader.chunks(wanted, **given)
        for i in range(chunk.rows)
    ]


def read(path: Path, **given: Any) -> list[list[str]]:
    reader = open_table(expand([path])[0], **given)
    return [reader.columns, *cells(reader)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_found(write: Callable[..., Path], encoding: str) -> None:
    assert read(write("orders.csv", csv_text(), encoding)) == ROWS


def test_an_encoding_that_shows_only_deep_in_the_file_is_found_there(write: Callable[..., Path]) -> None:
    rows = [["id", "name"], *[[str(i), "plain"] for i in range(600_000)], ["600000", "红茶"]]
    path = write("people.csv", csv_text(rows), "gbk")
    assert path.stat().st_size > 5 << 20
    assert read(path)[-1] == ["600000", "红茶"]


def test_western_text_that_is_not_utf_8_is_windows_1252(write: Callable[..., Path]) -> None:
    rows = [["id", "name", "price"], ["1", "Café crème", "£2"], ["2", "Señor", "€3"]]
    assert read(write("a.csv", csv_text(rows), "cp1252")) == rows


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(write: Callable[..., Path], delimiter: str) -> None:
    assert read(write("orders.txt", csv_text(delimiter=delimiter))) == ROWS


def test_blank_separated_text_may_be_padded(write: Callable[..., Path]) -> None:
    text = " customer_id  date number  value\r\n 00001 19970101  1   11.77\r\n 00002  19970112 5 77.00\r\n"
    assert read(write("cd.txt", text)) == [
        ["customer_id", "date", "number", "value"],
        ["00001", "19970101", "1", "11.77"],
        ["00002", "19970112", "5", "77.00"],
    ]


def test_a_file_without_a_header_gets_numbered_columns(write: Callable[..., Path]) -> None:
    assert read(write("a.csv", "1,2024-01-01,3.5\n2,2024-01-02,4.5\n")) == [
        ["column 1", "column 2", "column 3"],
        ["1", "2024-01-01", "3.5"],
        ["2", "2024-01-02", "4.5"],
    ]


def test_titles_and_notes_above_the_header_are_left_out(write: Callable[..., Path]) -> None:
    text = (
        "微信支付账单明细\n导出时间：2024-02-01\n\n交易时间,商户,金额(元)\n"
        "2024-01-05 10:00:00,茶店,¥12.50\n2024-01-06 10:00:00,茶店,¥13.50\n"
    )
    assert read(write("bill.csv", text))[0] == ["交易时间", "商户", "金额(元)"]
    assert len(read(write("bill.csv", text))) == 3


def test_excels_separator_line_is_understood(write: Callable[..., Path]) -> None:
    assert read(write("a.csv", "sep=;\nid;price\n1;2,5\n")) == [["id", "price"], ["1", "2,5"]]


def test_row_names_without_a_header_as_r_writes_them(write: Callable[..., Path]) -> None:
    assert read(write("a.csv", "id,price\n1,7,2.5\n2,8,3.5\n"))[:2] == [["row", "id", "price"], ["1", "7", "2.5"]]


def test_old_mac_line_ends(write: Callable[..., Path]) -> None:
    assert read(write("a.csv", "id,price\r1,2.5\r2,3.5\r")) == [["id", "price"], ["1", "2.5"], ["2", "3.5"]]


@pytest.mark.parametrize("packed", ["gz", "zst", "zip"])
def test_packed_files_are_read_as_streams(tmp_path: Path, packed: str) -> None:
    raw = csv_text().encode()
    path = tmp_path / f"orders.csv.{packed}"
    if packed == "gz":
        path.write_bytes(gzip.compress(raw[:20]) + gzip.compress(raw[20:]))
    elif packed == "zst":
        path.write_bytes(zstandard.compress(raw[:20]) + zstandard.compress(raw[20:]))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/orders.csv", raw)
            archive.writestr("__MACOSX/._orders.csv", b"\0\1")
    assert read(path) == ROWS


def test_json_lines_keep_numbers_as_written(write: Callable[..., Path]) -> None:
    lines = ['{"id": 1, "price": 0.10, "tags": ["a"]}', "", '{"price": 1e2, "id": "x\\ny", "late": null}']
    assert read(write("a.jsonl", "\n".join(lines))) == [
        ["id", "price", "tags", "late"],
        ["1", "0.10", '["a"]', ""],
        ["x\ny", "1e2", "", ""],
    ]


def test_an_array_of_objects_is_read_like_json_lines(write: Callable[..., Path]) -> None:
    assert read(write("a.json", json.dumps([{"id": 1, "b": "x"}, {"id": 2, "b": "}{"}]))) == [
        ["id", "b"],
        ["1", "x"],
        ["2", "}{"],
    ]


def excel(path: Path, rows: list[list[Any]], sheets: int = 1) -> Path:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        for _ in range(sheets - 1):
            book.add_worksheet()
        sheet = book.add_worksheet("订单")
        for r, row in enumerate(rows):
            sheet.write_row(r, 0, row)
    return path


def test_a_workbook_gives_what_its_cells_show(tmp_path: Path) -> None:
    rows = [["会员手机", "下单时间", "实付金额", "数量"], ["13800000001", dt.datetime(2024, 1, 5, 10, 0), 19.99, 3.0]]
    path = excel(tmp_path / "订单.xlsx", rows, sheets=3)
    assert read(path) == [
        ["会员手机", "下单时间", "实付金额", "数量"],
        ["13800000001", "2024-01-05 10:00:00", "19.99", "3"],
    ]
    assert open_table(expand([path])[0]).format.sheet == "订单"


def test_parquet_gives_the_same_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([17850.0, None]),
            "at": pa.array([dt.datetime(2024, 1, 5, 10), dt.datetime(2024, 1, 6)], pa.timestamp("ms")),
            "price": pa.array([Decimal("1.10"), None], pa.decimal128(9, 2)),
            "name": pa.array(["a", "b"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [
        ["id", "at", "price", "name"],
        ["17850", "2024-01-05 10:00:00.000000", "1.10", "a"],
        ["", "2024-01-06 00:00:00.000000", "", "b"],
    ]


def test_folders_and_globs_are_one_import_in_name_order(write: Callable[..., Path], tmp_path: Path) -> None:
    write("in/b.csv", "x")
    write("in/a.csv", "x")
    write("in/sub/c.csv", "x")
    write("in/.hidden.csv", "x")
    write("in/notes.docx", "x")
    assert [f.name for f in expand([tmp_path / "in"])] == ["a.csv", "b.csv", "c.csv"]
    assert [f.name for f in expand([str(tmp_path / "in" / "*.csv")])] == ["a.csv", "b.csv"]
    assert len(expand([tmp_path / "in", tmp_path / "in" / "a.csv"])) == 3


def cut(data: bytes, width: int, final: bool = True, delimiter: str = ",") -> tuple[list[list[str]], list[int], int]:
    block = np.zeros(len(data) * 2 + 2, np.uint8)
    block[: len(data)] = np.frombuffer(data, np.uint8)
    n = data.count(b"\n") + 1
    starts, ends = np.zeros((width, n), np.int64), np.zeros((width, n), np.int64)
    records, shape = np.zeros(n, np.int64), np.zeros(n, np.uint8)
    found, used, _ = tokenize(
        block, len(data), final, ord(delimiter), 10, width, np.arange(width), starts, ends, records, shape, len(data)
    )
    rows = [[block[starts[c, i] : ends[c, i]].tobytes().decode() for c in range(width)] for i in range(found)]
    return rows, shape[:found].tolist(), used


cell = st.text(st.sampled_from(list('ab,"\n\r茶 ')), max_size=6)


@given(st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=8))
@settings(max_examples=300)
def test_what_a_csv_writer_writes_is_cut_into_the_same_cells(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    got, shape, used = cut(out.getvalue().encode(), 3)
    assert got == rows
    assert shape == [WHOLE] * len(rows)
    assert used == len(out.getvalue().encode())


@given(st.lists(st.lists(cell, min_size=2, max_size=2), min_size=1, max_size=6), st.data())
def test_a_block_cut_anywhere_gives_the_same_rows(rows: list[list[str]], data: st.DataObject) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    raw = out.getvalue().encode()
    at = data.draw(st.integers(0, len(raw)))
    first, _, used = cut(raw[:at], 2, final=False)
    rest, _, _ = cut(raw[used:], 2)
    assert first + rest == rows


def test_rows_of_another_width_are_marked_and_blank_lines_are_none() -> None:
    rows, shape, _ = cut(b"a,b,c\n\n1,2\r\n1,2,3,4\n1,2,3,,\n", 3)
    assert shape == [WHOLE, FEW, MANY, WHOLE]
    assert rows[1] == ["1", "2", ""]


def test_a_quote_that_is_never_closed_costs_one_row_not_the_rest_of_the_file() -> None:
    rows, _, _ = cut(b'a,"b\n' + b"c,d\n" * 2000, 2)
    assert rows[0] == ["a", '"b']
    assert len(rows) == 2001


def test_quotes_inside_a_cell_are_text() -> None:
    rows, shape, _ = cut(b'1,5" pipe\n2,"x" y\n', 2)
    assert rows == [["1", '5" pipe'], ["2", '"x" y']]
    assert shape == [WHOLE, WHOLE]


def test_a_bad_row_is_quoted_with_its_physical_line(write: Callable[..., Path]) -> None:
    path = write("a.csv", 'id,note\n1,"two\nlines"\n\n2,ok\n3\n')
    reader = open_table(expand([path])[0])
    chunk = next(iter(reader.chunks({0, 1})))
    texts = chunk.row_text(np.flatnonzero(chunk.shape == FEW))
    assert [(t.line, t.raw) for t in texts] == [(6, "3")]


def test_reading_goes_on_in_the_middle(write: Callable[..., Path]) -> None:
    path = write("a.csv", "id,n\n" + "".join(f"{i},茶\n" for i in range(1000)), "gbk")
    reader = open_table(expand([path])[0])
    first = next(iter(reader.chunks({0}, size=4096)))
    rest = cells(reader, start=first.end, line=first.next_line)
    assert rest[0][0] == str(first.rows)
    assert rest[-1][0] == "999"
