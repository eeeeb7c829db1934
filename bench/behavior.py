"""Behaviour beside ClickHouse's engine (chDB), DuckDB and Polars: the same rows and questions, equal answers."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

from bench.frames import POLARS
from bench.measured import Step, machine, run_step, versions
from bench.questions import FIRST_DAY, LAST_DAY, QUESTIONS
from bench.sql import CLICKHOUSE, DUCKDB

__all__ = ["behavior_table"]

_STEPS = ["-m", "bench.engines"]
_TITLES = {
    "funnel_3": "funnel of 3 steps, 14 days",
    "funnel_3_arrays": "the same as sorted arrays and a state machine",
    "funnel_6": "funnel of 6 steps",
    "funnel_12": "funnel of 12 steps, 5 of them repeated",
    "funnel_32": "funnel of 32 steps, two events in turn",
    "funnel_strict": "strict funnel of 3 steps, no window",
    "funnel_filter": "funnel of 3 steps, the first with a property filter",
    "funnel_breakdown": "funnel of 3 steps by channel, held along the steps",
    "retention": "retention, 30 daily cohorts × 30 days",
    "lifecycle": "lifecycle, 30 days",
    "stickiness": "stickiness, 30 days",
    "paths": "paths of 5 steps in 30-minute sessions, 30 days",
    "trend_people": "trend of distinct people, 180 days",
}
_AIMS = {
    "funnel_3": "ClickHouse ≥ 20× warm, ≥ 10× first",
    "funnel_6": "ClickHouse ≥ 20× warm, ≥ 10× first",
    "funnel_12": "ClickHouse ≥ 20× warm, ≥ 10× first",
    "retention": "ClickHouse ≥ 12× warm",
}
_PEERS: dict[str, tuple[str, Any]] = {
    "clickhouse": ("ClickHouse", CLICKHOUSE),
    "duckdb": ("DuckDB", DUCKDB),
    "polars": ("Polars", POLARS),
}


# A peer that has not given its first answer and a warm one by then is stopped.
_PATIENCE = 240.0


def _step(name: str, *arguments: object, timeout: float = 3600) -> Step:
    done = run_step([*_STEPS, name, *[str(a) for a in arguments]], timeout)
    shown = {k: v for k, v in done.result.items() if k != "answer"}
    print(
        f"  {name} {arguments[-2:]} {done.seconds:.1f} s, peak {done.peak_mb:.0f} MB, {json.dumps(shown)}", flush=True
    )
    return done


def behavior_table(folder: Path, events: int, keep: bool) -> str:
    """Make the data where it is not there yet, ask everybody everything, and write the section of the report."""
    # The company's people have about 20.8 events each.
    people = events * 6 // 125
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"made-{people}.json"
    if not made.exists():
        for old in ("workspace", "clickhouse"):
            shutil.rmtree(folder / old, ignore_errors=True)
        done = _step("make", folder, people)
        _step("load_clickhouse", folder)
        _step("load_duckdb", folder)
        made.write_text(json.dumps(done.result), "utf-8")
    data = json.loads(made.read_text("utf-8"))
    try:
        rows, ours = _ask_all(folder)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    twelve = ours["funnel_12"].result["warm"] / ours["funnel_3"].result["warm"]
    filtered = ours["funnel_filter"].result["warm"] / ours["funnel_3"].result["warm"]
    return f"""
## Behaviour

Written on {datetime.date.today()} by `python -m bench --only behavior --events {events}`; do not edit.
Machine: {machine()}.
Versions: {versions("tilth", "numba", "chdb", "chdb-core", "duckdb", "polars")}.
Data: {data["events"]:,} events of {data["people"]:,} people over 180 days, from `tilth.simulate`, the same rows for
everybody: a compacted lake; a ClickHouse table ordered by event, day and person; a DuckDB table; Parquet for Polars.

Every question is asked in a process of its own. *First* begins before the engine is imported, on files the page cache
may hold; *warm* is the best of three (of one where the first takes 20 s). Beside each time: how many times ours it is;
below 1 the peer is faster. Every answer is equal to ours. Peak memory is private memory, mapped files not counted. A
peer that has not given both answers after {_PATIENCE:g} s is stopped; DuckDB may take 10 GB of memory.
The aims are for 100 million events; about a second of each of our first answers is loading the program.

| question | engine | first | warm | peak MB | aim |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Twelve steps take {twelve:.2f}× the time of three (aim ≤ 2×); a property filter on a step {filtered:.2f}× (aim ≤ 2×).

How the questions were made equal: `windowFunnel` lets one event serve two repeated steps unless time must increase, so
repeated steps are asked with `strict_increase`. Its `strict_order` gives up at a person's first interruption and is
another question; strict is asked of arrays, without a window. Peers have no attribution: the breakdown's value is held
along the steps, which is a group. ClickHouse's `retention` answers one cohort at a time and 31 columns at most; all
cohorts are asked of arrays. The range of retention, lifecycle, stickiness and paths is {FIRST_DAY} to {LAST_DAY}.
"""


def _ask_all(folder: Path) -> tuple[list[str], dict[str, Step]]:
    rows: list[str] = []
    ours: dict[str, Step] = {}
    # Compiled kernels and decoded columns are kept on disk after their first use, as on a customer's machine.
    for name in ("funnel_3", "funnel_filter", "funnel_breakdown", "retention", "lifecycle", "paths", "trend_people"):
        run_step([*_STEPS, "ask", "tilth", str(folder), name])
    for name in QUESTIONS:
        own = ours[name] = _step("ask", "tilth", folder, name)
        r = own.result
        aim = _AIMS.get(name, "")
        rows.append(
            f"| {_TITLES[name]} | **Tilth** | {r['first']:.2f} s | {r['warm']:.3f} s | {own.peak_mb:,.0f} | {aim} |"
        )
        for engine, (title, statements) in _PEERS.items():
            for asked in (name, f"{name}_arrays"):
                if asked not in statements:
                    continue
                label = title if asked == name else f"{title}: {_TITLES[asked]}"
                try:
                    peer = _step("ask", engine, folder, asked, timeout=_PATIENCE)
                except (TimeoutError, RuntimeError) as error:
                    print(f"  {error}", flush=True)
                    said = f"stopped after {_PATIENCE:g} s" if isinstance(error, TimeoutError) else "failed"
                    rows.append(f"| | {label} | {said} | | | |")
                    continue
                p = peer.result
                if p["answer"] != r["answer"]:
                    raise SystemExit(f"the answers to {asked} differ: {title} {p['answer']}, Tilth {r['answer']}")
                rows.append(
                    f"| | {label} | {p['first']:.2f} s ({p['first'] / r['first']:.1f}×) "
                    f"| {p['warm']:.3f} s ({p['warm'] / r['warm']:.1f}×) | {peer.peak_mb:,.0f} | |"
                )
    return rows, ours
