"""`name=value&…` and base64, as browsers' beacons and pixels send events."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl

from tilth.collect.formats.contract import Refusal, WireRequest
from tilth.collect.formats.limits import Limits

__all__ = ["form_fields", "from_base64", "is_form", "query_fields"]

_MAX_FIELDS = 64
_FORM = "application/x-www-form-urlencoded"
_ONE_ALPHABET = str.maketrans("-_ ", "+/+", "\r\n\t")


def query_fields(request: WireRequest, limits: Limits) -> dict[str, str]:
    """The fields of the query string; of a name given twice the last counts."""
    return _fields(request.query, limits, "query")


def form_fields(body: bytes, limits: Limits) -> dict[str, str]:
    """The fields of a form body."""
    return _fields(body.decode("utf-8", "replace"), limits, "body")


def _fields(text: str, limits: Limits, field: str) -> dict[str, str]:
    if not text:
        return {}
    if len(text) > limits.batch:
        raise Refusal(field, f"is over {limits.batch:,} bytes", 413)
    if text.count("%") > limits.values:
        raise Refusal(field, f"holds more than {limits.values:,} escapes", 413)
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise Refusal(field, f"has more than {_MAX_FIELDS} fields") from None


def is_form(request: WireRequest, body: bytes) -> bool:
    """True for a form: it says so, or it does not say but begins like one (`sendBeacon` says text/plain)."""
    if body[:1] in (b"{", b"["):
        return False
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == _FORM or body.startswith((b"data=", b"data_list="))


def from_base64(text: str, field: str) -> bytes:
    """Bytes from base64 in either alphabet, with or without padding, and with `+` read as a space by the form."""
    clean = text.translate(_ONE_ALPHABET).rstrip("=")
    try:
        return base64.b64decode(clean + "=" * (-len(clean) % 4), validate=True)
    except ValueError:
        raise Refusal(field, "is not base64") from None
