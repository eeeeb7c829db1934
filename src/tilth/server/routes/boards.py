"""Boards: questions and texts side by side."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from tilth.behavior.boards import Board, Everywhere, Tile
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant

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


ROUTES = [list_boards, read_board, make_board, change_board, delete_board]
