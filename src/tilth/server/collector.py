"""The SDKs' endpoints: raw ASGI, beside the rest of the application, because they carry the load.

A body is read within the format's limit, and all bodies together within a budget; what is over either
is refused in the words of that format before it is in memory. Nobody waits for the disk in a thread: the
answer follows the commit that holds what was sent.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from litestar import Litestar
from litestar.enums import ScopeType

from tilth.collect.formats import Trouble, WireAnswer, WireRequest, format_of

if TYPE_CHECKING:
    from litestar.types import HTTPReceiveMessage, HTTPScope, Receive, Scope, Send

    from tilth.collect.door import Door
    from tilth.server.metrics import Metrics

__all__ = ["Collector", "TilthApp"]

# Requests being worked on or waiting for the disk, the bytes they hold, and threads that decode large bodies.
MOST_WAITING = 256
MOST_BYTES = 256 * 1024 * 1024
THREADS = 4
# Bytes of a body that is decoded where it is.
SMALL = 128 * 1024


class Collector:
    """Answers the requests of SDKs."""

    def __init__(self, door: Door, metrics: Metrics) -> None:
        self._door = door
        self._metrics = metrics
        self._threads = anyio.CapacityLimiter(THREADS)
        self._waiting = 0
        self._bytes = 0

    def handles(self, path: str) -> bool:
        """True for the SDKs' endpoints and our own; the route of `/api/v1/events` is there to be described."""
        return format_of(path) is not None

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = WireRequest(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]},
        )
        answer = await self.answer(request, receive)
        if answer is None:
            return
        headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers.items()]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if request.method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._metrics.request(request.method, request.path, answer.status, time.perf_counter() - started)

    async def answer(self, request: WireRequest, receive: Receive) -> WireAnswer | None:
        """The answer to a request whose body is still to come; None where the client left."""
        format = format_of(request.path)
        assert format is not None
        if self._waiting >= MOST_WAITING or self._bytes >= MOST_BYTES:
            return format.refuse(request, Trouble.TOO_MANY, 1)
        self._waiting += 1
        held = 0
        try:
            # Forms carry base64, a third larger than what it holds, and then percent signs.
            limit = format.limits.batch * 3 // 2 + 4096
            parts: list[bytes] = []
            while True:
                message: HTTPReceiveMessage = await receive()  # type: ignore[assignment]
                if message["type"] != "http.request":
                    return None
                parts.append(message["body"])
                held += len(message["body"])
                self._bytes += len(message["body"])
                if held > limit or not message.get("more_body"):
                    break
                if self._bytes > MOST_BYTES:
                    return format.refuse(request, Trouble.TOO_MANY, 1)
            whole = _with_body(request, parts)
            # Decoding holds the interpreter anyway: a thread only pays where it would keep others waiting.
            started = (
                self._door.start(whole)
                if held <= SMALL
                else await anyio.to_thread.run_sync(self._door.start, whole, limiter=self._threads)
            )
            if isinstance(started, WireAnswer):
                return started
            answer: WireAnswer = await asyncio.wrap_future(started)
            return answer
        finally:
            self._waiting -= 1
            self._bytes -= held


def _with_body(request: WireRequest, parts: list[bytes]) -> WireRequest:
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    return WireRequest(
        method=request.method, path=request.path, query=request.query, headers=request.headers, body=body
    )


class TilthApp(Litestar):
    """The web application with the SDKs' endpoints in front."""

    collector: Collector | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        collector = self.collector
        if collector is not None and scope["type"] == ScopeType.HTTP and collector.handles(scope["path"]):
            await collector(scope, receive, send)
            return
        await super().__call__(scope, receive, send)
