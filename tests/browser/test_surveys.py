"""Surveys and feedback as people use them: the form on a phone without scripts, the pages in the console."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENSHOTS, Served
from tests.browser.test_pages import open_page
from tests.collect.surveys.made import tea
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.browser

AXE = REPOSITORY / "console" / "node_modules" / "axe-core" / "axe.min.js"


def accessible(page: Page) -> None:
    """No violation of WCAG 2.1 A or AA. The checker is evaluated, not loaded: the pages let nothing in."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (make lint installs it)")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], iframes: false})"
    )
    problems = [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in found["violations"]]
    assert problems == []


def call(page: Page, served: Served, path: str, body: Any = None) -> Any:
    answer = page.request.post(
        f"{served.url}/api/v1{path}", data=body if body is not None else {}, headers={"Origin": served.url}
    )
    assert answer.ok, answer.text()
    return answer.json()


@pytest.fixture(scope="module")
def ready() -> dict[str, bool]:
    return {}


@pytest.fixture
def survey(page: Page, demo_company: Served, ready: dict[str, bool]) -> str:
    """An open, public survey with a question of every kind."""
    if not ready:
        ready["made"] = True
        call(page, demo_company, "/surveys", msgspec.to_builtins(tea(public=True)))
        call(page, demo_company, "/surveys/tea-2026/open")
    return "tea-2026"


def test_the_form_is_filled_in_on_a_phone_without_scripts(
    browser: Browser, page: Page, demo_company: Served, survey: str
) -> None:
    phone = browser.new_context(viewport={"width": 375, "height": 812}, java_script_enabled=False)
    try:
        form = phone.new_page()
        form.goto(f"{demo_company.url}/s/{survey}")
        form.screenshot(path=SCREENSHOTS / "survey-form-phone.png", full_page=True)
        for label in form.locator("label.choice").all():
            box = label.bounding_box()
            assert box is not None
            assert box["height"] >= 44
            assert box["x"] + box["width"] <= 375
        form.get_by_label("还想说什么？").fill("茶很好，包装可以再简单些")
        form.get_by_role("button", name="提交").click()
        expect(form.get_by_role("alert")).to_contain_text("您愿意把我们推荐给朋友吗？")
        expect(form.get_by_label("还想说什么？")).to_have_value("茶很好，包装可以再简单些")
        form.screenshot(path=SCREENSHOTS / "survey-form-error-phone.png", full_page=True)
        form.get_by_role("group", name="您愿意把我们推荐给朋友吗？").get_by_label("9", exact=True).check()
        form.get_by_label("绿茶").check()
        form.get_by_label("morning").check()
        form.get_by_role("group", name="口味").get_by_label("4", exact=True).check()
        form.get_by_role("button", name="提交").click()
        expect(form.locator("h1")).to_have_text("谢谢您的回答")
        form.screenshot(path=SCREENSHOTS / "survey-thanks-phone.png")
        form.goto(f"{demo_company.url}/s/{survey}?t=forged")
        expect(form.locator("h1")).to_have_text("链接无效")
    finally:
        phone.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_is_accessible_and_fits(
    browser: Browser, page: Page, demo_company: Served, survey: str, scheme: Any, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 812}, color_scheme=scheme, bypass_csp=True)
    try:
        form = context.new_page()
        refused: list[str] = []
        form.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        form.goto(f"{demo_company.url}/s/{survey}")
        assert form.evaluate("document.documentElement.scrollWidth") <= 375
        accessible(form)
        form.get_by_role("button", name="提交").click()
        expect(form.get_by_role("alert")).to_be_visible()
        accessible(form)
        form.screenshot(path=SCREENSHOTS / f"survey-form-{scheme}.png", full_page=True)
        assert [one for one in refused if "Content Security" in one] == []
    finally:
        context.close()


