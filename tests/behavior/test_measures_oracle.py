"""Trends, distributions, sessions and paths agree with their slow versions on random events."""

from __future__ import annotations

import datetime as dt
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import HOUR, MINUTE, behavior_of, scattered
from tests.behavior.test_cohorts_oracle import local, numbered
from tests.oracles import distribution as slow_distribution
from tests.oracles.paths import edges
from tests.oracles.people_events import named
from tests.oracles.sessions import sessions_of
from tests.oracles.trends import trend
from tilth.behavior.distribution import gini, top_share
from tilth.behavior.trends import METRICS

slow = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
amounts = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from([0.29, 1.0, 10.5, 99.99]),
        "level": st.sampled_from([3, 4.5, "7", "high", True]),
    },
)


@slow
@given(
    made=scattered(names="ab", per_person=8, span=32, unit=6 * HOUR, properties=amounts),
    zone=st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]),
    interval=st.sampled_from(["day", "week", "month"]),
    metric=st.sampled_from([m for m in METRICS if m != "quantile"]),
    name=st.sampled_from(["amount", "level"]),
)
def test_a_trend_is_what_each_periods_events_give(made: Any, zone: str, interval: str, metric: str, name: str) -> None:
    events, parts = made
    low, high = dt.date(2026, 6, 28), dt.date(2026, 7, 2)
    day = local(zone)

    def value(event: Any) -> float | None:
        found = event.properties.get(name)
        if isinstance(found, str):
            return float(found) if found.isdigit() else None
        return None if isinstance(found, bool) else found

    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts, timezone=zone)
        answer = behavior.trends(
            event="a",
            metric=metric,
            property=None if metric in ("count", "people") else name,
            interval=interval,
            range={"from": low.isoformat(), "to": high.isoformat()},
            allow_unknown=True,
        )
        (series,) = answer.series
        want = trend(
            events,
            serves=named("a"),
            period=numbered(interval, zone, low),
            in_range=lambda ts: low <= day(ts) <= high,
            periods=len(series.points),
            metric=metric,
            value=value,
        )
        got = [*(p.value for p in series.points), series.total]
        assert [x is None for x in got] == [x is None for x in want]
        assert [x for x in got if x is not None] == pytest.approx([x for x in want if x is not None])


@slow
@given(numbers=st.lists(st.integers(0, 50), max_size=30))
def test_gini_and_the_top_share_are_their_definitions(numbers: list[int]) -> None:
    held = np.array(numbers, np.float64)
    assert gini(held) == pytest.approx(slow_distribution.gini(numbers))
    assert top_share(held, 0.2) == pytest.approx(slow_distribution.top_share(numbers, Fraction(1, 5)))


campaigns = st.fixed_dictionaries({}, optional={"utm_campaign": st.sampled_from(["june", "sale"])})


@slow
@given(made=scattered(names="abc", per_person=9, span=20, unit=10 * MINUTE, properties=campaigns))
def test_sessions_end_after_a_pause_or_at_another_campaign(made: Any) -> None:
    events, parts = made
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        answer = behavior.sessions(allow_unknown=True)
        # Ties are in the lake's order, so the campaign of simultaneous events is the same for both.
        want = sessions_of(events, 30 * MINUTE)
        assert answer.total.sessions == len(want)
        assert answer.total.people == len({s[0].uid for s in want})
        if want:
            lengths = [(s[-1].ts - s[0].ts) / 1e6 for s in want]
            assert answer.total.mean_seconds == pytest.approx(sum(lengths) / len(want))
            assert answer.median_seconds == pytest.approx(float(np.median(lengths)))
            assert answer.total.mean_events == pytest.approx(len(events) / len(want))
            assert answer.total.bounced == pytest.approx(sum(len(s) == 1 for s in want) / len(want))
        assert sum(p.numbers.sessions for p in answer.periods) == len(want)


@slow
@given(
    made=scattered(names="abc", per_person=9, span=20, unit=10 * MINUTE),
    steps=st.integers(2, 4),
    start_at=st.sampled_from([None, "a"]),
    end_at=st.sampled_from([None, "b"]),
)
def test_paths_are_what_the_sessions_wrote_down(
    made: Any, steps: int, start_at: str | None, end_at: str | None
) -> None:
    events, parts = made
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        answer = behavior.paths(steps=steps, start_at=start_at, end_at=end_at, edges=1000, allow_unknown=True)
        want, looked_at = edges(events, gap=30 * MINUTE, steps=steps, start_at=start_at, end_at=end_at)
        assert {(e.source, e.target): (e.sessions, e.mean_seconds) for e in answer.edges} == {
            edge: (n, pytest.approx(mean)) for edge, (n, mean) in want.items()
        }
        assert answer.sessions == looked_at
