"""Questions of behaviour on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tilth.behavior import questions
from tilth.cli.main import app
from tilth.cli.query import QUESTIONS
from tilth.collect.events import Event
from tilth.workspace import Workspace

START = 1_767_225_600_000_000  # 2026-01-01 UTC


def test_the_command_knows_every_kind_of_question() -> None:
    assert set(QUESTIONS) == set(questions)


def test_a_funnel_is_answered(workspace: Workspace, tmp_path: Path) -> None:
    rows = [("a", "view", 1), ("a", "pay", 2), ("b", "pay", 1), ("b", "view", 2), ("c", "view", 3)]
    workspace.collect.append(
        [Event(distinct_id=w, event=n, ts=START + at * 3_600_000_000, event_id=f"{w}{at}") for w, n, at in rows], "web"
    )
    workspace.close()
    question = tmp_path / "funnel.json"
    question.write_text('{"steps": ["view", "pay"], "range": {"from": "2026-01-01", "to": "2026-01-31"}}')
    result = CliRunner().invoke(app, ["query", "funnel", "--body", str(question), "--workspace", str(workspace.folder)])
    assert [s["people"] for s in json.loads(result.stdout)["steps"]] == [3, 1]
