"""The quarantine: rows that could not be taken, their correction and replay."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from tilth.collect.imports import Quarantine, Replayed
from tilth.errors import InvalidInput
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.refused_events import replay_quarantined

__all__ = ["ROUTES"]


class RowFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows by import, reason and raw text; what is left out does not filter."""

    import_id: str | None = None
    reason: str | None = None
    q: str | None = None


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows (ids, or all open ones that fit the filter), and how to read them this time.

    replace: column -> new value for every row; map, options: as at the start of the import.
    """

    ids: list[int] | None = None
    filter: RowFilter | None = None
    replace: dict[str, str] | None = None
    options: dict[str, Any] | None = None
    map: dict[str, str] | None = None


class Dismissal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ids: list[int] | None = None
    filter: RowFilter | None = None


class Dismissed(msgspec.Struct, frozen=True, kw_only=True):
    dismissed: int


@get("/quarantine", opt={"role": "viewer"}, sync_to_thread=True)
def list_quarantine(
    context: Ctx,
    import_id: FromQuery[str | None] = None,
    reason: FromQuery[str | None] = None,
    q: FromQuery[str | None] = None,
    row_state: Annotated[Literal["open", "replayed", "dismissed"], QueryParameter(name="state")] = "open",
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> Quarantine:
    """Rows in quarantine with the reason and the raw text, and how many of each reason."""
    return context.workspace.imports.quarantine(
        import_id=import_id, reason=reason, q=q, state=row_state, cursor=cursor, limit=limit
    )


@post("/quarantine/replay", opt={"role": "operator"}, status_code=200)
async def replay(data: JSONBody[Replay], principal: Who, context: Ctx) -> Replayed:
    """Try rows again, corrected. What still does not fit stays in quarantine."""
    chosen = _filter(data.ids, data.filter)

    def work() -> Replayed:
        done = replay_quarantined(
            context.workspace,
            ids=data.ids,
            filter=chosen,
            replace=data.replace,
            options=data.options,
            map=data.map,
        )
        context.record(principal, "quarantine.replay", f"{done.replayed} rows", accepted=done.accepted)
        return done

    return await context.compute(work)


@post("/quarantine/dismiss", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def dismiss(data: JSONBody[Dismissal], principal: Who, context: Ctx) -> Dismissed:
    """Put rows aside for good; they stay on record."""
    count = context.workspace.imports.dismiss(ids=data.ids, filter=_filter(data.ids, data.filter))
    context.record(principal, "quarantine.dismiss", f"{count} rows")
    return Dismissed(dismissed=count)


def _filter(ids: FromQuery[list[int] | None], given: FromQuery[RowFilter | None]) -> dict[str, Any] | None:
    if (ids is None) == (given is None):
        raise InvalidInput("ids", "give either ids or a filter")
    return None if given is None else {k: v for k, v in msgspec.structs.asdict(given).items() if v}


ROUTES = [list_quarantine, replay, dismiss]
