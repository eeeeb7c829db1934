"""Questions of behaviour that somebody saved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from tilth.behavior.saved import SavedQuestion
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant

__all__ = ["ROUTES"]


class ListedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """question: the parameters of its kind."""

    id: int
    title: str
    about: str
    kind: str
    question: dict[str, Any]
    by: str
    created_at: datetime
    changed_at: datetime


class QuestionList(msgspec.Struct, frozen=True, kw_only=True):
    questions: list[ListedQuestion]


class QuestionToSave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """kind: funnel, retention and so on; question: its parameters, as `POST /query/KIND` takes them."""

    title: str
    kind: str
    question: dict[str, Any]
    about: str = ""


def _listed(one: SavedQuestion) -> ListedQuestion:
    return ListedQuestion(
        id=one.id,
        title=one.title,
        about=one.about,
        kind=one.kind,
        question=one.question,
        by=one.by,
        created_at=instant(one.created_at),
        changed_at=instant(one.changed_at),
    )


@get("/questions", opt={"role": "viewer"}, sync_to_thread=True)
def list_questions(context: Ctx) -> QuestionList:
    """All saved questions, the last changed first."""
    return QuestionList(questions=[_listed(one) for one in context.workspace.questions.all()])


@get("/questions/{question_id:int}", opt={"role": "viewer"}, sync_to_thread=True)
def read_question(question_id: FromPath[int], context: Ctx) -> ListedQuestion:
    """One saved question."""
    return _listed(context.workspace.questions.get(question_id))


@post("/questions", opt={"role": "analyst"}, status_code=201, sync_to_thread=True)
def save_question(data: JSONBody[QuestionToSave], principal: Who, context: Ctx) -> ListedQuestion:
    """Save a question under a title."""
    made = context.workspace.questions.save(data.title, data.kind, data.question, principal.name, data.about)
    context.record(principal, "question.create", made.title, kind=made.kind)
    return _listed(made)


@put("/questions/{question_id:int}", opt={"role": "analyst"}, sync_to_thread=True)
def change_question(
    question_id: FromPath[int], data: JSONBody[QuestionToSave], principal: Who, context: Ctx
) -> ListedQuestion:
    """Put another question, title or description in its place."""
    made = context.workspace.questions.change(question_id, data.title, data.kind, data.question, data.about)
    context.record(principal, "question.change", made.title, kind=made.kind)
    return _listed(made)


@delete("/questions/{question_id:int}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_question(question_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Remove a saved question."""
    gone = context.workspace.questions.get(question_id)
    context.workspace.questions.delete(question_id)
    context.record(principal, "question.remove", gone.title, kind=gone.kind)


ROUTES = [list_questions, read_question, save_question, change_question, delete_question]
