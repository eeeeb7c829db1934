"""What every test may ask for: public data sets, empty databases, workspaces, a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

from tests.postgres import PostgresServer, find_postgres
from tilth.settings import Settings
from tilth.state import Database
from tilth.workspace import Workspace

# A kernel is compiled when it is first called; how long an example takes says nothing here.
hypothesis.settings.register_profile("tilth", deadline=None)
hypothesis.settings.load_profile("tilth")

REPOSITORY = Path(__file__).parent.parent


class _Scheduling(LoadFileScheduling):
    """A worker gets a file at a time; the browser's files together, as they look at one served company."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "tests/browser" if file.startswith("tests/browser/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    return _Scheduling(config, log)


def require_or_skip(what: str, reason: str) -> None:
    """Skip with the reason, except where TILTH_TEST_REQUIRE says that `what` must be there (CI)."""
    if what in os.environ.get("TILTH_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{what} is required here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets; a test that asks for it is skipped where it is not there."""
    folder = Path(os.environ.get("TILTH_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "README.md").exists():
        pytest.skip(f"the public data sets are not at {folder} (set TILTH_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own on loopback, made from the binaries found on this machine."""
    binaries = find_postgres()
    if binaries is None:
        require_or_skip("postgres", "no PostgreSQL server binaries found (initdb, postgres)")
        raise AssertionError("unreachable")
    server = PostgresServer(binaries, tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The setting for each kind of database: empty for SQLite, a new empty database on PostgreSQL."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty state database; the test runs once on SQLite and once on PostgreSQL."""
    database = Database(tmp_path, database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace on SQLite, in GBP and London time."""
    with Workspace.create(tmp_path / "workspace", Settings(timezone="Europe/London", currency="GBP")) as made:
        yield made


@pytest.fixture
def any_workspace(database_url: str, tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace, once with its state in SQLite and once in PostgreSQL."""
    settings = Settings(timezone="Europe/London", currency="GBP", database_url=database_url)
    with Workspace.create(tmp_path / "workspace", settings) as made:
        yield made
