"""Retention, lifecycle and stickiness agree with their definitions on random events, in several zones."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import HOUR, behavior_of, scattered
from tests.oracles.lifecycle import lifecycle
from tests.oracles.people_events import Serves, named
from tests.oracles.retention import retention
from tests.oracles.stickiness import stickiness

slow = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
zones = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"])
pages = st.fixed_dictionaries({}, optional={"page": st.sampled_from(["home", "cart"])})
# Eight days in steps of six hours about the end of June.
happenings = scattered(names="ab", per_person=8, span=32, unit=6 * HOUR, properties=pages)


def local(zone: str) -> Callable[[int], dt.date]:
    return lambda ts: dt.datetime.fromtimestamp(ts / 1e6, ZoneInfo(zone)).date()


def numbered(interval: str, zone: str, first: dt.date) -> Callable[[int], int]:
    """The number of the period of an instant, the one that holds `first` being 0."""
    day = local(zone)

    def number(of: dt.date) -> int:
        if interval == "day":
            return of.toordinal()
        return (of.toordinal() - 1) // 7 if interval == "week" else of.year * 12 + of.month

    return lambda ts: number(day(ts)) - number(first)


def on_page(serves: Serves, page: str | None) -> Serves:
    return lambda e: serves(e) and (page is None or e.properties.get("page") == page)


@slow
@given(
    made=happenings,
    zone=zones,
    interval=st.sampled_from(["day", "week", "month"]),
    back=st.sampled_from(["a", "b", "*"]),
    rolling=st.booleans(),
    first=st.sampled_from(["recurring", "first_time", "first_matching"]),
    at_least=st.sampled_from([1, 1, 2]),
    page=st.sampled_from([None, "home"]),
)
def test_retention_is_what_its_definition_counts(
    made: Any, zone: str, interval: str, back: str, rolling: bool, first: str, at_least: int, page: str | None
) -> None:
    events, parts = made
    low, high = dt.date(2026, 6, 28), dt.date(2026, 7, 2)
    day = local(zone)
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts, timezone=zone)
        asked = {
            "start": {"event": "a", "filters": [{"property": "page", "value": page}] if page else []},
            "return": back,
            "interval": interval,
            "periods": 3,
            "kind": "rolling" if rolling else "bounded",
            "first": first,
            "at_least": at_least,
            "range": {"from": low.isoformat(), "to": high.isoformat()},
            "allow_unknown": True,
        }
        answer = behavior.retention(asked)
        cells = retention(
            events,
            start=on_page(named("a"), page),
            start_name=named("a"),
            back=named(back),
            period=numbered(interval, zone, low),
            in_range=lambda ts: low <= day(ts) <= high,
            cohorts=len(answer.rows),
            columns=3,
            rolling=rolling,
            first=first,
            at_least=at_least,
        )
        for row, cohort in zip(answer.rows, cells, strict=True):
            assert row.people == len(cohort[0])
            for k, (got, want) in enumerate(zip(row.returned, cohort, strict=True)):
                assert got == len(want) or (got is None and k > 0 and not want)
        row, cohort = answer.rows[0], cells[0]
        page_of = behavior.retention_people(asked, period=row.period, column=1)
        assert [p.uid for p in page_of.people] == sorted(cohort[1])
        rest = behavior.retention_people(asked, period=row.period, column=1, came=False)
        assert [p.uid for p in rest.people] == sorted(cohort[0] - cohort[1])


@slow
@given(
    made=happenings,
    zone=zones,
    interval=st.sampled_from(["day", "week", "month"]),
    page=st.sampled_from([None, "home"]),
)
def test_lifecycle_is_what_its_definition_says(made: Any, zone: str, interval: str, page: str | None) -> None:
    events, parts = made
    low, high = dt.date(2026, 6, 28), dt.date(2026, 7, 2)
    number = numbered(interval, zone, low)
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts, timezone=zone)
        asked = {
            "event": "a",
            "filters": [{"property": "page", "value": page}] if page else [],
            "interval": interval,
            "range": {"from": low.isoformat(), "to": high.isoformat()},
            "allow_unknown": True,
        }
        answer = behavior.lifecycle(asked)
        want = lifecycle(
            events,
            active=on_page(named("a"), page),
            ever=named("a"),
            period=number,
            periods=len(answer.periods),
        )
        assert answer.new == [len(s["new"]) for s in want]
        assert answer.returning == [len(s["returning"]) for s in want]
        assert answer.resurrecting == [len(s["resurrecting"]) for s in want]
        assert answer.dormant == [-len(s["dormant"]) for s in want]
        for i, state in ((0, "new"), (0, "dormant"), (-1, "resurrecting")):
            people = behavior.lifecycle_people(asked, period=answer.periods[i], state=state)
            assert [p.uid for p in people.people] == sorted(want[i][state])


@slow
@given(made=happenings, zone=zones, interval=st.sampled_from(["day", "week"]), at_least=st.sampled_from([1, 2]))
def test_stickiness_counts_active_periods(made: Any, zone: str, interval: str, at_least: int) -> None:
    events, parts = made
    low, high = dt.date(2026, 6, 28), dt.date(2026, 7, 2)
    day = local(zone)
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts, timezone=zone)
        answer = behavior.stickiness(
            event="a",
            interval=interval,
            at_least=at_least,
            range={"from": low.isoformat(), "to": high.isoformat()},
            allow_unknown=True,
        )
        want = stickiness(
            events,
            active=named("a"),
            period=numbered(interval, zone, low),
            in_range=lambda ts: low <= day(ts) <= high,
            at_least=at_least,
        )
        assert answer.people == [want[n] for n in answer.active_periods]
