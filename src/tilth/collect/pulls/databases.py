"""Rows of a database, in order of a mark and a key, so many at a time.

Only read: the connection is opened read-only where the database knows that, and every statement is one
SELECT around the given table or query. A page ends at a row, not at a mark, so rows of one and the
same mark are neither lost nor read twice between pages.
"""

from __future__ import annotations

import math
import re
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.collect.pulls.folders import Allowed
from tilth.collect.pulls.model import SqlPlace
from tilth.errors import InvalidInput

__all__ = ["At", "Rows", "at_text", "check_sql", "open_rows", "split_password"]

Value = int | float | Decimal | str | datetime | date | uuid.UUID
_CONNECT = 10
# Seconds one page may take.
_STATEMENT = 60
_BACKENDS = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mysql": "MySQL", "mariadb": "MariaDB",
             "mssql": "SQL Server", "oracle": "Oracle"}  # fmt: skip
# What a URL may say after `?`: nothing that names a file, a socket or another host.
_ARGUMENTS = {"sslmode", "charset", "application_name", "driver", "Encrypt", "TrustServerCertificate", "service_name"}
_URL = "connection.url"


class At(msgspec.Struct, frozen=True, kw_only=True):
    """A place between two rows: after the row with this mark and key. Each as (type, text)."""

    mark: tuple[str, str]
    key: tuple[str, str]


def at_text(at: At) -> str:
    """For people: `2026-06-01T10:00:00, 4711`."""
    return at.mark[1] if at.mark == at.key else f"{at.mark[1]}, {at.key[1]}"


def split_password(url: str) -> tuple[str, str]:
    """(the URL without its password, the password). Raises `InvalidInput`."""
    parsed = _parsed(url)
    # `set` takes None for "as it is".
    bare = sa.URL.create(
        parsed.drivername, parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query
    )
    return bare.render_as_string(hide_password=False), "" if parsed.password is None else str(parsed.password)


def check_sql(place: SqlPlace, allowed: Allowed) -> None:
    """What can be said without connecting. Raises `InvalidInput`."""
    parsed = _parsed(place.url)
    if parsed.get_backend_name() == "sqlite":
        _sqlite_path(parsed, allowed)
    elif not parsed.host:
        raise InvalidInput(_URL, "names no host")
    if bool(place.table) == bool(place.query):
        raise InvalidInput("connection.table", "give a table or a query, one of the two")
    if place.query:
        _query_text(place.query)
    elif place.table.count(".") > 1:
        raise InvalidInput("connection.table", "must be a name or schema.name")


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url.strip())
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidInput(_URL, "must look like postgresql://user@host/database or sqlite:///file.db") from None
    backend = "postgresql" if parsed.drivername == "postgres" else parsed.get_backend_name()
    if backend not in _BACKENDS:
        raise InvalidInput(_URL, f"{backend!r} is no database that is read from", sorted(_BACKENDS))
    if backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    elif backend == "sqlite":
        parsed = parsed.set(drivername="sqlite")
    for name in parsed.query:
        if name not in _ARGUMENTS:
            raise InvalidInput(_URL, f"the argument {name!r} is not taken", sorted(_ARGUMENTS))
    return parsed


def _sqlite_path(parsed: sa.URL, allowed: Allowed) -> Path:
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise InvalidInput(_URL, "names no file")
    return allowed.inside(parsed.database, _URL)


def _query_text(query: str) -> str:
    text = query.strip().rstrip(";").rstrip()
    if re.match(r"(?i)(select|with)\b", text) is None:
        raise InvalidInput("connection.query", "must be one SELECT")
    return text


