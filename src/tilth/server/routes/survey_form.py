"""The hosted form of a survey: pages for the people we ask, at `/s/{survey}`."""

from __future__ import annotations

import logging
import secrets
from typing import Any
from urllib.parse import parse_qs

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath

from tilth.collect.model import Message
from tilth.collect.surveys import FieldError, LinkRefused, SurveyRecord, read_answers
from tilth.collect.surveys.answers import body_limit
from tilth.collect.surveys.form import FORM_CSP, form_page, said_page
from tilth.errors import NotFound, TilthError
from tilth.server.bodies import TooLarge, read_body
from tilth.server.context import Context, Ctx

__all__ = ["ROOT_ROUTES"]

logger = logging.getLogger("tilth.surveys")
_STATUS = {"forged": 403, "missing": 403, "expired": 410, "closed": 410, "gone": 410, "answered": 409}
_MOST_FIELDS = 1_000


def _page(body: str, status: int = 200) -> Response[str]:
    return Response(
        body,
        status_code=status,
        media_type="text/html",
        headers={"content-security-policy": FORM_CSP, "cache-control": "no-store"},
    )


def _record(context: Context, key: str) -> SurveyRecord | None:
    try:
        return context.workspace.collect.surveys.get(key)
    except NotFound:
        return None


def _language(context: Context, record: SurveyRecord | None) -> str:
    if record is not None:
        return record.survey.language
    return "en" if context.workspace.settings.language == "en" else "zh-CN"


@get("/s/{survey:str}", opt={"role": "anyone"}, include_in_schema=False)
async def open_form(survey: FromPath[str], request: Request[Any, Any, Any], context: Ctx) -> Response[str]:
    """The form, or why it cannot be answered."""
    return await anyio.to_thread.run_sync(_open, context, survey, request.query_params.get("t"))


def _open(context: Context, key: str, token: str | None) -> Response[str]:
    record = _record(context, key)
    if record is None:
        return _page(said_page("not_found", _language(context, None)), 404)
    surveys = context.workspace.collect.surveys
    # Who was merged meanwhile is one person now.
    context.workspace.collect.catch_up()
    try:
        standing = surveys.stand(key, token)
    except LinkRefused as refused:
        return _page(said_page(refused.reason, record.survey.language), _STATUS[refused.reason])
    surveys.opened(standing)
    return _page(form_page(record.survey, once="" if token else secrets.token_hex(16)))


@post("/s/{survey:str}", opt={"role": "anyone"}, status_code=200, include_in_schema=False, request_max_body_size=None)
async def send_form(survey: FromPath[str], request: Request[Any, Any, Any], context: Ctx) -> Response[str]:
    """Keep the answers; a form with mistakes comes back as it was filled in."""
    record = await anyio.to_thread.run_sync(_record, context, survey)
    if record is None:
        return _page(said_page("not_found", _language(context, None)), 404)
    try:
        body = await read_body(request, body_limit(record.survey))
        sent = parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace"
        )
    except (TooLarge, ValueError):
        return _page(said_page("too_large", record.survey.language), 413)
    headers = {k.lower(): v for k, v in request.headers.items()}
    return await anyio.to_thread.run_sync(_send, context, survey, request.query_params.get("t"), sent, headers)


def _send(
    context: Context, key: str, token: str | None, sent: dict[str, list[str]], headers: dict[str, str]
) -> Response[str]:
    surveys = context.workspace.collect.surveys
    context.workspace.collect.catch_up()
    record = surveys.get(key)
    language = record.survey.language
    once = _once(sent)
    try:
        standing = surveys.stand(key, token)
        answers, errors = read_answers(record.survey, sent)
        if not answers and not errors:
            # Nothing had to be answered, but nothing at all is no answer.
            errors = [FieldError(question=record.survey.questions[0].key, wrong="required")]
        if errors:
            return _page(form_page(record.survey, given=sent, errors=errors, once="" if token else once), 422)

        def take(messages: list[Message]) -> tuple[int, str]:
            outcome, reason = context.door.take_own(surveys.source(), messages, headers, f"/s/{key}")
            return outcome.accepted + outcome.duplicate, reason

        reason = surveys.submit(standing, answers, once, take)
    except LinkRefused as refused:
        return _page(said_page(refused.reason, language), _STATUS[refused.reason])
    except TilthError as error:
        logger.error("the answers of a survey could not be kept: %s", error.message)
        return _page(said_page("busy", language), 503)
    return _page(said_page("refused" if reason else "thanks", language, record.survey), 403 if reason else 200)


def _once(sent: dict[str, list[str]]) -> str:
    """What the form carries to tell it from others; only our own shape of it counts."""
    given = sent.get("once", [""])[0]
    return given if len(given) == 32 and all(c in "0123456789abcdef" for c in given) else secrets.token_hex(16)


ROOT_ROUTES = [open_form, send_form]
