"""`/healthz`, `/readyz`, `/metrics`, the API's description, and the console's files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import anyio.to_thread
import msgspec
import sqlalchemy as sa
from litestar import Request, Response, get, route
from litestar.params import FromPath

from tilth.errors import LimitReached
from tilth.server.context import Ctx
from tilth.server.metrics import Metrics, Sample, process_samples
from tilth.server.openapi import described

__all__ = ["API_ROUTES", "ROOT_ROUTES"]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    status: str


class NotReady(LimitReached):
    """Starting or stopping; another moment will do."""

    kind = "not_ready"
    status = 503


@get("/healthz", opt={"role": "anyone"}, sync_to_thread=False, tags=["server"])
def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@get("/readyz", opt={"role": "anyone"}, sync_to_thread=True, tags=["server"])
def readyz(context: Ctx) -> Health:
    """The database and the event table answer, and the server is not stopping."""
    if context.background.stopping:
        raise NotReady("the server is stopping", retry_after=5)
    with context.workspace.database.read() as connection:
        connection.execute(sa.text("SELECT 1"))
    _ = context.workspace.lake.version
    return Health(status="ready")


@get("/metrics", opt={"role": "anyone"}, sync_to_thread=True, include_in_schema=False)
def read_metrics(context: Ctx) -> Response[str]:
    """Numbers for Prometheus. Open like the health checks: sizes and rates of the server, nothing of a person."""
    samples = [*context.metrics.samples(), *process_samples(), *_data_samples(context), *_pull_samples(context)]
    return Response(Metrics.text(samples), media_type="text/plain; version=0.0.4")


def _data_samples(context: Ctx) -> Iterator[Sample]:
    workspace = context.workspace
    stats = workspace.lake.stats()
    events, _ = workspace.collect.tail_size()
    for name, about, value in (
        ("tilth_lake_version", "Version of the event table.", stats.version),
        ("tilth_lake_rows", "Rows in the event table.", stats.rows),
        ("tilth_lake_files", "Files of the event table.", stats.files),
        ("tilth_lake_bytes", "Bytes of the event table.", stats.bytes),
        ("tilth_lake_small_files", "Files compaction would merge.", stats.small_files),
        ("tilth_tail_events", "Events accepted and not flushed yet.", events),
        ("tilth_disk_free_bytes", "Free bytes of the workspace's disk.", shutil.disk_usage(workspace.folder).free),
        ("tilth_background_failed", "1 while the last flush or compaction failed.", int(_failed(context))),
        ("tilth_imports_busy", "1 while an import runs or waits.", int(context.background.busy)),
    ):
        yield name, "gauge", about, {}, float(value)


def _pull_samples(context: Ctx) -> Iterator[Sample]:
    states = dict.fromkeys(("well", "failing", "running", "paused"), 0)
    for one in context.workspace.pulls.all():
        state = "running" if one.running else "paused" if not one.enabled else "failing" if one.failures else "well"
        states[state] += 1
    for state, count in states.items():
        yield "tilth_pulls", "gauge", "Pulls by state.", {"state": state}, float(count)


def _failed(context: Ctx) -> bool:
    return bool(context.workspace.collect.last_flush_error or context.background.compaction_error)


@get("/openapi.json", opt={"role": "anyone"}, sync_to_thread=False, include_in_schema=False)
def read_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """This description of the API."""
    state = request.app.state
    document = state.get("openapi_document")
    if document is None:
        document = described(request.app)
        state["openapi_document"] = document
    return Response(document, media_type="application/json")


@route("/", http_method=["GET", "HEAD"], opt={"role": "anyone", "packed": True}, include_in_schema=False)
async def console_home(request: Request[Any, Any, Any], context: Ctx) -> Response[bytes]:
    """The console's page."""
    return await anyio.to_thread.run_sync(context.console.answer, "", request.headers)


@route("/{path:path}", http_method=["GET", "HEAD"], opt={"role": "anyone", "packed": True}, include_in_schema=False)
async def console_file(path: FromPath[str], request: Request[Any, Any, Any], context: Ctx) -> Response[bytes]:
    """Every other address is one of the console's files, or its page."""
    return await anyio.to_thread.run_sync(context.console.answer, path, request.headers)


API_ROUTES = [read_openapi]
ROOT_ROUTES = [healthz, readyz, read_metrics, console_home, console_file]