class Rows:
    """An open connection that reads pages. Use `open_rows`."""

    def __init__(self, connection: sa.Connection, place: SqlPlace) -> None:
        self._connection = connection
        self._place = place
        self.deadline = [math.inf]
        columns: list[Any] = [sa.column(name) for name in dict.fromkeys((place.mark, place.key))]
        self._pulled: Any
        if place.query:
            # `:` begins a parameter for SQLAlchemy; here it is the query's own.
            inner = _query_text(place.query).replace(":", "\\:")
            self._pulled = sa.text(inner).columns(*columns).subquery("pulled")
            self._what: Any = sa.literal_column("pulled.*")
        else:
            schema, _, name = place.table.rpartition(".")
            self._pulled = sa.table(name, *columns, schema=schema or None)
            self._what = sa.text("*")
        self._mark, self._key = self._pulled.c[place.mark], self._pulled.c[place.key]

    def first(self, limit: int) -> list[dict[str, Any]]:
        """The first rows by mark."""
        return [payload_of(row) for row in self._fetch(sa.true(), limit)]

    def page(self, limit: int, *, after: At | None = None, start: Any = None, through: At | None = None) -> Page:
        """Up to `limit` rows after a place, or from the mark `start` on; up to and with the row at `through`."""
        wanted: list[sa.ColumnElement[bool]] = []
        if after is not None:
            mark, key = _bound(after.mark), _bound(after.key)
            beyond: sa.ColumnElement[bool] = self._mark > mark
            if self._place.mark != self._place.key:
                beyond = beyond | ((self._mark == mark) & (self._key > key))
            wanted.append(beyond)
        if start is not None:
            wanted.append(self._mark >= start)
        if through is not None:
            mark, key = _bound(through.mark), _bound(through.key)
            wanted.append((self._mark < mark) | ((self._mark == mark) & (self._key <= key)))
        found = self._fetch(sa.and_(sa.true(), *wanted), limit)
        if not found:
            return Page([], None)
        last = found[-1]
        if any(row.get(self._place.key) is None for row in found):
            raise InvalidInput("connection.key", f"{self._place.key!r} is empty in a row; take a column that never is")
        at = At(
            mark=_stored(last[self._place.mark], "connection.mark"),
            key=_stored(last[self._place.key], "connection.key"),
        )
        if at == after:
            raise InvalidInput("connection.key", f"{self._place.key!r} is the same in several rows of one mark")
        return Page([payload_of(row) for row in found], at)

    def before(self, at: At, overlap: int) -> Any:
        """The mark `overlap` before a place. Raises `InvalidInput` where its type has no distances."""
        kind, text = at.mark
        value = _value(kind, text)
        try:
            if kind == "text":
                moment = datetime.fromisoformat(text) - timedelta(seconds=overlap)
                # Cut to seconds: no later than any way to write that moment in the same manner.
                return sa.literal(moment.replace(tzinfo=None).isoformat("T" if "T" in text else " ", "seconds"))
            if kind == "date":
                return _literal(kind, value - timedelta(days=overlap // 86_400 + 1))
            return _literal(kind, value - (timedelta(seconds=overlap) if kind in ("time", "instant") else overlap))
        except (TypeError, ValueError, OverflowError):
            raise InvalidInput("connection.overlap", "works only where the mark is a time or a number") from None

    def _fetch(self, where: sa.ColumnElement[bool], limit: int) -> list[dict[str, Any]]:
        place = self._place
        order = [self._mark] if place.mark == place.key else [self._mark, self._key]
        statement = (
            sa.select(self._what)
            .select_from(self._pulled)
            .where(self._mark.is_not(None), where)
            .order_by(*order)
            .limit(limit)
        )
        self.deadline[0] = time.monotonic() + _STATEMENT
        try:
            found = [dict(row._mapping) for row in self._connection.execute(statement)]
            # No snapshot is kept from page to page.
            self._connection.rollback()
        except sa.exc.DBAPIError as error:
            raise InvalidInput("connection", f"the database says: {_first_line(error)}") from None
        finally:
            self.deadline[0] = math.inf
        for field in ("mark", "key"):
            if found and getattr(place, field) not in found[0]:
                raise InvalidInput(f"connection.{field}", f"there is no column {getattr(place, field)!r}")
        return found


class Page:
    """Rows as payloads, and the place after the last of them."""

    def __init__(self, rows: list[dict[str, Any]], at: At | None) -> None:
        self.rows = rows
        self.at = at


@contextmanager
def open_rows(place: SqlPlace, secret: str, allowed: Allowed) -> Iterator[Rows]:
    """Connect. Raises `InvalidInput` with what the database or the driver says, never the password."""
    check_sql(place, allowed)
    url = _parsed(place.url)
    if secret:
        url = url.set(password=secret)
    backend = url.get_backend_name()
    options: dict[str, Any] = {}
    deadline = [math.inf]
    if backend == "sqlite":
        path = _sqlite_path(url, allowed)

        def connect() -> sqlite3.Connection:
            opened = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_CONNECT, check_same_thread=False)
            opened.execute("PRAGMA query_only=ON")
            opened.set_progress_handler(lambda: int(time.monotonic() > deadline[0]), 10_000)
            return opened

        options["creator"] = connect
    elif backend == "postgresql":
        settings = f"-c statement_timeout={_STATEMENT * 1000} -c default_transaction_read_only=on"
        options["connect_args"] = {"connect_timeout": _CONNECT, "options": settings}
    elif backend in ("mysql", "mariadb") and url.get_driver_name() in ("pymysql", "mysqldb"):
        options["connect_args"] = {
            "connect_timeout": _CONNECT, "read_timeout": _STATEMENT,
            "init_command": "SET SESSION TRANSACTION READ ONLY",
        }  # fmt: skip
    try:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, **options)
    except (ImportError, sa.exc.NoSuchModuleError) as error:
        raise InvalidInput(_URL, f"the driver for {_BACKENDS[backend]} is not installed ({error})") from None
    except (sa.exc.ArgumentError, TypeError, ValueError) as error:
        raise InvalidInput(_URL, _hidden(str(error), secret)) from None
    try:
        connection = engine.connect()
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own; whichever it is, it could not connect
        raise InvalidInput("connection", f"cannot connect: {_hidden(_first_line(error), secret)}") from None
    try:
        rows = Rows(connection, place)
        rows.deadline = deadline
        yield rows
    finally:
        connection.close()
        engine.dispose()


