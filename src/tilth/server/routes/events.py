"""`POST /api/v1/events`: our own ingestion format, for servers."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, post

from tilth.collect import Receipt
from tilth.collect.events import decode_events
from tilth.errors import NotFound, Unauthorized
from tilth.server.auth import bearer
from tilth.server.bodies import read_body, unpacked
from tilth.server.context import Ctx
from tilth.server.instants import now
from tilth.server.refused_events import keep_refused

__all__ = ["ROUTES"]

# Of the body as sent, and of what it unpacks to.
BODY_LIMIT = 20 * 1024 * 1024


@post("/events", opt={"role": "admin", "takes_write_key": True}, status_code=200, request_max_body_size=None)
async def send_events(request: Request[Any, Any, Any], context: Ctx) -> Receipt:
    """Send events: a JSON array, one object, or one object a line; gzip or zstd by Content-Encoding.

    What is acknowledged is durable. An `event_id` seen before counts as a duplicate; an event that
    cannot be understood goes to quarantine with the reason and the others go on.
    """
    body = await read_body(request, BODY_LIMIT)
    key = bearer(request.headers) or ""
    encoding = request.headers.get("content-encoding", "")

    def ingest() -> Receipt:
        try:
            source = context.workspace.collect.source_of_key(key)
        except NotFound:
            raise Unauthorized("this write key is unknown or was revoked") from None
        events, refused = decode_events(unpacked(body, encoding, BODY_LIMIT), now())
        if refused:
            keep_refused(context.workspace, source.name, refused)
        return context.workspace.collect.append(events, source.name, quarantined=len(refused))

    receipt = await anyio.to_thread.run_sync(ingest)
    context.metrics.ingested(receipt.accepted, receipt.duplicate, receipt.quarantined)
    return receipt


ROUTES = [send_events]
