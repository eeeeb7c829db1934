"""Boards: questions and texts side by side."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from tilth.behavior.boards import Board, Everywhere, Tile
from tilth.errors import Conflict, NotFound
from tilth.measure.board_schedules import BoardSchedule, KeptSchedule
from tilth.measure.board_tiles import answer_of
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant, instant_or_none

__all__ = ["ROUTES"]


class ShownBoard(msgspec.Struct, frozen=True, kw_only=True):
    """everywhere: holds for every question of the board. version: one more with every change."""

    id: int
    title: str
    about: str
    tiles: list[Tile]
    everywhere: Everywhere
    version: int
    by: str
    created_at: datetime
    changed_at: datetime


class ListedBoard(msgspec.Struct, frozen=True, kw_only=True):
    """tiles: how many."""

    id: int
    title: str
    about: str
    tiles: int
    by: str
    changed_at: datetime


class BoardList(msgspec.Struct, frozen=True, kw_only=True):
    boards: list[ListedBoard]


class BoardToSave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """version: the one that was changed; refused when it is not the one there is (when changing)."""

    title: str
    tiles: list[Tile]
    about: str = ""
    everywhere: Everywhere = msgspec.field(default_factory=Everywhere)
    version: int | None = None


def _shown(one: Board) -> ShownBoard:
    return ShownBoard(
        id=one.id,
        title=one.title,
        about=one.about,
        tiles=one.tiles,
        everywhere=one.everywhere,
        version=one.version,
        by=one.by,
        created_at=instant(one.created_at),
        changed_at=instant(one.changed_at),
    )


@get("/boards", opt={"role": "viewer"}, sync_to_thread=True)
def list_boards(context: Ctx) -> BoardList:
    """All boards, the last changed first."""
    return BoardList(
        boards=[
            ListedBoard(
                id=one.id,
                title=one.title,
                about=one.about,
                tiles=len(one.tiles),
                by=one.by,
                changed_at=instant(one.changed_at),
            )
            for one in context.workspace.boards.all()
        ]
    )


@get("/boards/{board_id:int}", opt={"role": "viewer"}, sync_to_thread=True)
def read_board(board_id: FromPath[int], context: Ctx) -> ShownBoard:
    """One board with its tiles."""
    return _shown(context.workspace.boards.get(board_id))


class TileAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """version: of the board that is looked at. everywhere: what holds for all questions, instead of the board's own."""

    version: int
    everywhere: Everywhere | None = None


class TileAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """answer: what `POST /query/KIND` or `POST /metrics/{key}/values` gives. stale: something has changed since
    answered_at; it is being worked out anew, ask again soon."""

    answer: Any
    answered_at: datetime
    stale: bool


@post("/boards/{board_id:int}/tiles/{tile:int}/answer", opt={"role": "viewer"}, status_code=200)
async def answer_tile(
    board_id: FromPath[int], tile: FromPath[int], data: JSONBody[TileAsked], context: Ctx
) -> TileAnswer:
    """The answer of a board's tile (counted from 0): the one kept, if need be stale, or one worked out now."""
    workspace = context.workspace

    def work() -> TileAnswer:
        board = workspace.boards.get(board_id)
        if board.version != data.version:
            raise Conflict(f"the board has been changed since: it is of version {board.version} now")
        if not 0 <= tile < len(board.tiles):
            raise NotFound("tile", str(tile))
        found = answer_of(
            board.tiles[tile],
            board.everywhere if data.everywhere is None else data.everywhere,
            workspace.behavior,
            workspace.metrics,
            workspace.kept_answers,
        )
        return TileAnswer(answer=found.answer, answered_at=instant(found.answered_at), stale=found.stale)

    return await context.compute(work)


@post("/boards", opt={"role": "analyst"}, status_code=201, sync_to_thread=True)
def make_board(data: JSONBody[BoardToSave], principal: Who, context: Ctx) -> ShownBoard:
    """Make a board."""
    made = context.workspace.boards.make(data.title, data.tiles, principal.name, data.about, data.everywhere)
    context.record(principal, "board.create", made.title, tiles=len(made.tiles))
    return _shown(made)


