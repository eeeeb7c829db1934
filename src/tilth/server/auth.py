"""Who is asking, and may they: one middleware that finds out, one guard that every route passes.

A route states the least role it needs as `role="analyst"`; a route that states nothing is for
admins, so forgetting it never opens a door. Write keys have no role at all: the only route that
takes them is the one that ingests.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio.to_thread
import msgspec
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler

from tilth.errors import Forbidden, Unauthorized
from tilth.server.accounts import ROLES, Account, Accounts, Role
from tilth.server.tokens import TOKEN_PREFIX, Tokens

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

__all__ = [
    "ANYONE",
    "ANYONE_ROLE",
    "COOKIE",
    "WRITE_KEY_PREFIX",
    "Authentication",
    "Principal",
    "Who",
    "bearer",
    "check_same_origin",
    "require_role",
]

COOKIE = "tilth_session"
WRITE_KEY_PREFIX = "tilth_wk_"
# The `role` of routes that need no sign-in.
ANYONE_ROLE = "anyone"
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever sent the request.

    name: how the audit log calls them. role: None for nobody and for write keys. account: set for a
    person's session, with its cookie.
    """

    name: str = "nobody"
    role: Role | None = None
    account: Account | None = None
    cookie: str | None = None
    write_key: bool = False

    def may(self, needed: str) -> bool:
        """True where this principal's role is at least `needed`."""
        if needed == ANYONE_ROLE:
            return True
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(needed)


ANYONE = Principal()
# How a route asks who sent the request; the framework gives it by the parameter's name, `principal`.
Who = NamedDependency[Principal]


def bearer(headers: Any) -> str | None:
    """The Bearer secret of the request, if it has one."""
    scheme, _, secret = str(headers.get("authorization", "")).partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


class Authentication:
    """ASGI middleware: puts a `Principal` in the scope's `user`.

    A bad Bearer secret is refused here even where the route is open to anyone: a program that thinks
    it is signed in must hear that it is not. A stale cookie is treated as no cookie.
    """

    def __init__(self, app: ASGIApp, accounts: Accounts, tokens: Tokens) -> None:
        self.app = app
        self._accounts = accounts
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
            scope["user"] = await self._identify(headers)
            scope["auth"] = None
        await self.app(scope, receive, send)

    async def _identify(self, headers: dict[str, str]) -> Principal:
        secret = bearer(headers)
        if secret is not None:
            if secret.startswith(WRITE_KEY_PREFIX):
                return Principal(name="write key", write_key=True)
            token = (
                await anyio.to_thread.run_sync(self._tokens.by_secret, secret)
                if secret.startswith(TOKEN_PREFIX)
                else None
            )
            if token is None:
                raise Unauthorized("this token is not valid (any more)")
            return Principal(name=f"token {token.name}", role=token.role)
        cookie = _cookie(headers.get("cookie", ""))
        if cookie:
            account = await anyio.to_thread.run_sync(self._accounts.by_session, cookie)
            if account is not None:
                return Principal(name=account.email or account.name, role=account.role, account=account, cookie=cookie)
        return ANYONE


def _cookie(header: str) -> str | None:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel is not None else None


def require_role(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of every `/api/v1` route."""
    needed = str(handler.opt.get("role", "admin"))
    principal: Principal = connection.scope["user"]
    if principal.write_key:
        if not handler.opt.get("takes_write_key"):
            raise Forbidden("a write key may only send events (POST /api/v1/events); use an API token to read")
        return
    if handler.opt.get("takes_write_key"):
        raise Unauthorized("send a source's write key as a Bearer token")
    method = str(connection.scope.get("method"))
    if method not in _SAFE and (principal.cookie is not None or needed == ANYONE_ROLE):
        check_same_origin(connection.headers, strict=principal.cookie is not None)
    if needed == ANYONE_ROLE or principal.may(needed):
        return
    if principal.role is None:
        raise Unauthorized("sign in, or send an API token as a Bearer token")
    raise Forbidden(f"this needs the role {needed}; yours is {principal.role}")


def check_same_origin(headers: Any, *, strict: bool) -> None:
    """Refuse a write that another site's page makes the browser send with our cookie.

    Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`; pages cannot
    change either. strict: refuse also where neither is there.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise Forbidden("this request comes from another site's page")
    origin = headers.get("origin")
    if origin is not None:
        if urlsplit(origin).netloc == headers.get("host"):
            return
        raise Forbidden("this request comes from another site's page")
    if strict:
        raise Forbidden("a write with a session cookie needs the Origin header; programs should use an API token")
