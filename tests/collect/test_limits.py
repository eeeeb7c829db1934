"""What waits is bounded, and whoever takes in or flushes is done with what was there when it began."""

from __future__ import annotations

import threading

import pytest

from tilth.collect import service
from tilth.collect.events import Event
from tilth.errors import LimitReached
from tilth.lake import Lake
from tilth.workspace import Workspace


def visit(number: int) -> Event:
    return Event(distinct_id="a", event="view", ts=1_790_000_000_000_000, event_id=str(number))


def test_too_much_waiting_asks_clients_to_come_again_and_loses_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_WAITING", 5)
    workspace.collect.append([visit(n) for n in range(8)], "web")
    workspace.collect.take_in(5)
    with pytest.raises(LimitReached) as refused:
        workspace.collect.append([visit(9)], "web")
    assert refused.value.retry_after == 2
    assert workspace.collect.flush() == 8
    workspace.collect.take_in(0.01)
    assert workspace.collect.append([visit(9)], "web").accepted == 1


def test_flushing_ends_although_more_comes_all_the_time(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    append, numbers = Lake.append, iter(range(1_000))

    def slow(self: Lake, *given: object, **named: object) -> object:
        workspace.collect.append([visit(next(numbers))], "web")
        return append(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Lake, "append", slow)
    workspace.collect.append([visit(next(numbers))], "web")
    flushing = threading.Thread(target=workspace.collect.flush, daemon=True)
    flushing.start()
    flushing.join(20)
    assert not flushing.is_alive()
    assert next(numbers) < 10


def test_a_question_beside_flushes_sees_every_event_once(workspace: Workspace) -> None:
    """The tail becomes files while an answer is on its way: nothing is there twice or missing."""
    stop = threading.Event()

    def flush() -> None:
        while not stop.is_set():
            workspace.collect.flush()

    flushing = threading.Thread(target=flush)
    flushing.start()
    try:
        for n in range(150):
            workspace.collect.append([visit(n)], "web")
            seen = [i for table in workspace.lake.scan(["event_id"]) for i in table["event_id"].to_pylist()]
            assert sorted(map(int, seen)) == list(range(n + 1))
            runs = [run for bucket in range(workspace.lake.buckets) for run in workspace.lake.runs(bucket)]
            assert sum(map(len, runs)) == n + 1
            assert len(workspace.lake.person(workspace.people.find("a"), [])) == n + 1
    finally:
        stop.set()
        flushing.join()
