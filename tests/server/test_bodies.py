"""Bodies are read, unpacked and stored within limits, and nothing half-received stays."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tilth.errors import InvalidInput, StorageFailed
from tilth.server import bodies
from tilth.server.bodies import TooLarge, receive_files, safe_name, unpacked

BOUNDARY = "----tilth"


class Upload:
    """A request as the receiver sees it: headers and a stream of chunks."""

    def __init__(self, body: bytes, chunk: int = 50, headers: dict[str, str] | None = None) -> None:
        self._body = body
        self._chunk = chunk
        self.headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"} | (headers or {})

    async def stream(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), self._chunk):
            yield self._body[start : start + self._chunk]


def part(name: str, body: bytes, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: text/csv\r\n\r\n"
    return head.encode() + body + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def receive(request: Any, folder: Path, limit: int = 10_000) -> list[bodies.UploadedFile]:
    return asyncio.run(receive_files(request, folder, limit))


@pytest.mark.parametrize("chunk", [1, 7, 50, 10_000])
def test_files_arrive_whole_whatever_the_chunks(tmp_path: Path, chunk: int) -> None:
    tricky = b"a,b\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n\r\n1,2\r\n"
    body = part("file", tricky, "orders.csv") + part("note", b"ignored") + part("file", b"", "empty.csv") + END
    found = receive(Upload(body, chunk), tmp_path / "up")
    assert [(f.name, f.bytes) for f in found] == [("orders.csv", len(tricky)), ("empty.csv", 0)]
    assert found[0].path.read_bytes() == tricky
    assert sorted(p.name for p in (tmp_path / "up").iterdir()) == ["empty.csv", "orders.csv"]


def test_two_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    body = part("file", b"1", "a.csv") + part("file", b"2", "a.csv") + END
    assert [f.path.read_bytes() for f in receive(Upload(body), tmp_path / "up")] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("订单 2024.xlsx", "订单 2024.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\\\files\\\\orders.csv", "orders.csv"),
        (".htaccess", "htaccess"),
        ("a\x00b\n.csv", "ab.csv"),
        ("..", "file"),
        ("x" * 400 + ".csv", "x" * 146 + ".csv"),
    ],
)
def test_a_file_name_is_only_a_name(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


def test_an_upload_cannot_leave_its_folder(tmp_path: Path) -> None:
    receive(Upload(part("file", b"1", "../../evil.csv") + END), tmp_path / "a" / "up")
    assert [p.name for p in (tmp_path / "a" / "up").iterdir()] == ["evil.csv"]
    assert not (tmp_path / "evil.csv").exists()


@pytest.mark.parametrize(
    ("body", "headers", "limit", "error"),
    [
        (part("file", b"x" * 5000, "a.csv") + END, {}, 1000, TooLarge),
        (b"", {"content-length": "99999999"}, 1000, TooLarge),
        (part("file", b"1,2", "a.csv"), {}, 10_000, InvalidInput),
        (part("other", b"1,2", "a.csv") + END, {}, 10_000, InvalidInput),
        (b"not multipart at all", {}, 10_000, InvalidInput),
        (b"{}", {"content-type": "application/json"}, 10_000, InvalidInput),
        (b"", {"content-type": "multipart/form-data"}, 10_000, InvalidInput),
        (b"".join(part("file", b"1", f"{i}.csv") for i in range(101)) + END, {}, 100_000, InvalidInput),
    ],
)
def test_a_bad_upload_is_refused_and_leaves_nothing(
    tmp_path: Path, body: bytes, headers: dict[str, str], limit: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        receive(Upload(body, headers=headers), tmp_path / "up", limit)
    assert not (tmp_path / "up").exists()


def test_a_sender_who_goes_away_leaves_nothing(tmp_path: Path) -> None:
    class Gone(Upload):
        async def stream(self) -> AsyncIterator[bytes]:
            yield part("file", b"1" * 100, "a.csv")
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        receive(Gone(b""), tmp_path / "up")
    assert not (tmp_path / "up").exists()


def test_a_full_disk_is_said_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bodies.os, "fsync", full)
    with pytest.raises(StorageFailed, match="disk is full"):
        receive(Upload(part("file", b"1", "a.csv") + END), tmp_path / "up")
    assert not (tmp_path / "up").exists()


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    class Large(Upload):
        async def stream(self) -> AsyncIterator[bytes]:
            yield part("file", b"", "a.csv")[:-2]
            for _ in range(640):
                yield b"x" * 65536
            yield b"\r\n" + END

    tracemalloc.start()
    (found,) = receive(Large(b""), tmp_path / "up", 100_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.bytes == 640 * 65536
    assert peak < 4_000_000


def test_packed_bodies_are_unpacked() -> None:
    assert unpacked(b"abc", "", 10) == b"abc"
    assert unpacked(gzip.compress(b"abc", mtime=0), "gzip", 10) == b"abc"
    assert unpacked(zstandard.compress(b"abc"), "zstd", 10) == b"abc"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_refused_before_it_fills_the_memory(encoding: str) -> None:
    zeros = b"\0" * 50_000_000
    bomb = gzip.compress(zeros, mtime=0) if encoding == "gzip" else zstandard.compress(zeros)
    del zeros
    tracemalloc.start()
    with pytest.raises(TooLarge):
        unpacked(bomb, encoding, 1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"abc", "gzip"), (b"abc", "zstd"), (gzip.compress(b"abc" * 100, mtime=0)[:-9], "gzip"), (b"abc", "br")],
)
def test_a_body_that_is_not_packed_as_said_is_refused(body: bytes, encoding: str) -> None:
    with pytest.raises(InvalidInput):
        unpacked(body, encoding, 1000)
