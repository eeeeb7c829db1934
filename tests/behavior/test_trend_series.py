"""What a series of a trend can say besides its metric: a quantile, a cap, an event done as well."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import DAY, HOUR, at, behavior_of, happened, scattered
from tilth.errors import InvalidInput

slow = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
amounts = st.fixed_dictionaries({}, optional={"amount": st.sampled_from([0.29, 1.0, 10.5, 99.99])})


@slow
@given(
    made=scattered(names="ab", per_person=8, span=32, unit=6 * HOUR, properties=amounts),
    cap=st.sampled_from([0.5, 5.0]),
)
def test_who_did_both_quantiles_and_caps_are_counted_as_by_hand(made: Any, cap: float) -> None:
    events, parts = made
    with tempfile.TemporaryDirectory() as folder:
        answer = behavior_of(Path(folder), events, parts).trends(
            range={"from": "2026-06-28", "to": "2026-07-02"},
            interval="day",
            allow_unknown=True,
            series=[
                {"event": "a", "metric": "people", "also": "b"},
                {"event": "a", "metric": "sum", "property": "amount", "cap": cap},
                {"event": "a", "metric": "quantile", "property": "amount", "quantile": 0.75},
            ],
        )
    days = sorted({e.ts // DAY for e in events})
    inside = [e for e in events if "2026-06-28" <= np.datetime64(e.ts // DAY, "D").astype(str) <= "2026-07-02"]
    chosen = [
        *[(np.datetime64(d, "D").astype(str), [e for e in inside if e.ts // DAY == d]) for d in days],
        ("", inside),
    ]
    points = [{p.period: p.value for p in s.points} | {"": s.total} for s in answer.series]
    for period, group in chosen:
        if period and not "2026-06-28" <= period <= "2026-07-02":
            continue
        did = {name: {e.uid for e in group if e.event == name} for name in "ab"}
        values = [e.properties["amount"] for e in group if e.event == "a" and "amount" in e.properties]
        assert points[0][period] == len(did["a"] & did["b"])
        assert points[1][period] == pytest.approx(sum(min(v, cap) for v in values))
        wanted = np.quantile(values, 0.75) if values else None
        assert points[2][period] == (None if wanted is None else pytest.approx(wanted))


@pytest.mark.parametrize(
    ("series", "field"),
    [
        ({"metric": "quantile", "property": "amount"}, "series[0].quantile"),
        ({"metric": "quantile", "property": "amount", "quantile": 1.0}, "series[0].quantile"),
        ({"metric": "count", "quantile": 0.5}, "series[0].quantile"),
        ({"metric": "count", "cap": 5}, "series[0].cap"),
        ({"metric": "count", "also": "a"}, "series[0].also"),
        ({"metric": "people", "also": "nothing"}, "series[0].also"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, series: dict[str, Any], field: str) -> None:
    behavior = behavior_of(tmp_path, happened([(1, "2026-06-01 10:00", "a", {"amount": 1})]))
    with pytest.raises(InvalidInput) as refused:
        behavior.trends(series=[{"event": "a", **series}])
    assert refused.value.field == field


def test_the_period_that_is_not_over_is_named(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01 10:00", "a"), (1, "2026-06-03 10:00", "a"), (1, "2026-06-03 10:05", "b")]
    behavior = behavior_of(tmp_path, happened(rows), now=at("2026-06-03 12:00"))
    running = {"range": {"from": "2026-06-01", "to": "2026-06-03"}}
    assert behavior.trends(event="a", **running).partial == "2026-06-03"
    assert behavior.trends(event="a", interval="week", **running).partial == "2026-06-01"
    assert behavior.funnel(steps=["a", "b"], interval="day", **running).partial == "2026-06-03"
    assert behavior.funnel(steps=["a", "b"], **running).partial is None
    assert behavior.trends(event="a", range={"from": "2026-06-01", "to": "2026-06-02"}).partial is None
