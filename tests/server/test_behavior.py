"""Questions of behaviour over HTTP and on the command line: the same answer, clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from tests.server.conftest import Client, Headers
from tilth.behavior import questions
from tilth.cli.main import app as commands
from tilth.cli.query import QUESTIONS
from tilth.collect.events import Event
from tilth.server.app import create_app
from tilth.server.context import Context
from tilth.server.tokens import Tokens
from tilth.workspace import Workspace

HOUR = 3_600_000_000
START = 1_767_225_600_000_000  # 2026-01-01 UTC
FUNNEL = {"steps": ["view", "pay"], "range": {"from": "2026-01-01", "to": "2026-01-31"}}


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Three people view, two of them pay, one of the two before viewing."""
    rows = [("a", "view", 1), ("a", "pay", 2), ("b", "pay", 1), ("b", "view", 2), ("c", "view", 3)]
    workspace.collect.append(
        [Event(distinct_id=who, event=name, ts=START + at * HOUR, event_id=f"{who}{at}") for who, name, at in rows],
        "web",
    )
    return workspace


def headers(workspace: Workspace, role: str = "analyst") -> dict[str, str]:
    return {"Authorization": f"Bearer {Tokens(workspace.database).create('test', role, 'test')[1]}"}


def test_every_face_knows_every_kind_of_question(shop: Workspace) -> None:
    assert set(questions) == set(QUESTIONS)
    with TestClient(create_app(shop)) as client:
        paths = client.get("/api/v1/openapi.json").json()["paths"]
    for kind, about in questions.items():
        answer = paths[f"/api/v1/query/{kind}"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer["$ref"].endswith(about.answer.__name__)
        assert (f"/api/v1/query/{kind}/people" in paths) == (about.people is not None)


def test_a_funnel_over_http_and_its_people(shop: Workspace) -> None:
    with TestClient(create_app(shop)) as client:
        answer = client.post("/api/v1/query/funnel", json=FUNNEL, headers=headers(shop))
        assert [s["people"] for s in answer.json()["steps"]] == [3, 1]
        which = {"step": 1, "outcome": "dropped"}
        people = client.post("/api/v1/query/funnel/people", json=FUNNEL | {"which": which}, headers=headers(shop))
        assert sorted(p["distinct_ids"][0] for p in people.json()["people"]) == ["b", "c"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"steps": ["view", "payy"]}, "steps[1]"),
        ({"steps": ["view"]}, "steps"),
        ({"steps": ["view", "pay"], "window": "soon"}, "window"),
        ({"steps": ["view", "pay"], "window": "-3d"}, "window"),
        ({"steps": ["view"] * 33}, "steps"),
        ({"steps": ["view", "pay"], "exclude": [{"event": "view", "after": 0, "before": 5}]}, "exclude[0]"),
        ({"steps": ["view", "pay"], "timezone": "Mars/Olympus"}, "timezone"),
        ({"steps": ["view", "pay"], "filters": {"property": "page", "op": "matches", "value": "(a+"}}, "filters"),
        ({"steps": ["view", "pay"], "limit": 1_000_000}, "limit"),
        ({"stepz": ["view", "pay"]}, "stepz"),
        ({"steps": ["view", "pay"], "range": {"from": "2026-02-01", "to": "2026-01-01"}}, "range"),
    ],
)
def test_a_wrong_question_names_its_field(shop: Workspace, body: dict[str, object], field: str) -> None:
    with TestClient(create_app(shop)) as client:
        answer = client.post("/api/v1/query/funnel", json=body, headers=headers(shop))
        assert answer.status_code == 400
        assert answer.json()["field"].startswith(field)


@pytest.mark.parametrize("body", ["{", "[]", "5"])
def test_a_body_that_is_no_question_is_refused(shop: Workspace, body: str) -> None:
    with TestClient(create_app(shop)) as client:
        answer = client.post("/api/v1/query/trends", content=body, headers=headers(shop))
        assert (answer.status_code, answer.json()["field"]) == (400, "body")


def test_a_viewer_may_not_ask(shop: Workspace) -> None:
    with TestClient(create_app(shop)) as client:
        assert client.post("/api/v1/query/funnel", json=FUNNEL, headers=headers(shop, "viewer")).status_code == 403


def test_the_command_line_gives_the_same_answer(shop: Workspace, tmp_path: Path) -> None:
    shop.close()
    question = tmp_path / "funnel.json"
    question.write_text(json.dumps(FUNNEL))
    arguments = ["query", "funnel", "--body", str(question), "--workspace", str(shop.folder)]
    result = CliRunner().invoke(commands, arguments)
    assert [s["people"] for s in json.loads(result.stdout)["steps"]] == [3, 1]


def test_the_online_shops_known_funnel_from_its_file_to_http(
    client: Client, context: Context, admin: Headers, shared_data: Path
) -> None:
    context.workspace.imports.run_files("events", [shared_data / "simple_onlineshop.csv.gz"])
    body = {"steps": ["catalog", "cart", "payment_choice", "payment_done"], "window": None}
    answer = client.post("/api/v1/query/funnel", json=body, headers=admin)
    assert answer.status_code == 200, answer.text
    assert [step["people"] for step in answer.json()["steps"]] == [3611, 1924, 958, 653]
