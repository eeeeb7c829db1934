"""The measured steps; each prints one JSON line. Run through `bench.measured.run_step`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def _print(**values: Any) -> None:
    print(json.dumps(values))


def make_orders(path: str, lines: str, people: str) -> None:
    """A clean line-level order file of the simulated company."""
    from tilth.simulate import bench_orders_csv

    started = time.perf_counter()
    bench_orders_csv(Path(path), lines=int(lines), people=int(people), seed=1)
    _print(seconds=time.perf_counter() - started, bytes=Path(path).stat().st_size)


def tilth_import(workspace: str, path: str) -> None:
    """The whole import as the command does it: recognise, check, identify, durable in the lake."""
    from tilth.settings import Settings
    from tilth.workspace import Workspace

    with Workspace.create(workspace, Settings(timezone="UTC", currency="CNY")) as ws:
        started = time.perf_counter()
        summary = ws.imports.run_files("orders", [path])
        _print(
            seconds=time.perf_counter() - started,
            rows=summary.rows_read,
            accepted=summary.rows_accepted,
            people=summary.people,
            orders=summary.orders,
            revenue=summary.revenue.minor,
        )


def pandas_import(path: str, target: str) -> None:
    """The nearest a notebook does: read with types, money as cents, write Parquet. No checks, no identity."""
    import pandas as pd

    started = time.perf_counter()
    frame = pd.read_csv(path, dtype={"order_id": str, "customer_id": str, "product": str}, parse_dates=["order_time"])
    frame["amount"] = ((frame["quantity"] * frame["unit_price"]) * 100).round().astype("int64")
    frame.to_parquet(target)
    _print(seconds=time.perf_counter() - started, rows=len(frame))


def tilth_rfm(workspace: str) -> None:
    """Recency, frequency and money of everyone from the lake: first in a fresh process, then warm (best of 3)."""
    import numpy as np

    from tilth.segments.history import purchase_history
    from tilth.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        everyone = ws.people.everyone()

        def rfm() -> tuple[Any, Any, Any]:
            history = purchase_history(ws.lake, ws.people, everyone=everyone)
            edge = np.flatnonzero(np.concatenate(([True], history.uid[1:] != history.uid[:-1])))
            ends = np.append(edge[1:], len(history.uid))
            return history.ts[ends - 1], ends - edge, np.add.reduceat(history.amount, edge)

        started = time.perf_counter()
        last, frequency, money = rfm()
        first = time.perf_counter() - started
        warm = []
        for _ in range(3):
            started = time.perf_counter()
            rfm()
            warm.append(time.perf_counter() - started)
        started = time.perf_counter()
        layering = ws.segments.layering("rfm", save=False)
        whole = time.perf_counter() - started
    _print(
        first=first,
        warm=min(warm),
        layering_with_quality=whole,
        layers=len(layering.layers),
        people=len(last),
        orders=int(frequency.sum()),
        money=int(money.sum()),
    )


def pandas_rfm(parquet: str) -> None:
    """The same three numbers by group-by on a frame already in memory (best of 3)."""
    import pandas as pd

    frame = pd.read_parquet(parquet, columns=["customer_id", "order_id", "order_time", "amount"])
    times = []
    for _ in range(3):
        started = time.perf_counter()
        table = frame.groupby("customer_id", sort=False).agg(
            last=("order_time", "max"), frequency=("order_id", "nunique"), money=("amount", "sum")
        )
        times.append(time.perf_counter() - started)
    _print(seconds=min(times), people=len(table), orders=int(table.frequency.sum()), money=int(table.money.sum()))


def tilth_clv(workspace: str) -> None:
    """Fit BG/NBD and score everyone: P(alive) and expected purchases; first in a fresh process, then again."""
    import numpy as np

    from tilth.segments.clv import BGNBD, summarise
    from tilth.segments.clv.forecast import SpendModel, forecast
    from tilth.segments.clv.summary import last_day
    from tilth.segments.history import purchase_history
    from tilth.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        history = purchase_history(ws.lake, ws.people)
    buyers = summarise(history, timezone="UTC", end=last_day(history, "UTC"))
    times = []
    for _ in range(2):
        started = time.perf_counter()
        triples = buyers.triples(7.0)
        estimate = BGNBD.fit(triples)
        spend = SpendModel(values=None, everybody=0.0)
        scores = forecast(buyers, triples, BGNBD, estimate.values, spend, horizon=13.0, level=0.95)
        times.append(time.perf_counter() - started)
    np.savez(Path(workspace) / "clv_summary.npz", x=buyers.x, tx=buyers.tx / 7, T=buyers.T / 7)
    _print(
        first=times[0],
        warm=times[1],
        people=len(buyers.uid),
        parameters=estimate.values,
        total=float(scores.expected_purchases.sum()),
        alive=float(scores.p_alive.sum()),
    )


def lifetimes_clv(workspace: str) -> None:
    """The same fit and scores by the Lifetimes package."""
    import numpy as np

    arrays = np.load(Path(workspace) / "clv_summary.npz")
    from lifetimes import BetaGeoFitter

    started = time.perf_counter()
    fitter = BetaGeoFitter(penalizer_coef=0.0).fit(arrays["x"], arrays["tx"], arrays["T"])
    fitted = time.perf_counter() - started
    expected = fitter.conditional_expected_number_of_purchases_up_to_time(13.0, arrays["x"], arrays["tx"], arrays["T"])
    alive = fitter.conditional_probability_alive(arrays["x"], arrays["tx"], arrays["T"])
    _print(
        seconds=time.perf_counter() - started,
        fit=fitted,
        parameters={k: float(v) for k, v in fitter.params_.items()},
        total=float(np.nansum(expected)),
        alive=float(np.nansum(alive)),
    )


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
