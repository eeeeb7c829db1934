"""The people who sign in: accounts, roles, one-time links, sessions, passwords.

Every right is one guarded write: a link is used by an UPDATE that only the first can make, and the
session it gives is inserted in the same transaction.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa

from tilth.errors import Conflict, InvalidInput, NotFound, Unauthorized
from tilth.server.instants import DAY, HOUR, now
from tilth.server.tables import account, session, sign_in_link
from tilth.state import Database

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["ROLES", "Account", "Accounts", "Role", "check_role", "hash_secret"]

Role = Literal["viewer", "analyst", "operator", "admin"]
# From least to most: each may do all that the ones before it may.
ROLES: tuple[Role, ...] = ("viewer", "analyst", "operator", "admin")

LINK_LIFE = 3 * DAY
SESSION_LIFE = 30 * DAY
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One person who may sign in; instants in UTC µs."""

    id: int
    name: str
    email: str | None
    role: Role
    has_password: bool
    created_at: int


def hash_secret(secret: str) -> str:
    """How links, cookies and tokens are kept: SHA-256, enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_role(role: str, field: str = "role") -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise InvalidInput(field, f"{role!r} is not a role", list(ROLES))


def check_email(email: str, field: str = "email") -> str:
    email = email.strip().lower()
    if len(email) > 254 or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", email):
        raise InvalidInput(field, f"{email!r} is not an e-mail address")
    return email


def check_name(name: str, field: str = "name") -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise InvalidInput(field, "must have between 1 and 100 characters")
    return name


def check_password(password: str, field: str = "password") -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(field, f"must have between {SHORTEST_PASSWORD} and {LONGEST_PASSWORD} characters")
    return password


def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    # The OWASP parameters for argon2id: 19 MiB, so that a few sign-ins at once do not fill the memory.
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Accounts:
    """Accounts, links and sessions in the state database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Verified when nobody has the e-mail, so that the answer takes as long as for a wrong password.
        self._nobody = ""

    # Accounts

    def all(self) -> list[Account]:
        with self._database.read() as connection:
            query = sa.select(account).where(account.c.removed_at.is_(None)).order_by(account.c.id)
            return [_account(row) for row in connection.execute(query)]

    def get(self, account_id: int) -> Account:
        with self._database.read() as connection:
            return _account(_one(connection, account_id))

    def by_email(self, email: str) -> Account:
        for known in self.all():
            if known.email == email.strip().lower():
                return known
        raise NotFound("user", email)

    def create(self, name: str, role: str, email: str | None = None, *, inside: sa.Connection | None = None) -> Account:
        """Make an account without a password; its owner comes in by a one-time link."""
        values: dict[str, Any] = {
            "name": check_name(name),
            "email": check_email(email) if email else None,
            "role": check_role(role),
            "created_at": now(),
        }
        if inside is not None:
            return _insert(inside, values)
        with self._database.begin() as connection:
            return _insert(connection, values)

    def first_admin(self) -> Account | None:
        """The oldest admin while nobody has set a password yet, else None: who the printed link is for.

        Makes an account named Admin in a workspace that has none.
        """
        with self._database.begin() as connection:
            rows = connection.execute(
                sa.select(account).where(account.c.removed_at.is_(None)).order_by(account.c.id)
            ).all()
            admins = [row for row in rows if row.role == "admin"]
            if any(row.password_hash for row in admins):
                return None
            if admins:
                return _account(admins[0])
            return self.create("Admin", "admin", inside=connection)

    def change(
        self, account_id: int, *, name: str | None = None, email: str | None = None, role: str | None = None
    ) -> Account:
        """What an admin may change of another account; the last admin stays one."""
        with self._database.begin() as connection:
            self._lock_admins(connection)
            row = _one(connection, account_id)
            values: dict[str, Any] = {}
            if name is not None:
                values["name"] = check_name(name)
            if email is not None:
                values["email"] = check_email(email)
            if role is not None:
                values["role"] = check_role(role)
                if row.role == "admin" and role != "admin":
                    self._keep_an_admin(connection, account_id)
            if values:
                _update(connection, account_id, values)
            return _account(_one(connection, account_id))

    def remove(self, account_id: int) -> Account:
        """Take the account away: its sessions and links end at once, its name stays in the audit log."""
        with self._database.begin() as connection:
            self._lock_admins(connection)
            row = _one(connection, account_id)
            if row.role == "admin":
                self._keep_an_admin(connection, account_id)
            connection.execute(
                account.update()
                .where(account.c.id == account_id)
                .values(removed_at=now(), email=None, password_hash=None)
            )
            connection.execute(session.delete().where(session.c.account_id == account_id))
            connection.execute(sign_in_link.delete().where(sign_in_link.c.account_id == account_id))
            return _account(row)

    def change_own(
        self,
        account_id: int,
        *,
        name: str | None,
        email: str | None,
        password: str | None,
        current_password: str | None,
        keep_session: str | None,
    ) -> Account:
        """Set one's own name, e-mail and password.

        Where there is a password, a new one or another e-mail needs it. A new password ends every
        other session. keep_session: the cookie of the session that asks.
        """
        row_hash = self._password_hash(account_id)
        before = self.get(account_id)
        new_email = check_email(email) if email else before.email
        if row_hash and (password or new_email != before.email):
            if not current_password:
                raise InvalidInput("current_password", "is needed to change the e-mail or the password")
            if not _verify(row_hash, current_password):
                raise InvalidInput("current_password", "is not right")
        if password and not new_email:
            raise InvalidInput("email", "is needed to sign in with a password")
        values: dict[str, Any] = {"email": new_email}
        if name is not None:
            values["name"] = check_name(name)
        if password:
            values["password_hash"] = _hasher().hash(check_password(password))
        with self._database.begin() as connection:
            _update(connection, account_id, values)
            if password:
                others = session.delete().where(session.c.account_id == account_id)
                if keep_session:
                    others = others.where(session.c.token_hash != hash_secret(keep_session))
                connection.execute(others)
            return _account(_one(connection, account_id))

    # One-time links

    def link(self, account_id: int) -> str:
        """A new sign-in token for this account; earlier unused ones stop working."""
        token = secrets.token_urlsafe(32)
        at = now()
        with self._database.begin() as connection:
            _one(connection, account_id)
            connection.execute(
                sign_in_link.delete().where(sign_in_link.c.account_id == account_id, sign_in_link.c.used_at.is_(None))
            )
            connection.execute(
                sign_in_link.insert().values(
                    token_hash=hash_secret(token), account_id=account_id, created_at=at, expires_at=at + LINK_LIFE
                )
            )
        return token

    def use_link(self, token: str) -> tuple[Account, str]:
        """Sign in by a one-time link: (account, session cookie). The second use of a link is refused."""
        at = now()
        digest = hash_secret(token)
        with self._database.begin() as connection:
            used = connection.execute(
                sign_in_link.update()
                .where(
                    sign_in_link.c.token_hash == digest,
                    sign_in_link.c.used_at.is_(None),
                    sign_in_link.c.expires_at > at,
                )
                .values(used_at=at)
            )
            if used.rowcount != 1:
                raise Unauthorized("this sign-in link was used before or is no longer valid; ask for a new one")
            owner = connection.scalar(sa.select(sign_in_link.c.account_id).where(sign_in_link.c.token_hash == digest))
            row = _one(connection, int(owner or 0))
            return _account(row), _open_session(connection, row.id, at)

    # Passwords and sessions

    def sign_in(self, email: str, password: str) -> tuple[Account, str]:
        """Sign in by e-mail and password: (account, session cookie). Takes about as long when it fails."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(account).where(account.c.email == email.strip().lower(), account.c.removed_at.is_(None))
            ).first()
        stored = row.password_hash if row is not None else None
        if stored is None:
            self._nobody = self._nobody or _hasher().hash(secrets.token_urlsafe(16))
        fits = _verify(stored or self._nobody, password)
        if row is None or stored is None or not fits:
            raise Unauthorized("the e-mail or the password is not right")
        with self._database.begin() as connection:
            return _account(row), _open_session(connection, row.id, now())

    def by_session(self, cookie: str) -> Account | None:
        """Whose session this cookie is, or None; using it puts off its end."""
        at = now()
        digest = hash_secret(cookie)
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(account, session.c.last_seen_at)
                .join(session, session.c.account_id == account.c.id)
                .where(session.c.token_hash == digest, session.c.expires_at > at, account.c.removed_at.is_(None))
            ).first()
        if row is None:
            return None
        if row.last_seen_at < at - HOUR:
            # Written once an hour, not with every request.
            with self._database.begin() as connection:
                connection.execute(
                    session.update()
                    .where(session.c.token_hash == digest)
                    .values(last_seen_at=at, expires_at=at + SESSION_LIFE)
                )
        return _account(row)

    def sign_out(self, cookie: str) -> None:
        with self._database.begin() as connection:
            connection.execute(session.delete().where(session.c.token_hash == hash_secret(cookie)))

    def forget_expired(self) -> int:
        """Delete sessions and links that ended; returns how many."""
        at = now()
        with self._database.begin() as connection:
            ended = connection.execute(session.delete().where(session.c.expires_at <= at)).rowcount
            ended += connection.execute(sign_in_link.delete().where(sign_in_link.c.expires_at <= at)).rowcount
        return int(ended)

    def _password_hash(self, account_id: int) -> str | None:
        with self._database.read() as connection:
            value: str | None = _one(connection, account_id).password_hash
            return value

    def _lock_admins(self, connection: sa.Connection) -> None:
        # SQLite's BEGIN IMMEDIATE already lets one writer in at a time.
        if not self._database.is_sqlite:
            connection.execute(sa.select(account.c.id).where(account.c.role == "admin").with_for_update())

    def _keep_an_admin(self, connection: sa.Connection, leaving: int) -> None:
        others = connection.scalar(
            sa.select(sa.func.count())
            .select_from(account)
            .where(account.c.role == "admin", account.c.removed_at.is_(None), account.c.id != leaving)
        )
        if not others:
            raise Conflict("this is the last admin; make somebody else admin first")


def _one(connection: sa.Connection, account_id: int) -> Any:
    row = connection.execute(
        sa.select(account).where(account.c.id == account_id, account.c.removed_at.is_(None))
    ).first()
    if row is None:
        raise NotFound("user", str(account_id))
    return row


def _insert(connection: sa.Connection, values: dict[str, Any]) -> Account:
    try:
        key = connection.execute(account.insert().values(**values)).inserted_primary_key
    except sa.exc.IntegrityError:
        raise Conflict(f"there is already a user with the e-mail {values['email']}") from None
    return _account(_one(connection, key[0] if key else 0))


def _update(connection: sa.Connection, account_id: int, values: dict[str, Any]) -> None:
    try:
        connection.execute(account.update().where(account.c.id == account_id).values(**values))
    except sa.exc.IntegrityError:
        raise Conflict(f"there is already a user with the e-mail {values['email']}") from None


def _open_session(connection: sa.Connection, account_id: int, at: int) -> str:
    cookie = secrets.token_urlsafe(32)
    connection.execute(
        session.insert().values(
            token_hash=hash_secret(cookie),
            account_id=account_id,
            created_at=at,
            last_seen_at=at,
            expires_at=at + SESSION_LIFE,
        )
    )
    return cookie


def _verify(stored: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        email=row.email,
        role=row.role,
        has_password=row.password_hash is not None,
        created_at=row.created_at,
    )
