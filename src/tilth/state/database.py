"""One door to the state database: SQLite (WAL, synchronous=FULL) or PostgreSQL, the same schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

from tilth.errors import InvalidInput, StorageFailed

__all__ = ["BigId", "Database", "metadata"]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A 64-bit key that still autoincrements on SQLite, where only INTEGER PRIMARY KEY is the row id.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def database_url(folder: Path, configured: str) -> str:
    """The SQLAlchemy URL: the configured PostgreSQL one, or the workspace's own SQLite file."""
    if not configured:
        return f"sqlite:///{folder / 'state.db'}"
    if configured.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + configured.split("://", 1)[1]
    if configured.startswith(("postgresql+psycopg://", "sqlite:///")):
        return configured
    raise InvalidInput("database_url", "must start with postgresql:// (or be empty for SQLite)")


class Database:
    """Connections to the state database.

    `begin()` opens a transaction that may write (SQLite: BEGIN IMMEDIATE, so it never fails half-way
    for lack of the write lock); `read()` opens a consistent read. Both commit on leaving the block
    and roll back on an exception.
    """

    def __init__(self, folder: Path, configured_url: str = "") -> None:
        self.url = database_url(folder, configured_url)
        self.is_sqlite = self.url.startswith("sqlite")
        options: dict[str, Any] = {
            "poolclass": QueuePool,
            "pool_size": 8,
            "max_overflow": 16,
            # Guarded writes look at how many rows an INSERT … ON CONFLICT really made.
            "execution_options": {"preserve_rowcount": True},
        }
        if self.is_sqlite:
            options["connect_args"] = {"timeout": 30, "check_same_thread": False}
        else:
            options["pool_pre_ping"] = True
        self.engine = sa.create_engine(self.url, **options)
        self._upserts: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Any] = {}
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_pragmas)
            event.listen(self.engine, "begin", _sqlite_begin)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        try:
            with (
                _fitting(),
                self.engine.connect().execution_options(tilth_write=True) as connection,
                connection.begin(),
            ):
                yield connection
        except sa.exc.OperationalError as error:
            raise _storage_error(error) from error

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with _fitting(), self.engine.connect() as connection, connection.begin():
            yield connection

    def insert_or_ignore(self, table: sa.Table) -> Any:
        """INSERT … ON CONFLICT DO NOTHING for this database; check `rowcount` to see who was first."""
        return self._insert(table).on_conflict_do_nothing()

    def _insert(self, table: sa.Table) -> Any:
        """The database's own INSERT; only the dialect that is used is loaded."""
        if self.is_sqlite:
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def upsert_all(
        self, connection: sa.Connection, table: sa.Table, keys: Sequence[str], rows: Sequence[dict[str, Any]]
    ) -> None:
        """INSERT … ON CONFLICT (keys) DO UPDATE of all other columns, for rows that all give the same columns."""
        if not rows:
            return
        key = (table.name, tuple(keys), tuple(rows[0]))
        statement = self._upserts.get(key)
        if statement is None:
            # Making such a statement takes several times as long as running it.
            insert = self._insert(table).values({name: sa.bindparam(name) for name in rows[0]})
            statement = self._upserts[key] = insert.on_conflict_do_update(
                index_elements=list(keys), set_={k: insert.excluded[k] for k in rows[0] if k not in keys}
            )
        connection.execute(statement, list(rows))

    def migrate(self) -> None:
        """Bring the schema to the newest revision (a new database is made whole)."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _fitting() -> Iterator[None]:
    """A number that no column holds was somebody's input: ids of rows come from addresses and bodies."""
    try:
        yield
    except OverflowError as error:
        # SQLite's driver refuses it before the statement is run.
        if "SQLite" not in str(error):
            raise
        raise _too_large() from None
    except sa.exc.DataError as error:
        if getattr(error.orig, "sqlstate", "") != "22003":
            raise
        raise _too_large() from None


def _too_large() -> InvalidInput:
    return InvalidInput("number", "is too large: a number has at most 64 bits")


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    # Autocommit at the driver, so that the BEGIN below is ours and covers DDL too.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA cache_size=-32000")
    # Copying the log into the file syncs both; every 4 MB would cost more than the commits do.
    cursor.execute("PRAGMA wal_autocheckpoint=8000")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("tilth_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _storage_error(error: sa.exc.OperationalError) -> Exception:
    text = str(error.orig)
    if "disk is full" in text or "disk I/O error" in text or "No space left" in text:
        return StorageFailed(f"the state database cannot be written: {text}")
    return error
