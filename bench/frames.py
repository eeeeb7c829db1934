"""The measured questions in Polars, where a data frame says them naturally."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.questions import ATTEMPT, QUESTIONS
from bench.sql import _DAY, _FROM, _TO

__all__ = ["POLARS"]


def _funnel(path: Path) -> list[list[Any]]:
    """The latest start of an attempt per step, by running maxima within each person."""
    import polars as pl

    steps = QUESTIONS["funnel_3"][1]["steps"]
    frame = pl.scan_parquet(path).filter(pl.col("event").is_in(steps)).select("uid", "ts", "event")
    frame = frame.with_columns(s1=pl.when(pl.col("event") == steps[0]).then("ts"))
    for k, event in enumerate(steps[1:], 2):
        before = pl.col(f"s{k - 1}").cum_max().forward_fill().over("uid", order_by="ts")
        frame = frame.with_columns(before=before).with_columns(
            pl.when((pl.col("event") == event) & (pl.col("ts") - pl.col("before") <= ATTEMPT))
            .then("before")
            .alias(f"s{k}")
        )
    reached = [
        pl.col("uid").filter(pl.col(f"s{k}").is_not_null()).n_unique().alias(str(k)) for k in range(1, len(steps) + 1)
    ]
    return [list(row) for row in frame.select(reached).collect().rows()]


def _stickiness(path: Path) -> list[list[Any]]:
    import polars as pl

    frame = (
        pl.scan_parquet(path)
        .filter(pl.col("ts").is_between(_FROM * _DAY, (_TO + 1) * _DAY - 1))
        .group_by("uid")
        .agg(days=(pl.col("ts") // _DAY).n_unique())
        .group_by("days")
        .len()
    )
    return [list(row) for row in frame.collect().rows()]


def _trend(path: Path) -> list[list[Any]]:
    import polars as pl

    frame = (
        pl.scan_parquet(path)
        .filter(pl.col("event") == "view")
        .group_by(day=pl.col("ts") // _DAY)
        .agg(pl.col("uid").n_unique())
        .sort("day")
    )
    return [list(row) for row in frame.collect().rows()]


POLARS: dict[str, Callable[[Path], list[list[Any]]]] = {
    "funnel_3": _funnel,
    "stickiness": _stickiness,
    "trend_people": _trend,
}
