"""Every page of the console, in a real browser, on the demo's data, in both languages."""

from __future__ import annotations

import datetime as dt
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Served

pytestmark = pytest.mark.browser

# Path, and a word each language must show on it.
PAGES = {
    "overview": ("/", "总览", "Overview"),
    "layerings": ("/people/layerings", "用户分层", "Layerings"),
    "segments": ("/people/segments", "用户分群", "Segments"),
    "people": ("/people", "共 [\\d,]+ 人", "People"),
    "portraits": ("/people/portraits", "画像完整度", "Portraits"),
    "things": ("/people/things", "群组与物品", "Groups and things"),
    "surveys": ("/people/surveys", "问卷", "Surveys"),
    "feedback": ("/people/feedback", "反馈", "Feedback"),
    "conflicts": ("/people/conflicts", "身份冲突", "Identity conflicts"),
    "boards": ("/analysis/boards", "看板", "Boards"),
    "questions": ("/analysis", "行为分析", "Behaviour"),
    "trends": ("/analysis/trends", "明细", "Table"),
    "funnel": ("/analysis/funnel", "流失", "Dropped"),
    "retention": ("/analysis/retention", "平均留存曲线", "Average retention"),
    "lifecycle": ("/analysis/lifecycle", "新来", "Resurrecting"),
    "stickiness": ("/analysis/stickiness", "活跃的时期数", "Active periods"),
    "paths": ("/analysis/paths", "平均间隔", "Mean time"),
    "distribution": ("/analysis/distribution", "基尼系数", "Gini"),
    "attribution": ("/analysis/attribution", "各模型的功劳", "Credit by model"),
    "sessions": ("/analysis/sessions", "平均时长", "Mean length"),
    "ltv": ("/analysis/ltv", "批次", "Cohort"),
    "metrics": ("/analysis/metrics", "购买转化率", "Distinct people"),
    "metric": ("/analysis/metrics/conversion", "分子 / 分母", "Numerator / denominator"),
    "metric-form": ("/analysis/metrics?new=1", "指标", "Metrics"),
    "aarrr": ("/analysis/aarrr", "新用户留存曲线", "Retention of new people"),
    "channels": ("/analysis/channels", "累计占比|收入从哪些渠道来", "Which channels revenue"),
    "channel-costs": ("/analysis/channels?costs=1", "渠道质量", "Channel quality"),
    "cspdd": ("/analysis/cspdd?all=1", "与众不同的组合", "Combinations that stand out"),
    "stages": ("/analysis/aarrr?stages=1", "AARRR", "AARRR"),
    "trees": ("/analysis/trees", "销售额拆解", "KPI trees"),
    "tree": ("/analysis/trees/sales", "给变化加了", "adds to the change"),
    "alerts": ("/settings/alerts", "销售额异常", "Alerts"),
    "alert-form": ("/settings/alerts?edit=sales", "告警", "Alerts"),
    "destinations": ("/settings/destinations", "通知渠道", "Destinations"),
    "board": ("/analysis/boards/1", "加购到支付", "Send"),
    "clv": ("/analysis/clv", "终身价值", "lifetime value"),
    "sql": ("/analysis/sql", "SQL", "SQL"),
    "imports": ("/data/imports", "数据导入", "Import"),
    "import-wizard": ("/data/imports/new", "导入", "Import"),
    "quarantine": ("/data/quarantine", "隔离区", "Quarantine"),
    "sources": ("/data/sources", "数据源", "Sources"),
    "debugger": ("/data/debugger", "实时调试", "Debugger"),
    "plan": ("/data/plan", "埋点方案", "Data plan"),
    "connectors": ("/data/connectors", "电商连接器", "Connectors"),
    "pulls": ("/data/connectors?tab=pulls", "新建拉取", "New pull"),
    "health": ("/data/health", "数据健康", "health"),
    "settings": ("/settings", "设置", "Settings"),
}


