"""Pulls of a database: nothing lost and nothing doubled, whatever the marks look like."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collect.pulls.conftest import RULES, Pulling, Shop
from tilth.collect.connectors import MappingRule
from tilth.collect.pulls import SqlPlace, look
from tilth.collect.pulls import running as running_module
from tilth.errors import Busy, InvalidInput

TEN = "2026-06-01 10:00:00"


def place(shop: Shop, **more: Any) -> SqlPlace:
    given = {"table": "orders", "mark": "updated_at", "key": "id", **more}
    if given.get("query"):
        given.pop("table")
    return SqlPlace(url=shop.url, **given)


def test_only_new_rows_are_read_and_amounts_keep_their_digits(pulling: Pulling, shop: Shop) -> None:
    shop.add((1, TEN, "mei", "19.90"), (2, "2026-06-01 10:00:01", "lin", "5.00"))
    pulling.pulls.create("shop", place(shop), RULES, every_minutes=15)
    first = pulling.run()
    assert (first.status, first.rows, first.accepted) == ("done", 2, 2), first.error
    assert first.mark_after is not None
    shop.add((3, "2026-06-01 10:00:02", "mei", "7.00"))
    second = pulling.run()
    assert (second.rows, second.accepted, second.duplicate) == (1, 1, 0)
    assert (second.mark_before, second.mark_after) == (first.mark_after, pulling.pulls.get("shop").mark)
    assert pulling.run().rows == 0
    assert pulling.ids() == ["order-1", "order-2", "order-3"]
    amounts = pulling.rows("SELECT p_amount, p_order_id FROM events ORDER BY event_id")
    assert [list(row) for row in amounts] == [[1990, "1"], [500, "2"], [700, "3"]]
    assert pulling.pulls.get("shop").next_at is not None


def test_rows_of_one_mark_are_neither_lost_nor_doubled_between_pages(
    pulling: Pulling, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "_PAGE", 7)
    shop.add(*((n, TEN if n < 60 else "2026-06-01 10:00:01", "mei", "1") for n in range(100)))
    pulling.pulls.create("shop", place(shop), RULES)
    run = pulling.run()
    assert (run.rows, run.accepted, run.duplicate) == (100, 100, 0), run.error
    # A further row of the mark that was the last, with a later key.
    shop.add((100, "2026-06-01 10:00:01", "mei", "1"))
    assert pulling.run().rows == 1
    assert len(pulling.ids()) == 101


def test_a_row_committed_late_is_found_by_the_overlap(pulling: Pulling, shop: Shop) -> None:
    shop.add((5, TEN, "mei", "1"), (6, "2026-06-01 10:05:00", "mei", "1"))
    pulling.pulls.create("shop", place(shop, overlap=600), RULES)
    before = pulling.run()
    shop.add((3, "2026-06-01 10:04:59", "lin", "1"))
    run = pulling.run()
    assert (run.rows, run.accepted, run.duplicate) == (3, 1, 2), run.error
    assert run.mark_after == before.mark_after
    assert pulling.ids() == ["order-3", "order-5", "order-6"]


def test_ids_alone_can_be_the_mark_and_large_ones_keep_every_digit(pulling: Pulling, shop: Shop) -> None:
    huge = 9_007_199_254_740_993
    shop.add((huge, TEN, "mei", "1"), (huge + 1, TEN, "mei", "1"))
    pulling.pulls.create("shop", place(shop, mark="id", overlap=1), RULES)
    assert pulling.run().accepted == 2
    shop.add((huge + 2, TEN, "mei", "1"))
    assert pulling.run().accepted == 1
    assert pulling.ids() == [f"order-{huge}", f"order-{huge + 1}", f"order-{huge + 2}"]


def test_a_query_may_hold_colons_percents_and_its_own_where(pulling: Pulling, shop: Shop) -> None:
    shop.add((1, TEN, "a:b %d", "1"), (2, TEN, "other", "1"))
    note = "'10:30 %s \\d\\: ::x' AS note"
    query = f"SELECT id, updated_at, customer, amount, {note} FROM orders WHERE customer LIKE 'a:b %';"
    assert look(pulling.pulls, place(shop, query=query), "", RULES).rows[0]["note"] == "10:30 %s \\d\\: ::x"
    pulling.pulls.create("shop", place(shop, query=query), RULES)
    assert pulling.run().accepted == 1
    assert pulling.ids() == ["order-1"]


def test_rows_without_an_id_or_a_time_go_to_quarantine_and_are_counted(pulling: Pulling, shop: Shop) -> None:
    shop.add((1, TEN, "mei", "1"), (2, TEN, "", "1"))
    rules = [
        MappingRule(event="purchase", event_id=["order-", "$.customer"], person="$.id", at="$.updated_at"),
        MappingRule(event="seen", event_id=["seen-", "$.id"], person="$.id", at="$.nothing"),
    ]
    pulling.pulls.create("shop", place(shop), rules)
    run = pulling.run()
    assert (run.rows, run.accepted, run.quarantined) == (2, 1, 3), run.error
    assert {one.field for one in pulling.refused} == {"event_id", "timestamp"}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"table": "nothing"}, "connection", "nothing"),
        ({"mark": "nothing"}, "connection", "nothing"),
        ({"query": "DELETE FROM orders"}, "connection.query", "one SELECT"),
        ({"query": "SELECT * FROM orders; DROP TABLE orders"}, "connection", "the database says"),
        ({"query": "SELECT * FROM orders) AS x; DROP TABLE orders; --"}, "connection", "the database says"),
        (
            {"query": "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone"},
            "connection",
            "the database says",
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_written(
    pulling: Pulling, shop: Shop, change: dict[str, str], field: str, words: str
) -> None:
    shop.add((1, TEN, "mei", "1"))
    with pytest.raises(InvalidInput) as told:
        look(pulling.pulls, place(shop, **change), "", RULES)
    assert told.value.field == field
    assert words in told.value.reason
    with shop.engine.connect() as at:
        assert at.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 1


def test_a_preview_shows_rows_and_events_and_keeps_nothing(pulling: Pulling, shop: Shop) -> None:
    shop.add(*((n, TEN, "mei", "19.90") for n in range(9)))
    seen = look(pulling.pulls, place(shop), "", RULES)
    assert len(seen.rows) == len(seen.events) == 5
    assert seen.events[0]["event_id"] == "order-0"
    assert seen.rows[0]["amount"] == pytest.approx(19.9)
    assert pulling.ids() == []


def test_a_failure_is_kept_and_waited_after_ever_longer(pulling: Pulling, shop: Shop) -> None:
    pulling.pulls.create("shop", place(shop, table="gone"), RULES, every_minutes=5)
    waits = []
    for number in range(1, 4):
        run = pulling.run()
        held = pulling.pulls.get("shop")
        assert run.status == "failed"
        assert held.error is not None
        assert "gone" in held.error
        assert held.failures == number
        assert held.next_at is not None
        assert held.last_at is not None
        waits.append((held.next_at - held.last_at) // 60_000_000)
    assert waits == [1, 2, 4]
    pulling.pulls.change("shop", connection=place(shop))
    shop.add((1, TEN, "mei", "1"))
    assert pulling.run().status == "done"
    assert pulling.pulls.get("shop").failures == 0


def test_one_process_runs_a_pull_at_a_time_and_a_dead_ones_place_is_taken(
    pulling: Pulling, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tilth.collect.pulls import service

    shop.add((1, TEN, "mei", "1"))
    pulling.pulls.create("shop", place(shop), RULES)
    held = pulling.pulls.hold("shop")
    pulling.pulls.begin_run(held, "hand")
    for wanted in (pulling.run, lambda: pulling.pulls.reset("shop"), lambda: pulling.pulls.change("shop", rules=RULES)):
        with pytest.raises(Busy):
            wanted()
    clock = service._now() + service.LEASE + 1
    monkeypatch.setattr(service, "_now", lambda: clock)
    assert pulling.run().accepted == 1
    # The one that was taken for dead moves no mark any more.
    assert not pulling.pulls.still(held)
    assert [run.status for run in pulling.pulls.runs("shop")] == ["done", "stopped"]


def test_a_reset_reads_all_again_and_counts_nothing_twice(pulling: Pulling, shop: Shop) -> None:
    shop.add((1, TEN, "mei", "1"), (2, TEN, "mei", "1"))
    pulling.pulls.create("shop", place(shop), RULES)
    pulling.run()
    assert pulling.pulls.reset("shop").mark is None
    again = pulling.run()
    assert (again.rows, again.accepted, again.duplicate) == (2, 0, 2)
    assert len(pulling.ids()) == 2
