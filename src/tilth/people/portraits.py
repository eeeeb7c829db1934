"""How complete our picture of people is: overall, by field, and by the channels people are known in.

A field is a trait or a kind of id. Completeness is the weighted share of the fields that are known: of
one person, or over all. A channel is a kind of id: whoever has a phone number can be recognised, and
reached, in what goes by phone numbers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap64

from tilth.errors import InvalidInput
from tilth.people.tables import person_id, portrait_field, trait
from tilth.state import Database

__all__ = ["MOST_FIELDS", "ChannelPortrait", "KnownField", "PortraitField", "PortraitReport", "Portraits"]

MOST_FIELDS = 40
# Counting everyone is followed by no other count for so many times as long as it took.
_SHARE_OF_TIME = 20


class PortraitField(msgspec.Struct, frozen=True, kw_only=True):
    """A trait's name or a kind of id, and how much knowing it counts."""

    name: str
    weight: float = 1.0


_DEFAULTS = (
    *(PortraitField(name=name) for name in ("name", "birthday", "gender", "city", "level")),
    *(PortraitField(name=name, weight=2.0) for name in ("phone", "email")),
)


class KnownField(msgspec.Struct, frozen=True, kw_only=True):
    """known: of how many people the field is known."""

    name: str
    weight: float
    known: int


class ChannelPortrait(msgspec.Struct, frozen=True, kw_only=True):
    """The people who have an id of this kind. completeness: 0..1; fields in the order of the report's."""

    channel: str
    people: int
    completeness: float
    fields: list[KnownField]


class ChannelCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many people are known in so many channels."""

    channels: int
    people: int


class PortraitReport(msgspec.Struct, frozen=True, kw_only=True):
    """completeness: the mean of everyone's, 0..1. several: people known in two channels or more. at: UTC µs."""

    at: int
    people: int
    completeness: float
    several: int
    fields: list[KnownField]
    channels: list[ChannelPortrait]
    known_in: list[ChannelCount]


class Portraits:
    """The fields and the count. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._held: tuple[float, PortraitReport] | None = None

    def fields(self) -> list[PortraitField]:
        """The fields a portrait should have, in order."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(portrait_field).order_by(portrait_field.c.position)).all()
        return [PortraitField(name=row.name, weight=row.weight) for row in rows] or list(_DEFAULTS)

    def choose(self, fields: Sequence[PortraitField]) -> list[PortraitField]:
        """Set the fields; an empty list brings back the ones we think of. Raises `InvalidInput`."""
        if len(fields) > MOST_FIELDS:
            raise InvalidInput("fields", f"may be {MOST_FIELDS} at most")
        seen: set[str] = set()
        for number, field in enumerate(fields):
            if not field.name.strip() or len(field.name) > 200:
                raise InvalidInput(f"fields[{number}].name", "must be the name of a trait or a kind of id")
            if field.name in seen:
                raise InvalidInput(f"fields[{number}].name", f"{field.name!r} is there twice")
            if not 0 < field.weight <= 100:
                raise InvalidInput(f"fields[{number}].weight", "must be above 0 and at most 100")
            seen.add(field.name)
        with self._database.begin() as connection:
            connection.execute(sa.delete(portrait_field))
            if fields:
                rows = [{"name": f.name, "weight": f.weight, "position": n} for n, f in enumerate(fields)]
                connection.execute(sa.insert(portrait_field), rows)
        with self._lock:
            self._held = None
        return self.fields()

    def report(self) -> PortraitReport:
        """Over everyone. Among millions it takes seconds, so the last one is given for a while (see its `at`)."""
        with self._lock:
            if self._held is not None and time.monotonic() < self._held[0]:
                return self._held[1]
            started = time.monotonic()
            found = self._count()
            now = time.monotonic()
            self._held = now + _SHARE_OF_TIME * (now - started), found
            return found

    def _count(self) -> PortraitReport:
        fields = self.fields()
        with self._database.read() as connection:
            kinds: dict[str, BitMap64] = {}
            for kind in connection.scalars(sa.select(person_id.c.kind).distinct()):
                kinds[kind] = _uids(connection, sa.select(person_id.c.uid).where(person_id.c.kind == kind))
            # A trait's rows stay under a person that was merged away; only people who are count.
            everyone = BitMap64().union(*kinds.values()) if kinds else BitMap64()
            known = {
                f.name: (_uids(connection, sa.select(trait.c.uid).where(trait.c.name == f.name)) & everyone)
                | kinds.get(f.name, BitMap64())
                for f in fields
            }
        counts = _in_how_many(list(kinds.values()))
        channels = [_of_channel(kind, uids, fields, known) for kind, uids in kinds.items()]
        return PortraitReport(
            at=time.time_ns() // 1000,
            people=len(everyone),
            completeness=_share(fields, [len(known[f.name]) for f in fields], len(everyone)),
            several=sum(one.people for one in counts if one.channels > 1),
            fields=[KnownField(name=f.name, weight=f.weight, known=len(known[f.name])) for f in fields],
            channels=sorted(channels, key=lambda one: (-one.people, one.channel)),
            known_in=counts,
        )


def _uids(connection: sa.Connection, query: sa.Select[tuple[int]]) -> BitMap64:
    found = BitMap64()
    for part in connection.execution_options(yield_per=100_000).scalars(query).partitions():
        found.update(part)  # type: ignore[arg-type]  # the stubs take scalars for rows
    return found


def _of_channel(
    kind: str, uids: BitMap64, fields: Sequence[PortraitField], known: dict[str, BitMap64]
) -> ChannelPortrait:
    held = [len(known[f.name] & uids) for f in fields]
    return ChannelPortrait(
        channel=kind,
        people=len(uids),
        completeness=_share(fields, held, len(uids)),
        fields=[KnownField(name=f.name, weight=f.weight, known=n) for f, n in zip(fields, held, strict=True)],
    )


def _share(fields: Sequence[PortraitField], known: Sequence[int], people: int) -> float:
    whole = sum(f.weight for f in fields) * people
    return sum(f.weight * n for f, n in zip(fields, known, strict=True)) / whole if whole else 0.0


def _in_how_many(kinds: Sequence[BitMap64]) -> list[ChannelCount]:
    """How many people are in exactly 1, 2, … of the sets: who is in at least n of them, a set at a time."""
    at_least: list[BitMap64] = []
    for uids in kinds:
        carried = uids
        for n, held in enumerate(at_least):
            at_least[n], carried = held | carried, held & carried
        if carried:
            at_least.append(carried)
    sizes = [*map(len, at_least), 0]
    return [ChannelCount(channels=n + 1, people=sizes[n] - sizes[n + 1]) for n in range(len(at_least))]
