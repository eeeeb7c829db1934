"""Questions somebody saved: a title, a kind and the parameters, to be asked again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.behavior.kinds import questions
from tilth.behavior.parameters import converted
from tilth.errors import InvalidInput, NotFound
from tilth.state import Database
from tilth.state.database import BigId, metadata

__all__ = ["SavedQuestion", "SavedQuestions", "saved_question"]

_LONGEST = 200_000
saved_question = sa.Table(
    "saved_question",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)


class SavedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """question: the parameters of its kind. created_at, changed_at: UTC µs. by: who saved it first."""

    id: int
    title: str
    about: str
    kind: str
    question: dict[str, Any]
    by: str
    created_at: int
    changed_at: int


class SavedQuestions:
    """By number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SavedQuestion]:
        """The last changed first."""
        query = sa.select(saved_question).order_by(saved_question.c.changed_at.desc(), saved_question.c.id.desc())
        with self._database.read() as connection:
            return [_saved(row) for row in connection.execute(query)]

    def get(self, id: int) -> SavedQuestion:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(saved_question).where(saved_question.c.id == id)).first()
        if row is None:
            raise NotFound("question", str(id))
        return _saved(row)

    def save(self, title: str, kind: str, question: Mapping[str, Any], by: str, about: str = "") -> SavedQuestion:
        """Save a question. Its parameters are checked, its names are not: they may come to be.

        Raises `InvalidInput` with the field.
        """
        now = time.time_ns() // 1000
        values = _checked(title, kind, question, about) | {"made_by": by, "created_at": now, "changed_at": now}
        with self._database.begin() as connection:
            key = connection.execute(sa.insert(saved_question).values(**values)).inserted_primary_key
        assert key is not None
        return self.get(int(key[0]))

    def change(self, id: int, title: str, kind: str, question: Mapping[str, Any], about: str = "") -> SavedQuestion:
        """Put another question in its place. Raises `InvalidInput` and `NotFound`."""
        values = _checked(title, kind, question, about) | {"changed_at": time.time_ns() // 1000}
        with self._database.begin() as connection:
            done = connection.execute(sa.update(saved_question).where(saved_question.c.id == id).values(**values))
        if done.rowcount == 0:
            raise NotFound("question", str(id))
        return self.get(id)

    def delete(self, id: int) -> None:
        """Raises `NotFound`."""
        with self._database.begin() as connection:
            if connection.execute(sa.delete(saved_question).where(saved_question.c.id == id)).rowcount == 0:
                raise NotFound("question", str(id))


def _checked(title: str, kind: str, question: Mapping[str, Any], about: str) -> dict[str, Any]:
    title = title.strip()
    if not 1 <= len(title) <= 200:
        raise InvalidInput("title", "must be 1 to 200 characters")
    if len(about) > 2_000:
        raise InvalidInput("about", "may be 2,000 characters at most")
    if kind not in questions:
        raise InvalidInput("kind", f"{kind!r} is not a kind of question", sorted(questions))
    try:
        converted(questions[kind].parameters, question, {})
    except InvalidInput as error:
        raise InvalidInput(f"question.{error.field}", error.reason, error.choices) from None
    text = msgspec.json.encode(question).decode()
    if len(text) > _LONGEST:
        raise InvalidInput("question", f"is longer than {_LONGEST:,} characters")
    return {"title": title, "about": about.strip(), "kind": kind, "question": text}


def _saved(row: sa.Row[Any]) -> SavedQuestion:
    return SavedQuestion(
        id=row.id,
        title=row.title,
        about=row.about,
        kind=row.kind,
        question=msgspec.json.decode(row.question),
        by=row.made_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
