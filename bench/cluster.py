"""What a cluster costs: the same questions in one process and on Ray workers of this machine, and the bare overhead."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.measured import machine, versions
from bench.questions import QUESTIONS, plain

__all__ = ["cluster_table"]

_NAMES = ("funnel_3", "retention", "trend_people")


def _best(run: Any, times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def _given_back(spread: Any, ask: Any) -> list[int]:
    """Bytes that the buckets give back at each look."""
    from tilth.behavior.room import bytes_of

    sent: list[int] = []
    cluster = spread._cluster
    plainly = cluster.over_buckets

    def counted(question: Any, work: Any) -> Any:
        found = plainly(question, work)
        sent.append(sum(bytes_of(part) for part in found))
        return found

    cluster.over_buckets = counted
    try:
        ask(spread)
    finally:
        del cluster.over_buckets
    return sent


def cluster_table(folder: Path) -> str:
    """The section of the report; the data is that of `bench.behavior`, made before."""
    import ray

    from tilth.behavior import Behavior
    from tilth.behavior.question import Question
    from tilth.behavior.trends import TrendsParameters
    from tilth.workspace import Workspace

    ray.init(
        address="local", num_cpus=2, include_dashboard=False, object_store_memory=2_000_000_000, logging_level="ERROR"
    )
    ws = Workspace.open(folder / "workspace", read_only=True)
    settings = msgspec.structs.replace(ws.settings, ray_address="local")
    one = Behavior(ws.lake, ws.people, ws.settings, threads=1)
    two = Behavior(ws.lake, ws.people, ws.settings, threads=2)
    spread = Behavior(ws.lake, ws.people, settings, threads=2)
    rows = []
    looks: list[int] = []
    events = one._snapshots.take().rows
    per_event = 0.0
    for name in _NAMES:
        kind, body = QUESTIONS[name]

        def ask(behavior: Behavior, kind: str = kind, body: Any = body, name: str = name) -> Any:
            behavior._answers.clear()
            return plain(name, getattr(behavior, kind)(body))

        if ask(one) != ask(spread):
            raise SystemExit(f"the cluster answers {name} differently")
        alone, threads, workers = (_best(lambda b=b: ask(b)) for b in (one, two, spread))
        if name == "funnel_3":
            per_event = alone / events
        if name == "funnel_3":
            looks = _given_back(spread, ask)
        more = workers - threads
        rows.append(f"| {name.replace('_', ' ')} | {alone:.3f} s | {threads:.3f} s | {workers:.3f} s | {more:+.3f} s |")
    assert spread._cluster is not None
    question = Question(TrendsParameters(), spread._snapshots.take(), spread._sources, "UTC", spread._clock())

    def nothing(bucket: int) -> tuple[int, str]:
        return bucket, question.zone.name

    empty = _best(lambda: spread._cluster.over_buckets(question, nothing), 20)
    buckets = ws.settings.buckets
    ray.shutdown()
    ten_billion = 10_000_000_000 * per_event / (50 * 16)
    tasks = 1024 * empty / buckets
    # How many sizes there are does not depend on the people; how many durations are of the sizes looked into does.
    first, second = (n / 1e6 for n in looks)
    events_ratio = 10_000_000_000 / events
    at_first, at_second = first * 1024 / buckets, second * events_ratio
    return f"""
## Cluster

Written on {datetime.date.today()} by `python -m bench --only cluster --keep FOLDER` on the data that `--only behavior`
left there; do not edit. Machine: {machine()}. Versions: {versions("tilth", "ray")}.
{events:,} events, {buckets} buckets; warm, best of five. Ray's two workers are processes of this machine, on the same
two cores as the asker.

| question | one thread | two threads | two Ray workers | more than threads |
|---|---|---|---|---|
{chr(10).join(rows)}

A task that does nothing takes {empty * 1000:.1f} ms over all {buckets} buckets, {empty / buckets * 1000:.2f} ms each;
it does not depend on how many events there are. The funnel of three steps takes {per_event * 1e9:.1f} ns an event and
core.

What that says for 10 billion events on 50 nodes of 16 cores with 1,024 buckets, warm and evenly dealt: the walk
{ten_billion:.2f} s, sending out the tasks twice {2 * tasks:.2f} s. What the buckets give back travels to the asker
besides: of the funnel of three steps here {first:.2f} MB of counts and then {second:.2f} MB of durations, those that
the quantiles lie among; for 1,024 buckets and {events_ratio:,.0f} times the people that is {at_first:,.0f} MB and
{at_second:,.0f} MB. A funnel with a breakdown, a trend or what distinguishes the converted, and the people of a step,
give back about 9 + 8 × steps bytes a person who entered, so that 480 million people would be 16 GB; the memory budget
refuses that with the size. Retention, trends, stickiness, lifecycle and paths give back counts only. Not measured on 50
nodes.
"""
