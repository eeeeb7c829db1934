"""Files that cannot be imported get a clear message and leave nothing behind."""

from __future__ import annotations

import errno
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import zstandard

from tilth.collect.imports import excel, staging
from tilth.errors import InvalidInput, StorageFailed
from tilth.workspace import Workspace

Write = Callable[..., Path]

GOOD = "customer,date,amount\n" + "".join(f"c{i % 40},2024-01-{i % 28 + 1:02d},{i}.50\n" for i in range(2000))


def nothing_left(workspace: Workspace) -> bool:
    staged = workspace.folder / "staging"
    return (
        workspace.people.count() == 0
        and workspace.lake.stats().rows == 0
        and workspace.imports.quarantine(state=None).total == 0
        and (not staged.exists() or not any(staged.iterdir()))
    )


def refusal(workspace: Workspace, path: str | Path, **given: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        workspace.imports.run_files("orders", [path], **given)  # type: ignore[arg-type]
    assert nothing_left(workspace)
    return caught.value


def test_a_file_that_is_not_there(workspace: Workspace, tmp_path: Path) -> None:
    assert refusal(workspace, tmp_path / "none.csv").reason == f"there is no file {tmp_path / 'none.csv'}"
    assert "no file matches" in refusal(workspace, str(tmp_path / "*.csv")).reason
    (tmp_path / "folder").mkdir()
    assert "holds no file to import" in refusal(workspace, tmp_path / "folder").reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "a.csv is empty"),
        (b"\n \n\n", "a.csv holds no rows"),
        (b"customer,date,amount\n", "a.csv holds no rows below its header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a.csv is a picture, not a table"),
        (b"%PDF-1.7 ...", "a.csv is a PDF document, not a table"),
        (bytes(range(256)) * 8, "a.csv is not a table of text (it holds binary data)"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "a.csv is a web page or XML, not a table"),
        (b"just one column\nof words\nand no more\n", "a.csv: the file has only one column"),
        (b'{"a": 1\n{"b": 2\n', "a.csv looks like JSON, but no line of it is a JSON object"),
    ],
)
def test_a_file_that_is_no_table_says_what_it_is(
    workspace: Workspace, write: Write, content: bytes, reason: str
) -> None:
    error = refusal(workspace, write("a.csv", content))
    assert error.reason.startswith(reason)


def packed(kind: str) -> bytes:
    raw = GOOD.encode()
    if kind == "gz":
        return gzip.compress(raw)
    if kind == "zst":
        return zstandard.compress(raw)
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", raw)
    elif kind == "parquet":
        pq.write_table(pa.table({"customer": ["a"] * 1000, "date": ["2024-01-01"] * 1000}), out)
    else:
        with xlsxwriter.Workbook(out) as book:
            sheet = book.add_worksheet()
            for r, line in enumerate(GOOD.split("\n")):
                sheet.write_row(r, 0, line.split(","))
    return out.getvalue()


