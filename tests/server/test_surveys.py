"""Surveys over HTTP: the hosted form as browsers use it, links, results, and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.collect.surveys.made import TEA, events, known, tea
from tests.server.conftest import Client, Headers
from tests.server.live import live
from tilth.collect.sources import Privacy, SourceSettings
from tilth.server.context import Context
from tilth.workspace import Workspace


def definition(**changes: Any) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(tea(**changes))
    return found


@pytest.fixture
def opened(client: Client, admin: Headers) -> str:
    assert client.post("/api/v1/surveys", json=definition(), headers=admin).status_code == 201
    assert client.post("/api/v1/surveys/tea-2026/open", headers=admin).json()["status"] == "open"
    return "tea-2026"


def address(client: Client, admin: Headers, *ids: str) -> str:
    made = client.post("/api/v1/surveys/tea-2026/links", json={"ids": list(ids)}, headers=admin).json()
    url = urlsplit(made["links"][0]["url"])
    return f"{url.path}?{url.query}"


def test_a_form_is_filled_in_over_real_http(tmp_path: Any, any_workspace: Workspace) -> None:
    surveys = any_workspace.collect.surveys
    surveys.create(TEA)
    surveys.open("tea-2026")
    (lin,) = known(any_workspace, "lin")
    path = surveys.links("tea-2026", [lin])[0].path
    with live(any_workspace) as base:
        form = httpx.get(base + path)
        assert form.status_code == 200
        assert "default-src 'none'" in form.headers["content-security-policy"]
        assert form.headers["content-type"].startswith("text/html")
        bad = httpx.post(base + path, data={"q_favourite": "green", "q_more": "留着我"})
        assert bad.status_code == 422
        assert "留着我" in bad.text
        assert 'href="#q-recommend"' in bad.text
        sent = {"q_recommend": "10", "q_favourite": "green", "q_more": "很好"}
        done = httpx.post(base + path, data=sent, headers={"Origin": base})
        assert (done.status_code, "谢谢您" in done.text) == (200, True)
        again = httpx.post(base + path, data=sent)
        assert (again.status_code, "已经回答过" in again.text) == (409, True)
        elsewhere = httpx.post(base + path, data=sent, headers={"Origin": "https://evil.example"})
        assert elsewhere.status_code == 403
    (answer,) = events(any_workspace, "survey_answered")
    assert (answer[0], answer[3]["answers"]["recommend"]) == (lin, 10)


def test_pages_say_what_is_the_matter(client: Client, admin: Headers, opened: str, context: Context) -> None:
    known(context.workspace, "lin")
    path = address(client, admin, "lin")
    assert client.get("/s/nothing").status_code == 404
    assert client.get("/s/tea-2026").status_code == 403
    assert "链接无效" in client.get(path[:-3] + "abc").text
    assert client.post(path, content=b"q_more=" + b"x" * 60_000).status_code == 413
    assert client.post(path, content="&".join(f"a{n}=1" for n in range(2000))).status_code == 413
    assert client.post(path, content=b"\xff\xfe%00%zz").status_code == 422
    client.post("/api/v1/surveys/tea-2026/close", headers=admin)
    closed = client.get(path)
    assert (closed.status_code, "问卷未开放" in closed.text) == (410, True)


def test_a_public_form_counts_each_form_once(client: Client, admin: Headers, opened: str, context: Context) -> None:
    assert client.put("/api/v1/surveys/tea-2026", json=definition(public=True), headers=admin).status_code == 200
    page = client.get("/s/tea-2026").text
    once = page.split('name="once" value="')[1][:32]
    for _ in range(2):
        assert client.post("/s/tea-2026", data={"once": once, "q_recommend": "9"}).status_code == 200
    assert client.post("/s/tea-2026", data={"once": "'; drop", "q_recommend": "9"}).status_code == 200
    assert len(events(context.workspace, "survey_answered")) == 2


def test_the_sources_privacy_settings_hold_for_answers(
    client: Client, admin: Headers, opened: str, context: Context
) -> None:
    workspace = context.workspace
    known(workspace, "lin")
    path = address(client, admin, "lin")
    source = workspace.collect.surveys.source()
    workspace.collect.sources.change(source.id, SourceSettings(privacy=Privacy(minors=True)))
    refused = client.post(path, data={"q_recommend": "9"})
    assert (refused.status_code, "没有保存" in refused.text) == (403, True)
    assert events(workspace, "survey_answered") == []
    workspace.collect.sources.change(source.id, SourceSettings(privacy=Privacy(fields={"more": "drop"})))
    assert client.post(path, data={"q_recommend": "9", "q_more": "secret", "q_favourite": "green"}).status_code == 200
    assert events(workspace, "survey_answered")[0][3]["answers"] == {"recommend": 9, "favourite": "green"}
    workspace.collect.catch_up()
    (trait,) = workspace.people.traits([workspace.people.find("lin")])[workspace.people.find("lin")]
    assert (trait.value, trait.source) == ("green", "self_declared")


def test_a_source_over_its_rate_asks_to_try_again(
    client: Client, admin: Headers, opened: str, context: Context
) -> None:
    surveys = context.workspace.collect.surveys
    surveys.save(tea(public=True))
    context.workspace.collect.sources.change(surveys.source().id, SourceSettings(events_per_second=1))
    answers = [client.post("/s/tea-2026", data={"q_recommend": "9"}) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 503, 503]
    assert "请稍后再试" in answers[-1].text


def test_one_link_sent_from_many_threads_at_once_counts_once(
    any_workspace: Workspace,
) -> None:
    surveys = any_workspace.collect.surveys
    surveys.create(TEA)
    surveys.open("tea-2026")
    (lin,) = known(any_workspace, "lin")
    path = surveys.links("tea-2026", [lin])[0].path
    with live(any_workspace) as base, ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda n: httpx.post(base + path, data={"q_recommend": str(n)}).status_code, range(8)))
    assert 200 in sent
    assert set(sent) <= {200, 409}
    assert len(events(any_workspace, "survey_answered")) == 1


def test_links_name_whom_nobody_knows_and_come_as_a_file(
    client: Client, admin: Headers, opened: str, context: Context
) -> None:
    known(context.workspace, "lin", "=wang")
    made = client.post("/api/v1/surveys/tea-2026/links", json={"ids": ["lin", "nobody"]}, headers=admin).json()
    assert (made["total"], made["missing"]) == (1, ["nobody"])
    assert made["links"][0]["url"].startswith("http://tilth.test/s/tea-2026?t=")
    file = client.post("/api/v1/surveys/tea-2026/links/export", json={"ids": ["lin", "=wang"]}, headers=admin)
    assert file.headers["content-type"].startswith("text/csv")
    assert "\n=wang" not in file.text
    for body, field in (({}, "ids"), ({"ids": ["lin"], "days": 0}, "days"), ({"segment": "none"}, None)):
        answer = client.post("/api/v1/surveys/tea-2026/links", json=body, headers=admin)
        assert answer.status_code in (400, 404), answer.text
        if field is not None:
            assert field in answer.text


def test_results_and_texts(client: Client, admin: Headers, opened: str, context: Context) -> None:
    known(context.workspace, "lin")
    path = address(client, admin, "lin")
    client.post(path, data={"q_recommend": "9", "q_more": "很好"})
    found = client.get("/api/v1/surveys/tea-2026/results", headers=admin).json()
    assert found["funnel"] == {"invited": 1, "opened": 1, "answered": 1}
    assert found["questions"][0]["nps"]["promoters"] == 1
    texts = client.get("/api/v1/surveys/tea-2026/texts?question=more", headers=admin).json()
    assert texts["texts"][0]["text"] == "很好"
    assert client.get("/api/v1/surveys/tea-2026/texts?question=none", headers=admin).status_code == 400


def test_bad_definitions_name_the_field(client: Client, admin: Headers, opened: str) -> None:
    questions = definition()["questions"]
    wrong = client.post("/api/v1/surveys", json=definition(key="x", questions=[]), headers=admin)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "questions")
    questions[0]["kind"] = "text"
    changed = client.put("/api/v1/surveys/tea-2026", json=definition(questions=questions), headers=admin)
    assert (changed.status_code, changed.json()["field"]) == (400, "questions[0].kind")
    other = client.put("/api/v1/surveys/tea-2026", json=definition(key="y"), headers=admin)
    assert other.json()["field"] == "key"
    assert client.delete("/api/v1/surveys/tea-2026", headers=admin).status_code == 409
    preview = client.post("/api/v1/surveys/preview", json=definition(), headers=admin)
    assert 'type="button"' in preview.json()["html"]
