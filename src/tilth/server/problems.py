"""Errors as RFC 9457 problem documents, in one place.

A `TilthError` becomes `urn:tilth:error:<kind>` with its field, reason and choices. What nobody
foresaw becomes a 500 whose id is also in the log: the person quotes the id, the trace stays here.
"""

from __future__ import annotations

import errno
import logging
import secrets
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from tilth.errors import InvalidInput, LimitReached, TilthError

__all__ = ["EXCEPTION_HANDLERS", "PROBLEM_TYPE", "Problem", "problem_response"]

PROBLEM_TYPE = "application/problem+json"
_URN = "urn:tilth:error:"
logger = logging.getLogger("tilth.server")

# Kinds for statuses that the framework itself answers with.
_KINDS = {
    400: "invalid_input",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "limit_reached",
    503: "unavailable",
    507: "storage_failed",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every error answer looks like.

    `type` is stable (`urn:tilth:error:invalid_input`), `field` is the path of the input that is
    wrong, `reason` says why, `choices` what would do, `id` is what to quote to whoever runs the
    server.
    """

    type: str
    title: str
    status: int
    detail: str
    id: str
    field: str | None = None
    reason: str | None = None
    choices: list[str] | None = None


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_TYPE, headers=headers or {}
    )


def _build(status: int, kind: str, detail: str, **more: Any) -> Problem:
    return Problem(
        type=_URN + kind,
        title=_title(status),
        status=status,
        detail=detail,
        id=secrets.token_hex(6),
        **more,
    )


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _tilth_error(_request: Request[Any, Any, Any], error: TilthError) -> Response[bytes]:
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, InvalidInput):
        more = {"field": error.field, "reason": error.reason, "choices": error.choices or None}
    if isinstance(error, LimitReached) and error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    problem = _build(error.status, error.kind, error.message, **more)
    if error.status >= 500:
        logger.error("%s: %s", problem.id, error.message)
    return problem_response(problem, headers)


def _validation(_request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """msgspec's complaint about a body or a parameter: the path and the reason of the first one."""
    extra = error.extra if isinstance(error.extra, list) else []
    first = extra[0] if extra and isinstance(extra[0], dict) else {}
    field = str(first.get("key") or "body")
    reason = str(first.get("message") or error.detail)
    if field == "data" and first.get("source") == "body":
        field = "body"
        if reason == "'data'":
            reason = "is missing: send a JSON object"
    problem = _build(400, "invalid_input", f"{field}: {reason}", field=field, reason=reason)
    return problem_response(problem)


def _http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500:
        return _unexpected(_request, error)
    kind = _KINDS.get(error.status_code, "error")
    more: dict[str, Any] = {}
    if error.status_code == 400:
        more = {"field": "body", "reason": error.detail}
    return problem_response(_build(error.status_code, kind, error.detail, **more), error.headers)


def _os_error(request: Request[Any, Any, Any], error: OSError) -> Response[bytes]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        reason = "read-only" if error.errno == errno.EROFS else "full"
        problem = _build(507, "storage_failed", f"the disk is {reason}; nothing was acknowledged")
        logger.error("%s: %s", problem.id, error)
        return problem_response(problem)
    return _unexpected(request, error)


def _too_deep(_request: Request[Any, Any, Any], _error: RecursionError) -> Response[bytes]:
    reason = "is nested too deeply"
    return problem_response(_build(400, "invalid_input", f"body: {reason}", field="body", reason=reason))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    problem = _build(500, "internal", "something went wrong on our side; quote the id when you report it")
    logger.error("%s: %s %s failed", problem.id, request.method, request.url.path, exc_info=error)
    return problem_response(problem)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    TilthError: _tilth_error,
    ValidationException: _validation,
    HTTPException: _http,
    OSError: _os_error,
    RecursionError: _too_deep,
    Exception: _unexpected,
}
