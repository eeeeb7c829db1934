"""The pages of pulls and of changes of the data, on a phone and by the rules of accessibility."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Served
from tests.browser.test_pages import open_page
from tests.browser.test_surveys import accessible, call

pytestmark = pytest.mark.browser

RULES = [{"event": "purchase", "event_id": ["order-", "$.id"], "person": "$.customer", "at": "$.at"}]


@pytest.mark.parametrize(("language", "width"), [("zh-CN", 1440), ("en", 375)])
def test_pulls_are_accessible_and_fit_any_width(page: Page, demo_company: Served, language: str, width: int) -> None:
    (demo_company.folder / "inbox").mkdir(exist_ok=True)
    key = f"tables-{width}"
    call(
        page,
        demo_company,
        "/pulls",
        {
            "key": key,
            "title": "Orders of the till",
            "connection": {
                "kind": "sql",
                "url": "sqlite:///inbox/none.db",
                "table": "orders",
                "mark": "at",
                "key": "id",
            },
            "rules": RULES,
            "every_minutes": 15,
        },
    )
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, demo_company, "/data/connectors?tab=pulls", language)
    row = page.get_by_role("row").filter(has_text=f" · {key}")
    expect(row).to_contain_text("cannot connect", timeout=15_000)
    accessible(page)
    page.screenshot(path=SCREENSHOTS / f"pulls-failing-{language}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for drawer in ("pull", "runs"):
        open_page(page, demo_company, f"/data/connectors?tab=pulls&{drawer}={key}", language)
        expect(page.get_by_role("dialog")).to_be_visible()
        # The drawer slides in; half-way it is half see-through.
        page.wait_for_timeout(600)
        accessible(page)
        page.screenshot(path=SCREENSHOTS / f"pulls-{drawer}-{language}-{width}.png")
    open_page(page, demo_company, "/data/plan?tab=drift", language)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
