"""`POST /api/v1/events`: our own ingestion format, for servers."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, post

from tilth.collect import Receipt
from tilth.collect.formats import WireRequest
from tilth.server.context import Ctx

__all__ = ["ROUTES"]


@post("/events", opt={"role": "admin", "takes_write_key": True}, status_code=200, request_max_body_size=None)
async def send_events(request: Request[Any, Any, Any], context: Ctx) -> Response[Receipt]:
    """Send events: a JSON array, one object, or one object a line; gzip or zstd by Content-Encoding.

    What is acknowledged is durable. An `event_id` seen before counts as a duplicate; an event that
    cannot be understood goes to quarantine with the reason and the others go on.
    """
    answer = await context.collector.answer(
        WireRequest(method="POST", path="/api/v1/events", headers={k.lower(): v for k, v in request.headers.items()}),
        request.receive,
    )
    if answer is None:
        return Response(content=b"", status_code=400)  # type: ignore[arg-type]
    headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-type"}
    media = next((v for k, v in answer.headers.items() if k.lower() == "content-type"), "application/json")
    return Response(content=answer.body, status_code=answer.status, headers=headers, media_type=media)  # type: ignore[arg-type]


ROUTES = [send_events]
