"""Surveys: definitions, personal links, results."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from tilth.collect.surveys import Funnel, Link, Survey, SurveyRecord, check_survey
from tilth.collect.surveys.form import form_page
from tilth.errors import InvalidInput, NotFound
from tilth.measure.survey_results import AnswerTexts, SurveyResults, survey_results, survey_texts
from tilth.server.auth import Who
from tilth.server.context import Context, Ctx
from tilth.server.exports import table_file
from tilth.server.instants import instant, instant_or_none

__all__ = ["ROUTES"]

# Links in one JSON answer; a file holds more.
_MOST_LISTED = 10_000


class SurveyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """address: of the form, after this server's own. funnel: of the personal links."""

    survey: Survey
    status: Literal["draft", "open", "closed"]
    created_at: datetime
    changed_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    address: str
    funnel: Funnel


class SurveyList(msgspec.Struct, frozen=True, kw_only=True):
    surveys: list[SurveyInfo]


class FormPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The form's page as people would see it."""

    html: str


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to make links for: any ids, the members of a segment, or both. days: how long the links are good."""

    ids: Annotated[list[str], msgspec.Meta(max_length=10_000)] = []
    segment: str | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30


class PersonalLink(msgspec.Struct, frozen=True, kw_only=True):
    """id: one of the person's ids."""

    uid: int
    id: str
    url: str
    expires_at: datetime


class PersonalLinks(msgspec.Struct, frozen=True, kw_only=True):
    """missing: ids that nobody has. total: links made; at most the first 10,000 are listed here, a file has all."""

    links: list[PersonalLink]
    missing: list[str]
    total: int


def _info(context: Context, record: SurveyRecord) -> SurveyInfo:
    return SurveyInfo(
        survey=record.survey,
        status=record.status,
        created_at=instant(record.created_at),
        changed_at=instant(record.changed_at),
        opened_at=instant_or_none(record.opened_at),
        closed_at=instant_or_none(record.closed_at),
        address=f"/s/{record.survey.key}",
        funnel=context.workspace.collect.surveys.funnel(record.survey.key),
    )


@get("/surveys", opt={"role": "viewer"}, sync_to_thread=True)
def list_surveys(context: Ctx) -> SurveyList:
    """All surveys, newest first."""
    return SurveyList(surveys=[_info(context, one) for one in context.workspace.collect.surveys.all()])


@post("/surveys", opt={"role": "operator"}, sync_to_thread=True)
def create_survey(data: JSONBody[Survey], principal: Who, context: Ctx) -> SurveyInfo:
    """A new survey, as a draft."""
    made = context.workspace.collect.surveys.create(data)
    context.record(principal, "survey.create", data.key)
    return _info(context, made)


@post("/surveys/preview", opt={"role": "viewer"}, status_code=200, sync_to_thread=True)
def preview_survey(data: JSONBody[Survey]) -> FormPreview:
    """The form of a survey that need not be saved."""
    check_survey(data)
    return FormPreview(html=form_page(data, preview=True))


@get("/surveys/{key:str}", opt={"role": "viewer"}, sync_to_thread=True)
def read_survey(key: FromPath[str], context: Ctx) -> SurveyInfo:
    """One survey."""
    return _info(context, context.workspace.collect.surveys.get(key))


@put("/surveys/{key:str}", opt={"role": "operator"}, sync_to_thread=True)
def save_survey(key: FromPath[str], data: JSONBody[Survey], principal: Who, context: Ctx) -> SurveyInfo:
    """Change a survey; once it was open its questions keep their kinds."""
    if data.key != key:
        raise InvalidInput("key", "cannot change; make a new survey")
    saved = context.workspace.collect.surveys.save(data)
    context.record(principal, "survey.change", key)
    return _info(context, saved)


@delete("/surveys/{key:str}", opt={"role": "operator"}, sync_to_thread=True)
def delete_survey(key: FromPath[str], principal: Who, context: Ctx) -> None:
    """Remove a survey that was never open."""
    context.workspace.collect.surveys.delete(key)
    context.record(principal, "survey.delete", key)


