"""The state database: the same schema on SQLite and PostgreSQL, safe transactions, one writer."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

import tilth
from tilth.collect import tables as _collect  # noqa: F401 - registers its tables
from tilth.collect.tables import source
from tilth.errors import Busy, InvalidInput
from tilth.people import tables as _people  # noqa: F401
from tilth.state import Database, WriterLock, metadata


def test_a_number_beyond_64_bits_is_bad_input(database: Database) -> None:
    for huge in (2**63, -(10**30)):
        for opened in (database.begin, database.read):
            with pytest.raises(InvalidInput, match="64 bits"), opened() as connection:
                connection.execute(sa.select(source).where(source.c.id == huge))


def test_the_migrations_build_exactly_the_declared_tables(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    # Whoever owns a table declares it on import.
    source_folder = Path(tilth.__file__).parent
    for path in source_folder.rglob("*.py"):
        if "migrations" not in path.parts and "sa.Table(" in path.read_text("utf-8"):
            importlib.import_module(".".join(("tilth", *path.relative_to(source_folder).with_suffix("").parts)))

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    assert differences == []


def test_a_second_migration_changes_nothing(database: Database) -> None:
    database.migrate()
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(source)) == 0


def test_an_exception_rolls_the_whole_transaction_back(database: Database) -> None:
    class StopError(Exception):
        pass

    with pytest.raises(StopError), database.begin() as connection:  # noqa: PT012
        connection.execute(sa.insert(source).values(name="web", write_key="k", created_at=1))
        raise StopError
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(source)) == 0


def test_insert_or_ignore_tells_who_was_first(database: Database) -> None:
    def add() -> int:
        with database.begin() as connection:
            statement = database.insert_or_ignore(source).values(name="web", write_key="k", created_at=1)
            return connection.execute(statement).rowcount

    assert add() == 1
    assert add() == 0


def test_a_wrong_database_url_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="database_url"):
        Database(tmp_path, "mysql://somewhere")


def test_the_writer_lock_is_held_once_and_freed_by_release(database: Database, tmp_path: Path) -> None:
    first = WriterLock(tmp_path, database)
    first.acquire()
    second = WriterLock(tmp_path, database)
    with pytest.raises(Busy, match="in use"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


@pytest.mark.crash
def test_a_killed_holder_does_not_block_the_next(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from tilth.state import Database, WriterLock\n"
        "folder = Path(sys.argv[1]); lock = WriterLock(folder, Database(folder)); lock.acquire()\n"
        "print('held', flush=True)\n"
        "time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "held"
    lock = WriterLock(tmp_path, Database(tmp_path))
    with pytest.raises(Busy, match=f"process {holder.pid}"):
        lock.acquire()
    holder.kill()
    holder.wait()
    lock.acquire()
    assert lock.held
    lock.release()
