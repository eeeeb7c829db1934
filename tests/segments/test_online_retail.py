"""Layerings of a real shop's file, against facts that are published of it and an independent computation."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tilth.segments.rfm import RfmModel, RfmParameters, assign, scores
from tilth.workspace import Workspace


@pytest.fixture
def shop(workspace: Workspace, shared_data: Path) -> Workspace:
    """Clean orders and cancellations by invoice, in the workspace's lake."""
    orders: dict[tuple[str, str], list[object]] = {}
    with gzip.open(shared_data / "online_retail.csv.gz", "rt", encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            customer, quantity, price = row["CustomerID"], int(row["Quantity"]), Decimal(row["UnitPrice"])
            cancelled = row["InvoiceNo"].startswith("C")
            if not customer or not (cancelled or (quantity > 0 and price > 0)):
                continue
            when = dt.datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=dt.UTC)
            cents = int((abs(quantity) * price * 100).to_integral_value())
            entry = orders.setdefault((customer.removesuffix(".0"), row["InvoiceNo"]), [when, 0, cancelled])
            entry[0] = min(entry[0], when)  # type: ignore[type-var]
            entry[1] = int(entry[1]) + cents  # type: ignore[call-overload]
    names = [customer for customer, _ in orders]
    workspace.lake.append(
        pa.table(
            {
                "uid": workspace.people.resolve("id", names, "shop"),
                "ts": pa.array([e[0] for e in orders.values()], pa.timestamp("us", tz="UTC")),
                "event": ["refund" if e[2] else "purchase" for e in orders.values()],
                "event_id": [f"{customer}-{invoice}" for customer, invoice in orders],
                "source": ["shop"] * len(orders),
                "p_order_id": [invoice for _, invoice in orders],
                "p_amount": pa.array([e[1] for e in orders.values()], pa.int64()),
            }
        )
    )
    return workspace


def test_the_published_totals_come_out_to_the_penny_in_every_layering(shop: Workspace) -> None:
    for kind in ("rfm", "pareto", "stage", "value"):
        answer = shop.segments.layering(kind)
        buyers = [layer for layer in answer.layers if layer.key != "no_purchase"]
        assert sum(layer.revenue for layer in answer.layers) == 891_140_790
        assert sum(layer.orders for layer in answer.layers) == 18_532
        assert sum(layer.people for layer in buyers) == 4_338
        assert answer.as_of == "2011-12-09"
        assert answer.quality.score >= 50


def test_rfm_scores_equal_those_of_plain_quantiles(shop: Workspace) -> None:
    snapshot = shop.segments._snapshots.now()
    people = snapshot.standing(snapshot.newest_day)
    people = people.take(np.flatnonzero(people.buyers))
    model = assign(people, RfmParameters()).model
    assert isinstance(model, RfmModel)
    found = scores(people, RfmParameters(), model)
    for row, values in zip(found, (-people.recency, people.orders, people.revenue), strict=True):
        edges = np.quantile(values, (0.2, 0.4, 0.6, 0.8), method="inverted_cdf")
        assert row.tolist() == (1 + (values[:, None] > edges).sum(axis=1)).tolist()
