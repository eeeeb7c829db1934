"""Who may write the lake: one process at a time, and a dead one never blocks the next.

SQLite workspaces use an advisory lock on a file, which the kernel drops when the process dies;
PostgreSQL workspaces use a session advisory lock, which the server drops with the connection.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from tilth.errors import Busy
from tilth.state.database import Database

__all__ = ["WriterLock"]

_LOCK_KEY = 0x74696C7468  # "tilth"


class WriterLock:
    """Held by the process that imports, flushes and compacts. `acquire` raises `Busy` with the holder."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._path = folder / "writer.lock"
        self._database = database
        self._file: IO[str] | None = None
        self._connection: sa.Connection | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def acquire(self) -> None:
        if self.held:
            return
        file = open(self._path, "a+", encoding="utf-8")  # noqa: SIM115 - kept open while the lock is held
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise Busy(
                f"the workspace {self._path.parent} is in use by {holder}; "
                "stop it first, or use its console or API for this"
            ) from None
        if not self._database.is_sqlite:
            connection = self._database.engine.connect()
            if not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:k)"), {"k": _LOCK_KEY}):
                connection.close()
                file.close()
                raise Busy("the workspace's database is in use by another Tilth process")
            connection.commit()
            self._connection = connection
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._connection is not None:
            # The pool would keep the session, and with it the lock.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None
