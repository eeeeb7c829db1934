"""The compiled funnel agrees with the slow one on random events: several files, ties, a tail."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import HOUR, MINUTE, START, behavior_of, scattered
from tests.oracles.funnel import any_attempt, clean_attempt, ordered_attempt, strict_attempt
from tests.oracles.people_events import Happened, by_person, named
from tilth.behavior.calendar import zone_of
from tilth.behavior.funnel import FunnelParameters, outcome
from tilth.behavior.parameters import converted
from tilth.behavior.question import Question
from tilth.behavior.service import Behavior

slow = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
steps_of = st.lists(st.sampled_from([["a"], ["b"], ["c"], ["a", "b"], ["*"]]), min_size=2, max_size=4)
windows = st.sampled_from([None, "2m", "5m"])


def attempts(behavior: Behavior, **asked: Any) -> dict[int, tuple[int, ...]]:
    """What the kernel says each person's attempt was: the instants of its steps."""
    parameters = converted(FunnelParameters, {"allow_unknown": True, **asked}, {})
    question = Question(parameters, behavior._snapshots.take(), behavior._sources, "UTC", 0)
    done = outcome(question, parameters, 1)
    return {
        int(done.uid[i]): tuple(done.ts[done.start[i] : done.start[i] + done.reach[i] + 1].tolist())
        for i in range(len(done.uid))
    }


def fixed(window: str | None) -> Callable[[int], int]:
    length = 10**18 if window is None else int(window[:-1]) * MINUTE
    return lambda ts: ts + length


def expected(events: Sequence[Happened], one: Callable[[list[Happened]], tuple[int, ...] | None]) -> dict[int, Any]:
    found = {uid: one(mine) for uid, mine in by_person(events).items()}
    return {uid: attempt for uid, attempt in found.items() if attempt is not None}


@slow
@given(made=scattered(per_person=6, span=8), steps=steps_of, window=windows)
def test_an_ordered_funnel_is_what_following_every_start_gives(made: Any, steps: Any, window: str | None) -> None:
    events, parts = made
    serves = [named(*s) for s in steps]
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        assert attempts(behavior, steps=[{"any_of": s} for s in steps], window=window) == expected(
            events, lambda mine: ordered_attempt(mine, serves, fixed(window))
        )


@slow
@given(made=scattered(per_person=6, span=8), steps=steps_of, window=windows)
def test_a_strict_funnel_is_what_following_every_start_gives(made: Any, steps: Any, window: str | None) -> None:
    events, parts = made
    serves = [named(*s) for s in steps]
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        assert attempts(behavior, steps=[{"any_of": s} for s in steps], window=window, order="strict") == expected(
            events, lambda mine: strict_attempt(mine, serves, fixed(window))
        )


@slow
@given(made=scattered(per_person=7, span=8), steps=steps_of, window=windows)
def test_a_funnel_in_any_order_is_what_every_window_gives(made: Any, steps: Any, window: str | None) -> None:
    events, parts = made
    serves = [named(*s) for s in steps]
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        assert attempts(behavior, steps=[{"any_of": s} for s in steps], window=window, order="any") == expected(
            events, lambda mine: any_attempt(mine, serves, fixed(window))
        )


@slow
@given(
    made=scattered(names="aabbcxy", per_person=8, span=10),
    steps=st.sampled_from([["a", "b"], ["a", "b", "c"], ["a", "b", "a"], ["a", "a", "b"]]),
    window=windows,
    data=st.data(),
)
def test_an_exclusion_taints_the_chains_it_lies_in(made: Any, steps: Any, window: str | None, data: Any) -> None:
    events, parts = made
    exclusions = []
    for name in data.draw(st.sampled_from(["x", "xy"])):
        after = data.draw(st.integers(0, len(steps) - 2))
        exclusions.append((name, after, data.draw(st.integers(after + 1, len(steps) - 1))))
    serves = [named(s) for s in steps]
    rules = [(named(x), i, j) for x, i, j in exclusions]
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        exclude = [{"event": x, "after": i, "before": j} for x, i, j in exclusions]
        assert attempts(behavior, steps=steps, window=window, exclude=exclude) == expected(
            events, lambda mine: clean_attempt(mine, serves, fixed(window), rules)
        )


@slow
@given(made=scattered(names="ab", per_person=6, span=60, unit=24 * HOUR), order=st.sampled_from(["ordered", "any"]))
def test_a_window_of_calendar_months_ends_on_the_same_day_of_the_month(made: Any, order: str) -> None:
    events, parts = made
    zone = zone_of("America/New_York")
    serves = [named("a"), named("b")]
    oracle = ordered_attempt if order == "ordered" else any_attempt
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        got = attempts(behavior, steps=["a", "b"], window="1mo", order=order, timezone="America/New_York")
        assert got == expected(events, lambda mine: oracle(mine, serves, lambda ts: zone.add_months(ts, 1)))


