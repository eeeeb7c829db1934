"""The same seed gives the same company, however it is cut."""

from __future__ import annotations

import datetime as dt
import hashlib

import numpy as np
import pyarrow as pa
import pytest

from tilth.simulate import EVENT_COLUMNS, simulate, write_company, write_events

UNTIL = dt.date(2025, 6, 30)


def _everything(size: int, threads: int, seed: int = 5, people: int = 1200) -> pa.Table:
    simulation = simulate(people, 300, seed=seed, until=UNTIL)
    table = pa.concat_tables(simulation.events(size=size, threads=threads))
    return table.sort_by([("ts", "ascending"), ("event_id", "ascending"), ("received_at", "ascending")])


def test_events_do_not_depend_on_chunks_or_threads():
    whole = _everything(size=5000, threads=1)
    assert whole.schema == EVENT_COLUMNS
    assert _everything(size=137, threads=1).equals(whole)
    assert _everything(size=311, threads=2).equals(whole)


def test_another_seed_is_another_company():
    assert not _everything(size=5000, threads=1, seed=6).equals(_everything(size=5000, threads=1, seed=5))


def test_people_come_out_the_same_twice():
    one, two = simulate(3000, 200, seed=9, until=UNTIL), simulate(3000, 200, seed=9, until=UNTIL)
    for name in one.people.dtype.names:  # field by field: the bytes between fields mean nothing
        assert np.array_equal(one.people[name], two.people[name]), name
    assert np.array_equal(one.graph.friends, two.graph.friends)
    assert np.array_equal(one.asked, two.asked)


def test_files_are_the_same_bytes_twice(tmp_path):
    def digests(folder):
        write_company(folder, people=700, days=200, until=UNTIL, seed=4)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_file_of_events_holds_the_same_rows_whatever_the_chunks(tmp_path):
    simulation = simulate(900, 300, seed=4, until=UNTIL)
    one = write_events(simulation, tmp_path / "a.jsonl", size=900, threads=1)
    two = write_events(simulation, tmp_path / "b.jsonl", size=101, threads=2)
    assert sorted((tmp_path / "a.jsonl").read_text().splitlines()) == sorted(
        (tmp_path / "b.jsonl").read_text().splitlines()
    )
    assert one.malformed == two.malformed
    assert one.by_name == two.by_name


@pytest.mark.parametrize(("people", "days"), [(1, 1), (3, 10), (60, 40), (501, 31), (2000, 90)])
def test_any_size_has_exactly_the_people_asked_for(people, days):
    simulation = simulate(people, days, seed=2, until=UNTIL)
    simulation.complete()
    arrival = simulation.people["arrival"]
    assert len(arrival) == people
    assert (np.diff(arrival) >= 0).all(), "people are numbered by arrival"
    assert arrival[0] >= simulation.calendar.start
    assert arrival[-1] < simulation.calendar.end


def test_nothing_happens_outside_the_window(company, rows):
    assert rows["ts"].min() >= company.calendar.start
    assert rows["ts"].max() < company.calendar.end


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="people"):
        simulate(0, 10)
    with pytest.raises(ValueError, match="days"):
        simulate(10, 0)
