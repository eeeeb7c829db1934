"""A workspace with a door, and databases to pull from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer
from tilth.collect.connectors import MappingRule
from tilth.collect.counting import Counts
from tilth.collect.door import Door
from tilth.collect.formats import Refused
from tilth.collect.pulls import PullRun, Pulls, run_pull
from tilth.collect.watching import Watch
from tilth.lake.sql import SqlDoor
from tilth.workspace import Workspace

RULES = [
    MappingRule(
        event="purchase",
        event_id=["order-", "$.id"],
        person="$.customer",
        at="$.updated_at",
        properties={"order_id": "$.id", "amount": "$.amount"},
    )
]


@dataclass
class Pulling:
    """Pulls of a workspace, and what they gave."""

    workspace: Workspace
    pulls: Pulls
    door: Door
    refused: list[Refused]

    def run(self, key: str = "shop", stopping: Callable[[], bool] = lambda: False) -> PullRun:
        return run_pull(self.pulls, self.door, key, "hand", stopping)

    def ids(self) -> list[str]:
        rows = SqlDoor(self.workspace.lake).run("SELECT event_id FROM events ORDER BY 1", limit=1_000_000).rows
        return [str(row[0]) for row in rows]

    def rows(self, sql: str) -> list[Any]:
        return SqlDoor(self.workspace.lake).run(sql, limit=1_000_000).rows


@pytest.fixture
def pulling(workspace: Workspace) -> Pulling:
    refused: list[Refused] = []
    door = Door(
        workspace.collect,
        lambda _source, _format, some: refused.extend(some),
        lambda *_counts: None,
        Counts(workspace.database),
        Watch(),
    )
    (workspace.folder / "inbox").mkdir()
    return Pulling(workspace, workspace.pulls, door, refused)


@dataclass
class Shop:
    """A shop's database: `orders` with an id, the time of the last change, a customer and an amount."""

    url: str
    engine: sa.Engine

    def add(self, *orders: tuple[int, str, str, str]) -> None:
        with self.engine.begin() as at:
            for one in orders:
                row = dict(zip(("id", "updated_at", "customer", "amount"), one, strict=True))
                if self.engine.dialect.name == "postgresql":
                    values = ":id, CAST(:updated_at AS TIMESTAMP), :customer, CAST(:amount AS DECIMAL(12,2))"
                else:
                    values = ":id, :updated_at, :customer, :amount"
                at.execute(sa.text(f"INSERT INTO orders VALUES ({values})"), row)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, pulling: Pulling) -> Iterator[Shop]:
    """Once in SQLite, in the folder that may be read, and once in PostgreSQL."""
    if request.param == "sqlite":
        path: Path = pulling.workspace.folder / "inbox" / "shop.db"
        url = f"sqlite:///{path}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new_database().replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url)
    with engine.begin() as at:
        at.execute(
            sa.text(
                "CREATE TABLE orders (id BIGINT PRIMARY KEY, updated_at TIMESTAMP, customer TEXT, amount DECIMAL(12,2))"
            )
        )
    yield Shop(url, engine)
    engine.dispose()
