"""Feedback: the list to work through, and what is done with each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post, put
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter

from tilth.collect.feedback import FeedbackItem, Filters, Moved, Status
from tilth.collect.feedback.service import Entry, EntryKind, Topic
from tilth.server.auth import Who
from tilth.server.context import Context, Ctx
from tilth.server.instants import instant, instant_or_none

__all__ = ["ROUTES"]

Number = Annotated[int, PathParameter(ge=1, le=2**53)]


class FeedbackLine(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of feedback. uid: whose it is now; rating: on the scale it came with."""

    id: int
    uid: int | None
    distinct_id: str
    at: datetime
    text: str
    topic: str
    channel: str
    rating: float | None
    source: str
    status: Status
    assignee: str
    first_answer_at: datetime | None
    closed_at: datetime | None


class FeedbackList(msgspec.Struct, frozen=True, kw_only=True):
    """Open work oldest first, everything else newest first. total: all that fit the filters."""

    items: list[FeedbackLine]
    total: int
    next: str | None


class FeedbackEntry(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    at: datetime
    by: str
    kind: EntryKind
    text: str


class FeedbackDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of feedback and its history, oldest first."""

    item: FeedbackLine
    entries: list[FeedbackEntry]


class FeedbackFigures(msgspec.Struct, frozen=True, kw_only=True):
    """median_seconds, p90_seconds: to the first answer, over the `answered_of` of `received` in `days`."""

    open: int
    answered: int
    closed: int
    oldest_open_at: datetime | None
    days: int
    received: int
    answered_of: int
    median_seconds: float | None
    p90_seconds: float | None
    topics: list[Topic]
    assignees: list[str]


class FeedbackWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]


class FeedbackAssignee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Empty for nobody."""

    assignee: Annotated[str, msgspec.Meta(max_length=100)]


class FeedbackMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ids: Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=2**53)]], msgspec.Meta(min_length=1, max_length=1000)]
    status: Status


class FeedbackMoved(msgspec.Struct, frozen=True, kw_only=True):
    """Those that changed and what they were; giving them that again undoes it."""

    moved: list[Moved]


def _line(one: FeedbackItem) -> FeedbackLine:
    return FeedbackLine(
        id=one.id, uid=one.uid, distinct_id=one.distinct_id, at=instant(one.at), text=one.text, topic=one.topic,
        channel=one.channel, rating=one.rating, source=one.source, status=one.status, assignee=one.assignee,
        first_answer_at=instant_or_none(one.first_answer_at), closed_at=instant_or_none(one.closed_at),
    )  # fmt: skip


def _entry(one: Entry) -> FeedbackEntry:
    return FeedbackEntry(id=one.id, at=instant(one.at), by=one.by, kind=one.kind, text=one.text)


@get("/feedback", opt={"role": "viewer"}, sync_to_thread=True)
def list_feedback(
    context: Ctx,
    status: FromQuery[Status | None] = None,
    topic: FromQuery[str | None] = None,
    assignee: FromQuery[str | None] = None,
    older_days: Annotated[int | None, QueryParameter(ge=0, le=3650)] = None,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> FeedbackList:
    """Feedback by status, topic, assignee (`-` for nobody's) and age."""
    collect = context.workspace.collect
    collect.settle()
    filters = Filters(status=status, topic=topic, assignee=assignee, older_days=older_days)
    page = collect.feedback.page(filters, cursor, limit)
    return FeedbackList(items=[_line(one) for one in page.items], total=page.total, next=page.next)


@get("/feedback/stats", opt={"role": "viewer"}, sync_to_thread=True)
def read_feedback_stats(context: Ctx, days: Annotated[int, QueryParameter(ge=1, le=3650)] = 90) -> FeedbackFigures:
    """How much waits, for how long, and how fast people get a first answer."""
    found = context.workspace.collect.feedback.stats(days)
    return FeedbackFigures(
        open=found.open,
        answered=found.answered,
        closed=found.closed,
        oldest_open_at=instant_or_none(found.oldest_open_at),
        days=found.days,
        received=found.received,
        answered_of=found.answered_of,
        median_seconds=found.median_seconds,
        p90_seconds=found.p90_seconds,
        topics=found.topics,
        assignees=found.assignees,
    )


@get("/feedback/{number:int}", opt={"role": "viewer"}, sync_to_thread=True)
def read_feedback(number: Number, context: Ctx) -> FeedbackDetail:
    """One piece of feedback and what was done with it."""
    return _detail(context, number)


def _detail(context: Context, number: int) -> FeedbackDetail:
    item, entries = context.workspace.collect.feedback.get(number)
    return FeedbackDetail(item=_line(item), entries=[_entry(one) for one in entries])


@post("/feedback/{number:int}/answer", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def answer_feedback(number: Number, data: JSONBody[FeedbackWords], principal: Who, context: Ctx) -> FeedbackDetail:
    """Keep the answer that was given; it goes to the person's timeline too."""
    context.workspace.collect.feedback.answer(number, data.text, principal.name)
    context.record(principal, "feedback.answer", str(number))
    return _detail(context, number)


@post("/feedback/{number:int}/note", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def note_feedback(number: Number, data: JSONBody[FeedbackWords], principal: Who, context: Ctx) -> FeedbackDetail:
    """A word for colleagues."""
    context.workspace.collect.feedback.note(number, data.text, principal.name)
    context.record(principal, "feedback.note", str(number))
    return _detail(context, number)


@put("/feedback/{number:int}/assignee", opt={"role": "operator"}, sync_to_thread=True)
def assign_feedback(number: Number, data: JSONBody[FeedbackAssignee], principal: Who, context: Ctx) -> FeedbackDetail:
    """Make it somebody's work, or nobody's."""
    context.workspace.collect.feedback.assign(number, data.assignee, principal.name)
    context.record(principal, "feedback.assign", str(number), assignee=data.assignee)
    return _detail(context, number)


@post("/feedback/status", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def move_feedback(data: JSONBody[FeedbackMove], principal: Who, context: Ctx) -> FeedbackMoved:
    """Close, reopen or restore many at once; those that already are, or cannot be, stay."""
    moved = context.workspace.collect.feedback.move(data.ids, data.status, principal.name)
    context.record(principal, "feedback.status", data.status, items=len(moved))
    return FeedbackMoved(moved=moved)


ROUTES = [
    list_feedback,
    read_feedback_stats,
    read_feedback,
    answer_feedback,
    note_feedback,
    assign_feedback,
    move_feedback,
]