@post("/surveys/{key:str}/open", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def open_survey(key: FromPath[str], principal: Who, context: Ctx) -> SurveyInfo:
    """Let people answer."""
    opened = context.workspace.collect.surveys.open(key)
    context.record(principal, "survey.open", key)
    return _info(context, opened)


@post("/surveys/{key:str}/close", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def close_survey(key: FromPath[str], principal: Who, context: Ctx) -> SurveyInfo:
    """Take no more answers; those that came stay."""
    closed = context.workspace.collect.surveys.close(key)
    context.record(principal, "survey.close", key)
    return _info(context, closed)


def _people(context: Context, data: LinkRequest) -> tuple[list[int], list[str]]:
    if not data.ids and data.segment is None:
        raise InvalidInput("ids", "is empty, and so is segment")
    context.workspace.collect.catch_up()
    uids: list[int] = []
    missing: list[str] = []
    for any_id in data.ids:
        try:
            uids.append(context.workspace.people.find(any_id))
        except NotFound:
            missing.append(any_id)
    if data.segment is not None:
        uids += context.workspace.segments.member_uids(data.segment).tolist()
    return uids, missing


def _links(context: Context, key: str, data: LinkRequest, base: str) -> tuple[list[PersonalLink], list[str]]:
    surveys = context.workspace.collect.surveys
    surveys.get(key)
    uids, missing = _people(context, data)
    return [_link(one, base) for one in surveys.links(key, uids, data.days)], missing


def _link(one: Link, base: str) -> PersonalLink:
    return PersonalLink(
        uid=one.uid, id=one.id, url=f"{base}{one.path}", expires_at=datetime.fromtimestamp(one.expires, UTC)
    )


def _base(request: Request) -> str:  # type: ignore[type-arg]
    return str(request.base_url).rstrip("/")


@post("/surveys/{key:str}/links", opt={"role": "operator"}, status_code=200)
async def make_links(
    key: FromPath[str],
    data: JSONBody[LinkRequest],
    request: Request,  # type: ignore[type-arg]
    principal: Who,
    context: Ctx,
) -> PersonalLinks:
    """Personal links for people by id or of a segment; ids that nobody has are named."""
    links, missing = await context.compute(_links, context, key, data, _base(request))
    context.record(principal, "survey.links", key, links=len(links))
    return PersonalLinks(links=links[:_MOST_LISTED], missing=missing, total=len(links))


@post("/surveys/{key:str}/links/export", opt={"role": "operator"}, status_code=200)
async def export_links(
    key: FromPath[str],
    data: JSONBody[LinkRequest],
    request: Request,  # type: ignore[type-arg]
    principal: Who,
    context: Ctx,
) -> Stream:
    """As links, as a CSV file that is safe to open in a spreadsheet."""
    links, _ = await context.compute(_links, context, key, data, _base(request))
    context.record(principal, "survey.links", key, links=len(links))
    rows = [(one.id, one.uid, one.url, one.expires_at.isoformat()) for one in links]
    return table_file(f"{key}-links", ("id", "uid", "url", "expires_at"), rows, "csv")


@get("/surveys/{key:str}/results", opt={"role": "viewer"})
async def read_results(key: FromPath[str], context: Ctx, segment: FromQuery[str | None] = None) -> SurveyResults:
    """What people answered, or the people of a segment: each person's newest answer."""

    def work() -> SurveyResults:
        workspace = context.workspace
        record = workspace.collect.surveys.get(key)
        uids = None if segment is None else workspace.segments.member_uids(segment)
        return survey_results(
            workspace.lake,
            record.survey,
            funnel=workspace.collect.surveys.funnel(key) if segment is None else None,
            as_of=workspace.collect.as_of(),
            segment=segment,
            uids=uids,
            memory_mb=workspace.settings.memory_mb,
        )

    return await context.compute(work)


@get("/surveys/{key:str}/texts", opt={"role": "viewer"})
async def read_texts(
    key: FromPath[str],
    context: Ctx,
    question: FromQuery[str],
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    segment: FromQuery[str | None] = None,
) -> AnswerTexts:
    """What people wrote to a text question, newest first."""

    def work() -> AnswerTexts:
        workspace = context.workspace
        survey = workspace.collect.surveys.get(key).survey
        uids = None if segment is None else workspace.segments.member_uids(segment)
        return survey_texts(workspace.lake, survey, question, cursor=cursor, limit=limit, uids=uids)

    return await context.compute(work)


ROUTES = [
    list_surveys,
    create_survey,
    preview_survey,
    read_survey,
    save_survey,
    delete_survey,
    open_survey,
    close_survey,
    make_links,
    export_links,
    read_results,
    read_texts,
]
