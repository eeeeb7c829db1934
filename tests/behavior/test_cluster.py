"""Questions on a Ray cluster of several processes: the same answers as one, and a lost worker costs time only."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.behavior.made import DAY, HOUR, START, behavior_of, happened, table_of
from tests.conftest import require_or_skip
from tilth.behavior import Behavior, stop_when
from tilth.errors import Cancelled, InvalidInput
from tilth.lake import Overrides
from tilth.people import People
from tilth.people.directory import People as Directory
from tilth.settings import Settings

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("funnel", {"steps": ["visit", "cart", "buy"], "breakdown": "channel", "interval": "day"}),
    ("funnel", {"steps": ["visit", "cart", "buy"], "window": "3d"}),
    ("funnel", {"steps": ["visit", "buy"], "order": "any", "count_by": "channel", "bins": [0, 3600, 86400]}),
    ("funnel", {"steps": ["buy", "nothing"], "allow_unknown": True}),
    ("funnel", {"steps": ["visit", "buy"], "order": "any", "hold": ["channel"], "distinguish": ["plan"]}),
    ("funnel", {"steps": ["visit", "buy"], "attribution": "all", "breakdown": ["channel", "plan"]}),
    ("retention", {"start": "visit", "return": "buy", "periods": 5, "breakdown": "plan"}),
    ("lifecycle", {"event": "*", "interval": "day", "breakdown": "channel"}),
    ("stickiness", {"event": "visit", "interval": "day", "breakdown": "channel"}),
    ("trends", {"event": "buy", "metric": "sum", "property": "amount", "breakdown": "plan"}),
    (
        "trends",
        {"series": [{"event": "buy", "metric": "people", "also": "visit"}, {"event": "visit"}], "formula": "A / B"},
    ),
    ("trends", {"event": "visit", "metric": "people", "filters": {"property": "plan", "op": "=", "value": "pro"}}),
    ("distribution", {"event": "buy", "metric": "sum", "property": "amount", "breakdown": "channel"}),
    ("sessions", {"breakdown": "channel"}),
    ("paths", {"group_by": "channel", "steps": 4}),
    ("attribution", {"conversion": "buy", "touch": {"event": "visit"}, "breakdown": "channel", "lookback": "7d"}),
    ("ltv", {"start": "visit", "revenue": "buy", "interval": "week", "periods": 3}),
    ("newcomers", {"activation": "buy", "revenue": "buy", "breakdown": "channel", "days": [1, 3]}),
    (
        "deal_paths",
        {
            "channel": {"event": "visit", "property": "channel"},
            "scene": {"event": "visit", "property": "plan"},
            "product": {"event": "cart", "property": "plan"},
            "decision": {"event": "cart", "property": "channel"},
            "deal": {"event": "buy"},
            "at_least": 10,
        },
    ),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Behavior, Behavior]]:
    """(in this process, on the cluster) over one lake: two files a month, a tail, merged people."""
    if importlib.util.find_spec("ray") is None:
        require_or_skip("ray", "Ray (extra `cluster`) is not installed")
    import ray

    rng = np.random.default_rng(1)
    rows: list[Any] = []
    for uid in range(1, 161):
        for _ in range(int(rng.integers(1, 12))):
            at = START + 20 * DAY + int(rng.integers(0, 14 * 24)) * HOUR
            properties: dict[str, Any] = {"channel": ["ads", "shop", "friends"][int(rng.integers(3))]}
            if rng.random() < 0.7:
                properties["plan"] = ["pro", "free", 3][int(rng.integers(3))]
            if rng.random() < 0.5:
                properties["amount"] = round(float(rng.random()) * 100, 2)
            rows.append((uid, at, ["visit", "cart", "buy"][int(rng.integers(3))], properties))
    events = happened(rows)
    folder = tmp_path_factory.mktemp("cluster")
    parts = [int(rng.choice([0, 1, 9])) for _ in events]
    alone = behavior_of(folder, events, parts, buckets=8)
    lake = alone._lake
    overrides = Overrides(whole={3: 4, 17: 90})
    lake.overrides = lambda: overrides
    ray.init(
        address="local", num_cpus=3, include_dashboard=False, object_store_memory=100_000_000, logging_level="ERROR"
    )
    settings = msgspec.structs.replace(alone._settings, ray_address="local")
    spread = Behavior(lake, alone._people_directory, settings, clock=alone._clock, threads=2)
    yield alone, spread
    spread.close()
    ray.shutdown()


def plain(answer: Any) -> dict[str, Any]:
    return {k: v for k, v in answer.to_dict().items() if k not in ("took_ms", "cached")}


@pytest.mark.parametrize(("kind", "asked"), QUESTIONS, ids=lambda v: v if isinstance(v, str) else "")
def test_the_cluster_answers_bit_for_bit_as_one_process(
    both: tuple[Behavior, Behavior], kind: str, asked: dict[str, Any]
) -> None:
    alone, spread = both
    assert plain(getattr(spread, kind)(asked)) == plain(getattr(alone, kind)(asked))


def test_people_behind_a_number_and_segments_are_the_same(both: tuple[Behavior, Behavior]) -> None:
    alone, spread = both
    asked = {"steps": ["visit", "buy"]}
    assert spread.funnel_people(asked, step=1).people == alone.funnel_people(asked, step=1).people
    members = np.arange(1, 60, 3)
    for behavior in both:
        behavior._sources.segment = lambda _: members
    chosen = {"event": "visit", "metric": "people", "segment": "s"}
    assert plain(spread.trends(chosen)) == plain(alone.trends(chosen))


def test_new_events_and_new_values_are_in_the_next_answer(both: tuple[Behavior, Behavior]) -> None:
    alone, spread = both
    more = happened([(5, START + 30 * DAY, "visit", {"channel": "a channel nobody knew"})])
    alone._lake.append(table_of([replace(more[0], event_id="new")]))
    asked = {"event": "visit", "breakdown": "channel"}
    found = spread.trends(asked)
    assert plain(found) == plain(alone.trends(asked))
    assert "a channel nobody knew" in [s.breakdown for s in found.series]


def test_what_is_wrong_is_said_with_its_field(both: tuple[Behavior, Behavior]) -> None:
    _, spread = both
    with pytest.raises(InvalidInput) as refused:
        spread.funnel(steps=["visit", "byu"])
    assert (refused.value.field, refused.value.choices) == ("steps[1]", ["buy"])


def workers(behavior: Behavior) -> list[int]:
    import ray

    assert behavior._cluster is not None
    return [ray.get(actor.process.remote()) for actor in behavior._cluster._actors]


def slow_question(behavior: Behavior) -> Any:
    from tilth.behavior.question import Question
    from tilth.behavior.trends import TrendsParameters

    return Question(TrendsParameters(), behavior._snapshots.take(), behavior._sources, "UTC", behavior._clock())


@pytest.mark.crash
def test_a_worker_killed_in_the_middle_costs_time_only(both: tuple[Behavior, Behavior]) -> None:
    alone, spread = both
    spread.trends(event="visit")
    assert spread._cluster is not None
    lost, victims = spread._cluster.lost, workers(spread)
    question = slow_question(spread)
    killer = threading.Timer(0.6, os.kill, (victims[1], signal.SIGKILL))
    killer.start()

    def work(bucket: int) -> tuple[int, int]:
        time.sleep(0.4)
        return bucket, sum(len(s) for s in question.strands(bucket, all_time=True))

    found = spread._cluster.over_buckets(question, work)
    killer.join()
    assert found == [(b, sum(len(s) for s in question.strands(b, all_time=True))) for b in range(8)]
    assert spread._cluster.lost == lost + 1
    assert victims[1] not in workers(spread)
    kind, asked = QUESTIONS[0]
    spread._answers.clear()
    assert plain(getattr(spread, kind)(asked)) == plain(getattr(alone, kind)(asked))


def test_whoever_leaves_stops_the_question(both: tuple[Behavior, Behavior]) -> None:
    _, spread = both
    assert spread._cluster is not None
    question = slow_question(spread)

    def work(bucket: int) -> int:
        time.sleep(1.0)
        return bucket

    started = time.monotonic()
    with stop_when(lambda: time.monotonic() - started > 0.5), pytest.raises(Cancelled):
        spread._cluster.over_buckets(question, work)
    assert time.monotonic() - started < 2.5


def test_the_package_does_not_load_ray() -> None:
    import subprocess
    import sys

    code = "import sys, tilth.workspace, tilth.behavior.service; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert (People, Settings().ray_address) == (Directory, "")