def open_page(page: Page, served: Served, path: str, language: str) -> None:
    # Not in frames: a sandboxed one has no storage.
    page.add_init_script(f"if (window === top) localStorage.setItem('tilth.language', '{language}')")
    page.goto(served.url + path)
    expect(page.locator("main")).to_be_visible(timeout=20_000)
    # Skeletons stand where data is still on its way.
    expect(page.locator(".ant-skeleton-active, .ant-spin-spinning")).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_itself_in_both_languages(page: Page, demo_company: Served, name: str, language: str) -> None:
    path, chinese, english = PAGES[name]
    open_page(page, demo_company, path, language)
    expect(page.locator("main")).to_contain_text(re.compile(chinese if language == "zh-CN" else english, re.IGNORECASE))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{language}.png", full_page=True)


@pytest.mark.parametrize(
    "name",
    [
        "overview",
        "layerings",
        "people",
        "import-wizard",
        "health",
        "sql",
        "clv",
        "sources",
        "debugger",
        "plan",
        "connectors",
        "pulls",
        "conflicts",
        "portraits",
        "things",
        "surveys",
        "feedback",
        "boards",
        "questions",
        "trends",
        "funnel",
        "retention",
        "paths",
        "attribution",
        "ltv",
        "metrics",
        "metric",
        "aarrr",
        "channels",
        "cspdd",
        "tree",
        "alerts",
        "destinations",
        "board",
    ],
)
def test_a_page_fits_a_phone(page: Page, demo_company: Served, name: str) -> None:
    page.set_viewport_size({"width": 375, "height": 812})
    open_page(page, demo_company, PAGES[name][0], "zh-CN")
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wider <= 0, f"{name} is {wider} px wider than a phone"
    page.screenshot(path=SCREENSHOTS / f"{name}-phone.png", full_page=True)


