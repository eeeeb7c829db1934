"""Acknowledged events are durable, visible at once, and in the lake once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tilth.collect.events import Event
from tilth.collect.formats import Decoded, WireRequest
from tilth.collect.formats.native import NATIVE
from tilth.collect.model import Track
from tilth.errors import Conflict, NotFound
from tilth.lake.sql import SqlDoor
from tilth.workspace import Workspace

NOW = 1_790_000_000_000_000


def visit(person: str, event_id: str, ts: int = NOW) -> Event:
    return Event(distinct_id=person, event="view", ts=ts, event_id=event_id)


def ids_of(workspace: Workspace) -> list[str]:
    return sorted(i for t in workspace.lake.scan(["event_id"]) for i in t["event_id"].to_pylist())


def test_an_event_is_visible_before_and_after_the_flush(any_workspace: Workspace) -> None:
    receipt = any_workspace.collect.append([visit("a", "1"), visit("b", "2")], "web")
    assert (receipt.accepted, receipt.as_of) == (2, 1)
    assert ids_of(any_workspace) == ["1", "2"]
    assert any_workspace.collect.flush() == 2
    assert ids_of(any_workspace) == ["1", "2"]
    assert any_workspace.collect.tail_size() == (0, None)


def test_a_repeated_event_is_told_and_kept_once(any_workspace: Workspace) -> None:
    any_workspace.collect.append([visit("a", "1")], "web")
    again = any_workspace.collect.append([visit("a", "1"), visit("a", "2"), visit("a", "2")], "web")
    assert (again.accepted, again.duplicate) == (1, 2)
    any_workspace.collect.flush()
    any_workspace.collect.append([visit("a", "1")], "web")
    any_workspace.collect.flush()
    assert ids_of(any_workspace) == ["1", "2"]


def test_the_tail_is_rebuilt_from_the_log(any_workspace: Workspace) -> None:
    any_workspace.collect.append([visit("a", "1")], "web")
    any_workspace.close()
    with Workspace.open(any_workspace.folder) as reopened:
        assert ids_of(reopened) == ["1"]
        assert reopened.collect.flush() == 1


def test_a_reader_beside_the_writer_sees_the_tail(any_workspace: Workspace) -> None:
    any_workspace.collect.append([visit("a", "1")], "web")
    with Workspace.open(any_workspace.folder, read_only=True) as reader:
        assert ids_of(reader) == ["1"]
        any_workspace.collect.append([visit("a", "2")], "web")
        any_workspace.collect.flush()
        assert ids_of(reader) == ["1", "2"]


@pytest.mark.parametrize("stop", ["before the commit", "after the commit", "before the log is cleared"])
def test_a_flush_that_dies_neither_loses_nor_doubles(
    any_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    class Died(BaseException):
        pass

    any_workspace.collect.append([visit("a", str(i)) for i in range(20)], "web")

    def die(*_: object) -> None:
        raise Died

    target = {
        "before the commit": (type(any_workspace.lake), "_commit"),
        "after the commit": (type(any_workspace.lake), "_sync_log"),
        "before the log is cleared": (type(any_workspace.collect.log), "delete_through"),
    }[stop]
    with monkeypatch.context() as patch:
        patch.setattr(*target, die)
        with pytest.raises(Died):
            any_workspace.collect.flush()
    any_workspace.close()
    with Workspace.open(any_workspace.folder) as reopened:
        assert ids_of(reopened) == sorted(str(i) for i in range(20))
        reopened.collect.flush()
        assert ids_of(reopened) == sorted(str(i) for i in range(20))
        assert reopened.collect.log.rows() == 0


WRITER = """
import sys, tilth
from tilth.collect.events import Event
workspace = tilth.open(sys.argv[1])
start = int(sys.argv[2])
for i in range(start, start + 1_000_000):
    event = Event(distinct_id=f"u{i % 7}", event="view", ts=1_790_000_000_000_000 + i, event_id=str(i))
    workspace.collect.append([event], "web")
    print(i, flush=True)
    if i % 5 == 4:
        workspace.collect.flush()
    if i % 17 == 16:
        workspace.lake.compact()
