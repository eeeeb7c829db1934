"""Imports: upload, look at what was recognised, start, watch, cancel, resume."""

from __future__ import annotations

import shutil
from typing import Annotated, Any, Literal

import anyio.to_thread
import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from tilth.collect.imports import Import, Imported
from tilth.server.auth import Who
from tilth.server.bodies import receive_files
from tilth.server.context import Ctx

__all__ = ["ROUTES"]

Kind = Literal["orders", "events", "profiles"]


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to read the files: map is role -> column, options as in the proposal; what is left out is found out."""

    map: dict[str, str] | None = None
    options: dict[str, Any] | None = None


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, and dry_run: read and check everything, write nothing."""

    map: dict[str, str] | None = None
    options: dict[str, Any] | None = None
    dry_run: bool = False


@post("/imports", opt={"role": "operator"}, status_code=201, request_max_body_size=None)
async def upload(request: Request[Any, Any, Any], principal: Who, context: Ctx, kind: FromQuery[Kind]) -> Import:
    """Upload one or more files (`file` parts of multipart/form-data) and see how they would be read.

    Nothing is imported yet. Files are streamed to the workspace's disk; over the limit is 413, a full disk 507.
    """
    imports = context.workspace.imports
    import_id = imports.new_id()
    folder = imports.upload_folder(import_id)
    files = await receive_files(request, folder, context.upload_limit)

    def propose() -> Import:
        try:
            made = imports.create(kind, [f.path for f in files], principal.name, id=import_id, uploaded=True)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        context.record(principal, "import.upload", made.id, kind=kind, files=[f.name for f in files])
        return made

    return await anyio.to_thread.run_sync(propose)


@get("/imports", opt={"role": "viewer"}, sync_to_thread=True)
def list_imports(
    context: Ctx, cursor: FromQuery[str | None] = None, limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20
) -> Imported:
    """Imports, newest first."""
    return context.workspace.imports.list(cursor, limit)


@get("/imports/{import_id:str}", opt={"role": "viewer"}, sync_to_thread=True)
def read_import(import_id: FromPath[str], context: Ctx) -> Import:
    """One import with its progress or summary."""
    return context.workspace.imports.get(import_id)


@post("/imports/{import_id:str}/preview", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def preview(import_id: FromPath[str], data: JSONBody[Reading], context: Ctx) -> Import:
    """The proposal anew, under other columns or options."""
    return context.workspace.imports.preview(import_id, data.map, data.options)


@post("/imports/{import_id:str}/start", opt={"role": "operator"}, status_code=202, sync_to_thread=True)
def start(import_id: FromPath[str], data: JSONBody[Start], principal: Who, context: Ctx) -> Import:
    """Import in the background; `GET /imports/{id}` tells how far it is."""
    begun = context.workspace.imports.start(import_id, data.map, data.options, data.dry_run)
    context.background.run_import(import_id)
    context.record(principal, "import.start", import_id, dry_run=data.dry_run)
    return begun


@post("/imports/{import_id:str}/cancel", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def cancel(import_id: FromPath[str], principal: Who, context: Ctx) -> Import:
    """Stop an import at its next safe point. While it only reads, nothing of it stays."""
    found = context.workspace.imports.cancel(import_id)
    context.record(principal, "import.cancel", import_id)
    return found


@post("/imports/{import_id:str}/resume", opt={"role": "operator"}, status_code=202, sync_to_thread=True)
def resume(import_id: FromPath[str], principal: Who, context: Ctx) -> Import:
    """Go on with an import that was interrupted."""
    resumed = context.workspace.imports.resume(import_id)
    context.background.run_import(import_id)
    context.record(principal, "import.resume", import_id)
    return resumed


ROUTES = [upload, list_imports, read_import, preview, start, cancel, resume]
