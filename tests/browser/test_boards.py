"""A board in the console: made of the events there are, changed, kept, asked of one range."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Served
from tests.browser.test_pages import open_page


def test_a_board_is_made_laid_out_and_kept(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/analysis/boards", "zh-CN")
    page.get_by_role("button", name="新建 AARRR 看板").click()
    page.wait_for_url(re.compile("/analysis/boards/\\d+$"))
    expect(page.locator(".tile")).to_have_count(14)
    expect(page.locator(".tile canvas").first).to_be_visible(timeout=20_000)
    expect(page.locator(".tile .ant-skeleton-active")).to_have_count(0, timeout=30_000)
    assert page.locator(".tile [role=alert]").count() == 0
    page.screenshot(path=SCREENSHOTS / "board-zh-CN.png", full_page=True)

    page.get_by_role("button", name=re.compile("编辑$")).click()
    tile = page.locator(".tile").nth(1)
    tile.get_by_label("宽（列）").fill("12")
    tile.get_by_label("宽（列）").blur()
    tile.get_by_role("button", name="后移").click()
    page.get_by_role("button", name=re.compile("文字$")).click()
    page.locator(".tile").last.get_by_label("文字").fill("先看留存。")
    page.get_by_role("button", name=re.compile("保\\s?存$")).click()
    expect(page.get_by_role("button", name=re.compile("编辑$"))).to_be_visible()
    number = page.url.split("?")[0].rsplit("/", 1)[1]
    board = page.request.get(f"{demo_company.url}/api/v1/boards/{number}").json()
    assert (board["version"], len(board["tiles"]), board["tiles"][2]["width"]) == (2, 15, 12)
    assert board["tiles"][-1]["text"] == "先看留存。"

    page.get_by_role("button", name=re.compile("时间")).first.click()
    page.get_by_role("button", name="最近 30 天").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="打开").first).to_have_attribute("href", re.compile("30d"))
    page.set_viewport_size({"width": 375, "height": 812})
    # Charts follow the window a moment later.
    wider = 1
    for _ in range(50):
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wider <= 0:
            break
        page.wait_for_timeout(100)
    assert wider <= 0
