"""Bad input is answered with a problem document that names the field and the reason."""

from __future__ import annotations

import errno
import logging
from typing import Any

import pytest

from tests.server.conftest import Client, Headers
from tilth.server.context import Context


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "reason"),
    [
        ("POST", "/api/v1/sql", {"sql": ""}, "sql", "length"),
        ("POST", "/api/v1/sql", {"sql": "SELECT 1", "limit": "many"}, "limit", "Expected `int`"),
        ("POST", "/api/v1/sql", {"sql": "SELECT 1", "limit": 0}, "limit", ">= 1"),
        ("POST", "/api/v1/sql", {"sql": "SELECT 1", "colour": 1}, "body", "unknown field `colour`"),
        ("POST", "/api/v1/sql", {"sql": "DELETE FROM events"}, "sql", "only SELECT"),
        ("POST", "/api/v1/sql", None, "body", "missing"),
        ("POST", "/api/v1/tokens", {"name": "x", "role": "root"}, "role", "Invalid enum value 'root'"),
        ("GET", "/api/v1/people?limit=100000", None, "limit", "<= 200"),
        ("GET", "/api/v1/people?min_orders=few", None, "min_orders", "Expected `int"),
        ("GET", "/api/v1/people?layer=rfm", None, "layer", "<layering id>:<layer key>"),
        ("GET", "/api/v1/people?sort=height", None, "sort", "Invalid enum"),
        ("GET", "/api/v1/audit?cursor=x", None, "cursor", "not one this list gave out"),
        ("POST", "/api/v1/query/clv", {"model": "crystal_ball"}, "model", "Invalid enum"),
        ("POST", "/api/v1/quarantine/replay", {}, "ids", "either ids or a filter"),
        (
            "PUT",
            "/api/v1/settings",
            {"name": "x", "timezone": "Mars/Olympus", "currency": "GBP", "language": "en"},
            "timezone",
            "no time zone",
        ),
        (
            "PUT",
            "/api/v1/settings",
            {"name": "x", "timezone": "UTC", "currency": "GBP", "language": "fr"},
            "language",
            "zh-CN or en",
        ),
    ],
)
def test_bad_input_names_the_field_and_the_reason(
    client: Client, admin: Headers, method: str, path: str, body: Any, field: str, reason: str
) -> None:
    answer = client.request(method, path, json=body, headers=admin)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:tilth:error:invalid_input"
    assert problem["status"] == 400
    assert problem["field"] == field
    assert reason in problem["reason"]
    assert problem["id"]


def test_choices_are_offered_where_they_are_few(client: Client, admin: Headers) -> None:
    body = {"name": "x", "timezone": "UTC", "currency": "GBP", "language": "fr"}
    assert client.put("/api/v1/settings", json=body, headers=admin).json()["choices"] == ["zh-CN", "en"]


@pytest.mark.parametrize("body", [b"{oops", b"\xff\xfe", b"[1,2", b'"text"', b"null", b"[]"])
def test_a_body_that_is_not_the_json_wanted_is_a_400(client: Client, admin: Headers, body: bytes) -> None:
    answer = client.post("/api/v1/sql", content=body, headers={**admin, "Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["field"] == "body"


def test_deeply_nested_json_is_refused_and_the_server_lives(client: Client, admin: Headers) -> None:
    body = b"[" * 100_000 + b"]" * 100_000
    answer = client.post("/api/v1/sql", content=body, headers={**admin, "Content-Type": "application/json"})
    assert answer.status_code == 400
    assert client.get("/healthz").status_code == 200


def test_a_body_over_the_limit_is_a_413(client: Client, admin: Headers) -> None:
    answer = client.post("/api/v1/sql", json={"sql": "x" * 11_000_000}, headers=admin)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:tilth:error:too_large"


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/nothing/here", 404, "not_found"),
        ("GET", "/api/v1/people/nobody", 404, "not_found"),
        ("GET", "/api/v1/layerings/77", 404, "not_found"),
        ("GET", "/api/v1/segments/none", 404, "not_found"),
        ("GET", "/api/v1/imports/none", 404, "not_found"),
        ("DELETE", "/api/v1/tokens/77", 404, "not_found"),
        ("POST", "/api/v1/nothing", 404, "not_found"),
        ("PUT", "/api/v1/overview", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    client: Client, admin: Headers, method: str, path: str, status: int, kind: str
) -> None:
    answer = client.request(method, path, headers=admin)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:tilth:error:{kind}"


def test_an_unforeseen_error_gives_an_id_that_is_in_the_log_and_no_trace(
    client: Client, context: Context, admin: Headers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail 42")

    monkeypatch.setattr(context.readings, "sales", broken)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/v1/overview", headers=admin)
    assert answer.status_code == 500
    problem = answer.json()
    assert problem["type"] == "urn:tilth:error:internal"
    assert "secret" not in answer.text
    assert problem["id"] in caplog.text
    assert "secret detail 42" in caplog.text, "whoever runs the server sees the cause"


def test_a_full_disk_is_a_507(
    client: Client, context: Context, admin: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(context.workspace, "save_settings", full)
    body = {"name": "x", "timezone": "UTC", "currency": "GBP", "language": "en"}
    answer = client.put("/api/v1/settings", json=body, headers=admin)
    assert answer.status_code == 507
    assert answer.json()["type"] == "urn:tilth:error:storage_failed"
