"""A served workspace and a browser to look at it with."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.chromium import find_chromium
from tests.conftest import REPOSITORY, require_or_skip

STATIC = REPOSITORY / "src" / "tilth" / "server" / "static" / "index.html"
SCREENSHOTS = Path(os.environ.get("TILTH_SCREENSHOTS", REPOSITORY / "test-results" / "screenshots"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium; the tests are skipped by name where there is none."""
    path = find_chromium()
    if path is None:
        require_or_skip("chromium", "no Chromium found (set TILTH_CHROMIUM, or install one)")
    if not STATIC.exists():
        pytest.fail("the console is not built: run `make console`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                  "--disable-background-networking", "--disable-component-update"],
        )  # fmt: skip
        yield browser
        browser.close()


@dataclass
class Served:
    """A running `tilth` server: where it is, and its one-time sign-in link."""

    url: str
    link: str
    folder: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(command: list[str], folder: Path, log: Path) -> tuple[subprocess.Popen[bytes], Served]:
    """Start a command that serves, wait until it is ready and read the link it prints."""
    port = _free_port()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tilth.cli.main", *command, "--port", str(port), "--workspace", str(folder)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server stopped: {log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            time.sleep(0.2)
    else:
        process.kill()
        pytest.fail(f"the server was not ready: {log.read_text()[-2000:]}")
    deadline = time.monotonic() + 10
    while True:
        found = re.search(r"http://\S+/signin\?token=\S+", log.read_text())
        if found or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return process, Served(url=url, link=found.group(0) if found else "", folder=folder)


@pytest.fixture(scope="package")
def demo_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo with a small simulated company."""
    folder = tmp_path_factory.mktemp("demo")
    process, served = serve(["demo", "--people", "3000"], folder / "workspace", folder / "log")
    yield served
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="package")
def signed_in(browser: Browser, demo_company: Served) -> Iterator[BrowserContext]:
    """A browser that followed the one-time link and set a password, as a first customer does."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.goto(demo_company.link)
    page.get_by_label("邮箱").fill("owner@example.com")
    page.locator("input[type=password]").fill("correct horse battery")
    page.locator("button[type=submit]").click()
    page.wait_for_url(lambda url: "signin" not in url, timeout=20_000)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A fresh tab; the test fails when the console logs an error or a request is answered with 5xx."""
    page = signed_in.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    # A refused request (4xx) is an answer the page shows; the browser logs it all the same.
    page.on(
        "console",
        lambda m: (
            problems.append(f"console: {m.text}")
            if m.type == "error" and "Failed to load resource" not in m.text
            else None
        ),
    )
    page.on("response", lambda r: problems.append(f"{r.status} {r.url}") if r.status >= 500 else None)
    yield page
    page.close()
    assert problems == []
