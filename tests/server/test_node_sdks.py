"""The Node SDKs, unmodified from their packages, against the running product."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.live import live
from tilth.collect import Source
from tilth.workspace import Workspace

CONSOLE = Path(__file__).parents[2] / "console"

SCRIPTS = {
    "@segment/analytics-node": """
import { Analytics } from '@segment/analytics-node'
const client = new Analytics({ writeKey: KEY, host: ADDRESS, flushAt: 1 })
client.on('error', (error) => { console.error(error); process.exitCode = 1 })
client.track({ anonymousId: 'anon-1', event: 'viewed tea', properties: { page: '/tea' } })
await new Promise((done) => setTimeout(done, 300))
client.identify({ userId: 'u1', anonymousId: 'anon-1', traits: { city: '杭州' } })
client.track({ userId: 'u1', anonymousId: 'anon-1', event: 'paid', properties: { amount: 88 } })
await client.closeAndFlush()
""",
    "posthog-node": """
import { PostHog } from 'posthog-node'
const client = new PostHog(KEY, { host: ADDRESS, flushAt: 10 })
client.on('error', (error) => { console.error(error); process.exitCode = 1 })
client.capture({ distinctId: 'anon-1', event: 'viewed tea', properties: { page: '/tea' } })
await new Promise((done) => setTimeout(done, 300))
client.alias({ distinctId: 'u1', alias: 'anon-1' })
client.identify({ distinctId: 'u1', properties: { city: '杭州' } })
client.capture({ distinctId: 'u1', event: 'paid', properties: { amount: 88 } })
await client.shutdown()
""",
}


@pytest.fixture
def running(workspace: Workspace) -> Iterator[tuple[str, Source, Workspace]]:
    source = workspace.collect.sources.create("app")
    with live(workspace) as address:
        yield address, source, workspace


@pytest.mark.parametrize("package", SCRIPTS)
def test_what_a_node_sdk_sends_is_in_answers(running: tuple[str, Source, Workspace], package: str) -> None:
    node = shutil.which("node")
    if node is None or not (CONSOLE / "node_modules" / package).exists():
        pytest.skip(f"{package} or node is not installed (make test does)")
    address, source, workspace = running
    script = f"const KEY = '{source.write_key}', ADDRESS = '{address}'\n{SCRIPTS[package]}"
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], cwd=CONSOLE, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    workspace.collect.catch_up()
    answer = workspace.behavior.funnel(steps=["viewed tea", "paid"], range={"last": "2d"})
    assert [step.people for step in answer.steps] == [1, 1]
    assert workspace.people.find("anon-1") == workspace.people.find("u1")
    assert {t.name: t.value for t in workspace.people.get("u1").traits}["city"] == "杭州"
