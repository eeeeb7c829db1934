"""Boards: questions and texts laid out side by side, asked of one range and one group of people."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from tilth.behavior.kinds import questions
from tilth.behavior.parameters import Asked, converted
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.state import Database
from tilth.state.database import BigId, metadata

__all__ = ["COLUMNS", "MOST_TILES", "Board", "Boards", "Everywhere", "Tile", "board"]

# A board is so many columns wide.
COLUMNS = 12
MOST_TILES = 60
board = sa.Table(
    "board",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("tiles", sa.Text, nullable=False),
    sa.Column("everywhere", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)


class Tile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text (kind `text`) or a question with its parameters. width: columns, 3 to 12; height: rows, 1 to 8.
    Tiles follow each other in their order, as many in a row as fit."""

    kind: str
    title: Annotated[str, msgspec.Meta(max_length=200)] = ""
    text: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    question: dict[str, Any] | None = None
    width: Annotated[int, msgspec.Meta(ge=3, le=COLUMNS)] = 6
    height: Annotated[int, msgspec.Meta(ge=1, le=8)] = 3


class Everywhere(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What holds for every question of a board, over the question's own range and segment; filters are added."""

    range: dict[str, str] | None = None
    segment: str | None = None
    filters: Any = None


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """version: 1 when made, one more with every change. created_at, changed_at: UTC µs."""

    id: int
    title: str
    about: str
    tiles: list[Tile]
    everywhere: Everywhere
    version: int
    by: str
    created_at: int
    changed_at: int


class Boards:
    """By number. more: further kinds of tile, with what checks their question."""

    def __init__(
        self, database: Database, more: Mapping[str, Callable[[Mapping[str, Any]], object]] | None = None
    ) -> None:
        self._database = database
        self._more = dict(more or {})

    def all(self) -> list[Board]:
        """The last changed first."""
        query = sa.select(board).order_by(board.c.changed_at.desc(), board.c.id.desc())
        with self._database.read() as connection:
            return [_board(row) for row in connection.execute(query)]

    def get(self, id: int) -> Board:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(board).where(board.c.id == id)).first()
        if row is None:
            raise NotFound("board", str(id))
        return _board(row)

    def make(
        self, title: str, tiles: Sequence[Tile], by: str, about: str = "", everywhere: Everywhere | None = None
    ) -> Board:
        """A new board. Raises `InvalidInput` with the field."""
        now = time.time_ns() // 1000
        values = self._checked(title, about, tiles, everywhere or Everywhere())
        values |= {"made_by": by, "created_at": now, "changed_at": now, "version": 1}
        with self._database.begin() as connection:
            key = connection.execute(sa.insert(board).values(**values)).inserted_primary_key
        assert key is not None
        return self.get(int(key[0]))

    def change(
        self,
        id: int,
        title: str,
        tiles: Sequence[Tile],
        version: int | None = None,
        about: str = "",
        everywhere: Everywhere | None = None,
    ) -> Board:
        """Put another in its place. version: the one that was changed; raises `Conflict` when somebody else was
        faster, besides `InvalidInput` and `NotFound`."""
        values = self._checked(title, about, tiles, everywhere or Everywhere())
        condition = [board.c.id == id] + ([] if version is None else [board.c.version == version])
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(board)
                .where(*condition)
                .values(**values, changed_at=time.time_ns() // 1000, version=board.c.version + 1)
            )
        if done.rowcount == 0:
            held = self.get(id)
            raise Conflict(f"the board was changed meanwhile (version {held.version}); load it again")
        return self.get(id)

    def delete(self, id: int) -> None:
        """Raises `NotFound`."""
        with self._database.begin() as connection:
            if connection.execute(sa.delete(board).where(board.c.id == id)).rowcount == 0:
                raise NotFound("board", str(id))

    def _checked(self, title: str, about: str, tiles: Sequence[Tile], everywhere: Everywhere) -> dict[str, Any]:
        title = title.strip()
        if not 1 <= len(title) <= 200:
            raise InvalidInput("title", "must be 1 to 200 characters")
        if len(about) > 2_000:
            raise InvalidInput("about", "may be 2,000 characters at most")
        if len(tiles) > MOST_TILES:
            raise InvalidInput("tiles", f"may be {MOST_TILES} at most")
        for number, tile in enumerate(tiles):
            if tile.kind == "text":
                if tile.question is not None:
                    raise InvalidInput(f"tiles[{number}].question", "a text has none")
                continue
            check = self._more.get(tile.kind)
            if check is None and tile.kind not in questions:
                raise InvalidInput(
                    f"tiles[{number}].kind",
                    f"{tile.kind!r} is no kind of tile",
                    ["text", *sorted({*questions, *self._more})],
                )
            try:
                if check is not None:
                    check(tile.question or {})
                else:
                    converted(questions[tile.kind].parameters, tile.question or {}, {})
            except InvalidInput as error:
                raise InvalidInput(f"tiles[{number}].question.{error.field}", error.reason, error.choices) from None
        try:
            converted(Asked, msgspec.to_builtins(everywhere), {})
        except InvalidInput as error:
            raise InvalidInput(f"everywhere.{error.field}", error.reason, error.choices) from None
        return {
            "title": title,
            "about": about.strip(),
            "tiles": msgspec.json.encode(tiles).decode(),
            "everywhere": msgspec.json.encode(everywhere).decode(),
        }


def _board(row: sa.Row[Any]) -> Board:
    return Board(
        id=row.id,
        title=row.title,
        about=row.about,
        tiles=msgspec.json.decode(row.tiles, type=list[Tile]),
        everywhere=msgspec.json.decode(row.everywhere, type=Everywhere),
        version=row.version,
        by=row.made_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
