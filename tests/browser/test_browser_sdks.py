"""The browser SDKs, unmodified from their packages, in a real browser on a page of another origin.

Their events are some time apart: these SDKs send each in a request of its own, and what a request takes on the
way is all that their times are corrected by.
"""

from __future__ import annotations

import functools
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.server.live import live
from tilth.collect import Source, SourceSettings
from tilth.lake.sql import SqlDoor
from tilth.workspace import Workspace

pytestmark = pytest.mark.browser

PACKAGES = Path(__file__).parents[2] / "console" / "node_modules"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def shop_page(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder served on an origin of its own; `sdks` in it are the packages."""
    if not (PACKAGES / "posthog-js").exists():
        pytest.skip("the browser SDKs are not installed (make test does)")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "sdks").symlink_to(PACKAGES)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path / "page"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path / "page", f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def running(workspace: Workspace) -> Iterator[tuple[str, Source, Workspace]]:
    source = workspace.collect.sources.create("web")
    with live(workspace) as address:
        yield address, source, workspace


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def rows(workspace: Workspace) -> list[tuple[str, str]]:
    found = SqlDoor(workspace.lake).run("SELECT event, distinct_id FROM events ORDER BY ts, event").rows
    return [(str(event), str(person)) for event, person in found]


def until(condition: Callable[[], bool], tab: Page) -> None:
    """Wait while the page goes on sending."""
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        tab.wait_for_timeout(100)
    assert condition()


def open_with(tab: Page, shop_page: tuple[Path, str], head: str) -> None:
    folder, origin = shop_page
    (folder / "index.html").write_text(f"<!doctype html><meta charset=utf-8><title>Shop</title>{head}", "utf-8")
    tab.goto(f"{origin}/index.html")


POSTHOG = """<script type="module">
import posthog from './sdks/posthog-js/dist/module.no-external.js'
posthog.init('{key}', {{ api_host: '{address}', opt_out_useragent_filter: true, capture_pageview: false,
  autocapture: false, disable_session_recording: true, request_batching: {batching} }})
posthog.capture('viewed tea', {{ page: '/tea' }})
await new Promise((done) => setTimeout(done, 300))
posthog.identify('u1', {{ city: '杭州' }})
posthog.capture('paid', {{ amount: 88 }})
</script>"""


@pytest.mark.parametrize("batching", ["true", "false"])
def test_posthog_js(
    tab: Page, shop_page: tuple[Path, str], running: tuple[str, Source, Workspace], batching: str
) -> None:
    address, source, workspace = running
    open_with(tab, shop_page, POSTHOG.format(key=source.write_key, address=address, batching=batching))
    until(lambda: {"viewed tea", "paid"} <= {event for event, _ in rows(workspace)}, tab)
    answer = workspace.behavior.funnel(steps=["viewed tea", "paid"], range={"last": "2d"})
    assert [step.people for step in answer.steps] == [1, 1]
    assert {t.name: t.value for t in workspace.people.get("u1").traits}["city"] == "杭州"


SEGMENT = """<script src="./sdks/@segment/analytics-next/dist/umd/index.js"></script><script>
const segment = {{ apiKey: '{key}', apiHost: '{host}/v1', protocol: 'http' }}
const [page] = [AnalyticsNext.AnalyticsBrowser.load(
  {{ writeKey: '{key}', cdnSettings: {{ integrations: {{ 'Segment.io': segment }} }} }},
  {{ integrations: {{ 'Segment.io': segment }} }})]
page.track('viewed tea', {{ page: '/tea' }})
setTimeout(() => {{
  page.identify('u1', {{ city: '杭州' }})
  page.track('paid', {{ amount: 88 }})
  page.page('Tea')
}}, 300)
</script>"""


def test_segment_analytics_next(tab: Page, shop_page: tuple[Path, str], running: tuple[str, Source, Workspace]) -> None:
    address, source, workspace = running
    open_with(tab, shop_page, SEGMENT.format(key=source.write_key, host=address.removeprefix("http://")))
    until(lambda: {"viewed tea", "paid", "page"} <= {event for event, _ in rows(workspace)}, tab)
    answer = workspace.behavior.funnel(steps=["viewed tea", "paid"], range={"last": "2d"})
    assert [step.people for step in answer.steps] == [1, 1]
    assert {t.name: t.value for t in workspace.people.get("u1").traits}["city"] == "杭州"


SENSORS = """<script src="./sdks/sa-sdk-javascript/sensorsdata.min.js"></script><script>
const sensors = window['sensorsDataAnalytic201505']
sensors.init({{ server_url: '{address}/sa?project={key}', is_track_single_page: false, use_client_time: true,
  show_log: false, send_type: '{how}', batch_send: {batch}, heatmap: {{ clickmap: 'not_collect',
  scroll_notice_map: 'not_collect' }} }})
sensors.track('ViewTea', {{ page: '/tea' }})
setTimeout(() => {{
  sensors.login('u1')
  sensors.setProfile({{ city: '杭州' }})
  sensors.track('PayOrder', {{ amount: 88 }})
}}, 300)
</script>"""


@pytest.mark.parametrize(
    ("how", "batch"), [("image", "false"), ("ajax", "false"), ("beacon", "false"), ("ajax", "true")]
)
def test_sensors_javascript(
    tab: Page, shop_page: tuple[Path, str], running: tuple[str, Source, Workspace], how: str, batch: str
) -> None:
    address, source, workspace = running
    open_with(tab, shop_page, SENSORS.format(key=source.write_key, address=address, how=how, batch=batch))
    until(lambda: {"ViewTea", "PayOrder", "$profile"} <= {event for event, _ in rows(workspace)}, tab)
    answer = workspace.behavior.funnel(steps=["ViewTea", "PayOrder"], range={"last": "2d"})
    assert [step.people for step in answer.steps] == [1, 1]
    assert {t.name: t.value for t in workspace.people.get("u1").traits}["city"] == "杭州"


def test_a_page_of_another_origin_is_refused_where_origins_are_set(
    tab: Page, shop_page: tuple[Path, str], running: tuple[str, Source, Workspace]
) -> None:
    address, source, workspace = running
    workspace.collect.sources.change(source.id, SourceSettings(origins=["https://shop.example"]))
    with tab.expect_response(lambda answer: answer.request.method == "POST" and "/e/" in answer.url) as got:
        open_with(tab, shop_page, POSTHOG.format(key=source.write_key, address=address, batching="false"))
    assert got.value.status == 403
    assert rows(workspace) == []
