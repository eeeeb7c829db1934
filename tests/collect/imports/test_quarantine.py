"""Rows that could not be taken can be found, corrected and tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collect.imports.conftest import adds_up
from tilth.collect.imports import Summary
from tilth.errors import InvalidInput
from tilth.workspace import Workspace

Orders = Callable[..., Summary]

TEXT = (
    "order,customer,date,product,quantity,price\n"
    "1,A,2024-01-05,Tea,2,3.50\n"
    "1,A,2024-01-05,Cup,one,12.00\n"
    "2,B,soon,Tea,1,3.50\n"
    "3,C,2024-01-05,Tea,1\n"
    "4,guest,2024-01-05,Tea,1,3.50\n"
    '5,D,2024-01-05,"Tea, black",1,free\n'
    "6,E,2024-01-05,Tea,1,3.50,extra\n"
)


def test_a_bad_row_says_where_it_stood_and_why(workspace: Workspace, orders: Orders) -> None:
    summary = orders(TEXT)
    assert summary.quarantined == {
        "bad_quantity": 1, "bad_time": 1, "too_few_columns": 1, "refused_id": 1, "bad_price": 1, "too_many_columns": 1,
    }  # fmt: skip
    assert adds_up(summary)
    found = workspace.imports.quarantine()
    assert found.total == 6
    rows = {row.reason: row for row in found.rows}
    row = rows["bad_price"]
    assert (row.file, row.line, row.column, row.detail) == ("orders.csv", 7, "price", "free")
    assert row.raw == '5,D,2024-01-05,"Tea, black",1,free'
    assert (rows["too_few_columns"].line, rows["too_few_columns"].column) == (5, "")
    assert row.import_id == workspace.imports.list().imports[0].id


def test_quarantine_is_searched_filtered_and_paged(workspace: Workspace, orders: Orders) -> None:
    orders(TEXT)
    imports = workspace.imports
    assert [r.reason for r in imports.quarantine(q="guest").rows] == ["refused_id"]
    assert imports.quarantine(q="100%").total == 0
    filtered = imports.quarantine(reason="bad_time")
    assert (filtered.total, sum(r.rows for r in filtered.reasons)) == (1, 6)
    first = imports.quarantine(limit=4)
    second = imports.quarantine(limit=4, cursor=first.next)
    assert (len(first.rows), len(second.rows), second.next) == (4, 2, None)
    with pytest.raises(InvalidInput):
        imports.quarantine(state="lost")


def test_a_dismissed_row_is_out_of_the_way_and_still_there(workspace: Workspace, orders: Orders) -> None:
    orders(TEXT)
    imports = workspace.imports
    assert imports.dismiss(filter={"reason": "refused_id"}) == 1
    assert imports.dismiss(filter={"reason": "refused_id"}) == 0
    assert (imports.quarantine().total, imports.quarantine(state="dismissed").total) == (5, 1)


def test_a_corrected_row_joins_its_order(workspace: Workspace, orders: Orders) -> None:
    orders(TEXT)
    imports = workspace.imports
    bad = imports.quarantine(reason="bad_quantity").rows[0]
    result = imports.replay(ids=[bad.id], replace={"quantity": "1"})
    assert (result.replayed, result.accepted, result.still_quarantined) == (1, 1, 0)
    events = sorted(
        (e, a) for t in workspace.lake.scan(["event", "p_amount"]) for e, a in zip(*t.to_pydict().values(), strict=True)
    )
    assert events == [("purchase", 700), ("purchase_added", 1200), ("purchase_item", 700), ("purchase_item", 1200)]
    assert imports.quarantine(state="replayed").rows[0].id == bad.id


def test_a_row_that_is_still_wrong_stays_with_its_new_reason(workspace: Workspace, orders: Orders) -> None:
    orders(TEXT)
    imports = workspace.imports
    bad = imports.quarantine(reason="bad_time").rows[0]
    result = imports.replay(ids=[bad.id], replace={"date": "2999-01-01"})
    assert (result.replayed, result.still_quarantined) == (0, 1)
    row = imports.quarantine(reason="future").rows[0]
    assert (row.id, row.detail) == (bad.id, "2999-01-01")


def test_replaying_everything_twice_adds_it_once(workspace: Workspace, orders: Orders) -> None:
    orders(TEXT)
    imports = workspace.imports
    first = imports.replay(filter={}, replace={"date": "2024-01-06", "price": "3.50", "quantity": "1", "customer": "Z"})
    assert (first.replayed, first.accepted, first.still_quarantined) == (4, 4, 2)
    again = imports.replay(filter={}, replace={"price": "3.50"})
    assert (again.replayed, again.accepted, again.still_quarantined) == (0, 0, 2)


def test_rows_in_another_date_order_come_in_with_another_option(workspace: Workspace, orders: Orders) -> None:
    text = "customer,date,amount\n" + "".join(f"c{i},13/04/2024,1\n" for i in range(5)) + "x,04/13/2024,2\n"
    orders(text, options={"date_order": "dmy"})
    with pytest.raises(InvalidInput):
        workspace.imports.replay(filter={"reason": "date_order"}, options={"currency": "USD"})
    result = workspace.imports.replay(filter={"reason": "date_order"}, options={"date_order": "mdy"})
    assert (result.accepted, result.still_quarantined) == (1, 0)


def test_a_replay_that_names_no_such_column_is_refused(workspace: Workspace, orders: Orders) -> None:
    orders(TEXT)
    with pytest.raises(InvalidInput) as caught:
        workspace.imports.replay(filter={}, replace={"colour": "red"})
    assert caught.value.field == "replace.colour"
    with pytest.raises(InvalidInput):
        workspace.imports.replay()


def test_a_failed_import_leaves_no_quarantined_rows(workspace: Workspace, write: Callable[..., Path]) -> None:
    rows = "".join(f"c{i % 9},13/04/2024,1\n" for i in range(20_000))
    path = write("a.csv", "customer,date,amount\nA,never,1\n" + rows + "A,04/13/2024,1\n")
    with pytest.raises(InvalidInput):
        workspace.imports.run_files("orders", [path])
    assert workspace.imports.quarantine(state=None).total == 0


def test_both_databases_keep_the_same_books(any_workspace: Workspace, write: Callable[..., Path]) -> None:
    imports = any_workspace.imports
    path = write("a.csv", TEXT.replace("order,customer", "order,客户编号").replace("free", "fr\0ee"))
    summary = imports.run_files("orders", [path], by="ann")
    again = imports.run_files("orders", [path])
    assert (summary.rows_accepted, summary.rows_quarantined) == (1, 6)
    assert (again.rows_accepted, again.rows_duplicate, again.rows_quarantined) == (0, 1, 6)
    assert imports.quarantine().total == 6
    assert [r.reason for r in imports.quarantine(q="BLACK").rows] == ["bad_price"]
    replayed = imports.replay(filter={"reason": "bad_quantity"}, replace={"quantity": "1"})
    assert (replayed.accepted, imports.dismiss(filter={"q": "guest"})) == (1, 1)
    assert {s: imports.quarantine(state=s).total for s in ("open", "replayed", "dismissed")} == {
        "open": 4, "replayed": 1, "dismissed": 1,
    }  # fmt: skip
    page = imports.list(limit=1)
    assert page.next is not None
    assert imports.list(cursor=page.next).imports[0].summary == summary
    made = imports.create("orders", [path])
    assert imports.cancel(made.id).status == "cancelled"
