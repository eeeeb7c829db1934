"""`python -m bench`: measures against peers and writes docs/performance.md. See `--help` for sizes and parts."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shutil
import tempfile
from pathlib import Path

from bench.behavior import behavior_table
from bench.cluster import cluster_table
from bench.intake import measure_intake
from bench.measured import Step, machine, run_step, versions
from bench.pressure import measure_ids, measure_memory, measure_pages

REPOSITORY = Path(__file__).parent.parent
STEPS = ["-m", "bench.steps"]


def step(name: str, *arguments: object) -> Step:
    """Run one step of bench/steps.py and say that it ended."""
    done = run_step([*STEPS, name, *[str(a) for a in arguments]])
    print(f"  {name:<16} {done.seconds:7.1f} s  peak {done.peak_mb:7.0f} MB  {json.dumps(done.result)}", flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data; prints and writes nothing")
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=100_000_000, help="of the questions of behaviour")
    parser.add_argument(
        "--only", choices=["intake", "behavior", "cluster"], help="run one part and replace it in the report"
    )
    parser.add_argument("--keep", type=Path, help="keep the generated data here")
    options = parser.parse_args()
    if options.quick:
        options.lines, options.people = options.lines // 10, options.people // 10
        options.events = options.events // 10
    if options.only == "intake":
        section = intake_table(300 if options.quick else 6_000, options.quick)
        print(section)
        if not options.quick:
            _replace_section(section)
        return
    if options.only == "behavior":
        section = behavior_table(
            options.keep or Path(tempfile.mkdtemp(prefix="tilth-bench-")), options.events, options.keep is not None
        )
        print(section)
        if not options.quick:
            _replace_section(section)
        return
    if options.only == "cluster":
        if options.keep is None:
            raise SystemExit("--only cluster needs --keep FOLDER, where --only behavior left its data")
        section = cluster_table(options.keep)
        print(section)
        if not options.quick:
            _replace_section(section)
        return
    folder = options.keep or Path(tempfile.mkdtemp(prefix="tilth-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report = measure(folder, options.lines, options.people) + intake_table(options.lines // 3_000, options.quick)
        report += behavior_table(folder / "behavior", options.events, options.keep is not None)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n" + report)
    if not options.quick:
        (REPOSITORY / "docs" / "performance.md").write_text(report, "utf-8")


def _replace_section(section: str) -> None:
    """Put a section (which begins with its heading) in the place of the report's one of the same name."""
    report = REPOSITORY / "docs" / "performance.md"
    title = section.strip().splitlines()[0]
    parts = [p for p in re.split(r"\n(?=## )", report.read_text("utf-8")) if not p.startswith(title)]
    report.write_text("\n".join(part.rstrip("\n") + "\n" for part in [*parts, section.strip()]), "utf-8")


def measure(folder: Path, lines: int, people: int) -> str:
    """Run every step on one generated file and write the report."""
    orders, workspace, frame = folder / "orders.csv", folder / "workspace", folder / "orders.parquet"
    if not orders.exists():
        step("make_orders", orders, lines, people)
    shutil.rmtree(workspace, ignore_errors=True)
    # Compiled kernels are cached on disk after their first use, as on a customer's machine.
    warm = folder / "warm.csv"
    with open(orders, encoding="utf-8") as source:
        warm.write_text("".join(line for line, _ in zip(source, range(2000), strict=False)), "utf-8")
    shutil.rmtree(folder / "warm-workspace", ignore_errors=True)
    step("tilth_import", folder / "warm-workspace", warm)
    imported = step("tilth_import", workspace, orders)
    peer_import = step("pandas_import", orders, frame)
    rfm = step("tilth_rfm", workspace)
    peer_rfm = step("pandas_rfm", frame)
    for key in ("people", "orders", "money"):
        if rfm.result[key] != peer_rfm.result[key]:
            raise SystemExit(
                f"the answers differ: {key} is {rfm.result[key]} here and {peer_rfm.result[key]} in pandas"
            )
    clv = step("tilth_clv", workspace)
    peer_clv = step("lifetimes_clv", workspace)
    rate = imported.result["rows"] / imported.result["seconds"]
    peer_rate = peer_import.result["rows"] / peer_import.result["seconds"]
    ours, theirs = clv.result["parameters"], peer_clv.result["parameters"]
    return f"""# Performance

Written by `make bench` on {datetime.date.today()}; do not edit. Each row is one run on the same data as its peer, in
the same run. The machine is shared and noisy: read the ratios, not the seconds.

Machine: {machine()}.
Versions: {versions("tilth", "pandas", "lifetimes", "numpy", "numba", "pyarrow", "deltalake")}.
Data: {imported.result["rows"]:,} order lines of {imported.result["people"]:,} people, {imported.result["orders"]:,} orders,
{orders.stat().st_size / 1e6:,.0f} MB of CSV, from `tilth.simulate.bench_orders_csv`.

| what | Tilth | peer | ratio | aim |
|---|---|---|---|---|
| import, end to end and durable | {imported.result["seconds"]:.1f} s, {rate:,.0f} lines/s | pandas `read_csv` + `to_parquet` (no checks, no identity, not durable): {peer_import.result["seconds"]:.1f} s, {peer_rate:,.0f} lines/s | {rate / peer_rate:.2f}× | ≥ 300,000 lines/s |
| RFM of everyone, warm | {rfm.result["warm"]:.3f} s | pandas group-by on a frame in memory: {peer_rfm.result["seconds"]:.3f} s | {peer_rfm.result["seconds"] / rfm.result["warm"]:.1f}× faster | ≥ 5× |
| RFM of everyone, first in a fresh process | {rfm.result["first"]:.3f} s | the same | {peer_rfm.result["seconds"] / rfm.result["first"]:.1f}× faster | |
| RFM layering with its quality report | {rfm.result["layering_with_quality"]:.2f} s | no peer | | |
| BG/NBD: fit and score everyone, warm | {clv.result["warm"]:.2f} s | Lifetimes: {peer_clv.result["seconds"]:.1f} s | {peer_clv.result["seconds"] / clv.result["warm"]:.0f}× faster | ≤ 3 s, ≥ 50× |
| BG/NBD, first in a fresh process | {clv.result["first"]:.2f} s | the same | {peer_clv.result["seconds"] / clv.result["first"]:.0f}× faster | |
| peak memory of the import | {imported.peak_mb:,.0f} MB | pandas: {peer_import.peak_mb:,.0f} MB | {peer_import.peak_mb / imported.peak_mb:.1f}× less | ≤ 2,000 MB |
| peak memory of RFM with quality | {rfm.peak_mb:,.0f} MB | pandas: {peer_rfm.peak_mb:,.0f} MB | {peer_rfm.peak_mb / rfm.peak_mb:.1f}× less | ≤ 2,000 MB |
| peak memory of BG/NBD | {clv.peak_mb:,.0f} MB | Lifetimes: {peer_clv.peak_mb:,.0f} MB | {peer_clv.peak_mb / clv.peak_mb:.1f}× less | ≤ 2,000 MB |

The RFM answers are equal ({rfm.result["people"]:,} people, {rfm.result["orders"]:,} orders, {rfm.result["money"] / 100:,.2f} in money).
BG/NBD r, alpha, a, b: Tilth {", ".join(f"{ours[k]:.4f}" for k in ("r", "alpha", "a", "b"))}; Lifetimes
{", ".join(f"{theirs[k]:.4f}" for k in ("r", "alpha", "a", "b"))}. Expected purchases over 13 weeks: {clv.result["total"]:,.0f} and {peer_clv.result["total"]:,.0f};
people expected to be customers still: {clv.result["alive"]:,.0f} and {peer_clv.result["alive"]:,.0f}.

Peak memory is the private memory of the process and its children, sampled ten times a second; mapped lake files
belong to the page cache.
"""  # noqa: E501


