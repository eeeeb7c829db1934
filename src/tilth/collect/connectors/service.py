"""Connectors as they are kept: one a source, with its system, secret and rules."""

from __future__ import annotations

import secrets
import time
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tilth.collect.connectors.mapping import MappingRule, check_rules
from tilth.collect.connectors.ready import READY
from tilth.collect.sources import Source, Sources, SourceSettings
from tilth.collect.tables import connector as table
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.state import Database

__all__ = ["Connector", "Connectors", "Kind"]

Kind = Literal["shopify", "woocommerce", "youzan", "generic"]


class Connector(msgspec.Struct, frozen=True, kw_only=True):
    """source: its source's name, and the last part of its address. created_at, last_at: UTC µs."""

    source: str
    kind: Kind
    secret: str
    rules: list[MappingRule]
    enabled: bool
    created_at: int
    last_at: int | None


class Connectors:
    """Reads and writes connectors. Thread-safe."""

    def __init__(self, database: Database, sources: Sources) -> None:
        self._database = database
        self._sources = sources

    def create(self, source: str, kind: Kind, secret: str = "", rules: list[MappingRule] | None = None) -> Connector:
        """A connector of a source (made where there is none). secret: as the shop system gave it; made up when
        empty. Raises `Conflict` where the source has one."""
        if kind == "youzan" and ":" not in secret:
            raise InvalidInput("secret", "must be the app's client_id:client_secret")
        chosen = READY[kind] if rules is None else rules
        check_rules(chosen)
        if not any(s.name == source and s.revoked_at is None for s in self._sources.all()):
            # Youzan names no offset with its times, which are Beijing's.
            zone = "Asia/Shanghai" if kind == "youzan" else ""
            self._sources.create(source, SourceSettings(timezone=zone))
        with self._database.begin() as connection:
            done = connection.execute(
                self._database.insert_or_ignore(table).values(
                    source=source,
                    kind=kind,
                    secret=secret or secrets.token_hex(24),
                    rules=msgspec.json.encode(chosen).decode(),
                    enabled=True,
                    created_at=time.time_ns() // 1000,
                )
            )
            if done.rowcount == 0:
                raise Conflict(f"the source {source!r} has a connector already")
        return self.get(source)

    def all(self) -> list[Connector]:
        with self._database.read() as connection:
            return [_connector(row) for row in connection.execute(sa.select(table).order_by(table.c.source))]

    def get(self, source: str) -> Connector:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(table).where(table.c.source == source)).one_or_none()
        if row is None:
            raise NotFound("connector", source)
        return _connector(row)

    def change(
        self,
        source: str,
        *,
        rules: list[MappingRule] | None = None,
        enabled: bool | None = None,
        secret: str | None = None,
    ) -> Connector:
        """Change what is given; takes effect with the next webhook."""
        values: dict[str, Any] = {}
        if rules is not None:
            check_rules(rules)
            values["rules"] = msgspec.json.encode(rules).decode()
        if enabled is not None:
            values["enabled"] = enabled
        if secret is not None:
            if not secret:
                raise InvalidInput("secret", "is empty")
            values["secret"] = secret
        if values:
            with self._database.begin() as connection:
                connection.execute(sa.update(table).where(table.c.source == source).values(**values))
        return self.get(source)

    def remove(self, source: str) -> None:
        """Take no more webhooks; what came stays."""
        with self._database.begin() as connection:
            if connection.execute(sa.delete(table).where(table.c.source == source)).rowcount == 0:
                raise NotFound("connector", source)

    def source_of(self, connector: Connector) -> Source:
        """The source its events come under. Raises `NotFound` where that was revoked."""
        found = next((s for s in self._sources.all() if s.name == connector.source and s.revoked_at is None), None)
        if found is None:
            raise NotFound("source", connector.source)
        return found

    def came(self, source: str) -> None:
        """Note that a webhook came now."""
        with self._database.begin() as connection:
            connection.execute(sa.update(table).where(table.c.source == source).values(last_at=time.time_ns() // 1000))


def _connector(row: Any) -> Connector:
    return Connector(
        source=row.source,
        kind=row.kind,
        secret=row.secret,
        rules=msgspec.json.decode(row.rules, type=list[MappingRule]),
        enabled=row.enabled,
        created_at=row.created_at,
        last_at=row.last_at,
    )
