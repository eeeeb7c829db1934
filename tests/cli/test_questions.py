"""Questions of behaviour on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tilth.behavior import questions
from tilth.cli.main import app
from tilth.cli.query import QUESTIONS
from tilth.collect.events import Event
from tilth.errors import InvalidInput
from tilth.workspace import Workspace

QUESTION = '{"steps": ["view", "pay"], "range": {"from": "2026-01-01", "to": "2026-01-31"}}'
START = 1_767_225_600_000_000  # 2026-01-01 UTC


def test_the_command_knows_every_kind_of_question() -> None:
    assert set(QUESTIONS) == set(questions)


@pytest.fixture
def asked(workspace: Workspace, tmp_path: Path) -> Callable[..., Result]:
    """`tilth query funnel` of three people, of whom one went on to the second step."""
    rows = [("a", "view", 1), ("a", "pay", 2), ("b", "pay", 1), ("b", "view", 2), ("c", "view", 3)]
    workspace.collect.append(
        [Event(distinct_id=w, event=n, ts=START + at * 3_600_000_000, event_id=f"{w}{at}") for w, n, at in rows], "web"
    )
    workspace.close()
    body = tmp_path / "funnel.json"
    body.write_text(QUESTION)

    def ask(*more: str) -> Result:
        given = ["query", "funnel", "--body", str(body), "--workspace", str(workspace.folder), *more]
        return CliRunner().invoke(app, given)

    return ask


def test_a_funnel_is_answered(asked: Callable[..., Result]) -> None:
    assert [s["people"] for s in json.loads(asked().stdout)["steps"]] == [3, 1]


def test_the_people_behind_a_number_are_listed(asked: Callable[..., Result]) -> None:
    def listed(*more: str) -> tuple[int, list[int]]:
        page = json.loads(asked(*more).stdout)
        return page["total"], [person["uid"] for person in page["people"]]

    total, everybody = listed("--who", "step=0")
    assert (total, len(set(everybody))) == (3, 3)
    total, converted = listed("--who", "step=1", "--who", "outcome=converted")
    assert (total, len(converted)) == (1, 1)
    total, dropped = listed("--who", "step=1", "--who", "outcome=dropped")
    assert (total, sorted([*dropped, *converted])) == (2, sorted(everybody))
    assert listed("--who", "step=0", "--top", "2") == (3, everybody[:2])


@pytest.mark.parametrize(
    ("who", "about"),
    [
        ("step", "NAME=VALUE"),
        ("step=9", "step"),
        ("stride=1", "stride"),
        ("step=one", "step"),
        ("step=" + "9" * 15, "step"),
        ("step=" + "9" * 5_000, "step"),
    ],
)
def test_a_number_that_is_not_there_is_refused_by_its_name(asked: Callable[..., Result], who: str, about: str) -> None:
    result = asked("--who", who)
    assert isinstance(result.exception, InvalidInput)
    assert about in str(result.exception) + result.output