@slow
@given(
    made=scattered(names="abc", per_person=6, span=8, properties=st.fixed_dictionaries({}, optional={
        "order_id": st.sampled_from("pq"), "page": st.sampled_from(["home", 7, 7.5, True])})),
    window=windows,
)  # fmt: skip
def test_held_properties_make_streams_of_their_own(made: Any, window: str | None) -> None:
    events, parts = made
    serves = [named("a"), named("b"), named("c")]

    def one(mine: list[Happened]) -> tuple[int, ...] | None:
        streams: dict[str, list[Happened]] = {}
        for e in mine:
            if "order_id" in e.properties and "page" in e.properties:
                streams.setdefault(repr((e.properties["order_id"], e.properties["page"])), []).append(e)
        found = [ordered_attempt(s, serves, fixed(window)) for s in streams.values()]
        return min((a for a in found if a), key=lambda a: (-len(a), a[-1], -a[0]), default=None)

    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        got = attempts(behavior, steps=["a", "b", "c"], window=window, hold=["order_id", "page"])
        want = expected(events, one)
        assert {u: (len(a), a[0], a[-1]) for u, a in got.items()} == {u: (len(a), a[0], a[-1]) for u, a in want.items()}


def crowd(seed: int, people: int = 120) -> tuple[list[Happened], list[int]]:
    """Many people with a few events each about a month's end, in two files and a tail."""
    rng = random.Random(seed)
    events = [
        Happened(
            uid=uid,
            ts=START + 30 * 24 * HOUR + rng.randint(-6, 6) * MINUTE,
            event=rng.choice("aabbcxy"),
            event_id=f"e{uid}-{i}",
            received=rng.randint(0, 1),
        )
        for uid in range(1, people + 1)
        for i in range(rng.randint(0, 8))
    ]
    events.sort(key=lambda e: (e.uid, e.ts, e.received, e.event_id))
    return events, [rng.choice([0, 0, 1, 9]) for _ in events]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_funnels_over_a_crowd_agree_with_the_slow_ones(seed: int, tmp_path: Path) -> None:
    events, parts = crowd(seed)
    behavior = behavior_of(tmp_path, events, parts)
    rng = random.Random(seed)
    for _ in range(12):
        window = rng.choice([None, "2m", "5m", "8m"])
        names = rng.choice(["ab", "abc", "aab", "aba", "abab"])
        serves = [named(n) for n in names]
        asked = {"steps": list(names), "window": window}
        assert attempts(behavior, **asked) == expected(
            events, lambda mine, s=serves, w=window: ordered_attempt(mine, s, fixed(w))
        )
        exclude = []
        for name in rng.choice(["x", "xy", "xc"]):
            after = rng.randint(0, len(names) - 2)
            exclude.append((name, after, rng.randint(after + 1, len(names) - 1)))
        rules = [(named(x), i, j) for x, i, j in exclude]
        clean = [{"event": x, "after": i, "before": j} for x, i, j in exclude]
        assert attempts(behavior, **asked, exclude=clean) == expected(
            events, lambda mine, s=serves, w=window, r=rules: clean_attempt(mine, s, fixed(w), r)
        ), (asked, clean)


@pytest.mark.parametrize("seed", [4, 5])
def test_read_from_the_strands_or_gathered_first_a_funnel_is_the_same(seed: int, tmp_path: Path) -> None:
    """Over many blocks of people. An exclusion of what never happens has the events gathered."""
    events, parts = crowd(seed, people=6_000)
    rng = random.Random(seed)
    events = [replace(e, properties={"order_id": rng.choice("pq")}) for e in events]
    behavior = behavior_of(tmp_path, events, parts)
    only = {"event": "a", "filters": {"property": "order_id", "op": "=", "value": "p"}}
    within = {"from": "2026-07-01", "to": "2026-07-01"}
    for extra in ({}, {"range": within}, {"breakdown": "order_id", "limit": 10}):
        for steps in (["a", "b"], ["a", "b", "a", "c"], [only, "b", "c"], [{"any_of": ["a", "b"]}, "b", "*"]):
            asked = {"steps": steps, "window": "4m", **extra}
            never = [{"event": "never", "after": 0, "before": 1}]
            assert attempts(behavior, **asked) == attempts(behavior, **asked, exclude=never)
            whole = [behavior.funnel(allow_unknown=True, **asked, **more) for more in ({}, {"exclude": never})]
            assert whole[0].steps == whole[1].steps
            assert whole[0].breakdown == whole[1].breakdown
            assert whole[0].steps[1].people > 100
