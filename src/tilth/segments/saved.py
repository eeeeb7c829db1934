"""Saved layerings in the state database, and what was done with their layers."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
import zstandard

from tilth.errors import NotFound
from tilth.segments.compute import Computed, Layering
from tilth.segments.kinds import kind_of
from tilth.segments.members import Members, pack, unpack
from tilth.segments.tables import layer_use, layering
from tilth.state import Database

__all__ = ["SavedLayering", "SavedLayerings"]

_DAY_US = 86_400_000_000


class SavedLayering(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of saved layerings. as_of: local day; computed_at: UTC."""

    id: int
    kind: str
    as_of: str
    computed_at: dt.datetime
    people: int
    parameters: dict[str, Any]
    quality_score: int


class SavedLayerings:
    """Layerings by id. Everyone's layer is one compressed value a layering, see `members`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, computed: Computed) -> Layering:
        """Store it; gives the layering with its id."""
        answer = computed.layering
        keys = [layer.key for layer in computed.assignment.layers]
        members = Members(uid=computed.standing.uid, codes=computed.assignment.codes, keys=keys)
        values = {
            "kind": answer.kind,
            "as_of": answer.as_of,
            "computed_at": _micros(answer.computed_at),
            "people": answer.people,
            "quality_score": answer.quality.score,
            "parameters": msgspec.json.encode(answer.parameters).decode(),
            "body": zstandard.compress(msgspec.json.encode(answer)),
            "model": zstandard.compress(msgspec.json.encode(computed.assignment.model)),
            "members": pack(members),
        }
        with self._database.begin() as connection:
            found = connection.execute(sa.insert(layering).values(**values)).inserted_primary_key
        assert found is not None
        return msgspec.structs.replace(answer, id=int(found[0]))

    def all(self, kind: str | None = None) -> list[SavedLayering]:
        """Newest first."""
        columns = [c for c in layering.c if c.name not in ("body", "model", "members")]
        query = sa.select(*columns).order_by(layering.c.id.desc())
        if kind is not None:
            query = query.where(layering.c.kind == kind)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            SavedLayering(
                id=row.id,
                kind=row.kind,
                as_of=row.as_of,
                computed_at=_moment(row.computed_at),
                people=row.people,
                parameters=msgspec.json.decode(row.parameters),
                quality_score=row.quality_score,
            )
            for row in rows
        ]

    def get(self, id: int | str) -> Layering:
        """The layering as it was computed. Raises `NotFound`."""
        body = self._column(layering.c.body, id)
        answer = msgspec.json.decode(zstandard.decompress(body), type=Layering)
        return msgspec.structs.replace(answer, id=number(id))

    def members(self, id: int | str) -> Members:
        """Everyone's layer. Raises `NotFound`."""
        return unpack(self._column(layering.c.members, id))

    def model(self, id: int | str, kind: str) -> msgspec.Struct:
        """The fitted rule of a layering of the given kind. Raises `NotFound`."""
        data = zstandard.decompress(self._column(layering.c.model, id))
        return msgspec.json.decode(data, type=kind_of(kind).model)

    def delete(self, id: int | str) -> None:
        """Remove it; segments made from it stay. Raises `NotFound`."""
        with self._database.begin() as connection:
            if connection.execute(sa.delete(layering).where(layering.c.id == number(id))).rowcount == 0:
                raise NotFound("layering", str(id))

    def used(self, kind: str, layers: Sequence[str], action: str) -> None:
        """Note that layers of this kind were put to use."""
        now = time.time_ns() // 1000
        with self._database.begin() as connection:
            connection.execute(
                sa.insert(layer_use), [{"kind": kind, "layer": k, "action": action, "at": now} for k in layers]
            )

    def idle(self, kind: str, layers: Sequence[str], days: int = 30) -> list[str]:
        """Those of `layers` nobody used in the last `days`; none while the kind is younger than that."""
        since = time.time_ns() // 1000 - days * _DAY_US
        with self._database.read() as connection:
            first = connection.scalar(sa.select(sa.func.min(layering.c.computed_at)).where(layering.c.kind == kind))
            if first is None or first > since:
                return []
            used = set(
                connection.scalars(
                    sa.select(layer_use.c.layer).where(layer_use.c.kind == kind, layer_use.c.at >= since).distinct()
                )
            )
        return [key for key in layers if key not in used]

    def forget(self, uids: npt.NDArray[np.int64]) -> None:
        """Take people out of every saved membership, for good."""
        with self._database.begin() as connection:
            for id in connection.scalars(sa.select(layering.c.id)).all():
                data = connection.scalar(sa.select(layering.c.members).where(layering.c.id == id))
                assert data is not None
                members = unpack(data)
                left = members.without(uids)
                if len(left.uid) < len(members.uid):
                    connection.execute(sa.update(layering).where(layering.c.id == id).values(members=pack(left)))

    def _column(self, column: sa.Column[Any], id: int | str) -> bytes:
        with self._database.read() as connection:
            found = connection.scalar(sa.select(column).where(layering.c.id == number(id)))
        if found is None:
            raise NotFound("layering", str(id))
        return bytes(found)


def number(id: int | str) -> int:
    """A layering's id as it is in the database. Raises `NotFound` for a text that is no id."""
    text = str(id)
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise NotFound("layering", text)
    return int(text)


def _micros(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _moment(micros: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
