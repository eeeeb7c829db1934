"""A server that is killed while it pulls: every row is an event once."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from tests.crash.serving import Node
from tests.crash.test_soak import kept
from tilth.collect.connectors import MappingRule
from tilth.collect.pulls import SqlPlace
from tilth.settings import Settings
from tilth.workspace import Workspace

pytestmark = pytest.mark.crash
ROWS = 60_000
KILLS = 3


def test_killed_between_events_and_mark_a_pull_loses_and_doubles_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    with Workspace.create(folder, Settings(currency="CNY")) as made:
        (folder / "inbox").mkdir()
        shop = sqlite3.connect(folder / "inbox" / "shop.db")
        with shop:
            shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, at TEXT)")
            shop.executemany(
                "INSERT INTO orders VALUES (?, ?)",
                ((n, f"2026-06-01 10:00:{n // 4000:02d}") for n in range(1, ROWS + 1)),
            )
        shop.close()
        rule = MappingRule(event="ordered", event_id=["order-", "$.id"], person="$.id", at="$.at")
        place = SqlPlace(url="sqlite:///inbox/shop.db", table="orders", mark="at", key="id")
        made.pulls.create("shop", place, [rule], every_minutes=1)
    node = Node(folder)
    kills = 0
    try:
        while kills < KILLS:
            before, came = last_run(folder)
            node.start()
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                number, rows = last_run(folder)
                # In the middle of a run, wherever exactly that is.
                if number > before and rows >= came // 2 + 3_000:
                    break
                time.sleep(0.002)
            node.kill()
            kills += 1
            # As if the time had passed after which the killed one is taken for dead.
            with sqlite3.connect(folder / "state.db") as state:
                state.execute("UPDATE pull SET held_until = 0")
        node.start()
        with Workspace.open(folder, read_only=True) as seen:
            deadline = time.monotonic() + 120
            while seen.pulls.runs("shop")[0].status != "done" and time.monotonic() < deadline:
                time.sleep(0.1)
            statuses = [run.status for run in seen.pulls.runs("shop")]
    finally:
        node.stop()
    assert statuses == ["done", *["stopped"] * KILLS]
    found = kept(folder)
    assert len(found) == ROWS
    assert max(found.values()) == 1


def last_run(folder: Path) -> tuple[int, int]:
    """The number of the latest run, and how many rows it has read."""
    with sqlite3.connect(folder / "state.db", timeout=30) as state:
        row = state.execute("SELECT id, rows FROM pull_run ORDER BY id DESC LIMIT 1").fetchone()
    return (0, 0) if row is None else (row[0], row[1])