def _first_line(error: BaseException) -> str:
    told = str(getattr(error, "orig", None) or error).strip().splitlines()
    return (told[0] if told else type(error).__name__)[:300]


def _hidden(text: str, secret: str) -> str:
    return text.replace(secret, "***") if secret else text


def _stored(value: Any, field: str) -> tuple[str, str]:
    if isinstance(value, bool) or value is None:
        raise InvalidInput(field, "must be a number, a time or a text")
    if isinstance(value, int):
        return "int", str(value)
    if isinstance(value, float):
        return "float", repr(value)
    if isinstance(value, Decimal):
        return "decimal", str(value)
    if isinstance(value, datetime):
        return ("time" if value.tzinfo is None else "instant"), value.isoformat()
    if isinstance(value, date):
        return "date", value.isoformat()
    if isinstance(value, uuid.UUID):
        return "uuid", str(value)
    if isinstance(value, str):
        return "text", value
    raise InvalidInput(field, f"must be a number, a time or a text, not {type(value).__name__}")


def _value(kind: str, text: str) -> Any:
    match kind:
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "decimal":
            return Decimal(text)
        case "time" | "instant":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case "uuid":
            return uuid.UUID(text)
        case _:
            return text


# Wide types: a driver that is told INTEGER refuses ids over 2³¹, one told TIMESTAMP would lose the zone.
_TYPES: dict[str, Any] = {
    "int": sa.BigInteger(), "float": sa.Double(), "decimal": sa.Numeric(), "time": sa.DateTime(),
    "instant": sa.DateTime(timezone=True), "date": sa.Date(), "uuid": sa.Uuid(), "text": sa.String(),
}  # fmt: skip


def _literal(kind: str, value: Any) -> Any:
    return sa.literal(value, _TYPES[kind])


def _bound(stored: tuple[str, str]) -> Any:
    return _literal(stored[0], _value(*stored))


def payload_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the JSON that rules read; NULLs are left out."""
    return {str(name): plain for name, value in row.items() if (plain := _plain(value)) is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):
        # The shortest text that is this number, so that 19.9 stays 19.9.
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
