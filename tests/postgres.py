"""Starts a throw-away PostgreSQL server on loopback for the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path

import psycopg

__all__ = ["PostgresServer", "find_postgres"]


def find_postgres() -> Path | None:
    """The folder with `initdb` and `postgres`: on PATH, else the newest of Debian's layout."""
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).parent
    candidates = sorted(
        (p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")), key=lambda p: int(p.parent.name)
    )
    return candidates[-1] if candidates else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """One server; `new_database()` gives the URL of a fresh empty database on it."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root; the package's own user does instead.
        self._user = "postgres" if os.geteuid() == 0 else None

    def _command(self, name: str, *arguments: str) -> list[str]:
        return [str(self._binaries / name), *arguments]

    def start(self) -> None:
        data = self._folder / "data"
        data.mkdir()
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            for path in (self._folder, data):
                os.chown(path, account.pw_uid, account.pw_gid)
            # pytest's base folders are private to root; the server's user must be able to pass through.
            for parent in self._folder.parents:
                if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o077 == 0:
                    parent.chmod(0o711)
        subprocess.run(
            self._command("initdb", "-D", str(data), "-A", "trust", "-U", "tilth", "-E", "UTF8", "--no-sync"),
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
            cwd="/",
        )
        self._process = subprocess.Popen(
            self._command(
                "postgres",
                *["-D", str(data), "-p", str(self._port), "-h", "127.0.0.1", "-k", str(data), "-c", "fsync=off"],
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd="/",
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)

    def _url(self, name: str) -> str:
        return f"postgresql://tilth@127.0.0.1:{self._port}/{name}"

    def new_database(self) -> str:
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return self._url(name)
