"""HTTP answers that browsers and SDKs accept, and the CORS headers they need."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from tilth.collect.formats.contract import WireAnswer, WireRequest

__all__ = [
    "GIF",
    "authorised_user",
    "bearer_token",
    "cors_headers",
    "empty",
    "json_answer",
    "preflight",
    "with_headers",
]

# The smallest transparent image: what a pixel request waits for.
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

_JSON = "application/json"
# Only what cannot break out of a header line is mirrored.
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[A-Za-z0-9.\-\[\]:_]{1,255}|null")
_HEADER_NAMES = re.compile(r"[A-Za-z0-9_\-]+(?:\s*,\s*[A-Za-z0-9_\-]+)*")
_MAX_HEADER = 2_000


def cors_headers(request: WireRequest) -> dict[str, str]:
    """Let the page that asked read the answer. A beacon sends credentials, so `*` would not do."""
    origin = request.headers.get("origin")
    if origin is None or _ORIGIN.fullmatch(origin) is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }


def preflight(request: WireRequest) -> WireAnswer:
    """The answer to OPTIONS."""
    headers = cors_headers(request)
    headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    headers["Access-Control-Max-Age"] = "86400"
    wanted = request.headers.get("access-control-request-headers", "")
    if wanted and len(wanted) <= _MAX_HEADER and _HEADER_NAMES.fullmatch(wanted):
        headers["Access-Control-Allow-Headers"] = wanted
    return WireAnswer(204, headers)


def json_answer(request: WireRequest, status: int, payload: Any, kind: str = _JSON) -> WireAnswer:
    return WireAnswer(status, {"Content-Type": kind, **cors_headers(request)}, msgspec.json.encode(payload))


def empty(request: WireRequest, status: int) -> WireAnswer:
    return WireAnswer(status, cors_headers(request))


def with_headers(answer: WireAnswer, **headers: str) -> WireAnswer:
    """The answer with further headers; `_` in a name stands for `-`."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireAnswer(answer.status, {**answer.headers, **more}, answer.body)


def authorised_user(request: WireRequest) -> str | None:
    """The user of HTTP Basic authorisation, which is where SDKs put the write key."""
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or len(coded) > _MAX_HEADER:
        return None
    try:
        return base64.b64decode(coded, validate=True).decode().partition(":")[0] or None
    except ValueError:
        return None


def bearer_token(request: WireRequest) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
