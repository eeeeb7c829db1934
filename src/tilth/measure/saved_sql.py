"""SQL somebody saved: a title, the statement and how its result is drawn."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from tilth.errors import InvalidInput, NotFound
from tilth.state import Database
from tilth.state.database import BigId, metadata

__all__ = ["SavedSql", "SavedSqls", "SqlChart", "SqlToSave", "saved_sql"]

saved_sql = sa.Table(
    "saved_sql",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("sql", sa.Text, nullable=False),
    sa.Column("chart", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)


class SqlChart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """kind: table, line, bar or scatter; x and y: columns of the result."""

    kind: str = "table"
    x: str = ""
    y: list[str] = msgspec.field(default_factory=list)


class SqlToSave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement under a title."""

    title: str
    sql: Annotated[str, msgspec.Meta(max_length=100_000)]
    about: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    chart: SqlChart = msgspec.field(default_factory=SqlChart)


class SavedSql(msgspec.Struct, frozen=True, kw_only=True):
    """created_at, changed_at: UTC µs. by: who saved it first."""

    id: int
    title: str
    about: str
    sql: str
    chart: SqlChart
    by: str
    created_at: int
    changed_at: int


class SavedSqls:
    """By number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SavedSql]:
        """The last changed first."""
        query = sa.select(saved_sql).order_by(saved_sql.c.changed_at.desc(), saved_sql.c.id.desc())
        with self._database.read() as connection:
            return [_saved(row) for row in connection.execute(query)]

    def get(self, id: int) -> SavedSql:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(saved_sql).where(saved_sql.c.id == id)).first()
        if row is None:
            raise NotFound("SQL query", str(id))
        return _saved(row)

    def named(self, title: str) -> SavedSql:
        """The last changed of that title. Raises `NotFound`."""
        for one in self.all():
            if one.title == title:
                return one
        raise NotFound("SQL query", title)

    def save(self, query: SqlToSave, by: str) -> SavedSql:
        """Save a statement; it is not run. Raises `InvalidInput`."""
        now = time.time_ns() // 1000
        values = _checked(query) | {"made_by": by, "created_at": now, "changed_at": now}
        with self._database.begin() as connection:
            key = connection.execute(sa.insert(saved_sql).values(**values)).inserted_primary_key
        assert key is not None
        return self.get(int(key[0]))

    def change(self, id: int, query: SqlToSave) -> SavedSql:
        """Put another in its place. Raises `InvalidInput` and `NotFound`."""
        values = _checked(query) | {"changed_at": time.time_ns() // 1000}
        with self._database.begin() as connection:
            if connection.execute(sa.update(saved_sql).where(saved_sql.c.id == id).values(**values)).rowcount == 0:
                raise NotFound("SQL query", str(id))
        return self.get(id)

    def delete(self, id: int) -> None:
        """Raises `NotFound`."""
        with self._database.begin() as connection:
            if connection.execute(sa.delete(saved_sql).where(saved_sql.c.id == id)).rowcount == 0:
                raise NotFound("SQL query", str(id))


def _checked(query: SqlToSave) -> dict[str, Any]:
    title = query.title.strip()
    if not 1 <= len(title) <= 200:
        raise InvalidInput("title", "must be 1 to 200 characters")
    if not query.sql.strip():
        raise InvalidInput("sql", "is empty")
    return {
        "title": title,
        "about": query.about.strip(),
        "sql": query.sql,
        "chart": msgspec.json.encode(query.chart).decode(),
    }


def _saved(row: sa.Row[Any]) -> SavedSql:
    return SavedSql(
        id=row.id,
        title=row.title,
        about=row.about,
        sql=row.sql,
        chart=msgspec.json.decode(row.chart, type=SqlChart),
        by=row.made_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