@pytest.mark.parametrize("kind", ["gz", "zst", "zip", "parquet", "xlsx"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_file_that_was_cut_off_is_refused_whole(workspace: Workspace, write: Write, kind: str, share: float) -> None:
    data = packed(kind)
    error = refusal(workspace, write(f"a.{kind}", data[: int(len(data) * share)]))
    assert "damaged" in error.reason


@pytest.mark.parametrize("kind", ["gz", "zst", "zip"])
def test_a_large_packed_file_cut_off_far_in_leaves_nothing(workspace: Workspace, write: Write, kind: str) -> None:
    raw = (
        "customer,date,amount\n" + "".join(f"c{i},2024-01-05,{i * 7919 % 100_000}.50\n" for i in range(600_000))
    ).encode()
    assert len(raw) > 9 << 20
    data = gzip.compress(raw, 1) if kind == "gz" else zstandard.compress(raw, 1)
    if kind == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", raw)
        data = out.getvalue()
        middle = len(data) // 2
        data = data[:middle] + bytes(64) + data[middle + 64 :]
        assert "damaged" in refusal(workspace, write("a.csv.zip", data)).reason
        return
    assert "damaged" in refusal(workspace, write(f"a.csv.{kind}", data[:-1000])).reason


def test_a_protected_workbook_asks_for_one_without_a_password(workspace: Workspace, write: Write) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le") + bytes(1000)
    assert "protected with a password" in refusal(workspace, write("a.xlsx", ole)).reason


def test_a_protected_zip_asks_for_one_without_a_password(workspace: Workspace, write: Write) -> None:
    data = bytearray(packed("zip"))
    data[6] |= 1
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "protected with a password" in refusal(workspace, write("a.zip", bytes(data))).reason


def test_a_zip_that_unpacks_to_far_too_much_is_refused_unread(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as member:
        for _ in range(200):
            member.write(b"0" * (1 << 20))
    assert "which no table does" in refusal(workspace, path).reason


def test_a_zip_whose_parts_overlap_is_refused(workspace: Workspace, write: Write) -> None:
    data = bytearray(packed("zip"))
    at = data.rindex(b"PK\x01\x02")
    data[at + 20 : at + 24] = (1 << 30).to_bytes(4, "little")
    assert "damaged" in refusal(workspace, write("a.zip", bytes(data))).reason


def test_one_endless_line_is_refused_in_bounded_memory(
    workspace: Workspace, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tilth.collect.imports import delimited

    monkeypatch.setattr(delimited, "MAX_RECORD", 1 << 20)
    monkeypatch.setattr(delimited, "CHUNK_BYTES", 1 << 18)
    path = write("a.csv.gz", gzip.compress(GOOD.encode() + b"x" * (8 << 20)))
    assert "a row of more than 1 MB" in refusal(workspace, path).reason


def rewritten(part: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed("xlsx"))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.infolist():
            data = source.read(member)
            target.writestr(member.filename, change(data) if member.filename == part else data)
    return out.getvalue()


def test_a_workbook_with_entities_is_refused(workspace: Workspace, write: Write) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    data = rewritten("xl/sharedStrings.xml", lambda xml: bomb + xml)
    assert "declares XML entities" in refusal(workspace, write("a.xlsx", data)).reason


def test_a_workbook_with_a_cell_far_away_is_refused_before_it_takes_the_memory(
    workspace: Workspace, write: Write
) -> None:
    data = rewritten("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="C2000"', b'r="XFD2000"'))
    data = rewritten(
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
    )
    assert "spans 1,048,576 rows by 16,384 columns" in refusal(workspace, write("a.xlsx", data)).reason


def test_a_workbook_without_cell_addresses_is_bounded_too(
    workspace: Workspace, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "MAX_CELLS", 1000)
    data = rewritten("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b' r="', b' x="'))
    assert "at most 1,000 cells" in refusal(workspace, write("a.xlsx", data)).reason


def test_no_time_column_is_said_with_the_columns_to_choose_from(workspace: Workspace, write: Write) -> None:
    error = refusal(workspace, write("a.csv", "customer,amount,note\nA,1,x\nB,2,y\n"))
    assert (error.field, error.choices) == ("map.time", ["note"])
    assert error.reason == "no column holds dates or times; say which one is the time"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("date,amount\n2024-01-01,1\n2024-01-02,2\n", "map.customer"),
        ("customer,date\nA,2024-01-01\nB,2024-01-02\n", "map.amount"),
    ],
)
def test_what_else_an_order_file_needs(workspace: Workspace, write: Write, content: str, field: str) -> None:
    assert refusal(workspace, write("a.csv", content)).field == field


def test_an_ambiguous_date_order_is_asked_and_an_answer_accepted(workspace: Workspace, write: Write) -> None:
    path = write("a.csv", "customer,date,amount\nA,03/04/2024,1\nB,05/06/2024,2\n")
    error = refusal(workspace, path)
    assert (error.field, error.choices) == ("options.date_order", ["dmy", "mdy"])
    assert "such as 03/04/2024" in error.reason
    summary = workspace.imports.run_files("orders", [path], options={"date_order": "mdy"})
    assert (summary.first, summary.last) == ("2024-03-04T00:00:00Z", "2024-05-06T00:00:00Z")


def test_a_date_that_settles_the_order_may_come_late(workspace: Workspace, write: Write) -> None:
    rows = "".join(f"c{i % 9},{i % 12 + 1:02d}/04/2024,1\n" for i in range(20_000))
    path = write("a.csv", "customer,date,amount\n" + rows + "A,31/01/2024,1\n")
    assert workspace.imports.propose("orders", [path]).options.date_order == "dmy"


def test_mixed_date_orders_are_asked_and_never_guessed(workspace: Workspace, write: Write) -> None:
    path = write("a.csv", "customer,date,amount\nA,13/04/2024,1\nB,04/13/2024,2\nC,01/02/2024,2\n")
    error = refusal(workspace, path)
    assert error.field == "options.date_order"
    assert "in several orders" in error.reason
    summary = workspace.imports.run_files("orders", [path], options={"date_order": "dmy"})
    assert (summary.rows_accepted, summary.quarantined) == (2, {"date_order": 1})


def test_another_date_order_far_down_the_file_stops_the_import_with_the_question(
    workspace: Workspace, write: Write
) -> None:
    rows = "".join(f"c{i % 9},13/04/2024,1\n" for i in range(20_000))
    error = refusal(workspace, write("a.csv", "customer,date,amount\n" + rows + "A,04/13/2024,1\n"))
    assert (error.field, error.choices) == ("options.date_order", ["dmy", "mdy"])
    failed = workspace.imports.list().imports[0]
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.field == "options.date_order"


def test_a_future_date_goes_to_quarantine(workspace: Workspace, write: Write) -> None:
    summary = workspace.imports.run_files(
        "orders",
        [write("a.csv", "customer,date,amount\nA,2024-01-01,1\nB,2999-01-01,2\nC,1900-01-00,2\nD,1960-05-05,3\n")],
    )
    assert summary.quarantined == {"future": 1, "bad_time": 1, "too_old": 1}


def test_another_currency_is_refused_when_it_is_everywhere_and_quarantined_when_it_is_not(
    workspace: Workspace, write: Write
) -> None:
    error = refusal(workspace, write("a.csv", "customer,date,amount\nA,2024-01-01,$1\nB,2024-01-01,$2\n"))
    assert error.field == "options.currency"
    assert "are in $, but this workspace keeps money in GBP" in error.reason
    error = refusal(
        workspace, write("b.csv", "customer,date,amount,currency\nA,2024-01-01,1,USD\nB,2024-01-01,2,USD\n")
    )
    assert error.field == "options.currency"
    summary = workspace.imports.run_files(
        "orders",
        [
            write(
                "c.csv",
                "customer,date,amount,currency\nA,2024-01-01,£1,GBP\nB,2024-01-01,$2,GBP\nC,2024-01-01,3,gbp\nD,2024-01-01,3,EUR\n",
            )
        ],
    )
    assert (summary.rows_accepted, summary.quarantined) == (2, {"currency": 2})


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"currency": "USD"}, "options.currency"),
        ({"currency": "pounds"}, "options.currency"),
        ({"timezone": "Mars/Olympus"}, "options.timezone"),
        ({"date_order": "ydm"}, "options.date_order"),
        ({"encoding": "klingon"}, "options.encoding"),
        ({"delimiter": "::"}, "options.delimiter"),
        ({"colour": "red"}, "options.colour"),
        ({"rules": {"sundays": True}}, "options.rules.sundays"),
        ({"rules": {"cancelled": "explode"}}, "options.rules.cancelled"),
        ({"statuses": {"x": "y"}}, "options.statuses.x"),
        ({"header": "maybe"}, "options.header"),
    ],
)
def test_options_that_cannot_be_name_themselves(
    workspace: Workspace, write: Write, options: dict[str, object], field: str
) -> None:
    assert refusal(workspace, write("a.csv", GOOD), options=options).field == field


