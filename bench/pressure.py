"""Collection for longer and among more: pages of persons while events come in, memory over minutes, millions of ids.

`python -m bench.pressure pages|memory|ids` prints one part as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.intake import BATCH, PORT, keys, resident_mb, serving
from tilth.workspace import Workspace

__all__ = ["measure_ids", "measure_memory", "measure_pages"]

START = 1_780_000_000


def _body(number: int, people: int, merging: float) -> bytes:
    """A batch of views by known people; a share `merging` of its lines signs an unknown visitor in."""
    draw = random.Random(number)
    lines: list[dict[str, Any]] = []
    for n in range(BATCH):
        who, at = f"person-{draw.randrange(people)}", START + number % 1_000_000
        if draw.random() < merging:
            lines.append(
                {"type": "identify", "distinct_id": who, "anonymous_id": f"visitor-{number}-{n}",
                 "event_id": f"i{number}-{n}", "timestamp": at}
            )  # fmt: skip
        else:
            lines.append(
                {"event": "product_viewed", "distinct_id": who, "event_id": f"{number}-{n}", "timestamp": at,
                 "properties": {"product": f"tea-{n % 40}", "channel": "app"}}
            )  # fmt: skip
    return json.dumps(lines).encode()


class Load:
    """Batches at so many events a second (0: as many as go) until `stop`; the clients are one thread here."""

    def __init__(self, key: str, rate: float, people: int, merging: float = 0.0) -> None:
        self._head = (
            f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._pause = BATCH / rate if rate else 0.0
        self._people, self._merging = people, merging
        self._number = random.randrange(10**9)
        self._stop = threading.Event()
        self.events = 0
        self.took: list[float] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))

    def __enter__(self) -> Load:
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.seconds = time.perf_counter() - self._started
        self.took.sort()

    async def _all(self) -> None:
        await asyncio.gather(*(self._one() for _ in range(4)))

    async def _one(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        due = time.perf_counter()
        while not self._stop.is_set():
            self._number += 1
            body = _body(self._number, self._people, self._merging)
            started = time.perf_counter()
            writer.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            lines = answer.lower().split(b"\r\n")
            await reader.readexactly(next(int(x[15:]) for x in lines if x.startswith(b"content-length:")))
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the server refused: {answer[:200]!r}")
            self.took.append(time.perf_counter() - started)
            self.events += BATCH
            if self._pause:
                due += self._pause * 4
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.close()


def _pages(token: str, people: int, count: int) -> list[float]:
    """Milliseconds of `GET /api/v1/people/{id}` for people drawn at random, ascending."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    draw = random.Random(7)
    took = []
    for n in range(count + 50):
        path = f"/api/v1/people/person-{draw.randrange(people)}"
        started = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status not in (200, 404):
            raise SystemExit(body[:300])
        if n >= 50 and answer.status == 200:
            took.append((time.perf_counter() - started) * 1000)
    return sorted(took)


def _summary(took: list[float]) -> dict[str, float]:
    return {"p50": round(took[len(took) // 2], 2), "p99": round(took[int(len(took) * 0.99)], 2)}


def measure_pages(seconds: float = 20, people: int = 20_000) -> dict[str, Any]:
    """Pages of persons with nothing else to do, beside 2,000 events a second, and beside all that go."""
    folder = Path(tempfile.mkdtemp(prefix="tilth-pages-"))
    try:
        key, token = keys(folder / "workspace")
        found: dict[str, Any] = {}
        with serving(folder / "workspace"):
            with Load(key, 0, people):
                time.sleep(seconds)
            time.sleep(3)
            found["idle"] = _summary(_pages(token, people, 1_000))
            for name, rate in (("2000 events/s", 2_000), ("full load", 0)):
                with Load(key, rate, people) as load:
                    time.sleep(2)
                    found[name] = _summary(_pages(token, people, 1_000 if rate else 300))
                found[name]["events per second"] = round(load.events / load.seconds)
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_memory(minutes: float, rate: float = 5_000, people: int = 100_000) -> dict[str, Any]:
    """Memory of the server every half minute under a steady load."""
    folder = Path(tempfile.mkdtemp(prefix="tilth-memory-"))
    try:
        key, _ = keys(folder / "workspace")
        samples = []
        with serving(folder / "workspace") as server, Load(key, rate, people) as load:
            ends = time.monotonic() + minutes * 60
            while time.monotonic() < ends:
                time.sleep(min(30, max(1.0, minutes * 3)))
                samples.append(round(resident_mb(server.pid)))
        return {"minutes": minutes, "events": load.events, "samples_mb": samples}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_ids(known: int, seconds: float = 30, merging: float = 0.05) -> dict[str, Any]:
    """All that goes in among `known` ids, a share `merging` of the messages signing an unknown visitor in."""
    folder = Path(tempfile.mkdtemp(prefix="tilth-ids-"))
    try:
        key, token = keys(folder / "workspace")
        started = time.perf_counter()
        with Workspace.open(folder / "workspace") as workspace:
            for first in range(0, known, 500_000):
                names = [f"person-{n}" for n in range(first, min(known, first + 500_000))]
                workspace.people.resolve("id", names, "imported")
        prepared = time.perf_counter() - started
        with serving(folder / "workspace") as server:
            with Load(key, 0, known, merging):
                time.sleep(10)  # the index of ids is loaded with the first of them
            with Load(key, 0, known, merging) as load:
                time.sleep(seconds)
            took = _summary([one * 1000 for one in load.took])
            time.sleep(5)
            pages = _pages(token, known, 300)
            memory = resident_mb(server.pid)
        return {
            "known": known,
            "prepared_s": round(prepared, 1),
            "rate": round(load.events / load.seconds),
            "batch": took,
            "pages": _summary(pages) if pages else {},
            "memory_mb": round(memory),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pressure")
    parser.add_argument("part", choices=["pages", "memory", "ids"])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--ids", type=int, default=10_000_000)
    options = parser.parse_args()
    if options.part == "pages":
        print(json.dumps(measure_pages(), indent=2))
    elif options.part == "memory":
        print(json.dumps(measure_memory(options.minutes), indent=2))
    else:
        print(json.dumps(measure_ids(options.ids), indent=2))


if __name__ == "__main__":
    main()
