"""Expanding bodies, never further than the limit.

gzip and zstd are recognised by their magic bytes, whatever a header or a query string claims:
clients and the proxies between them get those wrong in both directions. zlib (`deflate`) has no
safe magic and is taken from Content-Encoding only.
"""

from __future__ import annotations

import io
import zlib

import zstandard

from tilth.collect.formats.contract import Refusal

__all__ = ["expand"]

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# Concatenated members are legal gzip; thousands of empty ones are only a way to waste time.
_MEMBERS = 16
# What zstd's own format document asks every decoder to support, and no more.
_ZSTD_WINDOW = 8 << 20


def expand(body: bytes, limit: int, encoding: str = "") -> bytes:
    """The body's bytes, expanded if compressed.

    Raises `Refusal` with 413 where either form is over `limit` bytes (at most limit + 1 bytes are
    ever expanded), with 400 where the stream is broken or cut short.
    """
    if len(body) > limit:
        raise _too_large(limit)
    if body.startswith(_GZIP):
        return _inflate(body, limit, 31)
    if body.startswith(_ZSTD):
        return _unzstd(body, limit)
    if encoding.strip().lower() == "deflate" and body[:1] not in (b"{", b"["):
        return _inflate(body, limit, 15)
    return body


def _inflate(body: bytes, limit: int, window: int) -> bytes:
    parts: list[bytes] = []
    room = limit + 1
    rest = body
    for _ in range(_MEMBERS):
        stream = zlib.decompressobj(window)
        try:
            part = stream.decompress(rest, room)
        except zlib.error as error:
            raise Refusal("body", f"is not what its compression says: {error}") from None
        room -= len(part)
        if room <= 0:
            raise _too_large(limit)
        if not stream.eof:
            raise Refusal("body", "is compressed and ends too early")
        parts.append(part)
        rest = stream.unused_data.lstrip(b"\0")
        if not rest:
            return b"".join(parts)
    raise Refusal("body", f"is compressed in more than {_MEMBERS} pieces")


def _unzstd(body: bytes, limit: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    try:
        # -1: the sender did not say.
        size = zstandard.frame_content_size(body)
        if size > limit:
            raise _too_large(limit)
        out = decompressor.decompress(body, max_output_size=limit + 1, allow_extra_data=False)
    except zstandard.ZstdError as error:
        if _zstd_reaches(body, limit):
            raise _too_large(limit) from None
        raise Refusal("body", f"is not what its compression says: {error}") from None
    if len(out) > limit:
        raise _too_large(limit)
    return out


def _zstd_reaches(body: bytes, limit: int) -> bool:
    """True where a frame that would not expand at once holds more than `limit` bytes."""
    reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(io.BytesIO(body))
    seen = 0
    try:
        while seen <= limit:
            piece = reader.read(1 << 16)
            if not piece:
                return False
            seen += len(piece)
    except zstandard.ZstdError:
        return False
    return True


def _too_large(limit: int) -> Refusal:
    return Refusal("body", f"is over {limit:,} bytes", 413)