def test_a_kind_that_does_not_exist(workspace: Workspace, write: Write) -> None:
    with pytest.raises(InvalidInput) as caught:
        workspace.imports.run_files("refunds", [write("a.csv", GOOD)])
    assert caught.value.choices == ["orders", "events", "profiles"]


def test_a_file_of_which_nothing_can_be_understood_is_refused(workspace: Workspace, write: Write) -> None:
    rows = "".join(f"c{i % 40},2024-01-05,{i}.50\n" for i in range(3000))
    error = refusal(
        workspace, write("a.csv", "customer,date,amount\n" + rows), map={"time": "customer", "customer": "date"}
    )
    assert "no row could be understood" in error.reason
    assert "bad_time" in error.reason


def test_bad_bytes_cost_their_row_only(workspace: Workspace, write: Write) -> None:
    text = "customer,date,amount,note\n" + "A,2024-01-01,1,茶茶茶茶茶茶茶茶茶茶茶茶\n" * 5
    path = write("a.csv", text.encode() + b"B,2024-01-01,2,\xff\xfe\nC\xff,2024-01-01,2,x\nD,2024-01-01,2,x\n")
    summary = workspace.imports.run_files("orders", [path])
    assert summary.quarantined == {"encoding": 1}
    assert summary.rows_accepted == 7


def test_a_full_disk_stops_the_import_which_can_be_resumed(
    workspace: Workspace, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.csv", GOOD)
    real = staging.Staging._write

    def full(self: staging.Staging, name: str, table: pa.Table) -> None:
        with staging.storage(self.folder):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging.Staging, "_write", full)
    with pytest.raises(StorageFailed, match="the disk is full"):
        workspace.imports.run_files("orders", [path])
    assert workspace.lake.stats().rows == 0
    assert workspace.people.count() == 0
    stopped = workspace.imports.list().imports[0]
    assert stopped.status == "interrupted"
    assert stopped.error is not None
    monkeypatch.setattr(staging.Staging, "_write", real)
    workspace.imports.resume(stopped.id)
    assert workspace.imports.run(stopped.id).rows_accepted == 2000


def test_a_disk_that_is_nearly_full_is_noticed_before_anything_is_written(
    workspace: Workspace, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.csv", GOOD)

    class Usage:
        free = 1000

    monkeypatch.setattr(staging.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(StorageFailed, match="free"):
        workspace.imports.run_files("orders", [path])
    assert workspace.lake.stats().rows == 0
