"""Pulls of a folder and of an S3 bucket: every kind of table, files that grow, change or are damaged."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import zstandard

from tests.collect.pulls.conftest import RULES, Pulling
from tests.conftest import require_or_skip
from tilth.collect.connectors import MappingRule
from tilth.collect.pulls import FolderPlace, S3Place, look

CSV = "id,updated_at,customer,amount\n1,2026-06-01 10:00:00,mei,19.90\n2,2026-06-01 10:05:00,lin,5.00\n"


def lines(*numbers: int) -> bytes:
    rows = [{"id": n, "updated_at": "2026-06-01T10:00:00Z", "customer": "mei", "amount": "1.50"} for n in numbers]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def inbox(pulling: Pulling) -> Path:
    pulling.pulls.create("shop", FolderPlace(path="inbox", settle=0), RULES)
    return pulling.workspace.folder / "inbox"


def test_every_kind_of_table_is_read_and_taken_once(pulling: Pulling, inbox: Path) -> None:
    (inbox / "a.csv").write_text(CSV, "utf-8")
    (inbox / "b.jsonl").write_bytes(lines(3))
    (inbox / "deep").mkdir()
    (inbox / "deep" / "c.jsonl.gz").write_bytes(gzip.compress(lines(4)))
    (inbox / "d.jsonl.zst").write_bytes(zstandard.compress(lines(5)))
    table = {"id": [6], "updated_at": ["2026-06-01T10:00:00Z"], "customer": ["mei"], "amount": [2.5]}
    pq.write_table(pa.table(table), inbox / "e.parquet")
    with xlsxwriter.Workbook(inbox / "f.xlsx") as book:
        sheet = book.add_worksheet()
        for r, row in enumerate([("id", "updated_at", "customer", "amount"), (7, "2026-06-01 10:00:00", "mei", 3.25)]):
            for c, cell in enumerate(row):
                sheet.write(r, c, cell)
    (inbox / "notes.md").write_text("no table", "utf-8")
    (inbox / ".hidden.csv").write_text(CSV, "utf-8")
    (inbox / "empty.csv").touch()
    run = pulling.run()
    assert (run.status, run.rows, run.accepted, run.files) == ("done", 7, 7, 7), run.error
    assert pulling.ids() == [f"order-{n}" for n in range(1, 8)]
    amounts = pulling.rows("SELECT p_amount FROM events ORDER BY event_id")
    assert [row[0] for row in amounts] == [1990, 500, 150, 150, 150, 250, 325]
    assert (pulling.run().rows, pulling.run().files) == (0, 0)


def test_a_changed_file_is_read_again_and_its_known_rows_count_once(pulling: Pulling, inbox: Path) -> None:
    (inbox / "a.csv").write_text(CSV, "utf-8")
    pulling.run()
    (inbox / "a.csv").write_text(CSV + "3,2026-06-01 10:06:00,mei,1\n", "utf-8")
    run = pulling.run()
    assert (run.rows, run.accepted, run.duplicate) == (3, 1, 2)
    assert len(pulling.ids()) == 3


def test_a_file_that_still_grows_is_left_until_it_stays_as_it_is(pulling: Pulling) -> None:
    inbox = pulling.workspace.folder / "inbox"
    pulling.pulls.create("shop", FolderPlace(path="inbox", settle=1), RULES)
    (inbox / "whole.jsonl").write_bytes(lines(1))
    ended = threading.Event()

    def write() -> None:
        with open(inbox / "growing.jsonl", "ab", buffering=0) as file:
            number = 100
            while not ended.is_set():
                file.write(lines(number))
                number += 1
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.2)
        run = pulling.run()
    finally:
        ended.set()
        writer.join()
    assert (run.files, pulling.ids()) == (1, ["order-1"])
    assert pulling.run().files == 1
    assert len(pulling.ids()) > 3


def test_a_damaged_file_is_named_and_keeps_no_other_waiting(pulling: Pulling, inbox: Path) -> None:
    (inbox / "a.jsonl.gz").write_bytes(gzip.compress(lines(1))[:-12])
    (inbox / "b.csv").write_text(CSV, "utf-8")
    run = pulling.run()
    assert run.status == "failed"
    assert run.error is not None
    assert "a.jsonl.gz" in run.error
    assert pulling.ids() == ["order-1", "order-2"]
    (inbox / "a.jsonl.gz").write_bytes(gzip.compress(lines(3)))
    assert pulling.run().status == "done"
    assert len(pulling.ids()) == 3


def test_what_is_no_row_goes_to_quarantine(pulling: Pulling, inbox: Path) -> None:
    (inbox / "a.jsonl").write_bytes(lines(1) + b'[1]\n{"id": \n' + lines(2))
    (inbox / "b.csv").write_text(CSV + "3,2026-06-01 10:06:00\n", "utf-8")
    (inbox / "c.csv").write_text(
        CSV.replace("lin", "l\ud800n").replace("1,", "8,").replace("2,", "9,"), "utf-8", "surrogatepass"
    )
    run = pulling.run()
    assert run.status == "done", run.error
    assert run.quarantined == 3
    assert [one.field for one in pulling.refused] == ["line 2", "line 3", "line 4"]


def test_a_row_without_an_id_is_named_by_its_file_and_line(pulling: Pulling, inbox: Path) -> None:
    rule = MappingRule(event="visit", event_id=["$._file", ":", "$._line"], person="$['the customer']", at="$.at")
    pulling.pulls.change("shop", rules=[rule])
    (inbox / "visits.csv").write_text("at,the customer\n2026-06-01,mei\n2026-06-01,mei\n", "utf-8")
    assert pulling.run().accepted == 2
    assert pulling.ids() == ["visits.csv:2", "visits.csv:3"]


def test_the_pattern_chooses_and_a_look_shows_files_and_events(pulling: Pulling, inbox: Path) -> None:
    (inbox / "a.csv").write_text(CSV, "utf-8")
    (inbox / "b.jsonl").write_bytes(lines(3))
    seen = look(pulling.pulls, FolderPlace(path="inbox", pattern="*.csv"), "", RULES)
    assert seen.files == ["a.csv"]
    assert [event["event_id"] for event in seen.events] == ["order-1", "order-2"]


@pytest.fixture
def bucket() -> Iterator[tuple[str, Any]]:
    """An S3 server on loopback with the bucket `shop`: its address, and a file system to put objects by."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        require_or_skip("s3", "the S3 server of the tests (moto) is not installed")
        raise AssertionError("unreachable") from None
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    files = pafs.S3FileSystem(
        access_key="reader", secret_key="s3cr3t", region="us-east-1", scheme="http",
        endpoint_override=f"{host}:{port}", allow_bucket_creation=True,
    )  # fmt: skip
    files.create_dir("shop")
    yield f"http://{host}:{port}", files
    server.stop()


