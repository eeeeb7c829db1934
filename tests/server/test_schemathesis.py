"""Requests made up from our own OpenAPI document: never a 5xx, and every answer is as the document says.

The short run is part of every test run; the long one (`make test-slow`) sends fifty times as many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from litestar.testing import TestClient
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tilth.server.app import create_app
from tilth.settings import Settings
from tilth.workspace import Workspace

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# An endless stream; what would end the caller's own rights; what would go out to the network.
LEFT_OUT = r"^/api/v1/(debugger/stream|pulls/preview)$"
ENDS_RIGHTS = r"^/api/v1/(session|tokens/\{token_id\})$"
EVENTS = "/api/v1/events"
KNOBS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
    "database": None,
}


@dataclass
class Api:
    """The document of a served workspace, and what lets requests in."""

    document: Any
    token: str
    write_key: str
    client: Any


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A workspace with a few people's events in it."""
    folder = tmp_path_factory.mktemp("api")
    static = folder / "static"
    static.mkdir()
    (static / "index.html").write_text("<!doctype html>", "utf-8")
    with Workspace.create(folder / "workspace", Settings(currency="CNY")) as workspace:
        app = create_app(workspace, static=static, background=False)
        token = app.state["context"].tokens.create("schemathesis", "admin", "test")[1]
        key = workspace.collect.sources.create("shop").write_key
        with TestClient(app, base_url="http://tilth.test") as client:

            async def requests_alone(scope: Any, receive: Any, send: Any) -> None:
                # Starting and stopping is the client's above: a server that stops says so and answers no more.
                if scope["type"] == "http":
                    await app(scope, receive, send)

            sent = client.post("/api/v1/events", json=ORDERS, headers={"Authorization": f"Bearer {key}"})
            assert sent.status_code == 200, sent.text
            document = schemathesis.openapi.from_asgi("/api/v1/openapi.json", requests_alone)
            yield Api(
                document.exclude(path_regex=LEFT_OUT).exclude(path_regex=ENDS_RIGHTS, method="DELETE"),
                token,
                key,
                client,
            )


ORDERS = [
    {
        "event": "purchase",
        "distinct_id": f"p{n % 7}",
        "event_id": f"o{n}",
        "timestamp": f"2026-06-{n % 28 + 1:02d}",
        "properties": {"order_id": n, "amount": n + 0.5, "product": "Longjing"},
    }
    for n in range(60)
]


def _sender(operation: Any, right: dict[str, str], knobs: settings) -> Callable[[], None]:
    @knobs
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, headers=right)

    return send


def wrong_answers(api: Api, examples: int, *, same: bool) -> list[str]:
    """What was not as documented, a line each, over all routes. same: the same requests every time."""
    wrong: list[str] = []
    routes = 0
    for found in api.document.get_all_operations():
        operation = found.ok()
        routes += 1
        # Events are sent with a write key, all else as an admin.
        right = {"Authorization": f"Bearer {api.write_key if operation.path == EVENTS else api.token}"}
        send = _sender(operation, right, settings(max_examples=examples, derandomize=same, **KNOBS))
        try:
            send()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - every kind is told with its route
            wrong.append(f"{operation.label}: {error}"[:3_000])
    assert routes > 80
    return wrong


def test_every_route_answers_as_documented(api: Api) -> None:
    wrong = wrong_answers(api, 15, same=True)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_every_route_answers_as_documented_whatever_is_sent(api: Api) -> None:
    wrong = wrong_answers(api, 300, same=False)
    assert not wrong, "\n\n".join(wrong)


def test_an_id_of_a_hundred_digits_is_no_500(api: Api) -> None:
    huge = int("9" * 100)
    for path, item in api.document.raw_schema["paths"].items():
        for method in item:
            if "_id}" not in path or method not in ("get", "post", "put", "patch", "delete"):
                continue
            address = re.sub(r"\{\w+\}", str(huge), path)
            answer = api.client.request(method, address, json={}, headers={"Authorization": f"Bearer {api.token}"})
            assert answer.status_code in (400, 404), f"{method} {path}: {answer.status_code} {answer.text[:200]}"
