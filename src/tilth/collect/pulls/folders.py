"""Files of a folder or of an S3 bucket: which there are, and one of them on this machine's disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from tilth.collect.imports.files import is_data
from tilth.collect.pulls.model import FolderPlace, S3Place
from tilth.errors import InvalidInput, StorageFailed

__all__ = ["Allowed", "Found", "check_place", "fetched", "files_of"]

# Files of one folder or prefix.
_MOST_FILES = 100_000
# Bytes of one object.
_MOST_BYTES = 8 << 30
_PIECE = 4 << 20


@dataclass(frozen=True, order=True)
class Found:
    """A file as it is now; in order of time, then name. modified: UTC µs. name: below the folder or prefix."""

    modified: int
    name: str
    size: int


class Allowed:
    """The folders of this machine that pulls may read: the setting `pull_folders`.

    A console user chooses paths; without this one could have the server's own files read out.
    """

    def __init__(self, workspace: Path, setting: str) -> None:
        told = [one.strip() for one in setting.split(os.pathsep) if one.strip()]
        self._workspace = workspace
        self.folders = [(workspace / Path(one).expanduser()).resolve() for one in told]

    def inside(self, path: str, field: str) -> Path:
        """The real path. Raises `InvalidInput` where it, links followed, is in none of the folders."""
        if "\0" in path:
            raise InvalidInput(field, "holds a NUL character")
        try:
            given = Path(path).expanduser()
            real = (given if given.is_absolute() else self._workspace / given).resolve()
        except (OSError, RuntimeError, ValueError):
            raise InvalidInput(field, "is no path") from None
        if not any(real == one or one in real.parents for one in self.folders):
            shown = ", ".join(str(one) for one in self.folders) or "none"
            raise InvalidInput(field, f"is outside the folders that pulls may read ({shown}); see pull_folders")
        return real


def check_place(place: FolderPlace | S3Place, allowed: Allowed) -> None:
    """What can be said without looking. Raises `InvalidInput`."""
    if isinstance(place, FolderPlace):
        allowed.inside(place.path, "connection.path")
        return
    if "/" in place.bucket:
        raise InvalidInput("connection.bucket", "is a name; what follows it goes into prefix")
    if place.endpoint:
        parts = urlsplit(place.endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc or parts.path.strip("/"):
            raise InvalidInput("connection.endpoint", "must look like https://minio.example:9000")


def files_of(place: FolderPlace | S3Place, secret: str, allowed: Allowed) -> list[Found]:
    """The files that match, oldest first. Raises `InvalidInput` where the place cannot be read."""
    check_place(place, allowed)
    found = _in_folder(place, allowed) if isinstance(place, FolderPlace) else _in_bucket(place, secret)
    if len(found) > _MOST_FILES:
        raise InvalidInput("connection.pattern", f"matches more than {_MOST_FILES:,} files")
    return sorted(found)


def _wanted(place: FolderPlace | S3Place, name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return is_data(Path(base)) and (fnmatch(name, place.pattern) or fnmatch(base, place.pattern))


def _in_folder(place: FolderPlace, allowed: Allowed) -> list[Found]:
    root = allowed.inside(place.path, "connection.path")
    if not root.is_dir():
        raise InvalidInput("connection.path", f"there is no folder {root}")
    found: list[Found] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith(".")]
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(root).as_posix()
            # A link may lead outside; what it leads to is not this folder's.
            if not _wanted(place, relative) or path.is_symlink():
                continue
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append(Found(stat.st_mtime_ns // 1000, relative, stat.st_size))
            if len(found) > _MOST_FILES:
                return found
    return found


def _s3(place: S3Place, secret: str) -> Any:
    options: dict[str, Any] = {"connect_timeout": 10, "request_timeout": 60}
    if place.access_key:
        options |= {"access_key": place.access_key, "secret_key": secret}
    else:
        options["anonymous"] = True
    if place.region:
        options["region"] = place.region
    elif place.endpoint:
        # Its own servers mostly know one region; asking for the bucket's would go to Amazon.
        options["region"] = "us-east-1"
    if place.endpoint:
        parts = urlsplit(place.endpoint)
        options |= {"endpoint_override": parts.netloc, "scheme": parts.scheme}
    return pafs.S3FileSystem(**options)


def _root(place: S3Place) -> str:
    return f"{place.bucket}/{place.prefix.strip('/')}".rstrip("/")


def _in_bucket(place: S3Place, secret: str) -> list[Found]:
    root = _root(place)
    try:
        infos = _s3(place, secret).get_file_info(pafs.FileSelector(root, recursive=True))
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InvalidInput("connection", f"the bucket cannot be listed: {_told(error, secret)}") from None
    return [
        Found((info.mtime_ns or 0) // 1000, name, info.size)
        for info in infos
        if info.type == pafs.FileType.File and _wanted(place, name := info.path.removeprefix(f"{root}/"))
    ]


@contextmanager
def fetched(place: FolderPlace | S3Place, secret: str, allowed: Allowed, file: Found) -> Iterator[Path]:
    """The file on this machine, for as long as the block lasts. Raises `InvalidInput` where it is gone."""
    if isinstance(place, FolderPlace):
        yield allowed.inside(str(allowed.inside(place.path, "connection.path") / file.name), "connection.path")
        return
    if file.size > _MOST_BYTES:
        raise InvalidInput("file", f"{file.name} is over {_MOST_BYTES >> 30} GB")
    with tempfile.TemporaryDirectory(prefix="tilth-pull-") as folder:
        # Its own name, whose ending says what it is.
        copy = Path(folder) / file.name.rsplit("/", 1)[-1]
        try:
            with _s3(place, secret).open_input_stream(f"{_root(place)}/{file.name}", compression=None) as stream:
                _copy(stream, copy)
        except (OSError, pa.ArrowException) as error:
            raise InvalidInput("file", f"{file.name} cannot be read: {_told(error, secret)}") from None
        yield copy


def _copy(stream: Any, copy: Path) -> None:
    with open(copy, "wb") as out:
        while piece := stream.read(_PIECE):
            try:
                out.write(piece)
            except OSError as error:
                raise StorageFailed(f"no room for a copy: {error.strerror}") from error


def _told(error: BaseException, secret: str) -> str:
    lines = str(error).strip().splitlines()
    text = (lines[0] if lines else type(error).__name__)[:300]
    return text.replace(secret, "***") if secret else text