def test_a_survey_is_written_opened_sent_and_read(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/people/surveys?edit=new", "zh-CN")
    editor = page.get_by_role("dialog")
    editor.get_by_label("标题", exact=True).fill("到店体验")
    editor.get_by_label("标识（地址的一部分）").fill("visit")
    editor.get_by_role("button", name="添加问题").click()
    second = editor.get_by_role("region", name="第 2 题")
    second.get_by_label("问题", exact=True).fill("还想说什么？")
    second.get_by_label("作为反馈跟进").check()
    frame = editor.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("到店体验")
    expect(frame.locator("textarea")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "survey-editor-zh-CN.png")
    editor.get_by_label("标识（地址的一部分）").fill("Not A Key")
    editor.get_by_role("button", name=re.compile("保 ?存")).click()
    expect(editor).to_contain_text("key")
    editor.get_by_label("标识（地址的一部分）").fill("visit")
    editor.get_by_role("button", name=re.compile("保 ?存")).click()
    expect(editor).to_have_count(0)
    page.get_by_role("link", name="到店体验").click()
    page.get_by_role("button", name=re.compile("开 ?放")).click()
    expect(page.locator("main")).to_contain_text("开放中")
    person = page.request.get(f"{demo_company.url}/api/v1/people?limit=1").json()["people"][0]
    page.get_by_role("tab", name="链接").click()
    page.get_by_label("用户标识（每行一个，任意类型）").fill(f"{person['distinct_ids'][0]['id']}\nnobody")
    page.get_by_role("button", name="生成链接").click()
    expect(page.locator("main")).to_contain_text("已生成 1 个链接")
    expect(page.locator("main")).to_contain_text("nobody")
    page.screenshot(path=SCREENSHOTS / "survey-links-zh-CN.png", full_page=True)
    made = call(page, demo_company, "/surveys/visit/links", {"ids": [person["distinct_ids"][0]["id"]]})
    sent = httpx.post(made["links"][0]["url"], data={"q_nps": "10", "q_q2": "服务周到"})
    assert sent.status_code == 200
    open_page(page, demo_company, "/people/surveys/visit", "en")
    expect(page.locator("main")).to_contain_text("Net promoter score")
    expect(page.locator("main")).to_contain_text("服务周到")
    page.get_by_role("tab", name="Preview").click()
    expect(page.frame_locator("iframe").locator("h1")).to_have_text("到店体验")


def test_the_demos_survey_is_read_from_what_was_imported(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/people/surveys/needs", "en")
    found = page.request.get(f"{demo_company.url}/api/v1/surveys/needs/results").json()
    assert found["people"] > 100
    score = found["questions"][0]["nps"]
    assert score["low"] < score["score"] < score["high"]
    expect(page.locator("main")).to_contain_text(f"{score['score']:.1f}")
    page.screenshot(path=SCREENSHOTS / "survey-demo-en.png")


@pytest.mark.parametrize("width", [1440, 375])
def test_results_are_drawn_with_their_denominators(page: Page, demo_company: Served, survey: str, width: int) -> None:
    for number in range(3):
        form = httpx.get(f"{demo_company.url}/s/{survey}").text
        once = form.split('name="once" value="')[1][:32]
        data = {"once": once, "q_recommend": str(8 + number), "q_favourite": "green", "q_taste": str(3 + number % 3)}
        assert httpx.post(f"{demo_company.url}/s/{survey}", data=data).status_code == 200
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, demo_company, f"/people/surveys/{survey}", "zh-CN")
    expect(page.locator("main")).to_contain_text("人回答了这题")
    expect(page.locator("main")).to_contain_text("95% 区间")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.screenshot(path=SCREENSHOTS / f"survey-results-{width}.png", full_page=True)
    accessible(page)


def test_feedback_is_worked_through_with_the_keyboard_and_closing_is_undone(page: Page, demo_company: Served) -> None:
    source = call(page, demo_company, "/sources", {"name": "app-feedback"})
    events = [
        {"event": "feedback", "distinct_id": f"f-{n}", "event_id": f"f-{n}",
         "properties": {"text": text, "topic": "口味", "rating": n, "channel": "小程序"}}
        for n, text in enumerate(("茶太苦了", "包装破了", "想要小罐装"))
    ]  # fmt: skip
    key = {"Authorization": f"Bearer {source['write_key']}"}
    assert httpx.post(f"{demo_company.url}/api/v1/events", json=events, headers=key).status_code == 200
    open_page(page, demo_company, "/people/feedback?topic=口味", "zh-CN")
    expect(page.locator("main")).to_contain_text("想要小罐装")
    page.screenshot(path=SCREENSHOTS / "feedback-work-zh-CN.png", full_page=True)
    accessible(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("茶太苦了")
    drawer.get_by_role("button", name="由我负责").click()
    expect(drawer).to_contain_text("owner@example.com")
    drawer.get_by_label("答复", exact=True).fill("请试试白茶，更清淡。")
    drawer.get_by_role("button", name="记为已答复").click()
    expect(drawer.locator(".pill")).to_have_text("已答复")
    page.screenshot(path=SCREENSHOTS / "feedback-drawer-zh-CN.png")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("茶太苦了")
    for key_pressed in "kxjx":
        page.keyboard.press(key_pressed)
    page.get_by_role("button", name="关闭所选 2 条").click()
    expect(page.locator("main")).not_to_contain_text("想要小罐装")
    page.get_by_role("button", name=re.compile("撤 ?销")).click()
    expect(page.locator("main")).to_contain_text("想要小罐装")
    page.set_viewport_size({"width": 375, "height": 812})
    open_page(page, demo_company, "/people/feedback?status=all", "en")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.screenshot(path=SCREENSHOTS / "feedback-all-phone.png", full_page=True)
