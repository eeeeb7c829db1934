"""The SQL door answers questions and opens nothing else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.lake.event_rows import events
from tilth.errors import InvalidInput, LimitReached
from tilth.lake import Lake
from tilth.lake.schema import conform
from tilth.lake.sql import SqlDoor


@pytest.fixture
def door(tmp_path: Path) -> SqlDoor:
    lake = Lake(tmp_path, buckets=2)
    lake.create()
    lake.append(events([(1, 0, "purchase", "1"), (2, 5, "view", "2")], amount=100))
    tail = conform(events([(2, 9, "purchase", "3")], amount=250))
    lake.tail = lambda: tail
    return SqlDoor(lake, memory_mb=256)


def test_events_include_the_tail(door: SqlDoor) -> None:
    result = door.run("SELECT event, count(*) AS n, sum(p_amount) AS money FROM events GROUP BY event ORDER BY event")
    assert result.columns == ["event", "n", "money"]
    assert result.rows == [["purchase", 2, 350], ["view", 1, 100]]
    assert not result.truncated


def test_a_long_answer_is_cut_and_says_so(door: SqlDoor) -> None:
    result = door.run("SELECT * FROM range(50)", limit=10)
    assert len(result.rows) == 10
    assert result.truncated


def test_frames_and_views_are_offered(door: SqlDoor) -> None:
    frame = pa.table({"uid": [1], "name": ["张三"]})
    result = door.run(
        "SELECT name FROM buyers", frames={"people": frame}, views={"buyers": "SELECT * FROM people WHERE uid = 1"}
    )
    assert result.rows == [["张三"]]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT content FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/*')",
        "COPY events TO '/tmp/out.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA enable_external_access = true",
        "CREATE TABLE t AS SELECT 1",
        "DELETE FROM events",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "SELECT * FROM nowhere",
        "",
        "   ",
    ],
)
def test_anything_but_one_reading_statement_is_refused(door: SqlDoor, statement: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        door.run(statement)
    assert caught.value.field == "sql"


def test_a_query_that_runs_on_is_stopped(door: SqlDoor) -> None:
    with pytest.raises(LimitReached, match="longer than"):
        door.run("SELECT count(*) FROM range(100000000000) a, range(1000) b", timeout=0.3)


def test_a_query_that_wants_too_much_memory_is_stopped(door: SqlDoor) -> None:
    with pytest.raises(LimitReached, match="256 MB"):
        door.run("SELECT list(i) FROM range(300000000) t(i)", timeout=60)
