"""Reading JSON that strangers wrote.

Beyond strict JSON two things are mended because real clients send them: `NaN` and `Infinity`
(Python's json module) are read as null, and half of a surrogate pair (a text cut in the middle of
an emoji by JavaScript) as U+FFFD. Of a key given twice the last value counts. A number with a point
is a `Decimal` with its digits; one beyond a double's range is null, as Infinity is.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Any, TypeVar

import msgspec

from tilth.collect.formats.contract import Refusal
from tilth.collect.formats.limits import Limits

__all__ = ["check_depth", "check_values", "decimal_of", "encode_text", "parse", "raw_text"]

T = TypeVar("T")

_ROUNDED = Context(prec=38, traps=[])
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_BOM = b"\xef\xbb\xbf"
# A run of anything else (group 1), or half a surrogate pair.
_HALF_PAIR = re.compile(
    rb"((?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)++)|\\u[dD][89a-fA-F]..", re.DOTALL
)
# A run of texts and anything else (group 1), or a word that is not JSON.
_NOT_FINITE = re.compile(rb'((?:[^"NI-]++|"(?:[^"\\]++|\\.)*+"|-(?!Infinity\b))++)|(?:-?Infinity\b|NaN\b)', re.DOTALL)
# Of runs and what lies between them: a body with more to mend than this was not written in good faith.
_MENDINGS = 20_000


def parse(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, field: str = "body") -> T:
    """Decode, mending what can be mended. Raises `Refusal` (413 where it is nested beyond all reason)."""
    try:
        return decoder.decode(data)
    except RecursionError:
        raise Refusal(field, "is nested far too deeply", 413) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = _mended(bytes(data))
        if mended is None:
            raise Refusal(field, f"is not JSON as expected: {error}") from None
    try:
        return decoder.decode(mended)
    except RecursionError:
        raise Refusal(field, "is nested far too deeply", 413) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(field, f"is not JSON as expected: {error}") from None


def _mended(data: bytes) -> bytes | None:
    """The same JSON without what msgspec refuses, or None where there is none of that in it."""
    out = data.removeprefix(_BOM)
    if b"\\u" in out:
        out = _HALF_PAIR.sub(lambda m: m[1] or b"\\ufffd", out, _MENDINGS)
    if b"NaN" in out or b"Infinity" in out:
        out = _NOT_FINITE.sub(lambda m: m[1] or b"null", out, _MENDINGS)
    return None if out == data else out


def decimal_of(text: str) -> Decimal | None:
    """A JSON number with a point or an exponent; hook for decoders. At most 38 digits are kept."""
    if len(text) <= 40 and "e" not in text and "E" not in text:
        return Decimal(text)
    number = _ROUNDED.create_decimal(text)
    if not number or number.adjusted() < -324:
        return Decimal(0)
    return number if number.is_finite() and number.adjusted() <= 308 else None


def check_values(data: bytes, limits: Limits) -> None:
    """Refuse (413) a body of more JSON values than the limit, before any of them takes memory."""
    # Every value but the first follows one of these; inside texts they only make the count too high.
    if data.count(b",") + data.count(b"[") + data.count(b"{") > limits.values:
        raise Refusal("body", f"holds more than {limits.values:,} values", 413)


def check_depth(data: bytes | msgspec.Raw, value: Any, depth: int, field: str) -> None:
    """Refuse (413) an event nested deeper than `depth`; data is its JSON, value what it holds."""
    text = bytes(data)
    if text.count(b"[") + text.count(b"{") <= depth:
        return
    stack = [(value, 1)]
    while stack:
        node, level = stack.pop()
        if level > depth:
            raise Refusal(field, f"is nested deeper than {depth} levels", 413)
        children = node.values() if isinstance(node, dict) else node
        stack.extend((child, level + 1) for child in children if isinstance(child, (dict, list)))


def encode_text(value: Any) -> str:
    """JSON text; decimals go out with the digits they came with."""
    return _ENCODER.encode(value).decode()


def raw_text(data: bytes | msgspec.Raw, at_most: int | None = None) -> str:
    """What was sent, for quarantine; bytes that are no UTF-8 become U+FFFD."""
    whole = bytes(data)
    return whole[:at_most].decode("utf-8", "replace")
