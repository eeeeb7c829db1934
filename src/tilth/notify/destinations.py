"""Where notices go. Addresses that are secrets (a robot's URL is one) are kept, used and never shown again."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from tilth.errors import InvalidInput, NotFound
from tilth.notify import chats, email, webhook
from tilth.notify.http import check_url
from tilth.notify.message import Message
from tilth.settings import Settings
from tilth.state import Database
from tilth.state.database import BigId, metadata

__all__ = ["KINDS", "Destination", "Destinations", "KeptDestination", "destination_table"]

KINDS = ("email", "webhook", "wecom", "dingtalk", "feishu", "slack")
_SIGNED = ("webhook", "dingtalk", "feishu")
destination_table = sa.Table(
    "destination",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """kind: email, webhook, wecom, dingtalk, feishu or slack. address: e-mail addresses parted by commas, or the URL of
    the webhook or robot. secret: what a webhook, DingTalk or Feishu is signed with. Empty address or secret in a
    change: as it was."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    kind: str
    address: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    secret: Annotated[str, msgspec.Meta(max_length=500)] = ""
    enabled: bool = True


class KeptDestination(msgspec.Struct, frozen=True, kw_only=True):
    """shown: the addresses of e-mail, the host of a URL. created_at: UTC µs."""

    id: int
    name: str
    kind: str
    shown: str
    has_secret: bool
    enabled: bool
    by: str
    created_at: int


class Destinations:
    """By number."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def all(self) -> list[KeptDestination]:
        """By name."""
        query = sa.select(destination_table).order_by(destination_table.c.name, destination_table.c.id)
        with self._database.read() as connection:
            return [_kept(row) for row in connection.execute(query)]

    def get(self, id: int) -> KeptDestination:
        """Raises `NotFound`."""
        return _kept(self._row(id))

    def check(self, ids: list[int], field: str) -> None:
        """Raises `InvalidInput` where one is not there."""
        known = {one.id for one in self.all()}
        for number, id in enumerate(ids):
            if id not in known:
                raise InvalidInput(f"{field}[{number}]", f"there is no destination {id}")

    def make(self, destination: Destination, by: str) -> KeptDestination:
        """Raises `InvalidInput`."""
        values = _checked(destination) | {"made_by": by, "created_at": time.time_ns() // 1000}
        with self._database.begin() as connection:
            key = connection.execute(sa.insert(destination_table).values(**values)).inserted_primary_key
        assert key is not None
        return self.get(int(key[0]))

    def change(self, id: int, destination: Destination) -> KeptDestination:
        """Put another in its place; its kind stays. Raises `InvalidInput` and `NotFound`."""
        held = self._row(id)
        if destination.kind != held.kind:
            raise InvalidInput("kind", "cannot be changed; make another destination")
        kept = msgspec.structs.replace(
            destination, address=destination.address or held.address, secret=destination.secret or held.secret
        )
        with self._database.begin() as connection:
            table = destination_table
            connection.execute(sa.update(table).where(table.c.id == id).values(**_checked(kept)))
        return self.get(id)

    def delete(self, id: int) -> None:
        """Raises `NotFound`. What waits for it is not sent."""
        with self._database.begin() as connection:
            table = destination_table
            if connection.execute(sa.delete(table).where(table.c.id == id)).rowcount == 0:
                raise NotFound("destination", str(id))

    def send(self, id: int, message: Message, key: str) -> None:
        """Send now. Raises `Refused`, and `NotFound`."""
        row = self._row(id)
        if row.kind == "email":
            email.send(email.check_addresses(row.address, "address"), message, self._settings, key)
        elif row.kind == "webhook":
            webhook.send(row.address, message, key, row.secret)
        elif row.kind == "dingtalk":
            chats.dingtalk(row.address, message, row.secret)
        elif row.kind == "feishu":
            chats.feishu(row.address, message, row.secret)
        elif row.kind == "wecom":
            chats.wecom(row.address, message)
        else:
            chats.slack(row.address, message)

    def _row(self, id: int) -> sa.Row[Any]:
        with self._database.read() as connection:
            row = connection.execute(sa.select(destination_table).where(destination_table.c.id == id)).first()
        if row is None:
            raise NotFound("destination", str(id))
        return row


def _checked(destination: Destination) -> dict[str, Any]:
    if not destination.name.strip():
        raise InvalidInput("name", "is missing")
    if destination.kind not in KINDS:
        raise InvalidInput("kind", f"{destination.kind[:40]!r} is not a kind of destination", list(KINDS))
    if not destination.address.strip():
        raise InvalidInput("address", "is missing")
    if destination.kind == "email":
        email.check_addresses(destination.address, "address")
    else:
        check_url(destination.address, "address", host=chats.HOSTS.get(destination.kind, ""))
    if destination.secret and destination.kind not in _SIGNED:
        raise InvalidInput("secret", f"a destination of kind {destination.kind} has none")
    return {
        "name": destination.name.strip(),
        "kind": destination.kind,
        "address": destination.address.strip(),
        "secret": destination.secret,
        "enabled": destination.enabled,
    }


def _kept(row: sa.Row[Any]) -> KeptDestination:
    from urllib.parse import urlsplit

    return KeptDestination(
        id=row.id,
        name=row.name,
        kind=row.kind,
        shown=row.address if row.kind == "email" else urlsplit(row.address).hostname or "",
        has_secret=bool(row.secret),
        enabled=bool(row.enabled),
        by=row.made_by,
        created_at=row.created_at,
    )
