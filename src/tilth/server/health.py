"""How the data is: lake, intake, quarantine, background work, disk. What `tilth doctor` and the health page show."""

from __future__ import annotations

import os
import platform
import re
import shutil
from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa

from tilth import __version__
from tilth.server.instants import instant_or_none
from tilth.settings import Settings

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = [
    "Check",
    "DatabaseHealth",
    "Diagnostics",
    "DiskHealth",
    "EffectiveSetting",
    "database_health",
    "diagnostics",
    "disk_health",
    "effective_settings",
]


class DatabaseHealth(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["sqlite", "postgresql"]
    bytes: int


class DiskHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of the disk that holds the workspace."""

    free: int
    total: int


class EffectiveSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting as it is in force, and where it comes from; passwords inside addresses are hidden."""

    name: str
    value: str
    origin: Literal["environment", "tilth.toml", "default"]
    variable: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    ok: bool
    detail: str


class Diagnostics(msgspec.Struct, frozen=True, kw_only=True):
    """What to send along with a report: it holds no secrets and no personal data."""

    version: str
    python: str
    platform: str
    workspace: str
    packages: dict[str, str]
    settings: list[EffectiveSetting]
    checks: list[Check]
    ok: bool


def database_health(workspace: Workspace) -> DatabaseHealth:
    if workspace.database.is_sqlite:
        files = [workspace.folder / f"state.db{ending}" for ending in ("", "-wal", "-shm")]
        return DatabaseHealth(kind="sqlite", bytes=sum(f.stat().st_size for f in files if f.exists()))
    with workspace.database.read() as connection:
        size = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
    return DatabaseHealth(kind="postgresql", bytes=int(size or 0))


def disk_health(workspace: Workspace) -> DiskHealth:
    usage = shutil.disk_usage(workspace.folder)
    return DiskHealth(free=usage.free, total=usage.total)


def effective_settings(workspace: Workspace) -> list[EffectiveSetting]:
    import tomllib

    path = workspace.folder / "tilth.toml"
    written: dict[str, Any] = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    found = []
    for field in msgspec.structs.fields(Settings):
        variable = f"TILTH_{field.name.upper()}"
        value = getattr(workspace.settings, field.name)
        origin: Literal["environment", "tilth.toml", "default"] = "default"
        if os.environ.get(variable):
            origin = "environment"
        elif field.name in written:
            origin = "tilth.toml"
        shown = _without_password(value) if field.name.endswith("_url") else str(value)
        found.append(EffectiveSetting(name=field.name, value=shown, origin=origin, variable=variable))
    return found


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    # PostgreSQL takes a password among the options too; one of either kind may hold the other's marks.
    shown = re.sub(r"(?<=[?&])([^=&]*password=)[^&]*", r"\1***", rest, flags=re.IGNORECASE)
    login, at, address = shown.rpartition("@")
    if at:
        shown = f"{login.split(':', 1)[0]}:***@{address}"
    elif "@" in rest:
        shown = "***"  # which part was what cannot be told
    return f"{scheme}{separator}{shown}"


def diagnostics(workspace: Workspace) -> Diagnostics:
    checks = [_disk_check(workspace), _database_check(workspace), _lake_check(workspace), _intake_check(workspace)]
    checks.append(_lock_check(workspace))
    packages = {}
    for name in ("litestar", "granian", "msgspec", "deltalake", "pyarrow", "duckdb", "numba", "numpy", "sqlalchemy"):
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = "missing"
    return Diagnostics(
        version=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        workspace=str(workspace.folder),
        packages=packages,
        settings=effective_settings(workspace),
        checks=checks,
        ok=all(check.ok for check in checks),
    )


def _disk_check(workspace: Workspace) -> Check:
    disk = disk_health(workspace)
    free = f"{disk.free / 1024**3:.1f} GB of {disk.total / 1024**3:.1f} GB free"
    writable = os.access(workspace.folder, os.W_OK)
    return Check(
        name="disk",
        ok=writable and disk.free > 512 * 1024**2,
        detail=free if writable else f"{free}, but the folder cannot be written",
    )


def _database_check(workspace: Workspace) -> Check:
    health = database_health(workspace)
    if health.kind == "sqlite":
        with workspace.database.read() as connection:
            verdict = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        return Check(name="database", ok=verdict == "ok", detail=f"SQLite, {health.bytes:,} bytes, {verdict}")
    return Check(name="database", ok=True, detail=f"PostgreSQL, {health.bytes:,} bytes")


def _lake_check(workspace: Workspace) -> Check:
    missing = [f.path for f in workspace.lake.files() if not workspace.lake.store.exists(f.path)]
    stats = workspace.lake.stats()
    detail = f"version {stats.version}, {stats.files:,} files, {stats.rows:,} rows, {stats.bytes:,} bytes"
    if missing:
        detail += f"; {len(missing)} files are missing, first {missing[0]}"
    return Check(name="lake", ok=not missing, detail=detail)


def _intake_check(workspace: Workspace) -> Check:
    events, oldest = workspace.collect.tail_size()
    since = instant_or_none(oldest)
    detail = f"{events:,} events not flushed yet" + (f", the oldest from {_iso(since)}" if since and events else "")
    error = workspace.collect.last_flush_error
    return Check(name="intake", ok=error is None, detail=detail if error is None else f"{detail}; {error}")


def _lock_check(workspace: Workspace) -> Check:
    if workspace.lock.held:
        return Check(name="writer lock", ok=True, detail="held by this process")
    path = workspace.folder / "writer.lock"
    holder = path.read_text("utf-8").strip() if path.exists() else ""
    return Check(name="writer lock", ok=True, detail=f"held by {holder}" if holder else "free")


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
