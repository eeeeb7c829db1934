"""The benchmark's file: exact size, clean, heavy-tailed, by time."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

from tilth.simulate import bench_orders_csv


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "orders.csv"
    made = bench_orders_csv(path, lines=40_000, people=4_000, seed=2)
    with path.open() as file:
        return path, made, list(csv.DictReader(file))


def test_it_holds_exactly_the_lines_and_people_asked_for(bench):
    path, made, rows = bench
    assert len(rows) == made.lines == 40_000
    assert len({row["customer_id"] for row in rows}) == made.people == 4_000
    assert len({row["order_id"] for row in rows}) == made.orders
    assert made.bytes == path.stat().st_size
    revenue = sum(int(Decimal(row["unit_price"]) * 100) * int(row["quantity"]) for row in rows)
    assert revenue == made.revenue


def test_it_is_in_order_of_time_within_its_window(bench):
    _, _, rows = bench
    times = [dt.datetime.fromisoformat(row["order_time"]) for row in rows]
    assert times == sorted(times)
    assert times[0] >= dt.datetime(2024, 1, 2)
    assert times[-1] < dt.datetime(2026, 1, 1)


def test_an_order_is_of_one_customer_at_one_time(bench):
    _, _, rows = bench
    assert len({(row["order_id"], row["customer_id"], row["order_time"]) for row in rows}) == bench[1].orders


def test_orders_have_about_four_lines_and_customers_a_heavy_tail(bench):
    _, made, rows = bench
    assert made.lines / made.orders == pytest.approx(4.0, abs=0.3)
    orders = Counter({row["order_id"]: row["customer_id"] for row in rows}.values())
    counts = np.array(list(orders.values()))
    assert (counts == 1).mean() > 0.25
    assert counts.max() > 6 * counts.mean()


def test_the_same_seed_writes_the_same_bytes(bench, tmp_path):
    path, *_ = bench
    bench_orders_csv(tmp_path / "again.csv", lines=40_000, people=4_000, seed=2)
    bench_orders_csv(tmp_path / "other.csv", lines=40_000, people=4_000, seed=3)
    digest = [
        hashlib.sha256(p.read_bytes()).hexdigest() for p in (path, tmp_path / "again.csv", tmp_path / "other.csv")
    ]
    assert digest[0] == digest[1] != digest[2]


@pytest.mark.parametrize(("lines", "people"), [(500, 500), (700, 500), (20_000, 3)])
def test_extreme_shapes_are_exact_too(tmp_path, lines, people):
    made = bench_orders_csv(tmp_path / "orders.csv", lines=lines, people=people)
    with (tmp_path / "orders.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == made.lines == lines
    assert len({row["customer_id"] for row in rows}) == people


def test_fewer_lines_than_people_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one line"):
        bench_orders_csv(tmp_path / "orders.csv", lines=10, people=11)
