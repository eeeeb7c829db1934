"""Hand-made requests of each format, decoded at a fixed time."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

from tilth.collect.formats import Decoded, Limits, WireRequest, format_of

# 2026-11-18 07:06:40 UTC
NOW = 1_795_000_000_000_000
SECOND = 1_000_000
BASIC = {"authorization": "Basic " + base64.b64encode(b"key:").decode()}


def iso(offset_seconds: float = 0) -> str:
    """The fixed time, moved, as SDKs write it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(NOW / SECOND + offset_seconds, UTC).isoformat()


def decode(request: WireRequest, limits: Limits | None = None) -> Decoded:
    wire = format_of(request.path)
    assert wire is not None, f"{request.path} is no endpoint"
    return wire.decode(request, limits or wire.limits, NOW)


def body_of(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def post(path: str, value: Any, headers: dict[str, str] | None = None, query: str = "") -> WireRequest:
    return WireRequest(method="POST", path=path, query=query, headers=headers or {}, body=body_of(value))


def get(path: str, query: str, headers: dict[str, str] | None = None) -> WireRequest:
    return WireRequest(method="GET", path=path, query=query, headers=headers or {})


def coded(value: Any, zipped: bool = False) -> str:
    data = body_of(value)
    return quote(base64.b64encode(gzip.compress(data) if zipped else data).decode())


def answer_of(decoded: Decoded) -> Any:
    """The answer's JSON."""
    return json.loads(decoded.answer.body)


# -- one event of each format, with something changed --------------------------------------------


def segment(path: str = "/v1/track", **changes: Any) -> Decoded:
    event = {"userId": "u1", "event": "Paid", "messageId": "m1", **changes}
    return decode(post(path, event, BASIC))


def segment_batch(*events: dict[str, Any], **around: Any) -> Decoded:
    return decode(post("/v1/batch", {"batch": list(events), **around}, BASIC))


def posthog(path: str = "/e/", query: str = "", **changes: Any) -> Decoded:
    event = {"api_key": "key", "event": "paid", "distinct_id": "u1", "uuid": "e1", **changes}
    return decode(post(path, event, query=query))


def sensors(path: str = "/sa", headers: dict[str, str] | None = None, **changes: Any) -> Decoded:
    event = {"type": "track", "event": "Pay", "distinct_id": "u1", "time": NOW // 1000, "properties": {}, **changes}
    form = f"data={coded(event, zipped=True)}&gzip=1".encode()
    return decode(post(path, form, headers, query="project=key"))


def native(*events: Any, headers: dict[str, str] | None = None) -> Decoded:
    return decode(post("/api/v1/events", list(events), {"authorization": "Bearer key", **(headers or {})}))


def event(**changes: Any) -> dict[str, Any]:
    """One of ours."""
    return {"event": "paid", "distinct_id": "u1", "event_id": "e1", **changes}
