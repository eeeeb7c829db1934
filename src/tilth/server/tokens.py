"""API tokens: what programs sign in with. Shown once, kept hashed, revoked at once."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.errors import NotFound
from tilth.server.accounts import Role, check_name, check_role, hash_secret
from tilth.server.instants import HOUR, now
from tilth.server.tables import api_token
from tilth.state import Database

__all__ = ["TOKEN_PREFIX", "ApiToken", "Tokens"]

# Secret scanners know a leaked credential by its prefix.
TOKEN_PREFIX = "tilth_pat_"


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret; `hint` is its last four characters, instants in UTC µs."""

    id: int
    name: str
    role: Role
    hint: str
    created_by: str
    created_at: int
    last_used_at: int | None


class Tokens:
    """Tokens in the state database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: str, by: str) -> tuple[ApiToken, str]:
        """A new token and its secret, which cannot be read again."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        values: dict[str, Any] = {
            "name": check_name(name),
            "role": check_role(role),
            "token_hash": hash_secret(secret),
            "hint": secret[-4:],
            "created_by": by,
            "created_at": now(),
        }
        with self._database.begin() as connection:
            key = connection.execute(api_token.insert().values(**values)).inserted_primary_key
            row = connection.execute(sa.select(api_token).where(api_token.c.id == (key[0] if key else 0))).one()
        return _token(row), secret

    def all(self) -> list[ApiToken]:
        with self._database.read() as connection:
            query = sa.select(api_token).where(api_token.c.revoked_at.is_(None)).order_by(api_token.c.id)
            return [_token(row) for row in connection.execute(query)]

    def revoke(self, name_or_id: str) -> ApiToken:
        """Revoke by id or by name (all tokens of that name would be ambiguous: the id is asked for)."""
        mine = [t for t in self.all() if str(t.id) == name_or_id] or [t for t in self.all() if t.name == name_or_id]
        if not mine:
            raise NotFound("token", name_or_id, [t.name for t in self.all()][:5])
        if len(mine) > 1:
            raise NotFound("token with the unique name", name_or_id, [str(t.id) for t in mine])
        with self._database.begin() as connection:
            connection.execute(api_token.update().where(api_token.c.id == mine[0].id).values(revoked_at=now()))
        return mine[0]

    def by_secret(self, secret: str) -> ApiToken | None:
        """The token with this secret, or None where it is unknown or revoked."""
        at = now()
        digest = hash_secret(secret)
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(api_token).where(api_token.c.token_hash == digest, api_token.c.revoked_at.is_(None))
            ).first()
        if row is None:
            return None
        if row.last_used_at is None or row.last_used_at < at - HOUR:
            with self._database.begin() as connection:
                connection.execute(api_token.update().where(api_token.c.id == row.id).values(last_used_at=at))
        return _token(row)


def _token(row: Any) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        role=row.role,
        hint=row.hint,
        created_by=row.created_by,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
