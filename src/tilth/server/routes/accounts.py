"""Users, API tokens and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from tilth.errors import NotFound
from tilth.server import audit
from tilth.server.accounts import Account, Role
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant, instant_or_none
from tilth.server.tokens import ApiToken

__all__ = ["ROUTES"]

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]


class User(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    email: str | None
    role: Role
    has_password: bool
    created_at: datetime


class Users(msgspec.Struct, frozen=True, kw_only=True):
    users: list[User]


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    email: Email
    role: Role


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """link: the one-time address to hand to the person; it is shown only now."""

    user: User
    link: str


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    name: Name | None = None
    email: Email | None = None
    role: Role | None = None


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """hint: the last four characters of the secret."""

    id: int
    name: str
    role: Role
    hint: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    role: Role


class CreatedToken(Token, frozen=True, kw_only=True):
    """token: the secret, shown only now."""

    token: str


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    tokens: list[Token]


def _user(account: Account) -> User:
    return User(
        id=account.id,
        name=account.name,
        email=account.email,
        role=account.role,
        has_password=account.has_password,
        created_at=instant(account.created_at),
    )


def _token_fields(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "hint": token.hint,
        "created_by": token.created_by,
        "created_at": instant(token.created_at),
        "last_used_at": instant_or_none(token.last_used_at),
    }


def _link(request: Request[Any, Any, Any], token: str) -> str:
    """The address as the person who asks sees this server."""
    scheme = request.headers.get("x-forwarded-proto") or request.url.scheme
    return f"{scheme}://{request.headers.get('host', 'localhost')}/signin?token={token}"


@get("/users", opt={"role": "admin"}, sync_to_thread=True)
def list_users(context: Ctx) -> Users:
    """Everyone who may sign in."""
    return Users(users=[_user(a) for a in context.accounts.all()])


@post("/users", opt={"role": "admin"}, sync_to_thread=True)
def invite_user(data: JSONBody[NewUser], request: Request[Any, Any, Any], principal: Who, context: Ctx) -> Invitation:
    """Add a person and get the one-time link they come in by."""
    account = context.accounts.create(data.name, data.role, data.email)
    link = _link(request, context.accounts.link(account.id))
    context.record(principal, "user.create", data.email, role=data.role)
    return Invitation(user=_user(account), link=link)


@post("/users/{user_id:int}/link", opt={"role": "admin"}, sync_to_thread=True)
def renew_link(user_id: FromPath[int], request: Request[Any, Any, Any], principal: Who, context: Ctx) -> Invitation:
    """A new one-time link for a person who lost theirs or their password; the earlier one stops working."""
    account = context.accounts.get(user_id)
    link = _link(request, context.accounts.link(user_id))
    context.record(principal, "user.link", account.email or account.name)
    return Invitation(user=_user(account), link=link)


@patch("/users/{user_id:int}", opt={"role": "admin"}, sync_to_thread=True)
def change_user(user_id: FromPath[int], data: JSONBody[UserChange], principal: Who, context: Ctx) -> User:
    """Change a person's name, e-mail or role. The last admin stays one."""
    account = context.accounts.change(user_id, name=data.name, email=data.email, role=data.role)
    context.record(principal, "user.change", account.email or account.name, role=account.role)
    return _user(account)


@delete("/users/{user_id:int}", opt={"role": "admin"}, sync_to_thread=True)
def remove_user(user_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Take a person's access away at once."""
    account = context.accounts.remove(user_id)
    context.record(principal, "user.remove", account.email or account.name)


@get("/tokens", opt={"role": "admin"}, sync_to_thread=True)
def list_tokens(context: Ctx) -> TokenList:
    """The API tokens in use, without their secrets."""
    return TokenList(tokens=[Token(**_token_fields(t)) for t in context.tokens.all()])


@post("/tokens", opt={"role": "admin"}, sync_to_thread=True)
def create_token(data: JSONBody[NewToken], principal: Who, context: Ctx) -> CreatedToken:
    """A new API token; its secret is in this answer and nowhere else."""
    token, secret = context.tokens.create(data.name, data.role, principal.name)
    context.record(principal, "token.create", data.name, role=data.role)
    return CreatedToken(**_token_fields(token), token=secret)


@delete("/tokens/{token_id:int}", opt={"role": "admin"}, sync_to_thread=True)
def revoke_token(token_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Stop a token at once."""
    if token_id not in {t.id for t in context.tokens.all()}:
        raise NotFound("token", str(token_id))
    token = context.tokens.revoke(str(token_id))
    context.record(principal, "token.revoke", token.name)


@get("/audit", opt={"role": "admin"}, sync_to_thread=True)
def read_audit(
    context: Ctx,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> audit.AuditPage:
    """Who did what, newest first."""
    return audit.entries(context.workspace.database, cursor, limit)


ROUTES = [
    list_users,
    invite_user,
    renew_link,
    change_user,
    remove_user,
    list_tokens,
    create_token,
    revoke_token,
    read_audit,
]
