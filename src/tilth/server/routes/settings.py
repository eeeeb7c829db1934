"""The workspace's settings, and diagnostics."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, put
from litestar.params import JSONBody

from tilth.errors import Conflict, InvalidInput
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.health import Diagnostics, diagnostics
from tilth.settings import Settings, check_currency, check_timezone

__all__ = ["ROUTES"]


class WorkspaceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """currency_fixed: there is money already, so the currency cannot change."""

    name: str
    timezone: str
    currency: str
    language: str
    currency_fixed: bool


class NewSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    timezone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    currency: Annotated[str, msgspec.Meta(min_length=3, max_length=3)]
    language: Annotated[str, msgspec.Meta(min_length=2, max_length=5)]


def _described(settings: Settings, has_money: bool) -> WorkspaceSettings:
    return WorkspaceSettings(
        name=settings.name,
        timezone=settings.timezone,
        currency=settings.currency,
        language=settings.language,
        currency_fixed=has_money,
    )


@get("/settings", opt={"role": "viewer"}, sync_to_thread=True)
def read_settings(context: Ctx) -> WorkspaceSettings:
    """Name, time zone, currency and language."""
    return _described(context.workspace.settings, context.readings.has_money())


@put("/settings", opt={"role": "admin"}, sync_to_thread=True)
def change_settings(data: JSONBody[NewSettings], principal: Who, context: Ctx) -> WorkspaceSettings:
    """Change the settings. The currency is fixed once there is money: 409."""
    workspace = context.workspace
    has_money = context.readings.has_money()
    name = " ".join(data.name.split())
    if not name:
        raise InvalidInput("name", "must not be empty")
    check_timezone(data.timezone)
    check_currency(data.currency)
    if data.language not in ("zh-CN", "en"):
        raise InvalidInput("language", "must be zh-CN or en", ["zh-CN", "en"])
    if data.currency != workspace.settings.currency and has_money:
        raise Conflict(
            f"amounts are stored in {workspace.settings.currency}; the currency cannot change once there are orders"
        )
    workspace.save_settings(
        msgspec.structs.replace(
            workspace.settings, name=name, timezone=data.timezone, currency=data.currency, language=data.language
        )
    )
    context.record(principal, "settings.change", name, timezone=data.timezone, language=data.language)
    return _described(workspace.settings, has_money)


@get("/diagnostics", opt={"role": "admin"}, sync_to_thread=True)
def read_diagnostics(context: Ctx) -> Diagnostics:
    """Effective settings with where each comes from, versions, checks. Holds no secrets."""
    return diagnostics(context.workspace)


ROUTES = [read_settings, change_settings, read_diagnostics]
