"""The people behind a number are those whose own events make it: each oracle is asked of one person at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import HOUR, MINUTE, at, behavior_of, happened, scattered
from tests.oracles.attribution import credits_of
from tests.oracles.paths import edges
from tests.oracles.people_events import Happened, by_person
from tests.oracles.sessions import sessions_of
from tilth.behavior import Behavior
from tilth.errors import InvalidInput

slow = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
RULES = ("first", "last", "last_non_direct", "linear", "time_decay", "position")


def of_each(events: Sequence[Happened], holds: Callable[[list[Happened]], bool]) -> list[int]:
    return sorted(uid for uid, mine in by_person(events).items() if holds(mine))


def behind(behavior: Behavior, kind: str, asked: dict[str, Any], **which: Any) -> list[int]:
    found: list[int] = behavior.uids_behind(kind, {"allow_unknown": True, **asked}, which=which).tolist()
    return found


def day(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1e6, UTC).date().isoformat()


@slow
@given(
    made=scattered(names="abc", per_person=9, span=20, unit=10 * MINUTE),
    steps=st.integers(2, 4),
    start_at=st.sampled_from([None, "a"]),
    shown=st.sampled_from([1, 3, 1000]),
)
def test_of_an_edge(made: Any, steps: int, start_at: str | None, shown: int) -> None:
    events, parts = made
    asked = {"steps": steps, "start_at": start_at, "edges": shown}
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        answer = behavior.paths({**asked, "allow_unknown": True})
        named = {(e.source, e.target) for e in answer.edges if "(other)" not in e.source}

        def own(mine: list[Happened]) -> set[tuple[str, str]]:
            return set(edges(mine, gap=30 * MINUTE, steps=steps, start_at=start_at, end_at=None)[0])

        for edge in answer.edges:
            found = behind(behavior, "paths", asked, source=edge.source, target=edge.target)
            if "(other)" in edge.source:
                step = edge.source.split("_")[0]
                want = of_each(events, lambda m, s=step: any(e[0].startswith(f"{s}_") for e in own(m) - named))
            else:
                want = of_each(events, lambda m, e=edge: (e.source, e.target) in own(m))
            assert found == want
            assert len(found) <= edge.sessions


@slow
@given(made=scattered(names="abc", per_person=9, span=20, unit=6 * HOUR), bounced=st.booleans())
def test_of_a_session_and_of_a_bounced_one(made: Any, bounced: bool) -> None:
    events, parts = made
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        for period in ["", *(p.period for p in behavior.sessions(allow_unknown=True).periods)]:
            assert behind(behavior, "sessions", {}, period=period, bounced=bounced) == of_each(
                events,
                lambda mine, period=period: any(
                    (len(s) == 1 or not bounced) and (not period or day(s[0].ts) == period)
                    for s in sessions_of(mine, 30 * MINUTE)
                ),
            )


@slow
@given(
    made=scattered(
        names="ab",
        per_person=6,
        span=20,
        unit=6 * HOUR,
        properties=st.fixed_dictionaries({}, optional={"amount": st.sampled_from([1.0, 3.0])}),
    ),
    metric=st.sampled_from(["count", "people", "sum"]),
)
def test_of_a_point_of_a_trend_and_of_a_bin(made: Any, metric: str) -> None:
    events, parts = made
    asked: dict[str, Any] = {"event": "a", "metric": metric, "property": "amount" if metric == "sum" else None}

    def counts(e: Happened, period: str) -> bool:
        there = metric != "sum" or "amount" in e.properties
        return e.event == "a" and there and (not period or day(e.ts) == period)

    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        points = behavior.trends({**asked, "allow_unknown": True}).series[0].points
        for period in ["", *(p.period for p in points)]:
            want = of_each(events, lambda mine, period=period: any(counts(e, period) for e in mine))
            assert behind(behavior, "trends", asked, series=0, period=period) == want
        if metric == "people":
            return
        whole = behind(behavior, "distribution", asked, bin=-1)
        assert whole == of_each(events, lambda mine: any(counts(e, "") for e in mine))
        bins = behavior.distribution({**asked, "allow_unknown": True}).bins
        parts_of = [behind(behavior, "distribution", asked, bin=i) for i in range(len(bins))]
        assert [len(p) for p in parts_of] == [b.people for b in bins]
        assert sorted(uid for p in parts_of for uid in p) == whole


@slow
@given(
    made=scattered(
        names="aab",
        per_person=8,
        span=20,
        unit=10 * MINUTE,
        properties=st.fixed_dictionaries({}, optional={"channel": st.sampled_from(["ads", "mail", "direct"])}),
    ),
    model=st.sampled_from(RULES),
)
def test_of_a_credit(made: Any, model: str) -> None:
    events, parts = made
    asked = {"conversion": "b", "lookback": "40m", "half_life": "15m"}

    def credited(mine: list[Happened], value: str | None) -> bool:
        found = credits_of(mine, lookback=40 * MINUTE, half_life=15 * MINUTE, direct="direct")[0]
        return found.get(model, {}).get(value, 0) > 0

    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        for touch in behavior.attribution({**asked, "allow_unknown": True}).touches:
            which = {"value": touch.value or "", "model": model, "untouched": touch.value is None}
            assert behind(behavior, "attribution", asked, **which) == of_each(
                events, lambda mine, v=touch.value: credited(mine, v)
            )


def test_of_a_cohort_and_of_those_of_it_who_have_paid(tmp_path: Path) -> None:
    rows = [
        (1, "2026-04-03", "signup"),
        (2, "2026-04-03", "signup"),
        (1, "2026-05-03", "purchase", {"amount": 50.0}),
        (3, "2026-05-03", "signup"),
    ]
    behavior = behavior_of(tmp_path, happened(rows), now=at("2026-05-10"))
    asked = {"start": "signup", "interval": "month", "periods": 1}
    assert behind(behavior, "ltv", asked, period="2026-04-01", column=0, paying=False) == [1, 2]
    assert behind(behavior, "ltv", asked, period="2026-04-01", column=0, paying=True) == []
    assert behind(behavior, "ltv", asked, period="2026-04-01", column=1, paying=True) == [1]
    assert behavior.ltv_people(asked, period="2026-05-01").total == 1


def test_of_at_least_so_many_active_periods(tmp_path: Path) -> None:
    rows = [(uid, f"2026-06-0{day}", "a") for uid, days in ((1, 3), (2, 2), (3, 1)) for day in range(1, days + 1)]
    behavior = behavior_of(tmp_path, happened(rows))
    assert behind(behavior, "stickiness", {"cumulative": True}, active_periods=2) == [1, 2]
    assert behind(behavior, "stickiness", {}, active_periods=2) == [2]


@pytest.mark.parametrize(
    ("kind", "asked", "which", "field"),
    [
        ("trends", {}, {"series": 1, "period": ""}, "series"),
        ("trends", {}, {"series": 0, "period": "2031-01-01"}, "period"),
        ("distribution", {}, {"bin": 99}, "bin"),
        ("sessions", {}, {"period": "yesterday", "bounced": False}, "period"),
        ("paths", {}, {"source": "1_a", "target": "3_b"}, "source"),
        ("attribution", {"conversion": "a"}, {"value": "tv", "model": "linear", "untouched": False}, "value"),
        ("attribution", {"conversion": "a"}, {"value": "x", "model": "incremental", "untouched": False}, "model"),
        ("ltv", {"start": "a"}, {"period": "2026-06-01", "column": 99, "paying": True}, "column"),
        ("timeline", {}, {}, "kind"),
    ],
)
def test_numbers_there_are_not_are_refused(
    tmp_path: Path, kind: str, asked: dict[str, Any], which: dict[str, Any], field: str
) -> None:
    behavior = behavior_of(tmp_path, happened([(1, "2026-06-01", "a", {"channel": "x", "amount": 1.0})]))
    with pytest.raises(InvalidInput) as refused:
        behavior.uids_behind(kind, {"allow_unknown": True, **asked}, which=which)
    assert refused.value.field == field
