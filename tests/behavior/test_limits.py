"""Questions that ask for more than is sensible get a bounded answer or a refusal that says what it would take."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.behavior.made import MINUTE, START, behavior_of, happened
from tilth.behavior import Behavior
from tilth.behavior.room import Room, bytes_of
from tilth.errors import InvalidInput, LimitReached

STEPS = {"steps": ["view", "buy"], "window": None}


def many(folder: Path, people: int, products: int = 1) -> Behavior:
    """A lake of one view and one buy of so many people, the views of so many products."""
    behavior = behavior_of(folder, happened([(1, "2026-06-01 00:00", "view"), (1, "2026-06-01 00:01", "buy")]))
    uid = np.arange(2, people + 2)
    both = np.concatenate([uid, uid])
    name = np.repeat(["view", "buy"], people)
    product = np.char.add("p", np.concatenate([uid % products, uid % products]).astype(str))
    behavior._lake.append(
        pa.table(
            {
                "uid": pa.array(both),
                "ts": pa.array(START + np.repeat([0, MINUTE], people)).cast(pa.timestamp("us", "UTC")),
                "event": pa.array(name),
                "event_id": pa.array(np.arange(2 * people).astype(str)),
                "p_product": pa.array(product),
            }
        ),
        vouched=True,
    )
    return behavior


def test_a_question_over_budget_is_refused_with_the_size_it_needs(tmp_path: Path) -> None:
    behavior = many(tmp_path, 100_000)
    behavior._sources.room = Room(1_000_000)
    with pytest.raises(LimitReached, match=r"about 3 MB for one part of the data, and may take 1 MB.*memory_mb"):
        behavior.funnel(STEPS, count_by="product")
    gc.collect()
    assert behavior._sources.room.taken == 0
    # The same with enough room, and what it took is given back.
    behavior._sources.room = Room(20_000_000)
    assert behavior.funnel(STEPS, count_by="product").steps[0].people == 100_000
    assert behavior._sources.room.taken == 0


def test_an_answer_that_would_not_fit_is_refused_before_it_is_whole(tmp_path: Path) -> None:
    behavior = many(tmp_path, 100_000)
    behavior._sources.room = Room(1_000_000)
    with pytest.raises(LimitReached, match=r"MB for its answer"):
        behavior.funnel(STEPS)
    behavior._sources.room = Room(3_000_000)
    assert [s.people for s in behavior.funnel(STEPS).steps] == [100_001, 100_001]


def test_the_budget_is_a_setting(tmp_path: Path) -> None:
    events = happened([(1, "2026-06-01 00:00", "view")])
    assert behavior_of(tmp_path, events, memory_mb=512)._sources.room.size == 256_000_000


def test_questions_wait_for_each_other_instead_of_taking_more() -> None:
    room = Room(10)
    room.take(7)
    entered: list[float] = []

    def second() -> None:
        room.take(5)
        entered.append(time.monotonic())
        room.give_back(5)

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.05)
    assert not entered
    room.give_back(7)
    thread.join(5)
    assert entered
    assert room.taken == 0


def test_waiting_has_an_end() -> None:
    room = Room(10, patience=0.01)
    room.take(7)
    with pytest.raises(LimitReached, match="ask again later"):
        room.take(5)


def test_what_an_answer_takes_is_counted() -> None:
    assert bytes_of((np.zeros(3), [np.zeros(2, np.int8), 5], None)) == 26


def test_a_breakdown_by_a_property_with_a_million_values_is_bounded(tmp_path: Path) -> None:
    behavior = many(tmp_path, 1_000_000, products=1_000_000)
    started = time.perf_counter()
    answer = behavior.trends(event="view", metric="people", interval="month", breakdown="product", limit=5)
    assert time.perf_counter() - started < 60
    assert len(answer.series) == 7  # five values, the rest, and the view without a product
    assert sum(s.points[0].value for s in answer.series) == 1_000_001
    with pytest.raises(InvalidInput, match="limit"):
        behavior.trends(event="view", breakdown="product", limit=1_000_000)


def test_people_behind_a_number_come_in_pages(tmp_path: Path) -> None:
    behavior = many(tmp_path, 50_000)
    seen: list[int] = []
    cursor = ""
    for _ in range(3):
        page = behavior.funnel_people(STEPS, step=1, limit=1_000, cursor=cursor)
        assert page.total == 50_001
        seen += [p.uid for p in page.people]
        cursor = page.next
    assert seen == list(range(1, 3_001))
    with pytest.raises(InvalidInput, match=r"limit: must be between 1 and 1,000"):
        behavior.funnel_people(STEPS, step=1, limit=10_000_000)
