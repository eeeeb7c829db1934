"""Questions asked in the console: changed in the sentence, saved, shared; people behind a number; stopped."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Served
from tests.browser.test_pages import open_page

FUNNEL = {"steps": ["view", "cart", "checkout", "pay"], "window": None}


def asked(page: Page) -> dict[str, object]:
    """The question in the page's address."""
    found: dict[str, object] = json.loads(parse_qs(urlsplit(page.url).query)["q"][0])
    return found


def ask(page: Page, kind: str, question: dict[str, object]) -> dict[str, Any]:
    """What the server says to the page's own session."""
    answer: dict[str, Any] = page.evaluate(
        """([kind, body]) => fetch(`/api/v1/query/${kind}`, {
            method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)
        }).then((answer) => answer.json())""",
        [kind, question],
    )
    return answer


def settled(page: Page) -> None:
    expect(page.locator(".ant-skeleton-active, [aria-busy=true]")).to_have_count(0, timeout=30_000)


def test_a_funnel_is_changed_in_its_sentence_and_says_what_the_server_says(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, f"/analysis/funnel?q={quote(json.dumps(FUNNEL))}", "en")
    answer = ask(page, "funnel", FUNNEL)
    main = page.locator("main")
    for step in answer["steps"]:
        expect(main).to_contain_text(f"{step['people']:,}")
    page.get_by_role("button", name=re.compile("^Breakdown")).click()
    page.get_by_role("combobox", name="Breakdown").fill("device")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    settled(page)
    assert asked(page)["breakdown"] == ["device"]
    expect(main.get_by_role("heading", name="Breakdown")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "funnel-breakdown.png", full_page=True)


def test_people_behind_a_step_become_a_segment(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, f"/analysis/funnel?q={quote(json.dumps(FUNNEL))}", "en")
    settled(page)
    page.get_by_role("button", name=re.compile("The people of 2\\. cart")).first.click()
    drawer = page.get_by_role("dialog").first
    expect(drawer.locator("li a").first).to_be_visible()
    page.wait_for_timeout(400)
    page.screenshot(path=SCREENSHOTS / "funnel-people.png")
    drawer.get_by_role("button", name="Save as a segment").click()
    page.get_by_label("Name").fill("Put in a cart")
    page.get_by_label("Key").fill("carts")
    page.get_by_role("dialog").last.get_by_role("button", name=re.compile("Save$")).click()
    page.wait_for_url(re.compile("/people/segments/carts$"))
    expect(page.locator("main")).to_contain_text("from Funnel")
    kept = page.request.get(demo_company.url + "/api/v1/segments/carts").json()
    behind = ask(page, "funnel/people", {**FUNNEL, "which": {"step": 1}})
    assert kept["people"] == behind["total"] > 0


def test_a_question_is_saved_found_and_opened(page: Page, demo_company: Served) -> None:
    question = {"series": [{"event": "pay", "metric": "people"}], "interval": "week"}
    open_page(page, demo_company, f"/analysis/trends?q={quote(json.dumps(question))}", "en")
    settled(page)
    page.locator("main").get_by_role("button", name=re.compile("Save$")).click()
    page.get_by_label("Title").fill("Payers by week")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Save$")).click()
    expect(page).to_have_url(re.compile("saved=\\d+"))
    open_page(page, demo_company, "/analysis", "en")
    page.get_by_role("link", name="Payers by week").click()
    settled(page)
    assert asked(page) == question
    page.keyboard.press("ControlOrMeta+k")
    page.get_by_role("dialog").get_by_role("combobox").fill("payers")
    expect(page.get_by_role("dialog")).to_contain_text("Payers by week")


def test_what_is_wrong_is_shown_where_it_stands(page: Page, demo_company: Served) -> None:
    wrong = {"steps": ["view", "carts"]}
    open_page(page, demo_company, f"/analysis/funnel?q={quote(json.dumps(wrong))}", "en")
    expect(page.get_by_role("alert")).to_contain_text("did you mean cart")
    expect(page.locator(".sentence .part.wrong")).to_have_count(1)
    page.get_by_role("button", name="The question as JSON").click()
    page.get_by_role("textbox", name="The question as JSON").fill("{")
    expect(page.get_by_role("button", name="Ask this")).to_be_disabled()
    page.get_by_role("textbox", name="The question as JSON").fill(json.dumps({"steps": ["view", "cart"]}))
    page.get_by_role("button", name="Ask this").click()
    settled(page)
    expect(page.locator(".sentence .part.wrong")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Of the step before")


def test_a_cell_of_retention_opens_its_people(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/analysis/retention", "zh-CN")
    settled(page)
    page.locator(".cohorts button").first.click()
    expect(page.get_by_role("dialog").locator("li a").first).to_be_visible()


def test_every_parameter_has_a_place(page: Page, demo_company: Served) -> None:
    document = page.request.get(demo_company.url + "/api/v1/openapi.json").json()
    assert document["paths"]
    open_page(page, demo_company, f"/analysis/funnel?q={quote(json.dumps(FUNNEL))}", "en")
    settled(page)
    page.get_by_role("button", name="More", exact=True).click()
    drawer = page.get_by_role("dialog")
    for label in ("must stay the same", "Whose value", "Bins", "distinguishes", "Weeks start on", "Time zone"):
        expect(drawer).to_contain_text(label)
    page.wait_for_timeout(400)
    page.screenshot(path=SCREENSHOTS / "funnel-more.png")
