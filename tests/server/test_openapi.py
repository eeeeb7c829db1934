"""The API's description is complete enough to generate a client from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.conftest import Client


@pytest.fixture
def document(client: Client) -> Any:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [(m, p, o) for p, item in document["paths"].items() for m, o in item.items() if isinstance(o, dict)]


def test_every_operation_has_a_name_a_sentence_a_role_and_a_typed_answer(document: Any) -> None:
    names = [o["operationId"] for _, _, o in operations(document)]
    assert len(names) == len(set(names))
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation.get("description"), where
        assert operation["x-role"] in ("anyone", "viewer", "analyst", "operator", "admin"), where
        good = {status: r for status, r in operation["responses"].items() if status.startswith("2")}
        assert len(good) == 1, where
        ((status, response),) = good.items()
        if status != "204":
            for media in response["content"].values():
                assert media["schema"], f"{where} answers with anything"


def test_every_error_is_a_problem(document: Any) -> None:
    for method, path, operation in operations(document):
        content = operation["responses"]["default"]["content"]
        assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem"), f"{method} {path}"


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: Any) -> None:
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found.add(node["$ref"].rsplit("/", 1)[-1])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    assert found == set(document["components"]["schemas"])


def test_answers_always_carry_their_fields_and_questions_may_leave_some_out(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["Overview"]["required"]) == set(schemas["Overview"]["properties"])
    assert set(schemas["Change"]["required"]) == set(schemas["Change"]["properties"])
    assert schemas["SqlQuery"]["required"] == ["sql"]


def test_schema_names_are_short_and_texts_are_one_schema(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert not [name for name in schemas if "_" in name]
    assert set(schemas["Text"]["properties"]) == {"zh-CN", "en"}
    assert set(schemas["Money"]["properties"]) == {"amount", "currency", "text"}


def test_uploads_and_downloads_are_described(document: Any) -> None:
    upload = document["paths"]["/api/v1/imports"]["post"]["requestBody"]["content"]
    assert "file" in upload["multipart/form-data"]["schema"]["properties"]
    export = document["paths"]["/api/v1/segments/{key}/export"]["get"]["responses"]["200"]["content"]
    assert "text/csv" in export


def test_the_paths_agreed_on_are_all_there(document: Any) -> None:
    agreed = [
        "/session",
        "/session/link",
        "/account",
        "/overview",
        "/imports",
        "/imports/{import_id}",
        "/imports/{import_id}/preview",
        "/imports/{import_id}/start",
        "/imports/{import_id}/cancel",
        "/imports/{import_id}/resume",
        "/quarantine",
        "/quarantine/replay",
        "/quarantine/dismiss",
        "/layerings",
        "/layerings/{layering_id}",
        "/layerings/{layering_id}/layers/{key}/people",
        "/layerings/{layering_id}/layers/{key}/export",
        "/layerings/{layering_id}/export",
        "/layerings/{layering_id}/layers/{key}/segment",
        "/layerings/{layering_id}/compare/{other}",
        "/segments",
        "/segments/{key}",
        "/segments/{key}/people",
        "/segments/{key}/export",
        "/people",
        "/people/{any_id}",
        "/people/{any_id}/orders",
        "/people/{any_id}/timeline",
        "/people/{any_id}/erase",
        "/query/clv",
        "/query/clv/export",
        "/sql",
        "/sql/export",
        "/sql/schema",
        "/data/health",
        "/data/flush",
        "/data/compact",
        "/events",
        "/settings",
        "/users",
        "/users/{user_id}",
        "/tokens",
        "/tokens/{token_id}",
        "/sources",
        "/sources/{source_id}/rotate",
        "/sources/{source_id}",
        "/audit",
        "/diagnostics",
        "/search",
    ]
    assert {f"/api/v1{path}" for path in agreed} <= set(document["paths"])
