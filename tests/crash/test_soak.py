"""Servers that are killed while clients send: what was acknowledged is there once, and nothing is there twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.serving import Client, Node
from tilth.lake.sql import SqlDoor
from tilth.settings import Settings
from tilth.workspace import Workspace

pytestmark = pytest.mark.crash


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> tuple[Path, str]:
    """A workspace's folder and a write key."""
    folder = tmp_path / "workspace"
    with Workspace.create(folder, Settings(currency="CNY", database_url=database_url)) as made:
        return folder, made.collect.sources.create("shop").write_key


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    started: list[Node] = []
    yield started
    for node in started:
        node.stop()


def kept(folder: Path) -> Counter[str]:
    """How often each event is in the product's answers, before and after everything is written to the lake."""
    with Workspace.open(folder) as opened:
        rows = SqlDoor(opened.lake).run("SELECT event_id FROM events", limit=10_000_000).rows
        opened.collect.flush()
        again = SqlDoor(opened.lake).run("SELECT event_id FROM events", limit=10_000_000).rows
        assert sorted(rows) == sorted(again)
    return Counter(str(row[0]) for row in rows)


def check(folder: Path, clients: list[Client]) -> None:
    for client in clients:
        client.join(60)
        assert not client.is_alive(), "a client is still waiting to be acknowledged"
        if client.error is not None:
            raise client.error
    acknowledged = set().union(*(c.acknowledged for c in clients))
    found = kept(folder)
    assert len(acknowledged) > 100
    assert acknowledged <= set(found)
    assert set(found) <= set().union(*(c.sent for c in clients))
    assert max(found.values()) == 1


@pytest.mark.parametrize("seconds", [10, pytest.param(120, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_a_server_killed_every_few_seconds_loses_and_doubles_nothing(
    shop: tuple[Path, str], nodes: list[Node], seconds: int
) -> None:
    folder, key = shop
    node = Node(folder)
    nodes.append(node)
    node.start()
    until = time.monotonic() + seconds
    clients = [Client([node], key, f"c{n}", until) for n in range(4)]
    for client in clients:
        client.start()
    while time.monotonic() < until - 1:
        time.sleep(2)
        node.kill()
        node.start()
    for client in clients:
        client.join(60)
    node.stop()
    check(folder, clients)


@pytest.mark.postgres
def test_two_nodes_on_one_database_keep_a_retry_once_and_the_second_takes_over(
    tmp_path: Path, request: pytest.FixtureRequest, nodes: list[Node]
) -> None:
    server = request.getfixturevalue("postgres_server")
    folder = tmp_path / "workspace"
    with Workspace.create(folder, Settings(currency="CNY", database_url=server.new_database())) as made:
        key = made.collect.sources.create("shop").write_key
    nodes += [Node(folder), Node(folder)]
    for node in nodes:
        node.start()
    until = time.monotonic() + 8
    clients = [Client(nodes, key, f"c{n}", until) for n in range(3)]
    for client in clients:
        client.start()
    time.sleep(3)
    nodes[0].kill()
    time.sleep(2)
    nodes[0].start()
    for client in clients:
        client.join(60)
    # The second node leads now: it writes what came when it ends.
    nodes[1].stop()
    nodes[0].stop()
    check(folder, clients)
