"""Where the event table lies: the workspace's own folder, or S3-compatible storage with a copy of what is read here.

Everything else reads files by their local path. With S3 a file is put there before it is committed, and fetched
from there the first time it is read; what the kernels read is kept beside it, so a file is rarely fetched twice.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tilth.errors import InvalidInput, StorageFailed

__all__ = ["FolderStore", "S3Store", "Store", "store_of"]


class Store(ABC):
    """uri: what the Delta table is opened by; options: of its storage. root: where files are read."""

    uri: str
    options: dict[str, str] | None
    root: Path

    @abstractmethod
    def ensure(self, path: Path) -> None:
        """Have the file at its local path. Raises `FileNotFoundError` where it is nowhere, `StorageFailed`."""

    @abstractmethod
    def publish(self, path: Path) -> None:
        """Make a file that was written durable for everybody who reads the table."""

    @abstractmethod
    def exists(self, relative: str) -> bool:
        """Whether the table's storage has the file."""

    @abstractmethod
    def data_files(self) -> Iterator[tuple[str, float]]:
        """(path within the table, when it was written) of every Parquet file there, committed or not."""

    @abstractmethod
    def delete(self, relative: str) -> None:
        """Remove a file that no commit names, everywhere."""


class FolderStore(Store):
    """A local folder, the truth itself."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = str(root)
        self.options = None

    def ensure(self, path: Path) -> None:
        pass

    def publish(self, path: Path) -> None:
        pass

    def exists(self, relative: str) -> bool:
        return (self.root / relative).exists()

    def data_files(self) -> Iterator[tuple[str, float]]:
        for path in self.root.glob("month=*/bucket=*/*.parquet"):
            yield str(path.relative_to(self.root)), path.stat().st_mtime

    def delete(self, relative: str) -> None:
        (self.root / relative).unlink(missing_ok=True)


class S3Store(Store):
    """`s3://bucket/prefix`, with keys, region and endpoint from the usual AWS_… variables. root: the copy here."""

    def __init__(self, url: str, root: Path) -> None:
        self.root = root
        self.uri = url.rstrip("/")
        self._place = self.uri.removeprefix("s3://")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        self.options = {
            # A commit is an object that must not be there yet: of two writers one wins.
            "aws_conditional_put": "etag",
            **({"aws_endpoint": endpoint} if endpoint else {}),
            **({"aws_allow_http": "true"} if endpoint.startswith("http://") else {}),
        }
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._opened: Any = None

    @property
    def _files(self) -> Any:
        with self._lock:
            if self._opened is None:
                from pyarrow import fs

                scheme, _, place = self._endpoint.partition("://")
                region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None
                options = {"endpoint_override": place, "scheme": scheme} if place else {}
                self._opened = fs.S3FileSystem(region=region, **options)
            return self._opened

    def ensure(self, path: Path) -> None:
        if path.exists():
            return
        relative = path.relative_to(self.root)
        path.parent.mkdir(parents=True, exist_ok=True)
        # By rename, so that another thread or process sees the whole file or none.
        fresh = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
        try:
            with self._files.open_input_stream(f"{self._place}/{relative}") as source, open(fresh, "wb") as target:
                while chunk := source.read(8 << 20):
                    target.write(chunk)
            fresh.replace(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageFailed(f"{self.uri}/{relative} cannot be read: {error}") from error
        finally:
            fresh.unlink(missing_ok=True)

    def publish(self, path: Path) -> None:
        relative = path.relative_to(self.root)
        try:
            with open(path, "rb") as source, self._files.open_output_stream(f"{self._place}/{relative}") as target:
                while chunk := source.read(8 << 20):
                    target.write(chunk)
        except OSError as error:
            raise StorageFailed(f"{self.uri}/{relative} cannot be written: {error}") from error

    def exists(self, relative: str) -> bool:
        from pyarrow import fs

        try:
            return bool(self._files.get_file_info(f"{self._place}/{relative}").type != fs.FileType.NotFound)
        except OSError as error:
            raise StorageFailed(f"{self.uri} cannot be reached: {error}") from error

    def data_files(self) -> Iterator[tuple[str, float]]:
        from pyarrow import fs

        chosen = fs.FileSelector(self._place, allow_not_found=True, recursive=True)
        for info in self._files.get_file_info(chosen):
            relative = info.path.removeprefix(f"{self._place}/")
            if info.type == fs.FileType.File and relative.endswith(".parquet") and relative.startswith("month="):
                yield relative, info.mtime.timestamp() if info.mtime is not None else time.time()

    def delete(self, relative: str) -> None:
        self._files.delete_file(f"{self._place}/{relative}")
        (self.root / relative).unlink(missing_ok=True)

    def check(self) -> None:
        """That objects can be written and taken away again. Raises `StorageFailed`."""
        name = f"{self._place}/.tilth-{uuid.uuid4().hex}"
        try:
            with self._files.open_output_stream(name) as target:
                target.write(b"tilth")
            self._files.delete_file(name)
        except OSError as error:
            raise StorageFailed(f"{self.uri} cannot be written: {error}") from error


def store_of(root: Path, url: str) -> Store:
    """The store of a workspace's settings. Raises `InvalidInput`."""
    if not url:
        return FolderStore(root)
    if not url.startswith("s3://") or len(url) < 6:
        raise InvalidInput(
            "lake_url", "must begin with s3:// and name a bucket (or be empty for the workspace's folder)"
        )
    return S3Store(url, root)
