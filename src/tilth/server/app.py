"""The application: routes, sign-in, errors and background work put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from litestar import Litestar, Request, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig

from tilth import __version__
from tilth.server.auth import Authentication, Principal, require_role
from tilth.server.collector import TilthApp
from tilth.server.console import SECURITY_HEADERS, STATIC, Console
from tilth.server.context import Context
from tilth.server.metrics import Measured
from tilth.server.problems import EXCEPTION_HANDLERS
from tilth.server.routes import (
    accounts,
    alerts,
    behavior,
    boards,
    connectors,
    data,
    debugger,
    destinations,
    events,
    feedback,
    health,
    identity,
    imports,
    layerings,
    metrics,
    overview,
    people,
    plan,
    profiles,
    pulls,
    quarantine,
    query,
    questions,
    segments,
    session,
    settings,
    sources,
    sql,
    stages,
    survey_form,
    surveys,
    trees,
)

if TYPE_CHECKING:
    from pathlib import Path

    from litestar.types import Message, Scope

    from tilth.workspace import Workspace

__all__ = ["UPLOAD_LIMIT", "create_app"]

# Bytes of one upload.
UPLOAD_LIMIT = 8 * 1024**3
# Bytes of a JSON body.
BODY_LIMIT = 10 * 1024**2

_API = [
    accounts,
    behavior,
    alerts,
    boards,
    destinations,
    metrics,
    stages,
    trees,
    connectors,
    data,
    debugger,
    events,
    feedback,
    identity,
    imports,
    layerings,
    overview,
    people,
    plan,
    profiles,
    pulls,
    quarantine,
    query,
    questions,
    segments,
    session,
    settings,
    sources,
    sql,
    surveys,
]


def create_app(
    workspace: Workspace, *, static: Path = STATIC, upload_limit: int = UPLOAD_LIMIT, background: bool = True
) -> Litestar:
    """The web application over an open workspace, which stays the caller's to close.

    static: the built console. upload_limit: bytes. background: run the flusher, compaction and imports.
    """
    context = Context(workspace, console=Console(static), upload_limit=upload_limit)
    work = context.background

    @asynccontextmanager
    async def running(_app: Litestar) -> AsyncIterator[None]:
        if background:
            # Answers to feedback whose events a killed server did not get to.
            await anyio.to_thread.run_sync(workspace.collect.feedback.tell)
            work.start()
        try:
            yield
        finally:
            # Waiting for a flush or an import to reach a safe point must not stop the loop's other clean-up.
            await anyio.to_thread.run_sync(work.stop)

    # Dependencies are matched by parameter name.
    dependencies = {
        "context": Provide(lambda: context, sync_to_thread=False),
        "principal": Provide(_principal, sync_to_thread=False),
    }
    api = Router(
        "/api/v1",
        route_handlers=[
            *(Router("", route_handlers=module.ROUTES, tags=[module.__name__.rsplit(".", 1)[-1]]) for module in _API),
            *health.API_ROUTES,
        ],
    )
    app = TilthApp(
        route_handlers=[api, *survey_form.ROOT_ROUTES, *health.ROOT_ROUTES],
        dependencies=dependencies,
        guards=[require_role],
        middleware=[
            DefineMiddleware(Measured, metrics=context.metrics),
            DefineMiddleware(Authentication, accounts=context.accounts, tokens=context.tokens),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        before_send=[_add_security_headers],
        compression_config=CompressionConfig(
            # Routes whose answers come packed already say so; packing again gives bytes no browser can read.
            backend="gzip",
            minimum_size=2048,
            gzip_compress_level=4,
            exclude_opt_key="packed",
        ),
        request_max_body_size=BODY_LIMIT,
        lifespan=[running],
        openapi_config=OpenAPIConfig(
            title="Tilth",
            version=__version__,
            description="The HTTP API of Tilth. Errors are RFC 9457 problem documents; instants are UTC; "
            "money is in minor units unless it says otherwise.",
            path="/api/v1/openapi",
            use_handler_docstrings=True,
            operation_id_creator=_operation_id,
        ),
        logging_config=None,
        state=_state(context),
    )
    app.collector = context.collector
    return app


def _state(context: Context) -> Any:
    from litestar.datastructures import State

    return State({"context": context})


def _principal(request: Request[Any, Any, Any]) -> Principal:
    found: Principal = request.scope["user"]
    return found


def _operation_id(handler: Any, _method: Any, _path: Any) -> str:
    return str(handler.handler_name)


async def _add_security_headers(message: Message, _scope: Scope) -> None:
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if not headers.get("cache-control"):
            # Answers of the API are about now, and about people.
            headers["cache-control"] = "no-store"
