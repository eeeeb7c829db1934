"""The simulated company 清禾茶 Qinghe Tea: a tea brand with known truth, for the demo, tests and benchmarks.

`simulate` makes its people and gives events as native tables, ids, order book and truth; `write_company`
writes the files it would hand over (orders as CSV and workbooks, members, behaviour) with a manifest of
exact totals; `bench_orders_csv` writes a large, clean file of order lines. Everything is a function of
the seed, the same however it is cut into chunks or threads.

May import: nothing of Tilth but itself; numpy, numba, pyarrow, msgspec.
"""

from __future__ import annotations

from tilth.simulate.bench_orders import BenchFile, bench_orders_csv
from tilth.simulate.company import Company, Simulation, simulate
from tilth.simulate.dirt import Dirt
from tilth.simulate.event_files import write_events
from tilth.simulate.files import write_company, write_files
from tilth.simulate.manifest import Manifest, load_manifest
from tilth.simulate.orders import OrderBook, order_book
from tilth.simulate.tables import EVENT_COLUMNS
from tilth.simulate.truth import Truth

__all__ = [
    "EVENT_COLUMNS",
    "BenchFile",
    "Company",
    "Dirt",
    "Manifest",
    "OrderBook",
    "Simulation",
    "Truth",
    "bench_orders_csv",
    "load_manifest",
    "order_book",
    "simulate",
    "write_company",
    "write_events",
    "write_files",
]
