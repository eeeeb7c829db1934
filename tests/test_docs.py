"""The pages for people who read the data with other tools: their programs are run as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from tests.conftest import REPOSITORY
from tilth.collect.model import Id, Identify, Track
from tilth.server.sql_views import run_sql, sql_schema
from tilth.settings import Settings
from tilth.workspace import Workspace

T0 = 1_780_000_000_000_000
MINUTE = 60_000_000


def program(page: str) -> str:
    """All Python of a page, one block after the other."""
    text = (REPOSITORY / "docs" / page).read_text("utf-8")
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def run(page: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(program(page), page, "exec"), names)
    return names


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace `tilth-demo` in the working directory; its files do not know yet of a merge and of an undone one."""
    monkeypatch.chdir(tmp_path)
    number = 0

    def track(who: str, event: str, at: int, **properties: object) -> Track:
        nonlocal number
        number += 1
        ts = T0 + at * MINUTE
        return Track(ids=(Id("id", who),), ts=ts, event_id=f"e{number}", event=event, properties=properties)

    def identify(anonymous: str, user: str, at: int) -> Identify:
        ids = (Id("id", user), Id("id", anonymous, True))
        return Identify(ids=ids, ts=T0 + at * MINUTE, event_id=f"i{anonymous}")

    with Workspace.create(tmp_path / "tilth-demo", Settings(timezone="UTC", currency="CNY")) as ws:
        for n in range(30):
            rows = [
                track(f"u{n}", event, 60 * n + k, channel="web") for k, event in enumerate(["visit", "view", "cart"])
            ]
            rows += [track(f"u{n}", "purchase", 60 * n + 10, channel="web", amount=9.5)] if n % 3 == 0 else []
            ws.collect.receive(rows, "web")
        ws.collect.receive([track("anon", "view", 5), track("other", "view", 6), track("u1", "visit", 20_000)], "web")
        ws.collect.receive([identify("other", "u4", 7)], "web")
        ws.collect.catch_up()
        ws.collect.flush()
        (link,) = ws.identity.graph(ws.people.find("other")).links
        ws.identity.undo(link.key, "test")
        ws.collect.receive([identify("anon", "u2", 30)], "web")
        ws.collect.catch_up()
        ws.collect.flush()
        yield ws


def test_the_notebook_page_runs(demo: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    names = run("notebook.md")
    names["ws"].close()
    assert names["funnel"].steps[2].people == 10
    assert list(names["weeks"]["after"].unique()) == [0, 1, 2, 3, 4]
    assert names["trend"]["value"].sum() == 10
    assert names["dropped"].total == 20
    assert "did you mean" in capsys.readouterr().out


def test_the_lake_page_reads_what_the_product_answers(demo: Workspace) -> None:
    overrides = demo.identity.overrides()
    assert overrides.whole
    assert overrides.split
    rows = run_sql(
        demo, "SELECT event, count(DISTINCT uid) FROM events WHERE NOT starts_with(event, '$') GROUP BY event"
    ).rows
    expected = dict(rows)
    assert expected["view"] == 31
    names = run("lake.md")
    assert dict(names["activity"].groupby("event").uid.nunique()) == expected
    assert dict(names["people"].iter_rows()) == expected
    assert dict(names["counts"]) == expected


def test_any_reader_of_delta_can_follow(demo: Workspace) -> None:
    protocol = DeltaTable(str(demo.lake.root)).protocol()
    assert protocol.min_reader_version == 1
    assert not protocol.reader_features


def test_the_statements_of_the_sql_page_run(demo: Workspace) -> None:
    layering = demo.segments.layering("rfm")
    layer = next(one for one in layering.layers if one.people)
    demo.segments.save_segment(layering.id, layer.key, "best", "Our best", "test")
    text = (REPOSITORY / "docs" / "sql.md").read_text("utf-8")
    found = [run_sql(demo, one) for one in re.findall(r"```sql\n(.*?)```", text, re.DOTALL)]
    events, scenes, months, segments, _ = found
    assert ["purchase", 10, 10] in events.rows
    assert sum(row[1] for row in scenes.rows) == 31
    assert sum(row[3] for row in months.rows) == 10
    assert [row[:2] for row in segments.rows] == [["Our best", layer.people]]


def test_segments_are_a_table_also_where_there_are_none(demo: Workspace) -> None:
    found = run_sql(demo, "SELECT * FROM segments")
    assert found.columns == ["segment", "name", "uid"]
    assert found.rows == []


def test_the_sql_page_and_the_schema_browser_name_the_same_columns(demo: Workspace) -> None:
    text = (REPOSITORY / "docs" / "sql.md").read_text("utf-8")
    for view in sql_schema(demo).views:
        assert f"| `{view.name}` |" in text
        held = run_sql(demo, f"SELECT * FROM {view.name} LIMIT 0").columns
        assert {c.name for c in view.columns} <= set(held)
