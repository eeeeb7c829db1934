"""Request bodies: read within a limit, unpacked within a limit, streamed to disk."""

from __future__ import annotations

import asyncio
import errno
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard
from litestar import Request
from litestar.exceptions import ClientException
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tilth.errors import InvalidInput, StorageFailed, TilthError

__all__ = ["TooLarge", "UploadedFile", "read_body", "receive_files", "unpacked"]


class TooLarge(TilthError):
    """The body is over the limit; nothing was kept."""

    kind = "too_large"
    status = 413


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it lies in the uploads folder; `name` is what the sender called it."""

    name: str
    path: Path
    bytes: int


def _declared_length(request: Request[Any, Any, Any]) -> int:
    text = request.headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


async def read_body(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The whole body, at most `limit` bytes; raises `TooLarge` before more than that is in memory."""
    if _declared_length(request) > limit:
        raise TooLarge(f"the body is over {limit:,} bytes")
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"the body is over {limit:,} bytes")
        parts.append(chunk)
    return b"".join(parts)


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its gzip or zstd packing; a bomb is refused once it passes `limit`."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    try:
        if encoding == "gzip":
            unpacker = zlib.decompressobj(wbits=31)
            result = unpacker.decompress(body, limit + 1)
            if len(result) <= limit and not unpacker.eof:
                raise InvalidInput("body", "is cut short: the gzip stream has no end")
        elif encoding == "zstd":
            result = zstandard.ZstdDecompressor().stream_reader(body).read(limit + 1)
        else:
            raise InvalidInput("content-encoding", f"{encoding!r} is not known", ["gzip", "zstd", "identity"])
    except (zlib.error, zstandard.ZstdError):
        raise InvalidInput("body", f"is not {encoding} data, though Content-Encoding says so") from None
    if len(result) > limit:
        raise TooLarge(f"the body unpacks to more than {limit:,} bytes")
    return result


async def receive_files(
    request: Request[Any, Any, Any], folder: Path, limit: int, *, field: str = "file", most: int = 100
) -> list[UploadedFile]:
    """Stream the `field` parts of a multipart body into new files in `folder`.

    Holds one network chunk in memory at a time. limit: bytes of the whole body. On any error, also
    when the sender goes away, the files written so far are deleted. Raises `TooLarge`,
    `StorageFailed` on a full disk, and `InvalidInput` where the body is not multipart or has no file.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise InvalidInput("content-type", "must be multipart/form-data with one or more `file` parts")
    if _declared_length(request) > limit:
        raise TooLarge(f"the upload is over the limit of {limit:,} bytes")
    receiver = _Receiver(folder, field, most)
    finished = False
    try:
        parser = MultipartParser(boundary, receiver.callbacks())  # type: ignore[arg-type]
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"the upload is over the limit of {limit:,} bytes")
            # Writing may wait for the disk; the loop that answers everyone else must not.
            await asyncio.to_thread(parser.write, chunk)
        if not receiver.ended:
            raise InvalidInput("body", "is cut short: the multipart body has no end")
        if not receiver.files:
            raise InvalidInput(field, "is missing: send at least one file")
        finished = True
        return receiver.files
    except FormParserError:
        raise InvalidInput("body", "is not a well-formed multipart body") from None
    except ClientException:
        raise InvalidInput("body", "the connection was closed before the upload was complete") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFailed("the disk is full; the upload was removed again") from None
        raise
    finally:
        receiver.close()
        if not finished:
            receiver.discard()


class _Receiver:
    """The parser's callbacks: part headers to names, part data to files."""

    def __init__(self, folder: Path, field: str, most: int) -> None:
        self._folder = folder
        self._field = field
        self._most = most
        self._header_name = b""
        self._header_value = b""
        self._headers: dict[bytes, bytes] = {}
        self._open: IO[bytes] | None = None
        self._path: Path | None = None
        self._name = ""
        self.files: list[UploadedFile] = []
        self.ended = False

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        filename = options.get(b"filename")
        if options.get(b"name") != self._field.encode() or not filename:
            return
        if len(self.files) >= self._most:
            raise InvalidInput(self._field, f"at most {self._most} files fit in one upload")
        self._name = safe_name(filename.decode("utf-8", "replace"))
        self._folder.mkdir(parents=True, exist_ok=True)
        # A folder holds one upload, so names only meet where one upload sends the same name twice.
        number, path = 1, self._folder / self._name
        while path.exists():
            number += 1
            path = self._folder / f"{number}-{self._name}"
        self._path = path
        self._open = open(self._path, "xb")  # noqa: SIM115 - closed when the part ends

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._open is not None:
            self._open.write(data[start:end])

    def _on_part_end(self) -> None:
        if self._open is not None and self._path is not None:
            self._open.flush()
            os.fsync(self._open.fileno())
            self._open.close()
            self.files.append(UploadedFile(name=self._name, path=self._path, bytes=self._path.stat().st_size))
            self._open = self._path = None

    def _on_end(self) -> None:
        self.ended = True

    def close(self) -> None:
        if self._open is not None:
            self._open.close()

    def discard(self) -> None:
        for path in [*(f.path for f in self.files), *([self._path] if self._path else [])]:
            path.unlink(missing_ok=True)
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()


def safe_name(name: str) -> str:
    """The last part of a path as a file name that is only a name: no folders, no control characters, not hidden."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isprintable() and c not in '<>:"|?*').strip().lstrip(".")
    while len(name.encode()) > 150:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[:-1]}{dot}{ending}" if len(stem) > 1 and len(ending) < 12 else name[:-1]
    return name or "file"
