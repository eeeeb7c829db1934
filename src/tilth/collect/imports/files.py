"""From paths to the tables inside them: folders, globs, compression, archives, and what is refused.

Nothing is unpacked to disk: a compressed file is read as a stream, a zip's members one by one. Limits
keep a bomb from costing more than a message.
"""

from __future__ import annotations

import glob
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

from tilth.errors import InvalidInput, StorageFailed

__all__ = ["InputFile", "OpenStream", "check_whole", "expand", "is_data", "open_stream", "reading"]

_SUFFIXES = {
    *[".csv", ".tsv", ".tab", ".txt", ".dat", ".json", ".jsonl", ".ndjson", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"],
    *[".parquet", ".pq", ".gz", ".zst", ".zstd", ".zip"],
}
_SPREADSHEETS = {".xlsx", ".xlsm", ".xlsb", ".ods"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# Deflate cannot shrink more than 1,032 times; a real table shrinks 5 to 50 times.
MAX_RATIO = 250
FREE_BYTES = 64 << 20  # below this size a ratio says nothing
MAX_MEMBERS = 10_000


@dataclass(frozen=True)
class InputFile:
    """One table to read. kind: text, excel or parquet; compression: none, gz, zst or zip.

    member: the name inside a zip. bytes: size on disk (of the packed member in a zip).
    """

    path: Path
    name: str
    kind: str
    compression: str
    bytes: int
    member: str | None = None


def expand(paths: list[str | Path]) -> list[InputFile]:
    """The tables that files, folders and globs name, in name order. Raises `InvalidInput`."""
    found: list[Path] = []
    for given in paths:
        text = str(given)
        path = Path(text).expanduser()
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and is_data(p))
            if not inside:
                raise InvalidInput("file", f"the folder {text} holds no file to import")
            found += inside
        elif path.exists():
            found.append(path)
        elif any(c in text for c in "*?["):
            matches = sorted(Path(p) for p in glob.glob(text, recursive=True) if Path(p).is_file())
            if not matches:
                raise InvalidInput("file", f"no file matches {text}")
            found += matches
        else:
            raise InvalidInput("file", f"there is no file {text}")
    if not found:
        raise InvalidInput("file", "no file was given")
    unique = list(dict.fromkeys(p.resolve() for p in found))
    return [table for path in unique for table in _inside(path)]


def is_data(path: Path) -> bool:
    """True for a file that a folder is read for: not hidden, with the ending of a table."""
    hidden = path.name.startswith((".", "~$"))
    return not hidden and path.suffix.lower() in _SUFFIXES


def _inside(path: Path) -> list[InputFile]:
    with reading(path.name):
        size = path.stat().st_size
        if size == 0:
            raise InvalidInput("file", f"{path.name} is empty")
        with open(path, "rb") as file:
            head = file.read(512)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _in_zip(path)
    kind, compression = _kind(path, head)
    return [InputFile(path, path.name, kind, compression, size)]


def _kind(path: Path, head: bytes) -> tuple[str, str]:
    name = path.name
    if head.startswith(b"\x1f\x8b"):
        return "text", "gz"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "text", "zst"
    if head.startswith(b"PAR1"):
        return "parquet", "none"
    if head.startswith(_OLE):
        if _holds(path, "EncryptedPackage".encode("utf-16-le")):
            raise InvalidInput("file", f"{name} is protected with a password; save it without one")
        return "excel", "none"
    for magic, what in (
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"GIF8", "a picture"),
        (b"Rar!", "a RAR archive (use zip or gz)"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive (use zip or gz)"),
        (b"BZh", "a bzip2 archive (use zip or gz)"),
        (b"\xfd7zXZ", "an xz archive (use zip or gz)"),
        (b"MZ", "a program"),
        (b"\x7fELF", "a program"),
        (b"SQLite format 3", "a database"),
    ):
        if head.startswith(magic):
            raise InvalidInput("file", f"{name} is {what}, not a table")
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq", ".gz", ".zst", ".zstd", ".zip", ".xls") or suffix in _SPREADSHEETS:
        # HTML saved as .xls is a common export of web shops, but it is not a workbook.
        raise InvalidInput("file", f"{name} is damaged or is not a {suffix[1:]} file")
    return "text", "none"


def _holds(path: Path, words: bytes) -> bool:
    with open(path, "rb") as file:
        before = b""
        while piece := file.read(1 << 20):
            if words in before + piece:
                return True
            before = piece[-len(words) :]
    return False


def _in_zip(path: Path) -> list[InputFile]:
    """A workbook, or an archive of tables."""
    with reading(path.name), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        check_archive(path.name, path.stat().st_size, members)
        names = {m.filename for m in members}
        if "[Content_Types].xml" in names or "mimetype" in names:
            return [InputFile(path, path.name, "excel", "none", path.stat().st_size)]
        tables: list[InputFile] = []
        for member in sorted(members, key=lambda m: m.filename):
            base = member.filename.rsplit("/", 1)[-1]
            if member.is_dir() or base.startswith((".", "~$")) or member.filename.startswith("__MACOSX/"):
                continue
            if Path(base).suffix.lower() in (".zip", ".gz", ".zst") or Path(base).suffix.lower() in _SPREADSHEETS:
                raise InvalidInput("file", f"{path.name} holds {member.filename}; unpack it and import that file")
            with archive.open(member) as stream:
                head = stream.read(512)
            if member.file_size == 0:
                continue
            kind, compression = _kind(Path(base), head)
            if kind != "text" or compression != "none":
                raise InvalidInput("file", f"{path.name} holds {member.filename}; unpack it and import that file")
            name = f"{path.name}/{member.filename}"
            tables.append(InputFile(path, name, "text", "zip", member.compress_size, member.filename))
        if not tables:
            raise InvalidInput("file", f"{path.name} holds no table")
        return tables


def check_archive(name: str, size: int, members: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that is protected, or unpacks to far more than any table would."""
    if len(members) > MAX_MEMBERS:
        raise InvalidInput("file", f"{name} holds {len(members):,} files; at most {MAX_MEMBERS:,} are read")
    if any(m.flag_bits & 1 for m in members):
        raise InvalidInput("file", f"{name} is protected with a password; pack it without one")
    unpacked = sum(m.file_size for m in members)
    packed = sum(m.compress_size for m in members)
    if packed > size:
        raise InvalidInput("file", f"{name} is damaged: its parts overlap")
    for member in members:
        if member.file_size > FREE_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise InvalidInput(
                "file", f"{name}: {member.filename} unpacks to {_size(member.file_size)}, which no table does"
            )
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * size:
        raise InvalidInput("file", f"{name} unpacks to {_size(unpacked)}, which no table does")


def _size(count: int) -> str:
    return f"{count / (1 << 30):,.1f} GB" if count >= 1 << 30 else f"{count / (1 << 20):,.0f} MB"


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what reading a damaged file raises into `InvalidInput` that names it."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, zstandard.ZstdError, lzma.LZMAError) as error:
        raise InvalidInput("file", f"{name} is damaged or was cut off: {error}") from None
    except NotImplementedError as error:  # zipfile: an exotic compression method
        raise InvalidInput("file", f"{name} cannot be unpacked: {error}") from None
    except PermissionError:
        raise InvalidInput("file", f"{name} may not be read by this program") from None
    except FileNotFoundError:
        raise InvalidInput("file", f"there is no file {name}") from None
    except IsADirectoryError:
        raise InvalidInput("file", f"{name} is a folder") from None
    except OSError as error:
        raise StorageFailed(f"{name} cannot be read: {error.strerror or error}") from error


class OpenStream:
    """The unpacked bytes of a file: `readinto`, and `position` in the packed file for progress."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        self._raw: BinaryIO = open(file.path, "rb")  # noqa: SIM115 - closed by close()
        self._archive: zipfile.ZipFile | None = None
        self._stream: Any = self._raw
        try:
            self._unpack()
        except BaseException:
            self._raw.close()
            raise

    def _unpack(self) -> None:
        file = self.file
        if file.compression == "gz":
            self._stream = gzip.GzipFile(fileobj=self._raw)
        elif file.compression == "zst":
            _check_zst(file.path)
            self._stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(
                self._raw, read_across_frames=True
            )
        elif file.compression == "zip":
            self._archive = zipfile.ZipFile(self._raw)
            assert file.member is not None, "a zip table has a member"
            self._stream = self._archive.open(file.member)

    def rewind(self) -> None:
        """Begin again."""
        with reading(self.file.name):
            self._raw.seek(0)
            self._unpack()

    def readinto(self, view: memoryview) -> int:
        """Fill as much of `view` as there is; 0 at the end."""
        filled = 0
        with reading(self.file.name):
            while filled < len(view):
                got = self._stream.readinto(view[filled:])
                if not got:
                    break
                filled += got
        return filled

    def skip(self, count: int) -> None:
        """Go on `count` unpacked bytes further on."""
        if self.file.compression == "none":
            self._raw.seek(count, io.SEEK_CUR)
            return
        scratch = memoryview(bytearray(1 << 20))
        while count > 0:
            got = self.readinto(scratch[: min(count, len(scratch))])
            if got == 0:
                raise InvalidInput("file", f"{self.file.name} is shorter than when its import began")
            count -= got

    @property
    def position(self) -> int:
        """Bytes of the packed file read so far."""
        if self.file.compression == "zip":
            stream = cast("Any", self._stream)
            left = int(getattr(stream, "_compress_left", 0))
            return self.file.bytes - left
        return self._raw.tell()

    def close(self) -> None:
        for part in (self._stream, self._archive, self._raw):
            if part is not None:
                part.close()


def _check_zst(path: Path) -> None:
    """Walk the frames' block headers: the streaming reader ends quietly where a file was cut off."""
    size = path.stat().st_size
    with open(path, "rb") as raw:
        at = 0
        while at < size:
            raw.seek(at)
            head = raw.read(18)
            if len(head) >= 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
                at += 8 + int.from_bytes(head[4:8], "little")  # a frame to skip
                continue
            if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
                raise EOFError("the compressed stream is not whole")
            flags = head[4]
            single = bool(flags & 0x20)
            content = (1 if single else 0, 2, 4, 8)[flags >> 6]
            at += 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3] + content
            last = False
            while not last:
                raw.seek(at)
                block = raw.read(3)
                if len(block) < 3:
                    raise EOFError("the compressed stream ends early")
                number = int.from_bytes(block, "little")
                last = bool(number & 1)
                at += 3 + (1 if (number >> 1) & 3 == 1 else number >> 3)
            at += 4 if flags & 4 else 0
            if at > size:
                raise EOFError("the compressed stream ends early")


def check_whole(file: InputFile) -> None:
    """Unpack a packed file to its end, where its checksum is. Raises `InvalidInput` where it is damaged."""
    if file.compression == "none":
        return
    scratch = memoryview(bytearray(1 << 20))
    with open_stream(file) as stream:
        while stream.readinto(scratch):
            continue


@contextmanager
def open_stream(file: InputFile) -> Iterator[OpenStream]:
    """The file's unpacked bytes."""
    with reading(file.name):
        stream = OpenStream(file)
    try:
        yield stream
    finally:
        stream.close()