def intake_table(batches: int, quick: bool) -> str:
    """Collection over HTTP, measured now."""
    found = measure_intake(batches, singles=max(200, batches))
    pages = measure_pages(5 if quick else 20)
    ids = measure_ids(200_000 if quick else 10_000_000)
    memory = measure_memory(0.5 if quick else 10)
    held = memory["samples_mb"]
    half = len(held) // 2
    steady = f"{min(held[half:]):,} to {max(held[half:]):,} MB in the second half, {max(held):,} MB at most"
    return f"""
## Collection

Written on {datetime.date.today()} on {machine()}; `python -m bench --only intake` writes this part anew.
{found["events"]:,.0f} events in batches of 100 over 8 connections, the clients in a process of their own on the same
cores; every 200 was sent after the commit. SQLite, `synchronous=FULL`.

| what | Tilth | beside it, in the same run | ratio | aim |
|---|---|---|---|---|
| events acknowledged durably | {found["rate"]:,.0f} /s | decoding the same JSON and nothing else: {found["decoding"]:,.0f} /s | {found["rate"] / found["decoding"]:.3f} | ≥ 50,000 /s |
| the same | | syncing the same bytes to the disk and nothing else: {found["syncing"]:,.0f} /s | {found["rate"] / found["syncing"]:.3f} | |
| latency of a batch under that load | p50 {found["p50"]:.0f} ms, p99 {found["p99"]:.0f} ms | | | |
| requests of one event, 32 connections | {found["single"]:,.0f} /s | | | |
| from acknowledged to seen in a question | {found["visible"]:.0f} ms | | | ≤ 1,000 ms |
| from acknowledged to what reacts to events | {found["trigger"]:.0f} ms | | | ≤ 200 ms |
| memory of the server and its helper | {found["before_mb"]:.0f} MB before, {found["after_mb"]:.0f} MB after | | | |
| the same over {memory["minutes"]:g} minutes at 5,000 /s ({memory["events"]:,} events) | {steady} | | | flat |
| page of a person (`GET /api/v1/people/{{id}}`), nothing else to do | {both(pages["idle"])} | | | ≤ 5 ms |
| the same while {pages["2000 events/s"]["events per second"]:,} events/s come in | {both(pages["2000 events/s"])} | | | ≤ 5 ms |
| the same while {pages["full load"]["events per second"]:,} events/s come in, all that go | {both(pages["full load"])} | | | |

Among {ids["known"]:,} known ids, with 5 % of the messages signing an unknown visitor in: {ids["rate"]:,} messages/s
acknowledged, a batch in {both(ids["batch"])}; page of a person after it {both(ids["pages"])}; {ids["memory_mb"]:,} MB.
Numbers of a quarter of an hour; parts of it: `python -m bench.pressure pages|memory|ids`.

Published, for comparison and not measured here: 1,700 events/s on 2 cores for the gateway of RudderStack.
"""  # noqa: E501


def both(took: dict[str, float]) -> str:
    return f"p50 {took['p50']:.1f} ms, p99 {took['p99']:.1f} ms" if took else "none"


if __name__ == "__main__":
    main()
