"""A server over an empty workspace, and callers of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tilth.server.accounts import ROLES
from tilth.server.app import create_app
from tilth.server.context import Context
from tilth.workspace import Workspace

Client = TestClient[Litestar]
Headers = dict[str, str]


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A built console of three files."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Tilth</title>", "utf-8")
    (folder / "assets" / "app-1a2b3c.js").write_text("console.log('tilth');" * 200, "utf-8")
    (folder / "assets" / "large-4d5e6f.js").write_text("".join(f"f{i * 7919 % 10007}();" for i in range(5000)), "utf-8")
    (folder / "favicon.svg").write_text("<svg/>", "utf-8")
    return folder


@pytest.fixture
def app(workspace: Workspace, static: Path) -> Litestar:
    return create_app(workspace, static=static, background=False)


@pytest.fixture
def context(app: Litestar) -> Context:
    found: Context = app.state["context"]
    return found


@pytest.fixture
def client(app: Litestar) -> Iterator[Client]:
    with TestClient(app, base_url="http://tilth.test") as made:
        yield made


@pytest.fixture
def tokens(context: Context) -> dict[str, Headers]:
    """A Bearer header for each role."""
    return {role: {"Authorization": f"Bearer {context.tokens.create(role, role, 'test')[1]}"} for role in ROLES}


@pytest.fixture
def admin(tokens: dict[str, Headers]) -> Headers:
    return tokens["admin"]


@pytest.fixture
def write_key(context: Context) -> Headers:
    return {"Authorization": f"Bearer {context.workspace.collect.sources.create('shop').write_key}"}


@pytest.fixture
def sign_in(client: Client, context: Context) -> Callable[..., Any]:
    """Signs the client in as a new account; unsafe calls then need the Origin header."""

    def sign(role: str = "admin", email: str = "lin@example.com") -> Any:
        account = context.accounts.create("Lin", role, email)
        answer = client.post("/api/v1/session/link", json={"token": context.accounts.link(account.id)})
        assert answer.status_code == 200, answer.text
        return account

    return sign


SAME_ORIGIN = {"Origin": "http://tilth.test"}