def test_the_overview_says_what_the_lake_says(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/", "en")
    answer = page.request.get(demo_company.url + "/api/v1/overview").json()
    shown = page.locator("main").inner_text()
    assert f"{answer['people']:,}" in shown
    assert f"{answer['repeat']['repeaters']:,}" in shown
    assert f"{answer['repeat']['buyers']:,}" in shown


def test_a_layer_leads_to_its_people_and_one_of_them_to_a_portrait(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/people/layerings", "zh-CN")
    saved = page.request.get(demo_company.url + "/api/v1/layerings").json()["saved"]
    rfm = next(s for s in saved if s["kind"] == "rfm")
    open_page(page, demo_company, f"/people/layerings/{rfm['id']}", "zh-CN")
    page.screenshot(path=SCREENSHOTS / "layering-rfm-zh-CN.png", full_page=True)
    page.get_by_text("忠诚客户", exact=True).last.click()
    page.locator("a[href*='/people/uid']").first.click()
    page.wait_for_url(re.compile(r"/people/[^/]+$"))
    expect(page.locator("main")).to_contain_text("订单")
    expect(page.locator(".ant-skeleton-active")).to_have_count(0, timeout=20_000)
    page.screenshot(path=SCREENSHOTS / "person-zh-CN.png", full_page=True)


def test_the_quality_report_and_the_migration_are_drawn(page: Page, demo_company: Served) -> None:
    saved = page.request.get(demo_company.url + "/api/v1/layerings").json()["saved"]
    rfm = next(s for s in saved if s["kind"] == "rfm")
    open_page(page, demo_company, f"/people/layerings/{rfm['id']}", "zh-CN")
    for tab in ("质量报告", "迁移"):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator("main canvas, main svg").first).to_be_visible()
        expect(page.locator(".ant-skeleton-active")).to_have_count(0, timeout=20_000)
        page.screenshot(
            path=SCREENSHOTS / f"layering-{'quality' if tab == '质量报告' else 'migration'}.png", full_page=True
        )


def test_the_sql_page_answers_and_refuses(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/analysis/sql", "en")

    def ask(statement: str) -> None:
        page.locator(".cm-content").click()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(statement)
        page.keyboard.press("ControlOrMeta+Enter")

    ask("SELECT kind, count(*) AS n FROM orders GROUP BY kind ORDER BY n DESC")
    expect(page.locator("main")).to_contain_text("purchase")
    chart = page.get_by_role("region", name="n by kind")
    expect(chart.locator("canvas")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "sql-answer.png", full_page=True)
    ask("SELECT strftime(day, '%Y-%m') AS month, sum(amount) AS revenue, count(*) AS n FROM orders GROUP BY month")
    expect(page.get_by_role("region", name="revenue by month").locator("canvas")).to_be_visible()
    page.get_by_label("Column to draw").click()
    page.locator(".ant-select-item-option", has_text="n").last.click()
    expect(page.get_by_role("region", name="n by month").locator("canvas")).to_be_visible()
    expect(page.locator(".ant-select-dropdown:visible")).to_have_count(0)
    page.set_viewport_size({"width": 375, "height": 800})
    page.screenshot(path=SCREENSHOTS / "sql-chart-phone.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    ask("DELETE FROM events")
    expect(page.locator("main")).to_contain_text("SELECT")


def test_dark_mode_is_dark(page: Page, demo_company: Served) -> None:
    page.add_init_script("localStorage.setItem('tilth.appearance', 'dark')")
    open_page(page, demo_company, "/", "zh-CN")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(v) for v in re.findall(r"\d+", background)[:3])
    assert red + green + blue < 200
    page.screenshot(path=SCREENSHOTS / "overview-dark.png", full_page=True)


def test_an_unknown_address_and_an_unknown_person_are_told_kindly(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/nowhere", "en")
    expect(page.locator("main")).to_contain_text(re.compile("no such page", re.IGNORECASE))


def test_someone_who_is_not_signed_in_sees_only_the_door(browser, demo_company: Served) -> None:  # type: ignore[no-untyped-def]
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo_company.url + "/people")
    page.wait_for_url(re.compile("/signin"))
    assert context.request.get(demo_company.url + "/api/v1/people").status == 401
    context.close()


def test_a_source_is_set_up_and_its_events_are_watched_as_they_arrive(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/data/sources", "zh-CN")
    page.get_by_label("名称").fill("mini-program")
    page.get_by_role("button", name="新建数据源").click()
    row = page.get_by_role("row").filter(has_text="mini-program")
    expect(row).to_be_visible()
    row.get_by_role("button", name=re.compile("设 ?置")).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("每秒最多事件数").fill("500")
    drawer.get_by_label("丢弃这些属性和特征").fill("phone,")
    page.screenshot(path=SCREENSHOTS / "source-settings-zh-CN.png", full_page=True)
    drawer.get_by_role("button", name=re.compile("保 ?存")).click()
    expect(drawer).to_have_count(0)
    sources = page.request.get(demo_company.url + "/api/v1/sources").json()["sources"]
    made = next(one for one in sources if one["name"] == "mini-program")
    assert (made["settings"]["events_per_second"], made["settings"]["privacy"]["fields"]) == (500, {"phone": "drop"})

    open_page(page, demo_company, "/data/debugger?source=mini-program", "zh-CN")
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    sent = httpx.post(
        demo_company.url + "/api/v1/events",
        json=[
            {"event": "share_tea", "distinct_id": "watcher", "properties": {"page": "/tea", "phone": "13900001111"}},
            {"event": "", "distinct_id": "watcher"},
        ],
        headers={"Authorization": f"Bearer {made['write_key']}"},
    )
    assert sent.json()["accepted"] == 1, sent.text
    request = page.locator(".requests > li").first
    expect(request).to_contain_text("share_tea")
    request.locator("summary").click()
    expect(request).to_contain_text("/tea")
    expect(request).to_contain_text("没读懂")
    expect(request).not_to_contain_text("13900001111")
    page.screenshot(path=SCREENSHOTS / "debugger-live-zh-CN.png", full_page=True)


def test_a_data_plan_is_inferred_saved_and_refused_where_it_is_wrong(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/data/plan?tab=plan", "zh-CN")
    editor = page.get_by_role("textbox", name="方案", exact=True)
    page.get_by_role("button", name="从数据推断").click()
    expect(editor).to_have_value(re.compile("events:"))
    page.get_by_role("button", name="保存并生效").click()
    expect(page.locator("main")).to_contain_text("第 1 版")
    page.screenshot(path=SCREENSHOTS / "plan-editor-zh-CN.png", full_page=True)
    editor.fill("mode: strict")
    page.get_by_role("button", name="保存并生效").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("mode")
    page.get_by_role("button", name="放弃修改").click()
    page.get_by_role("tab", name="收到的事件").click()
    page.locator(".ant-table-row-expand-icon").first.click()
    expect(page.get_by_role("tabpanel")).to_contain_text("覆盖")
    page.screenshot(path=SCREENSHOTS / "plan-events-zh-CN.png", full_page=True)


def test_a_connector_is_made_and_its_rules_are_tried_on_a_payload(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/data/connectors", "zh-CN")
    page.get_by_label("名称（数据源）").fill("my-shop")
    page.get_by_label("签名密钥").fill("shpss_secret")
    page.locator("main").get_by_role("button", name="新建连接器").click()
    row = page.get_by_role("row").filter(has_text="my-shop")
    expect(row).to_contain_text("/api/v1/hooks/my-shop")
    row.get_by_role("button", name="映射规则").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("示例内容（粘贴一条真实推送）").fill(
        '{"id": 7, "total_price": "88.00", "currency": "CNY", "customer": {"id": 9}, '
        '"created_at": "2026-06-01T00:00:00Z"}'
    )
    expect(drawer).to_contain_text("order-7-paid")
    page.screenshot(path=SCREENSHOTS / "connector-rules-zh-CN.png", full_page=True)
    drawer.get_by_label("规则（JSON）").fill('[{"event": "x", "event_id": ["$.a["]}]')
    expect(drawer).to_contain_text("rules[0].event_id")


def test_a_change_of_the_data_is_seen_and_acknowledged(page: Page, demo_company: Served) -> None:
    made = page.request.post(
        demo_company.url + "/api/v1/sources", data={"name": "drifting"}, headers={"Origin": demo_company.url}
    )
    newest = page.request.get(demo_company.url + "/api/v1/plan/observed").json()["through"]
    last = dt.date.fromisoformat(newest)
    told = [
        {"event": "checked_in", "distinct_id": f"c{n}", "event_id": f"ci-{back}-{n}",
         "timestamp": f"{last - dt.timedelta(days=back)}T08:00:00Z", "properties": {}}
        for back in range(7, 28) for n in range(10)
    ]  # fmt: skip
    key = {"Authorization": f"Bearer {made.json()['write_key']}"}
    assert httpx.post(demo_company.url + "/api/v1/events", json=told, headers=key).json()["accepted"] == len(told)
    # What was read a moment ago is believed for half a minute.
    page.wait_for_timeout(31_000)
    open_page(page, demo_company, "/data/plan?tab=drift", "zh-CN")
    row = page.get_by_role("row").filter(has_text="checked_in")
    expect(row).to_contain_text("停了")
    open_page(page, demo_company, "/", "zh-CN")
    expect(page.get_by_role("region", name="先看什么")).to_contain_text("数据变化待确认")
    open_page(page, demo_company, "/data/plan?tab=drift", "zh-CN")
    row.get_by_role("button", name="确认").or_(row.get_by_role("button", name="确 认")).first.click()
    expect(row).to_contain_text("已确认")
    page.screenshot(path=SCREENSHOTS / "plan-drift-zh-CN.png", full_page=True)


def test_a_pull_is_tried_made_run_and_its_history_read(page: Page, demo_company: Served) -> None:
    inbox = demo_company.folder / "inbox"
    inbox.mkdir(exist_ok=True)
    rows = "".join(f"{n},9{n},2026-06-01 10:00:00,1{n}.50\n" for n in range(1, 4))
    (inbox / "orders.csv").write_text("id,customer_id,updated_at,amount\n" + rows, "utf-8")
    open_page(page, demo_company, "/data/connectors?tab=pulls", "zh-CN")
    page.get_by_role("button", name="新建拉取").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("标识（保存后不可改）").fill("till")
    drawer.get_by_label("从哪里读取").click()
    page.get_by_title("服务器文件夹").click()
    drawer.get_by_label("文件夹", exact=True).fill("/etc")
    drawer.get_by_role("button", name="试连并预览").click()
    expect(drawer.get_by_role("region", name="预览")).to_contain_text("pull_folders")
    drawer.get_by_label("文件夹", exact=True).fill("inbox")
    drawer.get_by_role("button", name="试连并预览").click()
    expect(drawer.get_by_role("region", name="预览")).to_contain_text("order-3", timeout=15_000)
    page.screenshot(path=SCREENSHOTS / "pull-preview-zh-CN.png")
    drawer.get_by_role("button", name="保 存").or_(drawer.get_by_role("button", name="保存")).click()
    row = page.get_by_role("row").filter(has_text="till")
    expect(row).to_contain_text("正常", timeout=20_000)
    row.get_by_role("button", name="立即运行").click()
    row.get_by_role("button", name="运行记录").click()
    history = page.get_by_role("dialog")
    expect(history.get_by_role("row").filter(has_text="手动")).to_contain_text("完成", timeout=20_000)
    expect(history.get_by_role("row").filter(has_text="定时")).to_contain_text("orders.csv")
    page.screenshot(path=SCREENSHOTS / "pull-history-zh-CN.png")
    history.get_by_role("button", name="Close").or_(history.get_by_role("button", name="关闭")).first.click()
    page.screenshot(path=SCREENSHOTS / "pulls-list-zh-CN.png")
    row.get_by_role("button", name="从头再来").click()
    page.get_by_role("dialog").get_by_role("button", name="从头再来").click()
    expect(row).to_contain_text("从头")


def test_a_persons_ids_are_drawn_and_a_conflict_is_joined(page: Page, demo_company: Served) -> None:
    made = page.request.post(
        demo_company.url + "/api/v1/sources", data={"name": "app"}, headers={"Origin": demo_company.url}
    )
    told: list[dict[str, object]] = [
        {"type": "identify", "distinct_id": "mei-1", "anonymous_id": "pad-1", "identities": {"phone": "13911110000"}},
        {"type": "identify", "distinct_id": "mei-2", "anonymous_id": "pad-2"},
        {"type": "alias", "distinct_id": "mei-1", "previous_id": "mei-2"},
    ]
    for minute, one in enumerate(told):
        one["timestamp"] = f"2026-06-01T08:0{minute}:00Z"
    key = {"Authorization": f"Bearer {made.json()['write_key']}"}
    sent = httpx.post(demo_company.url + "/api/v1/events", json=told, headers=key)
    assert sent.json()["accepted"] == 3, sent.text
    open_page(page, demo_company, "/people/mei-1?tab=identity", "zh-CN")
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("登录")
    expect(panel).to_contain_text("两人都已登录")
    expect(panel.locator("canvas")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "identity-zh-CN.png", full_page=True)
    open_page(page, demo_company, "/people/conflicts", "zh-CN")
    page.get_by_role("row").filter(has_text="mei-2").get_by_role("button", name=re.compile("合 ?并")).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("合 ?并")).click()
    expect(page.locator("main")).to_contain_text("没有冲突")
    graph = page.request.get(demo_company.url + "/api/v1/people/mei-2/identity").json()
    assert {"mei-1", "mei-2"} <= {one["id"] for one in graph["ids"]}


def test_fields_of_a_portrait_are_chosen_and_a_thing_is_opened(page: Page, demo_company: Served) -> None:
    open_page(page, demo_company, "/people/portraits", "en")
    page.get_by_role("button", name="Choose fields").click()
    page.get_by_role("button", name="Add a field").click()
    expect(page.get_by_role("alert")).to_contain_text("Give it a name")
    page.get_by_label("Field", exact=True).last.fill("注册渠道")
    page.screenshot(path=SCREENSHOTS / "portraits-fields.png")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("注册渠道")
    open_page(page, demo_company, "/people/things", "en")
    page.locator("main tbody button").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("CNY")
    page.screenshot(path=SCREENSHOTS / "things-one.png")
