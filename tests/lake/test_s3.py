"""The event table on S3-compatible storage: a real server on this machine, written, read, compacted, erased, killed."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.behavior.made import happened, table_of
from tests.conftest import require_or_skip
from tilth.errors import InvalidInput, StorageFailed
from tilth.lake import Lake
from tilth.lake.sql import SqlDoor
from tilth.lake.store import S3Store
from tilth.settings import Settings
from tilth.workspace import Workspace


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """In a process of its own: the Delta library does not let go of the interpreter while it waits for an answer."""
    if importlib.util.find_spec("moto") is None:
        require_or_skip("s3", "the S3 server of the tests (moto) is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def url(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    from pyarrow import fs

    for name, value in (
        ("AWS_ENDPOINT_URL", server),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    bucket = f"b{abs(hash(request.node.name)) % 10**9}"
    place = server.removeprefix("http://")
    fs.S3FileSystem(endpoint_override=place, scheme="http", allow_bucket_creation=True).create_dir(bucket)
    return f"s3://{bucket}/lake"


def rows(first: int, count: int, month: int = 6) -> pa.Table:
    return table_of(
        happened(
            (i % 7 + 1, f"2026-{month:02d}-{i % 27 + 1:02d} 10:00", "visit", {"n": i})
            for i in range(first, first + count)
        )
    )


def named(table: pa.Table, first: int) -> pa.Table:
    ids = pa.array([f"e{first + i}" for i in range(table.num_rows)])
    return table.set_column(table.schema.get_field_index("event_id"), "event_id", ids)


def count(lake: Lake) -> int:
    return sum(t.num_rows for t in lake.scan(["uid"]))


def test_another_machine_reads_what_one_wrote(tmp_path: Path, url: str) -> None:
    one = Lake(tmp_path / "one", 2, url)
    one.create()
    for part in range(3):
        one.append(named(rows(part * 20, 20), part * 20), ("app", part + 1))
    two = Lake(tmp_path / "two", 2, url)
    assert count(two) == 60
    assert two.transaction_version("app") == 3
    assert SqlDoor(two).run("SELECT count(*), count(DISTINCT uid) FROM events").rows == [[60, 7]]
    assert one.compact() == 2
    assert (len(two.files()), count(two)) == (2, 60)
    assert one.erase([3]) > 0
    assert two.files() == one.files()
    fresh = Lake(tmp_path / "three", 2, url)
    assert count(fresh) == count(two) < 60
    assert not [
        p
        for p in fresh.root.rglob("*.parquet")
        if str(p.relative_to(fresh.root)) not in {f.path for f in fresh.files()}
    ]
    # The same rows again are known, also where no file of them is here.
    again = Lake(tmp_path / "four", 2, url).append(named(rows(0, 20), 0))
    assert (again.accepted, again.duplicate) == (3, 17)


def test_two_who_commit_at_once_lose_nothing(tmp_path: Path, url: str) -> None:
    lakes = [Lake(tmp_path / str(i), 2, url) for i in range(2)]
    lakes[0].create()

    def write(number: int) -> None:
        for part in range(5):
            first = number * 1_000 + part * 10
            lakes[number].append(named(rows(first, 10), first))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    assert count(Lake(tmp_path / "reader", 2, url)) == 100


WRITER = """
import sys
from pathlib import Path
from tests.lake.test_s3 import named, rows
from tilth.lake import Lake
lake = Lake(Path(sys.argv[1]), 2, sys.argv[2])
for part in range(1000):
    lake.append(named(rows(part * 10, 10), part * 10), ("app", part + 1))
    print(part + 1, flush=True)
"""


@pytest.mark.crash
def test_a_writer_killed_between_two_flushes_leaves_whole_commits(tmp_path: Path, url: str) -> None:
    Lake(tmp_path / "one", 2, url).create()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "one"), url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    done = 0
    while done < 4:
        done = int(process.stdout.readline())
    process.kill()
    process.wait()
    done = max([done, *(int(line) for line in process.stdout)])
    after = Lake(tmp_path / "two", 2, url)
    committed = after.transaction_version("app")
    assert committed is not None
    assert committed >= done
    assert count(after) == committed * 10
    # Whoever goes on writes the rest and nothing twice.
    after.append(named(rows(0, 100), 0), ("app", 10_000))
    assert count(after) == max(100, committed * 10)


def test_a_workspace_keeps_its_events_there(tmp_path: Path, url: str) -> None:
    from tilth.collect.model import Id, Track

    settings = Settings(timezone="UTC", lake_url=url, language="en")
    with Workspace.create(tmp_path / "w", settings) as workspace:
        told: list[Any] = [
            Track(
                ids=(Id("login", f"u{i % 5}"),),
                event="visit",
                ts=1_780_300_000_000_000 + i,
                event_id=f"v{i}",
                properties={},
                context={},
            )
            for i in range(50)
        ]
        workspace.collect.receive(told, "test")
        workspace.collect.flush()
        answer = workspace.behavior.trends(event="visit", metric="people", interval="month")
        assert answer.series[0].total == 5
    with Workspace.open(tmp_path / "w") as again:
        assert again.behavior.trends(event="visit", interval="month").series[0].total == 50


def test_what_cannot_be_reached_is_said(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="s3://"):
        Lake(tmp_path, 2, "gs://bucket/x")
    store = S3Store("s3://no-such-bucket-here/x", tmp_path)
    with pytest.raises(StorageFailed):
        store.check()
    S3Store(url, tmp_path).check()
    with pytest.raises(FileNotFoundError):
        S3Store(url, tmp_path).ensure(tmp_path / "month=2026-01/bucket=0/none.parquet")
