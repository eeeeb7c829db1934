"""Static segments: named sets of people that stay as they were saved.

Members are 64-bit roaring bitmaps of uid, so and / or / not on segments is and / or / not on bitmaps.
Every change (an erased person) makes a new version; the older ones lose erased people too.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from pyroaring import BitMap64

from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.segments.tables import segment, segment_version
from tilth.segments.words import Text
from tilth.state import Database

__all__ = ["AskedFrom", "Origin", "Segment", "SegmentVersion", "StaticSegments"]

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The layer a segment was saved from."""

    layering_id: int
    kind: str
    layer: str
    layer_name: Text
    as_of: str


class AskedFrom(msgspec.Struct, frozen=True, kw_only=True):
    """The number of a question of behaviour that the people were behind. at: UTC, when it was asked."""

    kind: str
    question: dict[str, Any]
    which: dict[str, Any]
    at: dt.datetime


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment. kind: `static`. version: 1 when saved. created_at: UTC. by: who saved it. origin, asked:
    where its people come from, a layer or a question."""

    key: str
    name: str
    kind: str
    people: int
    version: int
    created_at: dt.datetime
    by: str
    origin: Origin | None
    asked: AskedFrom | None = None


class SegmentVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a segment's membership and why it was made. at: UTC."""

    version: int
    people: int
    at: dt.datetime
    reason: str


class StaticSegments:
    """Segments by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        key: str,
        name: str,
        uids: npt.NDArray[np.int64],
        by: str,
        origin: Origin | None = None,
        asked: AskedFrom | None = None,
    ) -> Segment:
        """Make a segment. Raises `InvalidInput` for a malformed key or name, `Conflict` where the key is taken."""
        if not _KEY.fullmatch(key):
            raise InvalidInput("key", "must be 1 to 64 of a-z, 0-9, - and _, beginning with a letter or digit")
        name = name.strip()
        if not 1 <= len(name) <= 200:
            raise InvalidInput("name", "must be 1 to 200 characters")
        members = BitMap64(np.asarray(uids, np.uint64))
        now = time.time_ns() // 1000
        row = {
            "key": key,
            "name": name,
            "kind": "static",
            "version": 1,
            "people": len(members),
            "created_at": now,
            "made_by": by,
            "origin": msgspec.json.encode(origin if asked is None else {"asked": asked}).decode(),
        }
        first = {"segment_key": key, "version": 1, "people": len(members), "at": now, "reason": "saved"}
        with self._database.begin() as connection:
            if connection.execute(self._database.insert_or_ignore(segment).values(**row)).rowcount == 0:
                raise Conflict(f"there is a segment {key!r} already")
            connection.execute(sa.insert(segment_version).values(**first, members=members.serialize()))
        return self.get(key)

    def all(self) -> list[Segment]:
        """Newest first."""
        query = sa.select(segment).order_by(segment.c.created_at.desc(), segment.c.key)
        with self._database.read() as connection:
            return [_segment(row) for row in connection.execute(query)]

    def get(self, key: str) -> Segment:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(segment).where(segment.c.key == key)).first()
        if row is None:
            raise NotFound("segment", key)
        return _segment(row)

    def members(self, key: str, version: int | None = None) -> BitMap64:
        """Who is in it, now or in an earlier version. Raises `NotFound`."""
        current = sa.select(segment.c.version).where(segment.c.key == key).scalar_subquery()
        query = sa.select(segment_version.c.members).where(
            segment_version.c.segment_key == key,
            segment_version.c.version == (current if version is None else version),
        )
        with self._database.read() as connection:
            data = connection.scalar(query)
        if data is None:
            raise NotFound("segment", key if version is None else f"{key} version {version}")
        return BitMap64.deserialize(bytes(data))

    def versions(self, key: str) -> list[SegmentVersion]:
        """Newest first. Raises `NotFound`."""
        columns = [c for c in segment_version.c if c.name not in ("members", "segment_key")]
        query = (
            sa.select(*columns).where(segment_version.c.segment_key == key).order_by(segment_version.c.version.desc())
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            raise NotFound("segment", key)
        return [SegmentVersion(version=r.version, people=r.people, at=_moment(r.at), reason=r.reason) for r in rows]

    def delete(self, key: str) -> None:
        """Remove the segment with all its versions. Raises `NotFound`."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(segment_version).where(segment_version.c.segment_key == key))
            if connection.execute(sa.delete(segment).where(segment.c.key == key)).rowcount == 0:
                raise NotFound("segment", key)

    def forget(self, uids: npt.NDArray[np.int64]) -> None:
        """Take erased people out of every version; a segment that had any gets a new one that says so."""
        gone = BitMap64(np.asarray(uids, np.uint64))
        now = time.time_ns() // 1000
        with self._database.begin() as connection:
            for row in connection.execute(sa.select(segment.c.key, segment.c.version)).all():
                kept: BitMap64 | None = None
                touched = False
                for old in connection.execute(
                    sa.select(segment_version.c.version, segment_version.c.members).where(
                        segment_version.c.segment_key == row.key
                    )
                ).all():
                    members = BitMap64.deserialize(bytes(old.members))
                    left = members - gone
                    kept = left if old.version == row.version else kept
                    if len(left) == len(members):
                        continue
                    touched = touched or old.version == row.version
                    connection.execute(
                        sa.update(segment_version)
                        .where(segment_version.c.segment_key == row.key, segment_version.c.version == old.version)
                        .values(members=left.serialize())
                    )
                if touched and kept is not None:
                    self._add_version(connection, row.key, row.version + 1, kept, now, "people erased")

    def _add_version(
        self, connection: sa.Connection, key: str, version: int, members: BitMap64, now: int, reason: str
    ) -> None:
        connection.execute(
            sa.insert(segment_version).values(
                segment_key=key,
                version=version,
                people=len(members),
                at=now,
                reason=reason,
                members=members.serialize(),
            )
        )
        connection.execute(sa.update(segment).where(segment.c.key == key).values(version=version, people=len(members)))


def _segment(row: sa.Row[tuple[object, ...]]) -> Segment:
    told = msgspec.json.decode(row.origin)
    asked = told.get("asked") if told is not None else None
    return Segment(
        key=row.key,
        name=row.name,
        kind=row.kind,
        people=row.people,
        version=row.version,
        created_at=_moment(row.created_at),
        by=row.made_by,
        origin=msgspec.convert(told, Origin) if told is not None and asked is None else None,
        asked=msgspec.convert(asked, AskedFrom) if asked is not None else None,
    )


def _moment(micros: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=micros)
