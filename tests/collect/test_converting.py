"""The helper process gives what this one would, and its death costs nothing."""

from __future__ import annotations

import os
import signal
import time
from decimal import Decimal

import msgspec
import numpy as np
import pyarrow as pa

from tilth.collect.converting import Converter, convert
from tilth.collect.model import Batch, Id, Identify, Item, Message, Operation, Track
from tilth.workspace import Workspace

T0 = 1_790_000_000_000_000
_encoder = msgspec.json.Encoder(decimal_format="number")


def message(n: int) -> Message:
    who = (Id("id" if n % 3 else "device", f"p{n % 50}"),)
    if n % 11 == 0:
        return Item(item_kind="product", item_id=f"i{n}", ts=T0 + n, event_id=str(n))
    if n % 7 == 0:
        told = (Operation("set", {"age": n}),)
        return Identify(ids=(*who, Id("device", f"d{n % 50}")), ts=T0 + n, event_id=str(n), operations=told)
    worth = {"amount": Decimal("19.90"), "product": "tea", "exact": Decimal("0.10000000000000000001")}
    return Track(ids=who, ts=T0 + n, event_id=str(n), event="purchase", properties=worth)


def payloads(count: int, size: int = 100) -> list[tuple[int, bytes]]:
    found = []
    for start in range(0, count, size):
        batch = Batch(source="web", received_at=T0, messages=[message(n) for n in range(start, start + size)])
        found.append((start // size + 1, _encoder.encode(batch)))
    return found


def test_a_helper_gives_the_same_and_its_death_costs_nothing() -> None:
    raw = payloads(3_000)
    here = convert(raw, "CNY")
    converter = Converter()
    converter.help = True
    try:
        for _ in range(2):
            there = converter.convert(raw, 3_000, "CNY")
            assert converter._helper is not None
            assert there.rows.equals(here.rows)
            assert there.event_id.equals(here.event_id)
            assert there.kind.to_pylist() == here.kind.to_pylist()
            assert there.telling == here.telling
            assert np.array_equal(there.seq, here.seq)
            assert there.last == 30
            os.kill(converter._helper.pid, signal.SIGKILL)
            converter._helper.wait()
            # The call that meets the dead helper does the work itself; the next starts another.
            assert converter.convert(raw, 3_000, "CNY").rows.equals(here.rows)
            assert converter._helper is None
    finally:
        converter.close()


def test_what_is_left_out_is_left_out_everywhere() -> None:
    found = convert(payloads(300), "CNY")
    gone = np.zeros(300, bool)
    gone[[0, 7, 8, 11]] = True
    left = found.without(gone)
    kept = [n for n in range(300) if not gone[n]]
    assert left.event_id.to_pylist() == [str(n) for n in kept]
    assert left.rows["event_id"].to_pylist() == [str(n) for n in kept if n % 11]
    assert len(left.kind) == left.rows.num_rows == int(left.has_row.sum())
    said = [int(m.event_id) for _, _, batch in left.telling for m in batch.messages]
    assert said == [n for n in kept if n % 11 == 0 or n % 7 == 0]


def test_the_tail_keeps_the_order_of_the_log_in_few_parts(workspace: Workspace) -> None:
    for n in range(40):
        workspace.collect.receive([message(n)], "web")
        workspace.collect.catch_up()
    parts = workspace.collect._tail.parts
    assert len(parts) == 1
    assert (parts[0].last, parts[0].seq.tolist()) == (40, [n + 1 for n in range(40) if n % 11])
    # Another node that flushed a part of it takes those rows away, and only those.
    assert parts[0].after(20).table["event_id"].to_pylist() == [str(n) for n in range(20, 40) if n % 11]


def test_what_reacts_to_events_hears_of_each_once(workspace: Workspace) -> None:
    heard: list[str] = []

    def hear(rows: pa.Table) -> None:
        heard.extend(rows["event_id"].to_pylist())

    workspace.collect.on_taken.append(hear)
    workspace.collect.receive([message(1), message(2)], "web")
    workspace.collect.take_in(5)
    workspace.collect.receive([message(2), message(3)], "web")
    workspace.collect.take_in(5)
    assert heard == ["1", "2", "3"]
    before = time.monotonic()
    workspace.collect.take_in(0.05)
    assert time.monotonic() - before < 5
    assert heard == ["1", "2", "3"]


def test_a_page_of_a_person_waits_for_little_and_not_for_much(workspace: Workspace) -> None:
    workspace.collect.receive([message(1)], "web")
    workspace.collect.settle()
    assert workspace.collect._tail.through == 1
    workspace.collect.receive([message(n) for n in range(2, 1_002)], "web")
    workspace.collect.settle()
    assert workspace.collect._tail.through == 1
    assert workspace.collect.tail().num_rows == sum(1 for n in range(1, 1_002) if n % 11)
