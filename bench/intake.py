"""Collection under load: events acknowledged durably over HTTP, beside what the machine allows at best.

The server is a process of its own, the clients are this one, on the same cores. Bodies are made before
the clock starts. Beside it, in the same run: decoding the same JSON and nothing else, and syncing the
same bytes to the disk and nothing else.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil

from tilth.collect.events import Event
from tilth.settings import Settings
from tilth.workspace import Workspace

__all__ = ["BATCH", "PORT", "keys", "measure_intake", "resident_mb", "serving"]

BATCH = 100
PORT = 18765


def _batch(number: int) -> bytes:
    events = [
        {
            "event": "product_viewed",
            "distinct_id": f"person-{(number * BATCH + n) % 20_000}",
            "event_id": f"{number}-{n}",
            "timestamp": 1_780_000_000 + number % 1_000_000,
            "properties": {"product": f"tea-{n % 40}", "category": "green", "price": 19.9, "page": "/tea/longjing"},
            "context": {"ip": "203.0.113.7", "library": {"name": "bench", "version": "1"}},
        }
        for n in range(BATCH)
    ]
    return json.dumps(events).encode()


def resident_mb(pid: int) -> float:
    """What the server and its helper hold, without the pages of mapped files."""
    process = psutil.Process(pid)
    return float(sum(p.memory_full_info().uss for p in [process, *process.children(recursive=True)])) / 1e6


def _load(key: str, bodies: list[bytes], connections: int) -> tuple[float, list[float]]:
    """(seconds for all, seconds of each request), sent over so many connections."""
    position = iter(bodies)
    took: list[float] = []
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        for body in position:
            started = time.perf_counter()
            writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            text = await reader.readexactly(length)
            took.append(time.perf_counter() - started)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the server refused: {text[:200]!r}")
        writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(work() for _ in range(connections)))

    started = time.perf_counter()
    asyncio.run(all_of_them())
    return time.perf_counter() - started, took


def _rate(work: Callable[[], Any], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - started)


def _sync_rate(folder: Path, body: bytes, times: int) -> float:
    with open(folder / "sync", "wb") as file:

        def once() -> None:
            file.write(body)
            file.flush()
            os.fdatasync(file.fileno())

        return _rate(once, times)


def _visible_ms(key: str, token: str) -> float:
    """From the acknowledgement of an event to an answer that has it, the median of several."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    took = []
    for _ in range(7):
        name = f"seen-{uuid.uuid4().hex[:8]}"
        body = json.dumps({"event": name, "distinct_id": "somebody"})
        connection.request("POST", "/api/v1/events", body, {"Authorization": f"Bearer {key}"})
        connection.getresponse().read()
        started = time.perf_counter()
        asked = json.dumps({"event": name, "range": {"last": "7d"}, "allow_unknown": True})
        while True:
            connection.request("POST", "/api/v1/query/trends", asked, {"Authorization": f"Bearer {token}"})
            answer = json.loads(connection.getresponse().read())
            if any(point["value"] for series in answer["series"] for point in series["points"]):
                break
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


@contextmanager
def serving(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`tilth serve` over the workspace as a process of its own, once it answers."""
    arguments = ["serve", "--workspace", str(folder), "--port", str(PORT)]
    server = subprocess.Popen(
        [sys.executable, "-m", "tilth.cli.main", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait()
        yield server
    finally:
        server.terminate()
        server.wait(300)


def keys(folder: Path) -> tuple[str, str]:
    """A new workspace's write key of a source, and a token that may read."""
    with Workspace.create(folder, Settings(currency="CNY")) as made:
        from tilth.server.tokens import Tokens

        return made.collect.sources.create("bench").write_key, Tokens(made.database).create("bench", "analyst", "b")[1]


def measure_intake(batches: int, singles: int) -> dict[str, float]:
    """The numbers of one run; rates are per second, times in ms, memory in MB."""
    folder = Path(tempfile.mkdtemp(prefix="tilth-intake-"))
    try:
        key, token = keys(folder / "workspace")
        bodies = [_batch(n) for n in range(batches)]
        decoder = msgspec.json.Decoder()
        decoding = _rate(lambda: decoder.decode(bodies[0]), 2_000) * BATCH
        syncing = _sync_rate(folder, bodies[0], 300) * BATCH
        with serving(folder / "workspace") as server:
            _load(key, [_batch(10_000_000 + n) for n in range(50)], 4)
            before = resident_mb(server.pid)
            seconds, took = _load(key, bodies, 8)
            after = resident_mb(server.pid)
            single = [json.dumps(json.loads(_batch(20_000_000 + n))[0]).encode() for n in range(singles)]
            single_seconds, _ = _load(key, single, 32)
            visible = _visible_ms(key, token)
        took.sort()
        return {
            "events": batches * BATCH,
            "rate": batches * BATCH / seconds,
            "p50": took[len(took) // 2] * 1000,
            "p99": took[int(len(took) * 0.99)] * 1000,
            "single": singles / single_seconds,
            "decoding": decoding,
            "syncing": syncing,
            "visible": visible,
            "trigger": trigger_ms(folder / "trigger"),
            "before_mb": before,
            "after_mb": after,
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def trigger_ms(folder: Path) -> float:
    """From the acknowledgement of an event to whatever reacts to it, the median of several."""
    heard = threading.Event()
    took = []
    with Workspace.create(folder, Settings(currency="CNY")) as workspace:
        workspace.collect.on_taken.append(lambda _: heard.set())
        # The loop of the server's own thread, with its own pauses.
        from tilth.server.background import TAKE_IN_LOOK, TAKE_IN_PAUSE

        ended = threading.Event()

        def take_in() -> None:
            while not ended.is_set():
                workspace.collect.take_in(TAKE_IN_LOOK)
                ended.wait(TAKE_IN_PAUSE)

        thread = threading.Thread(target=take_in)
        thread.start()
        for n in range(60):
            heard.clear()
            workspace.collect.append(
                [Event(distinct_id="a", event="e", ts=1_790_000_000_000_000, event_id=str(n))], "b"
            )
            started = time.perf_counter()
            heard.wait(10)
            if n >= 10:
                took.append((time.perf_counter() - started) * 1000)
        ended.set()
        thread.join()
    return statistics.median(took)


def _wait() -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    print(json.dumps(measure_intake(3_000, 2_000), indent=2))
