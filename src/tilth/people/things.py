"""Groups (companies, households) and things (products, articles): what sources told of them, to be read."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from tilth.errors import InvalidInput, NotFound
from tilth.people.directory import Trait
from tilth.people.tables import thing_trait
from tilth.state import Database

__all__ = ["Thing", "ThingKind", "ThingPage", "Things"]


class ThingKind(msgspec.Struct, frozen=True, kw_only=True):
    """kind: `group:company`, `item:product`, …"""

    kind: str
    things: int


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    id: str
    traits: list[Trait]


class ThingPage(msgspec.Struct, frozen=True, kw_only=True):
    """In order of id. next: the cursor of the following page, empty on the last."""

    things: list[Thing]
    next: str


class Things:
    """Reads them; sources write them (`collect/applying.py`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def kinds(self) -> list[ThingKind]:
        """Every kind with how many there are, by kind."""
        query = (
            sa.select(thing_trait.c.kind, sa.func.count(thing_trait.c.id.distinct()).label("things"))
            .group_by(thing_trait.c.kind)
            .order_by(thing_trait.c.kind)
        )
        with self._database.read() as connection:
            return [ThingKind(kind=row.kind, things=row.things) for row in connection.execute(query)]

    def page(self, kind: str, begins: str = "", cursor: str = "", limit: int = 50) -> ThingPage:
        """Things of a kind whose id begins so. Raises `InvalidInput`."""
        if not 1 <= limit <= 200:
            raise InvalidInput("limit", "must be between 1 and 200")
        wanted = sa.select(thing_trait.c.id).where(thing_trait.c.kind == kind, thing_trait.c.id > cursor)
        if begins:
            wanted = wanted.where(thing_trait.c.id >= begins, thing_trait.c.id < begins + "\U0010ffff")
        with self._database.read() as connection:
            ids = list(connection.scalars(wanted.distinct().order_by(thing_trait.c.id).limit(limit + 1)))
            shown = ids[:limit]
            rows = connection.execute(
                sa.select(thing_trait)
                .where(thing_trait.c.kind == kind, thing_trait.c.id.in_(shown))
                .order_by(thing_trait.c.id, thing_trait.c.name)
            ).all()
        traits: dict[str, list[Trait]] = {one: [] for one in shown}
        for row in rows:
            traits[row.id].append(_trait(row))
        things = [Thing(kind=kind, id=one, traits=traits[one]) for one in shown]
        return ThingPage(things=things, next=shown[-1] if len(ids) > limit else "")

    def get(self, kind: str, id: str) -> Thing:
        """One thing. Raises `NotFound`."""
        query = sa.select(thing_trait).where(thing_trait.c.kind == kind, thing_trait.c.id == id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(thing_trait.c.name)).all()
        if not rows:
            raise NotFound(kind, id)
        return Thing(kind=kind, id=id, traits=[_trait(row) for row in rows])


def _trait(row: sa.Row[tuple[object, ...]]) -> Trait:
    return Trait(
        name=row.name, value=msgspec.json.decode(row.value), source=row.source, at=row.at, confidence=row.confidence
    )