"""


@pytest.mark.crash
def test_killing_the_writer_again_and_again_loses_and_doubles_nothing(any_workspace: Workspace) -> None:
    any_workspace.close()
    acknowledged: set[str] = set()
    start = 0
    for lap in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(any_workspace.folder), str(start)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        # By answers, not by the clock: a slow machine is to be killed as deep in its work as a fast one.
        lines = [writer.stdout.readline() for _ in range(7 + 4 * lap)]
        time.sleep(0.007 * lap)
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.wait()
        acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
        start = max(int(i) for i in acknowledged) + 2
    assert len(acknowledged) >= sum(7 + 4 * lap for lap in range(6))
    with Workspace.open(any_workspace.folder) as reopened:
        stored = ids_of(reopened)
        assert len(stored) == len(set(stored))
        assert acknowledged <= set(stored)
        # One event a lap may have been stored without its answer getting through.
        assert len(set(stored) - acknowledged) <= 6
        reopened.collect.flush()
        assert ids_of(reopened) == stored
        assert SqlDoor(reopened.lake).run("SELECT count(*) FROM events").rows == [[len(stored)]]


def native(body: bytes) -> Decoded:
    headers = {"authorization": "Bearer key", "content-type": "application/json"}
    return NATIVE.decode(
        WireRequest(method="POST", path="/api/v1/events", headers=headers, body=body), NATIVE.limits, NOW
    )


def test_commerce_properties_become_typed_columns_exactly() -> None:
    from tilth.collect.model import Batch
    from tilth.collect.rows import message_rows

    body = (
        '[{"event":"purchase","distinct_id":7,"event_id":"e","timestamp":"2026-01-02T03:04:05.678901+08:00",'
        '"properties":{"order_id":991,"amount":0.145,"quantity":2,"price":"19.9","channel":"抖音","coupon":1.10}}]'
    )
    decoded = native(body.encode())
    assert decoded.refused == []
    batch = Batch(source="web", received_at=NOW, messages=decoded.messages)
    row = message_rows([batch], np.array([1]), "CNY").to_pylist()[0]
    assert row["p_amount"] == 15  # 0.145 yuan is 14.5 fen, rounded half up
    assert str(row["p_price"]) == "19.9000"
    assert (row["p_order_id"], row["p_channel"], row["p_currency"]) == ("991", "抖音", "CNY")
    assert row["props"] == '{"coupon":1.10}'
    assert row["ts"].isoformat() == "2026-01-01T19:04:05.678901+00:00"


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ('{"distinct_id":"a"}', "event"),
        ('{"event":"","distinct_id":"a"}', "event"),
        ('{"event":"x"}', "distinct_id"),
        ('{"event":"x","distinct_id":"null"}', "distinct_id"),
        ('{"event":"x","distinct_id":true}', "distinct_id"),
        ('{"event":"x","distinct_id":"a","timestamp":"yesterday"}', "timestamp"),
        ('{"event":"x","distinct_id":"a","timestamp":-5}', "timestamp"),
        ('{"event":"x","distinct_id":"a","timestamp":"2099-01-01"}', "timestamp"),
        ('{"event":"x","distinct_id":"a","properties":[1]}', "properties"),
        ('{"event":"x","distinct_id":"a","type":"dance"}', "type"),
        ("5", "event"),
    ],
)
def test_a_bad_event_is_refused_with_its_field_and_the_good_one_is_kept(item: str, field: str) -> None:
    decoded = native(f'[{item},{{"event":"ok","distinct_id":"a"}}]'.encode())
    assert [m.event for m in decoded.messages if isinstance(m, Track)] == ["ok"]
    assert [r.field for r in decoded.refused] == [field]


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":1}}', b"[1,2", b"nope"])
def test_a_body_that_is_not_json_is_refused_whole(body: bytes) -> None:
    decoded = native(body)
    assert decoded.answer.status in (400, 413)  # the deep one is also too much
    assert decoded.messages == []
    assert json.loads(decoded.answer.body)["field"] == "body"


def test_sources_have_write_keys_that_rotate_and_stop(workspace: Workspace) -> None:
    collect = workspace.collect
    source = collect.sources.create("小程序")
    assert collect.sources.of_key(source.write_key).name == "小程序"
    with pytest.raises(Conflict):
        collect.sources.create("小程序")
    rotated = collect.sources.rotate(source.id)
    with pytest.raises(NotFound):
        collect.sources.of_key(source.write_key)
    collect.sources.revoke(source.id)
    with pytest.raises(NotFound):
        collect.sources.of_key(rotated.write_key)
