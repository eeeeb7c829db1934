"""The debugger: requests as they arrive, with what was understood and what was not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from litestar import get
from litestar.params import FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage

from tilth.collect.watching import Seen
from tilth.server.context import Ctx

__all__ = ["ROUTES"]

_LOOK = 0.25
# Seconds after which a silent stream says that it still lives, so that proxies do not close it.
_HEARTBEAT = 15.0


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """newest: number of the newest request there is."""

    requests: list[Seen]
    newest: int


@get("/debugger", opt={"role": "operator"}, sync_to_thread=True)
def read_requests(context: Ctx, after: FromQuery[int] = 0, source: FromQuery[str] = "") -> Requests:
    """The last requests of SDKs to this node (at most 300) after the number `after`, oldest first."""
    newest = context.watch.newest
    return Requests(requests=context.watch.since(after, source), newest=newest)


@get("/debugger/stream", opt={"role": "operator", "packed": True})
async def stream_requests(
    context: Ctx, after: FromQuery[int | None] = None, source: FromQuery[str] = ""
) -> ServerSentEvent:
    """Requests as they arrive, as server-sent events `request`; without `after` only those from now on."""
    start = context.watch.newest if after is None else after

    async def requests() -> AsyncIterator[ServerSentEventMessage]:
        number, silent = start, 0.0
        yield ServerSentEventMessage(comment="watching", data=None)
        while not context.ending.is_set():
            found = context.watch.since(number, source) if context.watch.newest > number else []
            number = max(number, context.watch.newest if not found else found[-1].number)
            for one in found:
                yield ServerSentEventMessage(
                    event="request", id=str(one.number), data=msgspec.json.encode(one, enc_hook=str).decode()
                )
            silent = 0.0 if found else silent + _LOOK
            if silent >= _HEARTBEAT:
                silent = 0.0
                yield ServerSentEventMessage(comment="still here", data=None)
            await asyncio.sleep(_LOOK)

    return ServerSentEvent(requests())


ROUTES = [read_requests, stream_requests]
