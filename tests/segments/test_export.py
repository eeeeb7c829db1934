"""Exports are safe to open: no text of a person ever becomes a formula."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from tilth.errors import InvalidInput
from tilth.segments.export import csv_bytes, safe_text, write_file, xlsx_bytes

ATTACKS = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", " =1", "\u3000=1"]


@pytest.mark.parametrize("text", ATTACKS)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe_in_csv(text: str) -> None:
    data = b"".join(csv_bytes(["name"], [[text]])).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert rows[1] == ["'" + text]


@pytest.mark.parametrize("text", ATTACKS)
def test_in_excel_the_same_text_is_a_text(text: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_bytes(["name"], [[text]]))))
    cell = book.active.cell(2, 1)
    assert cell.data_type == "s"
    # Excel writes a carriage return as _x000D_ inside the file.
    assert str(cell.value).replace("_x000D_", "\r").strip() == text.strip()


def test_ordinary_texts_and_numbers_stay_as_they_are() -> None:
    assert [safe_text(v) for v in ("王小明", "a=b", "13800000000", -5, 2.5, None)] == [
        "王小明", "a=b", "13800000000", -5, 2.5, None,
    ]  # fmt: skip


def test_csv_begins_with_a_byte_order_mark_so_that_excel_reads_chinese() -> None:
    data = b"".join(csv_bytes(["姓名"], [["王,小明"]]))
    assert data == '\ufeff姓名\r\n"王,小明"\r\n'.encode()


def test_long_lists_come_in_pieces() -> None:
    pieces = list(csv_bytes(["uid"], ([i] for i in range(50_000))))
    assert len(pieces) > 2
    assert b"".join(pieces).count(b"\r\n") == 50_001


def test_an_empty_list_is_a_file_with_its_header() -> None:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_bytes(["uid", "name"], []))))
    assert [c.value for c in book.active[1]] == ["uid", "name"]
    assert b"".join(csv_bytes(["uid"], [])) == b"\xef\xbb\xbfuid\r\n"


def test_rows_beyond_a_sheet_go_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tilth.segments.export._SHEET_ROWS", 10)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_bytes(["n"], ([i] for i in range(25))))))
    values = [[row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in book]
    assert values == [list(range(10)), list(range(10, 20)), list(range(20, 25))]


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        write_file("pdf", ["a"], [])
    assert (caught.value.field, caught.value.choices) == ("format", ["csv", "xlsx"])
