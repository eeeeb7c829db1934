"""The view of the lake that questions are asked of: order over several files, the tail, change while asking."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings

from tests.behavior.made import behavior_of, happened, scattered
from tests.oracles.people_events import Happened, by_person
from tilth.behavior import Behavior
from tilth.behavior.strands import Kept
from tilth.collect import Event
from tilth.workspace import Workspace


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=scattered(names="ab", per_person=10, span=3))
def test_a_persons_slices_one_after_the_other_are_in_time_order(made: tuple[list[Happened], list[int]]) -> None:
    events, parts = made
    with tempfile.TemporaryDirectory() as folder:
        snapshot = behavior_of(Path(folder), events, parts)._snapshots.take()
        found: dict[int, list[tuple[int, str]]] = {}
        for row in snapshot.strands:
            for strand in row:
                ids = strand.raw("event_id").to_pylist()
                for i in range(len(strand)):
                    assert strand.names[strand.code[i]] in "ab"
                    found.setdefault(int(strand.uid[i]), []).append((int(strand.ts[i]), ids[i]))
        assert found == {uid: [(e.ts, e.event_id) for e in mine] for uid, mine in by_person(events).items()}


def test_a_month_that_is_one_file_is_not_copied(tmp_path: Path) -> None:
    behavior = behavior_of(tmp_path, happened([(2, "2026-06-01", "a"), (2, "2026-07-01", "a"), (4, "2026-07-02", "b")]))
    (june, july), _ = behavior._snapshots.take().strands
    for strand in (june, july):
        assert not strand.uid.flags.owndata
        assert not strand.ts.flags.writeable  # the memory-mapped file itself


def test_columns_of_several_files_are_laid_in_the_order_of_the_rows(tmp_path: Path) -> None:
    events = happened(
        [
            (2, "2026-06-01 12:00", "b", {"page": "two", "amount": 2.0}),
            (2, "2026-06-01 11:00", "a", {"page": "one", "amount": 1.0}),
            (2, "2026-06-01 13:00", "c", {"page": 3}),
        ]
    )
    behavior = behavior_of(tmp_path, events, [0, 1, 9])
    (strand,) = behavior._snapshots.take().strands[0]
    page, amount = strand.json("props", "page"), strand.stored("p_amount")
    assert page.codes is not None
    assert page.numbers is not None
    assert [page.words[c] if c >= 0 else None for c in page.codes] == ["one", "two", None]
    assert page.numbers[2] == 3
    assert amount.numbers is not None
    assert amount.numbers[:2].tolist() == [100, 200]
    assert np.isnan(amount.numbers[2])


def test_an_answer_includes_what_was_acknowledged_before_it_was_asked(workspace: Workspace) -> None:
    behavior = Behavior(workspace.lake, workspace.people, workspace.settings, as_of=workspace.collect.as_of)
    asked = {"steps": ["view", "buy"], "allow_unknown": True}
    assert [s.people for s in behavior.funnel(asked).steps] == [0, 0]
    receipt = workspace.collect.append(
        [
            Event(distinct_id="ann", event="view", ts=1_780_000_000_000_000, event_id="1"),
            Event(distinct_id="ann", event="buy", ts=1_780_000_001_000_000, event_id="2", properties={"page": "x"}),
        ],
        "web",
    )
    answer = behavior.funnel(asked)
    assert ([s.people for s in answer.steps], answer.as_of) == ([1, 1], receipt.as_of)
    workspace.collect.flush()
    flushed = behavior.funnel(asked)
    assert ([s.people for s in flushed.steps], flushed.as_of) == ([1, 1], receipt.as_of)
    (person,) = behavior.funnel_people(asked, step=1).people
    assert person.distinct_ids == ["ann"]
    assert [s.people for s in behavior.funnel(asked, filters={"property": "page", "op": "is_set"}).steps] == [0, 0]


def test_answers_stay_whole_while_events_are_flushed(workspace: Workspace) -> None:
    """Every event is in the tail or in the lake, never in both or neither."""
    behavior = Behavior(workspace.lake, workspace.people, workspace.settings)
    stop = threading.Event()
    written = 0
    errors: list[BaseException] = []

    def write() -> None:
        nonlocal written
        try:
            for n in range(1, 25):
                event = Event(distinct_id=f"p{n}", event="view", ts=1_780_000_000_000_000 + n, event_id=str(n))
                workspace.collect.append([event], "web")
                written = n
                if n % 3 == 0:
                    workspace.collect.flush()
        except BaseException as error:  # noqa: BLE001 (handed to the main thread)
            errors.append(error)
        finally:
            stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        before = written
        (series,) = behavior.trends(event="view", allow_unknown=True).series
        assert isinstance(series.total, int)
        assert before <= series.total <= written + 1
    writer.join()
    assert not errors
    assert behavior.trends(event="view").series[0].total == 24


def test_a_question_outlives_files_that_are_merged_away(tmp_path: Path) -> None:
    rows = [(uid, f"2026-06-0{d} 10:00", "view", {"page": "x"}) for uid in range(1, 9) for d in (1, 2, 3)]
    behavior = behavior_of(tmp_path, happened(rows), [0, 1, 2] * 8)
    lake = behavior._lake
    filters = {"property": "page", "value": "x"}
    assert behavior.trends(event="view").series[0].total == 24
    snapshot = behavior._snapshots.take()
    lake.compact()
    lake._forget_removed(hours=0)
    # The table looks as it did before for one moment more, then as it is now.
    taken = iter([snapshot])
    take = behavior._snapshots.take
    behavior._snapshots.take = lambda: next(taken, None) or take()  # type: ignore[method-assign]
    assert behavior.trends(event="view", filters=filters).series[0].total == 24


def test_what_is_kept_stays_within_its_budget() -> None:
    kept = Kept(100)
    for i in range(10):
        kept.put((str(i),), i, 30)
    assert [i for i in range(10) if kept.get((str(i),)) is not None] == [7, 8, 9]
    kept.put(("large",), 0, 101)
    assert kept.get(("large",)) is None


def test_a_breakdown_by_many_values_is_folded(tmp_path: Path) -> None:
    rows = [(uid, "2026-06-01 10:00", "view", {"page": f"/p{uid}"}) for uid in range(1, 301)]
    answer = behavior_of(tmp_path, happened(rows)).trends(event="view", breakdown="page")
    assert len(answer.series) == 26
    assert answer.series[-1].breakdown == "(other)"
    assert answer.series[-1].total == 275
