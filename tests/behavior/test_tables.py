"""Answers in a notebook: as tables, as data frames, as HTML."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.behavior.made import behavior_of, happened
from tilth.behavior import Behavior, questions
from tilth.behavior.tables import table
from tilth.errors import InvalidInput

EVENTS = [
    (1, "2026-06-01 10:00", "view", {"channel": "wechat", "amount": 3}),
    (1, "2026-06-01 10:05", "buy", {"channel": "wechat", "amount": 20}),
    (2, "2026-06-01 11:00", "view", {"channel": "web"}),
    (3, "2026-06-02 11:00", "view", {"channel": "<b>web</b>"}),
    (3, "2026-06-03 11:00", "buy", {"channel": "<b>web</b>", "amount": 5}),
    (4, "2026-06-02 12:00", "view", {}),
]
JUNE = {"from": "2026-06-01", "to": "2026-06-03"}
BODIES: dict[str, dict[str, Any]] = {
    "funnel": {"steps": ["view", "buy"], "breakdown": "channel"},
    "retention": {"start": "view", "return": "buy", "periods": 2, "breakdown": "channel"},
    "lifecycle": {"event": "*", "breakdown": "channel"},
    "stickiness": {"event": "*"},
    "trends": {"event": "view", "metric": "people", "breakdown": "channel", "compare": True, "range": JUNE},
    "distribution": {"event": "view"},
    "sessions": {"breakdown": "channel"},
    "paths": {},
    "attribution": {"conversion": "buy", "touch": "view", "group_by": "channel"},
    "ltv": {"revenue": "buy", "start": "view"},
}


@pytest.fixture
def behavior(tmp_path: Path) -> Behavior:
    return behavior_of(tmp_path, happened(EVENTS))


def test_a_funnel_has_its_denominators_and_intervals(behavior: Behavior) -> None:
    frame = behavior.funnel(steps=["view", "buy"]).to_arrow().to_pylist()
    assert [(r["label"], r["people"], r["of"], r["share"]) for r in frame] == [("view", 4, 4, 1.0), ("buy", 2, 4, 0.5)]
    assert frame[1]["low"] == pytest.approx(0.15, abs=0.001)
    assert frame[1]["high"] == pytest.approx(0.85, abs=0.001)


def test_a_breakdown_says_whose_row_it_is(behavior: Behavior) -> None:
    frame = behavior.funnel(BODIES["funnel"]).to_arrow().to_pylist()
    assert {r["breakdown"] for r in frame} == {"(all)", "wechat", "web", "<b>web</b>", None}
    assert sum(r["people"] for r in frame if r["breakdown"] != "(all)" and r["step"] == 0) == 4


def test_retention_is_a_row_a_cell(behavior: Behavior) -> None:
    answer = behavior.retention(start="view", return_="buy", periods=2)
    frame = answer.to_arrow().to_pylist()
    assert len(frame) == len(answer.rows) * 3
    assert next(r for r in frame if r["period"] == "2026-06-02" and r["after"] == 1)["people"] == 1
    running = {(r["period"], r["after"]) for r in frame if r["running"]}
    assert running == {(row.period, row.partial) for row in answer.rows if row.partial is not None}
    assert all("not over" in answer._repr_html_() for _ in running)


@pytest.mark.parametrize("kind", [k for k in questions if k != "timeline"])
def test_every_kind_has_a_table_in_every_form(behavior: Behavior, kind: str) -> None:
    answer = getattr(behavior, kind)(BODIES[kind])
    made = table(answer)
    assert made.rows
    assert all(len(row) == len(made.columns) for row in made.rows)
    arrow = answer.to_arrow()
    assert arrow.column_names == made.columns
    assert list(answer.to_pandas().columns) == made.columns
    assert answer.to_polars().columns == made.columns
    assert answer.to_polars().height == arrow.num_rows == len(made.rows)
    assert answer.to_dict() == msgspec.json.decode(msgspec.json.encode(answer))
    shown = answer._repr_html_()
    assert shown.startswith("<table>")
    # What sources send is shown, not run.
    assert "<b>" not in shown


def test_people_behind_a_number_are_a_table(behavior: Behavior) -> None:
    found = behavior.funnel_people(steps=["view", "buy"], step=1, outcome="dropped", limit=1)
    assert found.to_arrow().column("uid").to_pylist() == [2]
    assert "1 of 2 people" in found._repr_html_()


def test_an_answer_about_nobody_is_an_empty_table(tmp_path: Path) -> None:
    answer = behavior_of(tmp_path, happened(EVENTS)).paths(range={"from": "2030-01-01", "to": "2030-01-02"})
    assert answer.to_arrow().num_rows == 0
    assert answer.to_pandas().empty
    assert "no rows" in answer._repr_html_()


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_package_is_named(behavior: Behavior, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = behavior.trends(event="view")
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(InvalidInput, match=f"pip install {package}"):
        getattr(answer, f"to_{package}")()


def test_a_long_answer_is_cut_and_says_so(behavior: Behavior) -> None:
    answer = behavior.trends(event="view", range={"from": "2026-01-01", "to": "2026-12-31"})
    assert "200 of 365 rows" in answer._repr_html_()
