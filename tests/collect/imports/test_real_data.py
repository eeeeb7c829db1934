"""Public data sets come out with their published totals, without a map."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.collect.imports.conftest import adds_up
from tilth.errors import InvalidInput
from tilth.workspace import Workspace


def test_online_retail_gives_its_published_totals(workspace: Workspace, shared_data: Path) -> None:
    path = shared_data / "online_retail.csv.gz"
    proposal = workspace.imports.propose("orders", [path])
    assert proposal.map == {
        "customer": "CustomerID",
        "order": "InvoiceNo",
        "time": "InvoiceDate",
        "quantity": "Quantity",
        "price": "UnitPrice",
        "product": "StockCode",
        "product_name": "Description",
        "country": "Country",
    }
    summary = workspace.imports.run_files("orders", [path])
    assert summary.rows_read == 541_909
    assert summary.skipped == {"no_customer": 135_080, "zero_price": 40}
    assert summary.rows_accepted == 397_884 + 8_905
    assert (summary.people, summary.new_people, summary.buyers) == (4_372, 4_372, 4_338)
    assert (summary.orders, summary.revenue.amount, summary.revenue.currency) == (18_532, "8911407.90", "GBP")
    assert (summary.first, summary.last) == ("2010-12-01T08:26:00Z", "2011-12-09T12:50:00Z")
    assert adds_up(summary)
    events = pa.concat_tables(workspace.lake.scan(["event", "p_amount"])).group_by("event")
    totals = events.aggregate([([], "count_all"), ("p_amount", "sum")]).to_pylist()
    counted = {row["event"]: (row["count_all"], row["p_amount_sum"]) for row in totals}
    assert counted["purchase"] == (18_532, 891_140_790)
    assert counted["purchase_item"] == (397_884, 891_140_790)
    assert counted["refund"][0] == summary.refund_orders
    assert counted["refund_item"] == (8_905, summary.refunds.minor)
    again = workspace.imports.run_files("orders", [path])
    assert (again.rows_accepted, again.rows_duplicate) == (0, summary.rows_accepted)
    assert workspace.people.find("17850") > 0


def test_cdnow_master_gives_its_published_totals(workspace: Workspace, shared_data: Path) -> None:
    summary = workspace.imports.run_files("orders", [shared_data / "cdnow_master.txt.gz"])
    assert (summary.rows_read, summary.rows_accepted, summary.orders) == (69_659, 69_659, 69_659)
    assert (summary.people, summary.revenue.amount) == (23_570, "2500315.63")
    assert sum(pc.sum(t.column("p_quantity")).as_py() for t in workspace.lake.scan(["p_quantity"])) == 167_881


def test_the_cdnow_sample_needs_no_header(workspace: Workspace, shared_data: Path) -> None:
    summary = workspace.imports.run_files("orders", [shared_data / "cdnow_sample.txt.gz"])
    assert (summary.rows_accepted, summary.people) == (6_919, 2_357)


def test_a_click_stream_comes_in_as_events(workspace: Workspace, shared_data: Path) -> None:
    summary = workspace.imports.run_files("events", [shared_data / "simple_onlineshop.csv.gz"])
    assert (summary.rows_accepted, summary.events, summary.people) == (32_283, 32_283, 3_751)


def test_an_experiment_is_not_taken_for_orders(workspace: Workspace, shared_data: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        workspace.imports.run_files("orders", [shared_data / "hillstrom.csv.gz"])
    assert caught.value.field == "map.time"
