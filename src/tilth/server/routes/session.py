"""Signing in and out, and one's own account."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from tilth import __version__
from tilth.errors import InvalidInput, Unauthorized
from tilth.server.accounts import SESSION_LIFE, Account, Role
from tilth.server.auth import COOKIE, Principal, Who
from tilth.server.context import Context, Ctx
from tilth.server.instants import SECOND
from tilth.settings import Settings, currency_digits

__all__ = ["ROUTES"]


class SessionUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in; a program's token has no id and no e-mail."""

    id: int | None
    name: str
    email: str | None
    role: Role
    has_password: bool


class SessionWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    timezone: str
    currency: str
    currency_digits: int
    language: str
    version: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """user is null when nobody is signed in."""

    user: SessionUser | None
    workspace: SessionWorkspace


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class SignInByLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """token: what the printed address carries after `?token=`."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class OwnAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of one's own account; what is left out stays. A new password or e-mail needs the current
    password where there is one."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)] | None = None
    password: Annotated[str, msgspec.Meta(min_length=8, max_length=200)] | None = None
    current_password: Annotated[str, msgspec.Meta(max_length=200)] | None = None


def describe_session(principal: Principal, account: Account | None, settings: Settings) -> Session:
    user = None
    if account is not None:
        user = SessionUser(
            id=account.id,
            name=account.name,
            email=account.email,
            role=account.role,
            has_password=account.has_password,
        )
    elif principal.role is not None:
        user = SessionUser(id=None, name=principal.name, email=None, role=principal.role, has_password=False)
    return Session(
        user=user,
        workspace=SessionWorkspace(
            name=settings.name,
            timezone=settings.timezone,
            currency=settings.currency,
            currency_digits=currency_digits(settings.currency),
            language=settings.language,
            version=__version__,
        ),
    )


def _signed_in(request: Request[Any, Any, Any], context: Context, account: Account, cookie: str) -> Response[Session]:
    secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    return Response(
        describe_session(Principal(), account, context.workspace.settings),
        status_code=200,
        cookies=[
            Cookie(
                key=COOKIE,
                value=cookie,
                max_age=SESSION_LIFE // SECOND,
                path="/",
                httponly=True,
                secure=secure,
                samesite="lax",
            )
        ],
    )


@get("/session", opt={"role": "anyone"}, sync_to_thread=False)
def read_session(principal: Who, context: Ctx) -> Session:
    """Who is signed in, and what the workspace is called. Never 401."""
    return describe_session(principal, principal.account, context.workspace.settings)


@post("/session", opt={"role": "anyone"}, status_code=200)
async def sign_in(data: JSONBody[SignIn], request: Request[Any, Any, Any], context: Ctx) -> Response[Session]:
    """Sign in by e-mail and password."""
    email = data.email.strip().lower()
    address = request.client.host if request.client else "?"
    here, anywhere = f"{address} {email}", email
    context.slowdown.check(here)
    context.slowdown_email.check(anywhere)
    try:
        account, cookie = await anyio.to_thread.run_sync(
            context.accounts.sign_in, email, data.password, limiter=context.hashing
        )
    except Unauthorized:
        context.slowdown.failed(here)
        context.slowdown_email.failed(anywhere)
        raise
    context.slowdown.succeeded(here)
    await anyio.to_thread.run_sync(context.record, Principal(name=email), "session.create", "password")
    return _signed_in(request, context, account, cookie)


@post("/session/link", opt={"role": "anyone"}, status_code=200)
async def sign_in_by_link(
    data: JSONBody[SignInByLink], request: Request[Any, Any, Any], context: Ctx
) -> Response[Session]:
    """Sign in by a one-time link. The second use is refused."""
    account, cookie = await anyio.to_thread.run_sync(context.accounts.use_link, data.token)
    who = Principal(name=account.email or account.name)
    await anyio.to_thread.run_sync(context.record, who, "session.create", "link")
    return _signed_in(request, context, account, cookie)


@delete("/session", opt={"role": "anyone"}, status_code=204, sync_to_thread=True)
def sign_out(principal: Who, context: Ctx) -> Response[None]:
    """Sign out: the session ends on the server too."""
    if principal.cookie is not None:
        context.accounts.sign_out(principal.cookie)
    response: Response[None] = Response(None, status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


@post("/account", opt={"role": "viewer"}, status_code=200)
async def change_account(data: JSONBody[OwnAccount], principal: Who, context: Ctx) -> Session:
    """Set one's own name, e-mail and password."""
    account = principal.account
    if account is None:
        raise InvalidInput("authorization", "an API token has no account; sign in")
    key = f"account {account.id}"
    context.slowdown.check(key)

    def change() -> Account:
        return context.accounts.change_own(
            account.id,
            name=data.name,
            email=data.email,
            password=data.password,
            current_password=data.current_password,
            keep_session=principal.cookie,
        )

    try:
        changed = await anyio.to_thread.run_sync(change, limiter=context.hashing)
    except InvalidInput as error:
        if error.field == "current_password":
            context.slowdown.failed(key)
        raise
    context.slowdown.succeeded(key)
    changed_parts = [part for part in ("name", "email", "password") if getattr(data, part) is not None]
    await anyio.to_thread.run_sync(context.record, principal, "account.change", ", ".join(changed_parts))
    return describe_session(principal, changed, context.workspace.settings)


ROUTES = [read_session, sign_in, sign_in_by_link, sign_out, change_account]
