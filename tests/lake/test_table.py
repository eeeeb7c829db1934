"""The event table: what goes in comes out once, in order, whatever is appended, merged or erased."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lake.event_rows import DAY, START, events
from tilth.errors import InvalidInput, StorageFailed
from tilth.lake import NULL_INT, Lake
from tilth.lake.schema import month_numbers, month_text


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path, buckets=4)
    made.create()
    return made


def everything(lake: Lake) -> list[tuple[int, int, str]]:
    return [
        (r["uid"], r["ts"], r["event_id"])
        for table in lake.scan(["uid", "ts", "event_id"])
        for r in table.set_column(1, "ts", table["ts"].cast(pa.int64())).to_pylist()
    ]


def test_a_scan_gives_each_bucket_sorted_by_person_and_time(lake: Lake) -> None:
    lake.append(events([(5, 40, "b", "2"), (1, 30, "a", "1"), (5, 10, "a", "3"), (1, 5, "c", "4")]))
    assert everything(lake) == [(1, START + 5, "4"), (1, START + 30, "1"), (5, START + 10, "3"), (5, START + 40, "2")]


def test_events_of_one_instant_are_ordered_by_their_id(lake: Lake) -> None:
    lake.append(events([(1, 0, "b", "z"), (1, 0, "a", "m"), (1, 0, "c", "a")]))
    assert [e for _, _, e in everything(lake)] == ["a", "m", "z"]


def test_the_same_event_id_of_a_source_is_kept_once(lake: Lake) -> None:
    done = lake.append(events([(1, 0, "a", "1"), (1, 0, "a", "1"), (1, 5, "a", "2")]))
    assert (done.accepted, done.duplicate) == (2, 1)
    again = lake.append(events([(1, 0, "a", "1"), (1, 9, "a", "3")]))
    assert (again.accepted, again.duplicate) == (1, 1)
    assert len(everything(lake)) == 3


def test_another_source_may_use_the_same_event_id(lake: Lake) -> None:
    lake.append(events([(1, 0, "a", "1")]))
    other = events([(1, 0, "a", "1")]).set_column(6, "source", pa.array(["other"]))
    assert lake.append(other).accepted == 1


def test_a_transaction_is_written_once(lake: Lake) -> None:
    assert lake.append(events([(1, 0, "a", "1")]), ("import:7", 1)).applied
    repeated = lake.append(events([(1, 9, "a", "9")]), ("import:7", 1))
    assert not repeated.applied
    assert len(everything(lake)) == 1
    assert lake.transaction_version("import:7") == 1
    assert lake.transaction_version("import:8") is None


def test_a_transaction_without_new_rows_is_still_remembered(lake: Lake) -> None:
    lake.append(events([(1, 0, "a", "1")]))
    lake.append(events([(1, 0, "a", "1")]), ("import:9", 4))
    assert lake.transaction_version("import:9") == 4


def test_compaction_changes_nothing_but_the_number_of_files(lake: Lake) -> None:
    for k in range(5):
        lake.append(events([(u, k * DAY + u, "a", f"{k}-{u}") for u in range(12)]))
    before = everything(lake)
    assert lake.compact() > 0
    assert everything(lake) == before
    assert lake.stats().small_files == 0
    assert lake.compact() == 0


def test_erasing_a_person_leaves_the_others_and_no_trace_on_disk(lake: Lake) -> None:
    lake.append(events([(u, k, "a", f"{k}-{u}") for u in range(8) for k in range(3)]))
    lake.runs(1, ("p_amount",))
    assert lake.erase([1]) == 3
    assert {u for u, _, _ in everything(lake)} == {0, 2, 3, 4, 5, 6, 7}
    for path in lake.root.rglob("*.parquet"):
        assert "c1" not in pq.ParquetFile(path).read(columns=["distinct_id"])["distinct_id"].to_pylist()
    assert all(1 not in run.uid for run in lake.runs(1))


def test_a_few_people_are_read_without_the_others(lake: Lake) -> None:
    lake.append(events([(u, 0, "a", str(u)) for u in range(100)]))
    found = [r for t in lake.scan(["uid"], uids=[3, 50, 1000]) for r in t["uid"].to_pylist()]
    assert sorted(found) == [3, 50]


def test_runs_give_the_kernels_plain_arrays(lake: Lake) -> None:
    lake.append(events([(4, 0, "purchase", "1"), (4, 7, "view", "2")], amount=1250))
    lake.append(events([(8, 1, "view", "3")]))
    rows = [
        (int(run.uid[i]), run.names[run.code[i]], int(run.columns["p_amount"][i]))
        for run in lake.runs(0, ("p_amount", "p_product"))
        for i in range(len(run))
    ]
    assert sorted(rows) == [(4, "purchase", 1250), (4, "view", 1250), (8, "view", NULL_INT)]


def test_the_sequence_cache_survives_and_agrees_with_the_files(lake: Lake, tmp_path: Path) -> None:
    lake.append(events([(u, u, "a", str(u)) for u in range(40)]))
    warm = [run.uid.tolist() for run in lake.runs(2)]
    fresh = Lake(tmp_path, buckets=4)
    assert [run.uid.tolist() for run in fresh.runs(2)] == warm
    for cached in fresh.cache.folder.rglob("*.seq"):
        cached.write_bytes(b"TLTH")  # torn by a crash of another kind
    assert [run.uid.tolist() for run in Lake(tmp_path, buckets=4).runs(2)] == warm


def test_the_tail_is_part_of_scans_and_runs(lake: Lake) -> None:
    lake.append(events([(4, 0, "a", "1")]))
    from tilth.lake.schema import conform

    tail = conform(events([(4, -5, "a", "0"), (1, 2, "a", "2")]))
    lake.tail = lambda: tail
    assert [e for _, _, e in everything(lake)] == ["0", "1", "2"]
    assert sum(len(run) for run in lake.runs(0)) == 2


def test_an_unknown_column_is_refused_by_name(lake: Lake) -> None:
    with pytest.raises(InvalidInput, match="colour"):
        lake.append(events([(1, 0, "a", "1")]).append_column("colour", pa.array(["red"])))


def test_a_disk_that_refuses_leaves_the_table_as_it_was(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.append(events([(1, 0, "a", "1")]))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tilth.lake.table.pq.write_table", full)
    with pytest.raises(StorageFailed, match="No space left"):
        lake.append(events([(1, 5, "a", "2")]))
    assert len(everything(lake)) == 1
    assert len(list(lake.root.rglob("*.parquet"))) == 1


def test_files_no_commit_names_are_swept(lake: Lake) -> None:
    import os

    lake.append(events([(1, 0, "a", "1")]))
    kept = next(lake.root.rglob("*.parquet"))
    stray = kept.with_name("0" * 32 + ".parquet")
    stray.write_bytes(kept.read_bytes())
    os.utime(stray, (0, 0))
    assert len(everything(lake)) == 1
    assert lake.sweep() == 1
    assert not stray.exists()
    assert len(everything(lake)) == 1


@given(st.lists(st.datetimes(datetime(1969, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=20))
def test_months_are_calendar_months_in_utc(moments: list[datetime]) -> None:
    ts = np.array(moments, "datetime64[us]").astype(np.int64)
    assert [month_text(n) for n in month_numbers(ts)] == [m.strftime("%Y-%m") for m in moments]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 90), st.integers(0, 30)), min_size=1, max_size=15),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_whatever_is_appended_comes_out_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int, int]]], merge: bool
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"), buckets=3)
    lake.create()
    expected: dict[tuple[int, str], tuple[int, int, str]] = {}
    for batch in batches:
        rows = [(uid, day * DAY, "a", f"{uid}-{key}") for uid, day, key in batch]
        lake.append(events(rows))
        for uid, offset, _, event_id in rows:
            expected.setdefault((uid, event_id), (uid, START + offset, event_id))
        if merge:
            lake.compact()
    by_bucket = sorted(expected.values(), key=lambda r: (r[0] % 3, r[0], r[1], r[2]))
    assert everything(lake) == by_bucket
    from_runs = sorted((int(r.uid[i]), int(r.ts[i])) for b in range(3) for r in lake.runs(b) for i in range(len(r)))
    assert from_runs == sorted((u, t) for u, t, _ in by_bucket)
