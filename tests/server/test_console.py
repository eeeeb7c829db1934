"""The console's files, the fallback to its page, and the headers."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from litestar.testing import TestClient

from tests.server.conftest import Client
from tilth.server.app import create_app
from tilth.workspace import Workspace


@pytest.mark.parametrize("path", ["/", "/people", "/people/layerings/3?layer=new", "/signin?token=abc", "/a/b/c.d"])
def test_every_other_address_is_the_console_page(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "<title>Tilth</title>" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_hashed_files_are_kept_for_ever_and_sent_packed(client: Client) -> None:
    answer = client.get("/assets/app-1a2b3c.js")
    assert answer.text.startswith("console.log")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get("/assets/app-1a2b3c.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text


def test_a_large_file_is_packed_once(client: Client, static: Path) -> None:
    answer = client.get("/assets/large-4d5e6f.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == (static / "assets" / "large-4d5e6f.js").read_text("utf-8")


def test_an_unchanged_file_is_not_sent_again(client: Client) -> None:
    etag = client.get("/").headers["etag"]
    answer = client.get("/", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert answer.content == b""


def test_a_missing_hashed_file_is_a_404_and_not_a_page(client: Client) -> None:
    assert client.get("/assets/gone-000000.js").status_code == 404


def test_a_new_build_is_served_without_a_restart(client: Client, static: Path) -> None:
    client.get("/")
    (static / "index.html").write_text("<title>New</title>", "utf-8")
    assert "New" in client.get("/").text


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/.hidden", "/assets//x",
     "/etc/passwd", "/%00", "/link.txt"],
)  # fmt: skip
def test_nothing_outside_the_folder_is_served(client: Client, static: Path, path: str) -> None:
    (static.parent / "secret.txt").write_text("secret", "utf-8")
    (static / ".hidden").write_text("secret", "utf-8")
    (static / "link.txt").symlink_to(static.parent / "secret.txt")
    answer = client.get(path)
    assert "secret" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/session", "/api/v1/nothing", "/api/v1/overview"])
def test_every_answer_has_the_guarding_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy, "nothing is loaded from elsewhere"


def test_answers_about_people_are_not_kept_by_caches(client: Client) -> None:
    assert client.get("/api/v1/session").headers["cache-control"] == "no-store"


def test_without_a_built_console_the_page_says_how_to_build_it(workspace: Workspace, tmp_path: Path) -> None:
    with TestClient(create_app(workspace, static=tmp_path / "none", background=False)) as client:
        answer = client.get("/people")
        assert answer.status_code == 200
        assert "npm run build" in answer.text
        assert "控制台" in answer.text
        assert client.get("/api/v1/session").status_code == 200


def test_a_head_request_has_the_headers_and_no_body(client: Client) -> None:
    answer = client.head("/")
    assert answer.status_code == 200
    assert answer.content == b""


def test_packed_files_unpack_to_the_file(static: Path) -> None:
    from tilth.server.console import Console

    answer = Console(static).answer("assets/app-1a2b3c.js", {"accept-encoding": "gzip, br"})
    assert gzip.decompress(answer.content) == (static / "assets" / "app-1a2b3c.js").read_bytes()
