"""Kept answers: given at once, stale ones said to be so, and worked out anew behind them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tilth.errors import InvalidInput
from tilth.measure.kept_answers import MOST, UNCHANGED, YOUNG, KeptAnswers


class World:
    """Data that change, a clock that is set, and questions that are counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data, self.now, self.asked = 0, 1_000_000_000, 0
        self.kept = self.opened()

    def opened(self) -> KeptAnswers:
        return KeptAnswers(self.folder, lambda: str(self.data), lambda: self.now)

    def work(self) -> dict[str, int]:
        self.asked += 1
        return {"data": self.data}

    def get(self) -> tuple[int, bool]:
        found = self.kept.get("q", self.work)
        return found.answer["data"], found.stale


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "answers")
    yield made
    made.kept.close()


def kept_files(world: World) -> list[str]:
    return [path.name for path in world.folder.iterdir() if path.name != "cleared"]


def soon(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_an_answer_is_worked_out_once_while_nothing_changes(world: World) -> None:
    assert [world.get(), world.get()] == [(0, False), (0, False)]
    world.now += UNCHANGED - 1
    assert world.get() == (0, False)
    assert world.asked == 1


def test_one_of_old_data_is_given_at_once_said_to_be_stale_and_renewed(world: World) -> None:
    world.get()
    world.data, world.now = 1, world.now + YOUNG
    assert world.get() == (0, True)
    soon(lambda: world.asked == 2)
    soon(lambda: world.get() == (1, False))
    assert world.asked == 2


def test_a_young_one_is_not_stale_though_data_have_come(world: World) -> None:
    world.get()
    world.data, world.now = 1, world.now + YOUNG - 1
    assert world.get() == (0, False)


def test_it_is_there_after_a_restart_and_stale(world: World) -> None:
    world.get()
    world.kept.close()
    world.kept = world.opened()
    world.now += YOUNG
    # The token is the same as before; the data need not be.
    assert world.get() == (0, True)


def test_it_is_renewed_once_however_many_look(world: World) -> None:
    world.get()
    world.data, world.now = 1, world.now + YOUNG
    go = threading.Event()

    def slow() -> dict[str, int]:
        go.wait(20)
        return world.work()

    assert [world.kept.get("q", slow).stale for _ in range(5)] == [True] * 5
    go.set()
    soon(lambda: world.get() == (1, False))
    assert world.asked == 2


def test_one_that_can_no_longer_be_worked_out_says_so_and_is_not_lost(world: World) -> None:
    world.get()
    world.data, world.now = 1, world.now + YOUNG

    def wrong() -> None:
        raise InvalidInput("event", "is gone")

    assert world.kept.get("q", wrong).stale
    soon(lambda: bool(world.kept._failed))
    with pytest.raises(InvalidInput):
        world.kept.get("q", wrong)
    world.now += YOUNG
    assert world.get() == (0, True)


def test_a_mistake_of_ours_behind_it_is_told_too(world: World) -> None:
    world.get()
    world.data, world.now = 1, world.now + YOUNG

    def wrong() -> None:
        raise ZeroDivisionError

    assert world.kept.get("q", wrong).stale
    soon(lambda: bool(world.kept._failed))
    with pytest.raises(ZeroDivisionError):
        world.kept.get("q", wrong)


def test_what_was_being_worked_out_when_all_was_forgotten_is_not_kept(world: World) -> None:
    other = world.opened()

    def forgotten_meanwhile() -> str:
        other.clear()
        return "of somebody who is gone"

    assert world.kept.get("q", forgotten_meanwhile).answer == "of somebody who is gone"
    other.close()
    assert world.get() == (0, False)


def test_what_a_crash_left_half_written_is_forgotten_too(world: World) -> None:
    world.get()
    (world.folder / "q.json.0123").write_text("of somebody who is gone")
    world.kept.clear()
    assert kept_files(world) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"name": "q"}', b"[]"])
def test_a_file_that_is_broken_is_no_answer(world: World, content: bytes) -> None:
    world.get()
    for path in world.folder.iterdir():
        path.write_bytes(content)
    assert world.get() == (0, False)
    assert world.asked == 2


def test_only_so_many_are_kept_and_all_can_be_forgotten(world: World) -> None:
    for i in range(MOST + 5):
        world.kept.get(f"q{i}", world.work)
    assert len(kept_files(world)) == MOST
    world.kept.clear()
    assert kept_files(world) == []