@put("/boards/{board_id:int}", opt={"role": "analyst"}, sync_to_thread=True)
def change_board(board_id: FromPath[int], data: JSONBody[BoardToSave], principal: Who, context: Ctx) -> ShownBoard:
    """Change a board's tiles, their layout, its title or what holds everywhere."""
    boards = context.workspace.boards
    made = boards.change(board_id, data.title, data.tiles, data.version, data.about, data.everywhere)
    context.record(principal, "board.change", made.title, tiles=len(made.tiles))
    return _shown(made)


@delete("/boards/{board_id:int}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_board(board_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Remove a board; saved questions stay."""
    gone = context.workspace.boards.get(board_id)
    context.workspace.boards.delete(board_id)
    context.record(principal, "board.remove", gone.title)


class ShownSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """schedule: None where the board is not sent by itself. error: why the last one was not made."""

    schedule: BoardSchedule | None
    by: str = ""
    next_at: datetime | None = None
    last_at: datetime | None = None
    error: str = ""


class BoardToSend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """destinations: of e-mail. pdf: also as a file."""

    destinations: list[int]
    pdf: bool = True


class BoardSent(msgspec.Struct, frozen=True, kw_only=True):
    """to: how many destinations it is on its way to."""

    to: int


def _schedule(held: KeptSchedule | None) -> ShownSchedule:
    if held is None:
        return ShownSchedule(schedule=None)
    return ShownSchedule(
        schedule=held.schedule,
        by=held.by,
        next_at=instant(held.next_at),
        last_at=instant_or_none(held.last_at),
        error=held.error,
    )


@get("/boards/{board_id:int}/schedule", opt={"role": "viewer"}, sync_to_thread=True)
def read_board_schedule(board_id: FromPath[int], context: Ctx) -> ShownSchedule:
    """When the board is sent by itself."""
    context.workspace.boards.get(board_id)
    return _schedule(context.workspace.board_schedules.get(board_id))


@put("/boards/{board_id:int}/schedule", opt={"role": "analyst"}, sync_to_thread=True)
def change_board_schedule(
    board_id: FromPath[int], data: JSONBody[BoardSchedule], principal: Who, context: Ctx
) -> ShownSchedule:
    """Send the board by itself."""
    made = context.workspace.board_schedules.set(board_id, data, principal.name)
    context.record(principal, "board.schedule", str(board_id), every=data.every, at=data.at)
    return _schedule(made)


@delete("/boards/{board_id:int}/schedule", opt={"role": "analyst"}, sync_to_thread=True)
def delete_board_schedule(board_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Send the board no more."""
    context.workspace.boards.get(board_id)
    context.workspace.board_schedules.clear(board_id)
    context.record(principal, "board.schedule", str(board_id), every="never")


@post("/boards/{board_id:int}/send", opt={"role": "analyst"}, status_code=200)
async def send_board(board_id: FromPath[int], data: JSONBody[BoardToSend], principal: Who, context: Ctx) -> BoardSent:
    """Send the board now."""
    schedules = context.workspace.board_schedules
    count = await context.compute(schedules.send, board_id, data.destinations, pdf=data.pdf)
    context.background.notices_soon()
    context.record(principal, "board.send", str(board_id), destinations=count)
    return BoardSent(to=count)


@get("/boards/{board_id:int}/file", opt={"role": "viewer"})
async def read_board_file(board_id: FromPath[int], context: Ctx, format: FromQuery[str] = "pdf") -> Response[bytes]:
    """The board with its answers as a file: pdf or html."""
    made = await context.compute(context.workspace.board_schedules.file, board_id, format)
    named = f"attachment; filename*=UTF-8''{quote(made.name)}"
    return Response(made.content, media_type=made.kind, headers={"Content-Disposition": named})


ROUTES = [
    answer_tile,
    list_boards,
    read_board,
    make_board,
    change_board,
    delete_board,
    read_board_schedule,
    change_board_schedule,
    delete_board_schedule,
    send_board,
    read_board_file,
]
