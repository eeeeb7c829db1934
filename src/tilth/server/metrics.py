"""Numbers for Prometheus: requests and their times, background work, sizes. Text format 0.0.4."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from litestar.enums import ScopeType

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Measured", "Metrics", "Sample", "process_samples"]

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# (name, type, help, labels, value)
Sample = tuple[str, str, str, dict[str, str], float]


class Metrics:
    """Counts requests by method, route and status, and their durations by route."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, str], int] = {}
        self._durations: dict[str, list[float]] = {}
        self._ingested: dict[str, int] = {"accepted": 0, "duplicate": 0, "quarantined": 0, "dropped": 0}
        self.started = time.time()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        with self._lock:
            key = (method, route, str(status))
            self._requests[key] = self._requests.get(key, 0) + 1
            # The last two cells are the sum and the count.
            cells = self._durations.setdefault(route, [0.0] * (len(_BUCKETS) + 2))
            for i, bound in enumerate(_BUCKETS):
                if seconds <= bound:
                    cells[i] += 1.0
            cells[-2] += seconds
            cells[-1] += 1

    def ingested(self, accepted: int, duplicate: int, quarantined: int, dropped: int) -> None:
        with self._lock:
            self._ingested["accepted"] += accepted
            self._ingested["duplicate"] += duplicate
            self._ingested["quarantined"] += quarantined
            self._ingested["dropped"] += dropped

    def samples(self) -> Iterator[Sample]:
        with self._lock:
            requests = dict(self._requests)
            durations = {route: list(cells) for route, cells in self._durations.items()}
            ingested = dict(self._ingested)
        for (method, route, status), count in sorted(requests.items()):
            labels = {"method": method, "route": route, "status": status}
            yield "tilth_http_requests_total", "counter", "Requests answered.", labels, count
        name = "tilth_http_request_seconds"
        about = "Time to answer a request."
        for route, cells in sorted(durations.items()):
            for bound, below in zip(_BUCKETS, cells, strict=False):
                yield f"{name}_bucket", "histogram", about, {"route": route, "le": f"{bound:g}"}, below
            yield f"{name}_bucket", "histogram", about, {"route": route, "le": "+Inf"}, cells[-1]
            yield f"{name}_sum", "histogram", about, {"route": route}, cells[-2]
            yield f"{name}_count", "histogram", about, {"route": route}, cells[-1]
        for outcome, count in ingested.items():
            yield "tilth_events_ingested_total", "counter", "Events received over HTTP.", {"outcome": outcome}, count
        yield "tilth_uptime_seconds", "gauge", "Since the server started.", {}, time.time() - self.started

    @staticmethod
    def text(samples: Iterable[Sample]) -> str:
        """Samples in the Prometheus text format; samples of one family must come together."""
        lines: list[str] = []
        described: set[str] = set()
        for name, kind, about, labels, value in samples:
            family = name
            if kind == "histogram":
                family = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
            if family not in described:
                described.add(family)
                lines += [f"# HELP {family} {about}", f"# TYPE {family} {kind}"]
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"{name}{{{inside}}} {value:.17g}" if inside else f"{name} {value:.17g}")
        return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def process_samples() -> Iterator[Sample]:
    """Memory and CPU of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield "process_cpu_seconds_total", "counter", "CPU time used.", {}, usage.ru_utime + usage.ru_stime
    yield "process_resident_memory_bytes", "gauge", "Memory in use.", {}, float(resident_bytes())


def resident_bytes() -> int:
    """Memory in use now; where the system does not say, the most there ever was."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


class Measured:
    """ASGI middleware that reports each request to `Metrics` under its route's template."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = str(scope.get("path_template") or scope["path"])
            self._metrics.request(str(scope.get("method")), route, status, time.perf_counter() - started)
