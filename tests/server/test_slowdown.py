"""Guessing gets slower."""

from __future__ import annotations

import pytest

from tilth.errors import LimitReached
from tilth.server.slowdown import SlowDown


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_the_first_failures_cost_nothing_and_the_waits_double_after_them() -> None:
    clock = Clock()
    slow = SlowDown(free=3, clock=clock)
    for _ in range(3):
        slow.check("lin")
        slow.failed("lin")
    waits = []
    for _ in range(4):
        with pytest.raises(LimitReached) as caught:
            slow.check("lin")
        waits.append(caught.value.retry_after)
        clock.at += waits[-1]
        slow.check("lin")
        slow.failed("lin")
    assert waits == [2, 4, 8, 16]


def test_the_wait_has_a_longest() -> None:
    clock = Clock()
    slow = SlowDown(free=1, longest=60, clock=clock)
    for _ in range(40):
        slow.failed("lin")
    with pytest.raises(LimitReached) as caught:
        slow.check("lin")
    assert caught.value.retry_after == 60


def test_success_and_an_hour_of_quiet_clear_the_count() -> None:
    clock = Clock()
    slow = SlowDown(free=1, clock=clock)
    slow.failed("lin")
    slow.succeeded("lin")
    slow.check("lin")
    for _ in range(20):
        slow.failed("wu")
    clock.at += 3601
    slow.check("wu")


def test_one_key_does_not_slow_another() -> None:
    slow = SlowDown(free=1, clock=Clock())
    slow.failed("lin")
    slow.check("wu")


def test_memory_is_bounded() -> None:
    slow = SlowDown(keys=10, clock=Clock())
    for i in range(1000):
        slow.failed(f"key {i}")
    assert len(slow._failures) == 10
