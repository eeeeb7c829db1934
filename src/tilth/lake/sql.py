"""The one door to DuckDB: read-only, no external access, memory and time limits.

The lake's files and the tail are offered as views; nothing else on the machine can be read, and the
configuration is locked before a foreign statement runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from tilth.errors import InvalidInput, LimitReached
from tilth.lake.overrides import Overrides
from tilth.lake.schema import EVENT_SCHEMA
from tilth.lake.table import Lake

if TYPE_CHECKING:
    import duckdb

__all__ = ["SqlDoor", "SqlResult", "plain_value", "quote"]


class SqlResult(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a statement. types: DuckDB's names. truncated: more rows than `limit` existed."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    truncated: bool
    took_ms: float


def quote(identifier: str) -> str:
    """An SQL identifier, quoted; the only place that does it."""
    return '"' + identifier.replace('"', '""') + '"'


class SqlDoor:
    """Runs statements over the lake. frames: further read-only tables by name (people, segments)."""

    def __init__(self, lake: Lake, memory_mb: int = 1024) -> None:
        self._lake = lake
        self._memory_mb = memory_mb

    def connect(self, frames: Mapping[str, pa.Table], views: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
        """A locked connection with `events`, the frames and the views (name -> SELECT)."""
        import duckdb

        connection = duckdb.connect(":memory:")
        connection.execute(f"SET memory_limit='{self._memory_mb}MB'")
        connection.execute("SET threads=2")
        connection.execute("SET TimeZone='UTC'")
        connection.execute("SET autoinstall_known_extensions=false")
        connection.execute("SET autoload_known_extensions=false")
        view = self._lake.view()
        files, tail, overrides = view.files, view.tail, view.overrides
        columns = ", ".join(quote(f.name) for f in EVENT_SCHEMA)
        parts = []
        if files:
            for file in files:
                self._lake.store.ensure(self._lake.root / file.path)
            # The file list is the Delta snapshot's: what a crash left uncommitted is not read.
            names = ", ".join("'" + str(self._lake.root / f.path).replace("'", "''") + "'" for f in files)
            stored = f"read_parquet([{names}], hive_partitioning=false, union_by_name=true)"
            parts.append(
                _under_present_uids(connection, stored, overrides) if overrides else f"SELECT {columns} FROM {stored}"
            )
        connection.register("tail_events", tail)
        parts.append(f"SELECT {columns} FROM tail_events")
        for name, frame in frames.items():
            connection.register(name, frame)
        root = str(self._lake.root).replace("'", "''")
        connection.execute(f"SET allowed_directories=['{root}']")
        connection.execute("SET enable_external_access=false")
        connection.execute("SET lock_configuration=true")
        connection.execute(f"CREATE VIEW events AS {' UNION ALL '.join(parts)}")
        for name, body in views.items():
            connection.execute(f"CREATE VIEW {quote(name)} AS {body}")
        return connection

    def run(
        self,
        statement: str,
        *,
        frames: Mapping[str, pa.Table] | None = None,
        views: Mapping[str, str] | None = None,
        parameters: Sequence[Any] = (),
        limit: int = 10_000,
        timeout: float = 60.0,
    ) -> SqlResult:
        """Run one SELECT. Raises `InvalidInput("sql", …)` for anything else or a mistake in it,
        `LimitReached` when it runs past `timeout` seconds or the memory limit."""
        import duckdb

        started = time.perf_counter()
        if not statement.strip():
            raise InvalidInput("sql", "is empty")
        connection = self.connect(frames or {}, views or {})
        timer = threading.Timer(timeout, connection.interrupt)
        timer.start()
        try:
            parsed = connection.extract_statements(statement)
            if len(parsed) != 1:
                raise InvalidInput("sql", "must be exactly one statement")
            if parsed[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                raise InvalidInput("sql", "only SELECT may be run here; the data is read-only")
            relation = connection.sql(statement, params=list(parameters) or None)
            columns, types = list(relation.columns), [str(t) for t in relation.types]
            rows = _first_rows(relation, limit + 1)
        except duckdb.InterruptException:
            raise LimitReached(f"the query ran longer than {timeout:g} s and was stopped") from None
        except duckdb.OutOfMemoryException as error:
            raise LimitReached(f"the query needs more than {self._memory_mb} MB: {_first_line(error)}") from None
        except duckdb.Error as error:
            raise InvalidInput("sql", _first_line(error)) from None
        finally:
            timer.cancel()
            connection.close()
        return SqlResult(
            columns=columns,
            types=types,
            rows=[[plain_value(v) for v in row] for row in rows[:limit]],
            truncated=len(rows) > limit,
            took_ms=round((time.perf_counter() - started) * 1000, 1),
        )


def _under_present_uids(connection: duckdb.DuckDBPyConnection, stored: str, overrides: Overrides) -> str:
    """A SELECT of the stored events with each row under the person it belongs to now."""
    whole = pa.table(
        [pa.array(list(overrides.whole), pa.int64()), pa.array(list(overrides.whole.values()), pa.int64())],
        names=["old", "new"],
    )
    split = [(old, text, new) for old, ids in overrides.split.items() for text, new in ids.items()]
    connection.register("uid_whole", whole)
    connection.register(
        "uid_split",
        pa.table(
            [
                pa.array([s[0] for s in split], pa.int64()),
                pa.array([s[1] for s in split], pa.string()),
                pa.array([s[2] for s in split], pa.int64()),
            ],
            names=["old", "id", "new"],
        ),
    )
    names = ", ".join(f"e.{quote(f.name)}" for f in EVENT_SCHEMA if f.name != "uid")
    return (
        f"SELECT coalesce(s.new, w.new, e.uid) AS uid, {names} FROM {stored} e "
        "LEFT JOIN uid_split s ON s.old = e.uid AND s.id = e.distinct_id LEFT JOIN uid_whole w ON w.old = e.uid"
    )


def _first_rows(relation: duckdb.DuckDBPyRelation, count: int) -> list[tuple[Any, ...]]:
    """At most `count` rows. Through Arrow: fetching instants with a zone otherwise needs a package we do not have."""
    rows: list[tuple[Any, ...]] = []
    for batch in relation.to_arrow_reader(min(count, 100_000)):
        rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        if len(rows) >= count:
            break
    return rows[:count]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n\n")[0]


def plain_value(value: Any) -> Any:
    """A DuckDB value as JSON can carry it without loss: decimals and instants as text."""
    if isinstance(value, Decimal):
        # DuckDB's sums of integers are decimals without places; they are integers to everyone else.
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else str(value)
    if isinstance(value, datetime):
        text = value.isoformat()
        return text.replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {str(k): plain_value(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(v) for v in value]
    if isinstance(value, float) and value != value:
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
