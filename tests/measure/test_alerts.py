"""Alerts: judged once a period, told once an incident, silenced, acknowledged, explained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.measure.made import TODAY, filled, instant
from tilth.errors import Conflict, InvalidInput
from tilth.measure.alerts import Alert
from tilth.measure.metric import Metric
from tilth.notify import Destination
from tilth.workspace import Workspace

NOW = instant(TODAY, 1)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    # The last day before today has a quarter of its visits.
    drop = TODAY - dt.timedelta(days=1)
    with filled(tmp_path / "w", lambda day: 15 if day == drop else 60) as made:
        made.metrics.make(Metric(key="visitors", name="Visitors", kind="people", event="visit"), "a")
        yield made


def alert(**fields: Any) -> Alert:
    made = {"key": "a", "name": "Visits", "metric": "visitors", "condition": {"kind": "seasonal"}, **fields}
    return msgspec.convert(made, Alert)


def test_a_drop_is_told_once_with_what_explains_it_and_its_end_too(workspace: Workspace) -> None:
    to = workspace.destinations.make(Destination(name="ops", kind="webhook", address="http://127.0.0.1:9/x"), "a")
    workspace.alerts.make(alert(destinations=[to.id], explain_by=["channel"]), "a")
    assert workspace.alerts.check_all(NOW) == 1
    assert workspace.alerts.check_all(NOW + 60_000_000) == 0, "a period is judged once"
    held = workspace.alerts.get("a")
    assert (held.state, held.judged) == ("firing", "2026-06-29")
    (incident,) = workspace.alerts.incidents()
    assert (incident.value, incident.first_period, incident.closed_at) == (15, "2026-06-29", None)
    assert incident.expected == pytest.approx(60, rel=0.02)
    assert incident.low is not None
    assert incident.low > 15
    parts = {c.value: c.part for c in incident.explained}
    assert parts == {"shop": pytest.approx(-39), "ads": pytest.approx(-6)}
    assert "channel = shop" in incident.text
    (waiting,) = workspace.outbox.recent()
    assert (waiting.destination, waiting.state, waiting.title) == (to.id, "waiting", "Alert: Visits, 2026-06-29")
    # A day later nobody came at all: the same incident goes on, and nobody is told again.
    assert workspace.alerts.check_all(NOW + 86_400_000_000) == 1
    assert [i.last_period for i in workspace.alerts.incidents()] == ["2026-06-30"]
    assert len(workspace.outbox.recent()) == 1


def test_an_incident_ends_when_a_period_is_as_usual(workspace: Workspace) -> None:
    to = workspace.destinations.make(Destination(name="ops", kind="webhook", address="http://127.0.0.1:9/x"), "a")
    below = {"kind": "threshold", "side": "below", "value": 20}
    workspace.alerts.make(alert(condition=below, destinations=[to.id]), "a")
    workspace.alerts.check_all(NOW)
    above = {"kind": "threshold", "side": "below", "value": 10}
    workspace.alerts.change("a", alert(condition=above, destinations=[to.id]))
    workspace.alerts.check_all(NOW)
    (incident,) = workspace.alerts.incidents()
    assert incident.closed_at is not None
    assert [d.title for d in workspace.outbox.recent()] == [
        "Recovered: Visits, 2026-06-29",
        "Alert: Visits, 2026-06-29",
    ]


def test_a_silenced_alert_is_judged_and_tells_nobody(workspace: Workspace) -> None:
    to = workspace.destinations.make(Destination(name="ops", kind="webhook", address="http://127.0.0.1:9/x"), "a")
    workspace.alerts.make(alert(destinations=[to.id]), "a")
    workspace.alerts.silence("a", NOW + 3_600_000_000)
    workspace.alerts.check_all(NOW)
    (incident,) = workspace.alerts.incidents()
    assert incident.silenced
    assert workspace.outbox.recent() == []


def test_one_person_looks_after_an_incident(workspace: Workspace) -> None:
    workspace.alerts.make(alert(), "a")
    workspace.alerts.check_all(NOW)
    (incident,) = workspace.alerts.incidents()
    assert workspace.alerts.acknowledge(incident.id, "li", "looking").acknowledged_by == "li"
    assert workspace.alerts.acknowledge(incident.id, "li", "still looking").note == "still looking"
    with pytest.raises(Conflict, match="li looks after it"):
        workspace.alerts.acknowledge(incident.id, "wang")


def test_a_period_too_small_is_not_judged(workspace: Workspace) -> None:
    workspace.alerts.make(alert(at_least=1000), "a")
    workspace.alerts.check_all(NOW)
    held = workspace.alerts.get("a")
    assert (held.state, "not judged" in held.reason) == ("unknown", True)
    assert workspace.alerts.incidents() == []


def test_a_metric_that_cannot_be_asked_is_unknown_and_says_why(workspace: Workspace) -> None:
    workspace.metrics.make(Metric(key="odd", name="Odd", kind="sum", event="visit", value="nothing"), "a")
    workspace.alerts.make(alert(metric="odd"), "a")
    workspace.alerts.check_all(NOW)
    assert workspace.alerts.get("a").state in ("unknown", "ok")
    with pytest.raises(Conflict, match="alert Visits"):
        workspace.metrics.delete("odd")


def test_a_preview_says_what_the_alert_would_have_said(workspace: Workspace) -> None:
    periods = workspace.alerts.preview(alert(), NOW)
    assert [p.firing for p in periods[-3:]] == [False, False, True]
    assert periods[-1].period == "2026-06-29"


@pytest.mark.parametrize("interval", ["hour", "week", "month"])
def test_every_interval_is_judged(workspace: Workspace, interval: str) -> None:
    workspace.alerts.make(alert(interval=interval, condition={"kind": "change"}), "a")
    assert workspace.alerts.check_all(NOW) == 1
    assert workspace.alerts.get("a").judged != ""


def test_coming_back_is_judged_when_the_day_of_coming_back_is_over(workspace: Workspace) -> None:
    workspace.metrics.make(Metric(key="d1", name="D1", kind="retention", event="visit", return_="visit"), "a")
    workspace.alerts.make(alert(metric="d1", condition={"kind": "change"}), "a")
    workspace.alerts.check_all(NOW)
    assert workspace.alerts.get("a").state == "firing"
    (incident,) = workspace.alerts.incidents()
    assert (incident.first_period, incident.value) == ("2026-06-28", 0.25)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"condition": {"kind": "guess"}}, "condition.kind"),
        ({"condition": {"kind": "threshold"}}, "condition.value"),
        ({"condition": {"kind": "threshold", "value": 1}}, "condition.side"),
        ({"condition": {"kind": "change", "percent": 0}}, "condition.percent"),
        ({"condition": {"kind": "change", "versus": "week"}, "interval": "month"}, "condition.versus"),
        ({"condition": {"kind": "seasonal", "sensitivity": 0.1}}, "condition.sensitivity"),
        ({"metric": "nothing"}, "metric"),
        ({"destinations": [7]}, "destinations[0]"),
        ({"delay": "soon"}, "delay"),
        ({"key": "A b"}, "key"),
    ],
)
def test_what_is_wrong_with_an_alert_is_named(workspace: Workspace, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        workspace.alerts.make(alert(**fields), "a")
    assert refused.value.field == field
