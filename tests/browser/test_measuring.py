"""Metrics, alerts, destinations, boards and saved SQL as somebody clicks through them."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served
from tests.browser.test_pages import open_page

pytestmark = pytest.mark.browser


@pytest.fixture
def hook() -> Iterator[tuple[str, list[bytes]]]:
    """A webhook on this machine: its address and what came."""
    came: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/in", came
    server.shutdown()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).first.click()
    page.locator(".ant-select-dropdown:visible .ant-select-item-option").filter(has_text=option).first.click()


def test_a_metric_is_defined_seen_and_put_on_a_board(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/analysis/metrics?new=1", "en")
    page.get_by_label("Name", exact=True).fill("Carts per visitor")
    page.get_by_label("Key", exact=True).fill("carts")
    choose(page, "Kind", "Ratio")
    page.locator(".ant-drawer").get_by_role("button", name=re.compile("Save$")).click()
    expect(page).to_have_url(re.compile("/analysis/metrics/carts$"))
    expect(page.locator("main")).to_contain_text("Nothing uses it yet.")
    page.goto(f"{demo_company.url}/analysis/boards/1?edit=1")
    choose(page, "A metric", "Carts per visitor")
    page.get_by_role("button", name=re.compile("Save$")).first.click()
    expect(page.locator("main")).to_contain_text("Carts per visitor")
    page.goto(f"{demo_company.url}/analysis/metrics/carts")
    expect(page.get_by_role("link", name="经营日报")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Remove").last.click()
    expect(page.locator(".ant-message")).to_contain_text("经营日报")


def test_an_alert_tells_a_webhook_that_was_tested_first(
    page: Page, demo_company: Served, hook: tuple[str, list[bytes]]
) -> None:
    url, came = hook
    open_page(page, demo_company, "/settings/destinations?edit=%2B", "en")
    page.locator(".ant-drawer").get_by_label("Name", exact=True).fill("Our hook")
    choose(page, "Kind", "Webhook")
    page.get_by_label("URL", exact=True).fill(url)
    page.locator(".ant-drawer").get_by_role("button", name=re.compile("Save$")).click()
    page.get_by_role("button", name=re.compile("Send a test$")).click()
    expect(page.locator(".ant-message")).to_contain_text("Test sent")
    assert len(came) == 1
    expect(page.locator("main")).to_contain_text("127.0.0.1")
    open_page(page, demo_company, "/settings/alerts?edit=%2B", "en")
    page.locator(".ant-drawer").get_by_label("Name", exact=True).fill("Many visitors")
    page.locator(".ant-drawer").get_by_label("Key", exact=True).fill("many")
    choose(page, "Metric", "访客数")
    choose(page, "Condition", "past a limit")
    choose(page, "Which side", "above")
    choose(page, "Told to", "Our hook")
    page.keyboard.press("Escape")
    page.locator(".ant-drawer").get_by_role("button", name=re.compile("Save$")).click()
    expect(page.locator("main")).to_contain_text("each day: above 0")
    # The server judges it by itself within its round, and the webhook hears of it.
    expect(page.get_by_role("region", name="Incidents")).to_contain_text("Many visitors", timeout=90_000)
    page.get_by_role("button", name="I look after it").first.click()
    page.get_by_role("button", name="I look after it").last.click()
    expect(page.locator(".ant-message")).to_contain_text("It is yours")
    for _ in range(100):
        if len(came) > 1:
            break
        page.wait_for_timeout(200)
    assert "Many visitors" in came[1].decode()


def test_sql_is_saved_and_opened_again(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/analysis/sql?sql=SELECT%20count(*)%20AS%20n%20FROM%20events", "en")
    page.get_by_role("button", name=re.compile("Save as$")).click()
    page.get_by_label("Title", exact=True).fill("How many events")
    page.locator(".ant-popover").get_by_role("button", name=re.compile("Save$")).click()
    expect(page).to_have_url(re.compile("saved="))
    open_page(page, demo_company, "/analysis/sql", "en")
    choose(page, "Saved queries", "How many events")
    expect(page).to_have_url(re.compile("sql=SELECT"))
    expect(page.locator("main")).to_contain_text("Result")


def test_a_link_that_was_cut_short_is_not_taken_for_another_question(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/analysis/trends?q=%7B%22event%22%3A", "en")
    expect(page.locator("main")).to_contain_text("The question in the address cannot be read")
    page.get_by_role("button", name="Begin anew").click()
    expect(page.locator("main")).to_contain_text("Table")