def test_a_bucket_is_read_from_its_prefix_on_and_changed_objects_again(
    pulling: Pulling, bucket: tuple[str, Any]
) -> None:
    endpoint, files = bucket

    def put(name: str, body: bytes) -> None:
        with files.open_output_stream(f"shop/{name}", compression=None) as out:
            out.write(body)

    put("orders/2026/06/a.csv", CSV.encode())
    put("orders/b.jsonl.gz", gzip.compress(lines(3)))
    put("other/c.jsonl", lines(4))
    place = S3Place(bucket="shop", prefix="orders", endpoint=endpoint, access_key="reader")
    seen = look(pulling.pulls, place, "s3cr3t", RULES)
    assert sorted(seen.files) == ["2026/06/a.csv", "b.jsonl.gz"]
    pulling.pulls.create("shop", place, RULES, secret="s3cr3t")
    run = pulling.run()
    assert (run.status, run.accepted, run.files) == ("done", 3, 2), run.error
    put("orders/b.jsonl.gz", gzip.compress(lines(3, 5)))
    again = pulling.run()
    assert (again.rows, again.accepted, again.duplicate, again.files) == (2, 1, 1, 1)
    assert pulling.run().files == 0
    assert pulling.ids() == ["order-1", "order-2", "order-3", "order-5"]


def test_a_bucket_that_is_not_there_is_said_without_the_secret(pulling: Pulling, bucket: tuple[str, Any]) -> None:
    place = S3Place(bucket="nothing", endpoint=bucket[0], access_key="reader")
    pulling.pulls.create("shop", place, RULES, secret="s3cr3t")
    run = pulling.run()
    assert run.status == "failed"
    assert run.error is not None
    assert "cannot be listed" in run.error
    assert "s3cr3t" not in run.error
