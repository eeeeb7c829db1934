"""Questions asked of behaviour: one route a kind, and the people behind its numbers."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from tilth.errors import InvalidInput
from tilth.server.context import Ctx

__all__ = ["KINDS", "KINDS_WITH_PEOPLE", "ROUTES"]

# Named here because the kernels are loaded with the first question, not with the server; a test
# holds the list against `tilth.behavior.questions`.
KINDS = (
    *("funnel", "retention", "lifecycle", "stickiness", "trends", "distribution", "sessions", "paths"),
    *("attribution", "ltv", "timeline"),
)
KINDS_WITH_PEOPLE = ("funnel", "retention", "lifecycle", "stickiness")


async def _question(request: Request[Any, Any, Any]) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(await request.body() or b"{}")
    except msgspec.DecodeError as error:
        raise InvalidInput("body", f"is not JSON: {error}") from None
    if not isinstance(asked, dict):
        raise InvalidInput("body", "must be an object, the question's parameters")
    return asked


def _ask(kind: str) -> HTTPRouteHandler:
    async def ask(request: Request[Any, Any, Any], context: Ctx) -> Any:
        asked = await _question(request)

        def answer() -> Any:
            from tilth.behavior import questions

            return questions[kind].ask(context.workspace.behavior, asked)

        return await context.compute(answer)

    ask.__doc__ = f"Ask `{kind}`; the body is the question's parameters."
    return post(f"/query/{kind}", opt={"role": "analyst"}, status_code=200, name=f"query_{kind}")(ask)


def _who(kind: str) -> HTTPRouteHandler:
    async def who(request: Request[Any, Any, Any], context: Ctx) -> Any:
        asked = await _question(request)
        which = asked.pop("which", None)
        if not isinstance(which, dict):
            raise InvalidInput("which", "must be an object that names the number, such as a step and its outcome")
        page = {key: asked.pop(key) for key in ("cursor", "limit") if key in asked}

        def people() -> Any:
            from tilth.behavior import questions

            find = questions[kind].people
            assert find is not None, "only kinds with people have this route"
            names = [n for n, p in inspect.signature(find).parameters.items() if p.kind is p.KEYWORD_ONLY]
            wanted = [n for n in names if n not in ("cursor", "limit")]
            for name in which:
                if name not in wanted:
                    raise InvalidInput(f"which.{name}", f"names no number of {kind}", wanted)
            needed = [n for n in wanted if inspect.signature(find).parameters[n].default is inspect.Parameter.empty]
            for name in needed:
                if name not in which:
                    raise InvalidInput(f"which.{name}", "is missing")
            return find(context.workspace.behavior, asked, **page, **which)

        return await context.compute(people)

    who.__doc__ = f"The people behind a number of `{kind}`: its body, with `which` number, `cursor` and `limit`."
    return post(f"/query/{kind}/people", opt={"role": "analyst"}, status_code=200, name=f"who_{kind}")(who)


ROUTES = [*[_ask(kind) for kind in KINDS], *[_who(kind) for kind in KINDS_WITH_PEOPLE]]
