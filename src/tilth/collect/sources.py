"""Sources: where events come from, with their write keys and what is set for each.

A write key only ingests. Rotating gives a new one; the old one may go on for a while, so that apps
which were shipped with it are not cut off.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from tilth.collect.tables import source as source_table
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.settings import check_timezone
from tilth.state import Database

__all__ = ["PiiClass", "Privacy", "Source", "SourceSettings", "Sources", "Treatment"]

Treatment = Literal["keep", "drop", "hash", "truncate"]
PiiClass = Literal["personal", "sensitive"]
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?")
_MOST_GRACE = 90 * 24
_HOUR = 3600 * 1_000_000


class Privacy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a person may be kept, decided before anything is stored.

    ip: of the client; truncate keeps the network (/24, /48). fields: property or trait -> treatment
    (`drop`, `hash` with the workspace's secret, `truncate` to the first 3 characters). hashed_ids: kinds of id that are
    kept only as hashes. classes: the same for properties that the tracking plan gives a PII class.
    do_not_track: what a browser's DNT or GPC header does. purposes: what these events are kept for; an
    event of somebody who denied one of them is not kept. unknown_consent: what silence means.
    minors: this is data of minors; it is not kept unless minors_basis says on what legal ground it may be.
    """

    ip: Treatment = "keep"
    fields: dict[str, Treatment] = {}
    hashed_ids: list[str] = []
    classes: dict[PiiClass, Treatment] = {}
    do_not_track: Literal["refuse", "ignore"] = "refuse"
    purposes: list[str] = msgspec.field(default_factory=lambda: ["analytics"])
    unknown_consent: Literal["granted", "denied"] = "granted"
    minors: bool = False
    minors_basis: Annotated[str, msgspec.Meta(max_length=500)] = ""


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for one source.

    origins: pages that may send, as `https://shop.example` or `https://*.shop.example`; none: all.
    events_per_second: 0 for no limit. event_bytes, batch_bytes: below the format's own limits; 0 for those.
    timezone: of times that name no offset; empty for UTC. defaults: properties of events that lack them.
    may_merge: its aliases may join two persons that both signed in.
    """

    origins: list[str] = []
    events_per_second: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    event_bytes: Annotated[int, msgspec.Meta(ge=0, le=20 * 1024 * 1024)] = 0
    batch_bytes: Annotated[int, msgspec.Meta(ge=0, le=20 * 1024 * 1024)] = 0
    timezone: str = ""
    defaults: dict[str, str | int | float | bool] = {}
    may_merge: bool = False
    privacy: Privacy = msgspec.field(default_factory=Privacy)

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.timezone) if self.timezone else UTC

    def allows(self, origin: str) -> bool:
        """True where a page of this origin may send."""
        if not self.origins:
            return True
        origin = origin.lower()
        scheme, _, host = origin.partition("://")
        for one in self.origins:
            if one == origin:
                return True
            wanted, _, pattern = one.partition("://")
            if pattern.startswith("*.") and wanted == scheme and host.endswith(pattern[1:]):
                return True
        return False


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where events come from. Instants in UTC µs; until previous_until the key before works too."""

    id: int
    name: str
    write_key: str
    created_at: int
    revoked_at: int | None
    previous_until: int | None = None
    settings: SourceSettings = msgspec.field(default_factory=SourceSettings)


class Sources:
    """Reads and writes sources. Thread-safe. changed: goes up with every change made in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.changed = 0

    def create(self, name: str, settings: SourceSettings | None = None) -> Source:
        """A new source with its write key. Raises `Conflict` when the name is taken."""
        name = name.strip()
        if not 1 <= len(name) <= 100:
            raise InvalidInput("name", "must have 1 to 100 characters")
        key = _new_key()
        with self._database.begin() as connection:
            done = connection.execute(
                self._database.insert_or_ignore(source_table).values(
                    name=name, write_key=key, created_at=_now(), settings=_text(settings or SourceSettings())
                )
            )
            if done.rowcount == 0:
                raise Conflict(f"there is a source named {name!r} already")
        return self.of_key(key)

    def all(self) -> list[Source]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(source_table).order_by(source_table.c.id))
            return [_source(row._mapping) for row in rows]

    def get(self, source_id: int) -> Source:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(source_table).where(source_table.c.id == source_id)).one_or_none()
        if row is None:
            raise NotFound("source", str(source_id))
        return _source(row._mapping)

    def of_key(self, key: str) -> Source:
        """The source with this write key, not revoked. Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(source_table).where(
                    source_table.c.revoked_at.is_(None),
                    (source_table.c.write_key == key)
                    | ((source_table.c.previous_key == key) & (source_table.c.previous_until > _now())),
                )
            ).one_or_none()
        if row is None:
            raise NotFound("source", "with this write key")
        return _source(row._mapping)

    def change(self, source_id: int, settings: SourceSettings) -> Source:
        """Set a source; takes effect in this process at once, in others within seconds."""
        settings = _checked(settings)
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(source_table).where(source_table.c.id == source_id).values(settings=_text(settings))
            )
            if done.rowcount == 0:
                raise NotFound("source", str(source_id))
        self.changed += 1
        return self.get(source_id)

    def rotate(self, source_id: int, grace_hours: int = 0) -> Source:
        """Give a source a new write key; the old one stops after the grace, by default at once."""
        if not 0 <= grace_hours <= _MOST_GRACE:
            raise InvalidInput("grace_hours", f"must be between 0 and {_MOST_GRACE}")
        until = _now() + grace_hours * _HOUR if grace_hours else None
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(source_table)
                .where(source_table.c.id == source_id, source_table.c.revoked_at.is_(None))
                .values(
                    write_key=_new_key(),
                    previous_key=source_table.c.write_key if grace_hours else None,
                    previous_until=until,
                )
            )
            if done.rowcount == 0:
                raise NotFound("source", str(source_id))
        self.changed += 1
        return self.get(source_id)

    def revoke(self, source_id: int) -> Source:
        """Stop accepting a source's keys; what it sent stays."""
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(source_table)
                .where(source_table.c.id == source_id, source_table.c.revoked_at.is_(None))
                .values(revoked_at=_now(), previous_key=None, previous_until=None)
            )
            if done.rowcount == 0:
                raise NotFound("source", str(source_id))
        self.changed += 1
        return self.get(source_id)


def _checked(settings: SourceSettings) -> SourceSettings:
    for position, origin in enumerate(settings.origins):
        if _ORIGIN.fullmatch(origin) is None:
            raise InvalidInput(f"origins[{position}]", "must look like https://shop.example or https://*.shop.example")
    if settings.timezone:
        check_timezone(settings.timezone)
    for position, purpose in enumerate(settings.privacy.purposes):
        if not purpose.strip():
            raise InvalidInput(f"privacy.purposes[{position}]", "is empty")
    return settings


def _source(row: Mapping[Any, Any]) -> Source:
    return Source(
        id=row["id"],
        name=row["name"],
        write_key=row["write_key"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        previous_until=row["previous_until"],
        settings=msgspec.json.decode(row["settings"], type=SourceSettings),
    )


def _text(settings: SourceSettings) -> str:
    return msgspec.json.encode(_checked(settings)).decode()


def _new_key() -> str:
    return f"tilth_wk_{secrets.token_urlsafe(24)}"


def _now() -> int:
    return time.time_ns() // 1000
