"""Questions asked of behaviour: one route a kind, and the people behind its numbers."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from tilth.behavior import questions
from tilth.behavior.parameters import PeopleBehind
from tilth.errors import InvalidInput
from tilth.server.context import Ctx

__all__ = ["ROUTES"]

# The question that only asks about one person; everyone who may see a person may ask it.
_VIEWERS = frozenset({"timeline"})


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
        return await context.compute(questions[kind].ask, context.workspace.behavior, asked)

    ask.__doc__ = f"Ask `{kind}`; the body is the question's parameters."
    # The struct each kind answers with is what describes it in the OpenAPI document.
    ask.__annotations__["return"] = questions[kind].answer
    role = "viewer" if kind in _VIEWERS else "analyst"
    return post(f"/query/{kind}", opt={"role": role}, status_code=200)(_called(ask, f"query_{kind}"))


def _who(kind: str) -> HTTPRouteHandler:
    async def who(request: Request[Any, Any, Any], context: Ctx) -> Any:
        asked = await _question(request)
        which = asked.pop("which", None)
        if not isinstance(which, dict):
            raise InvalidInput("which", "must be an object that names the number, such as a step and its outcome")
        page = {key: asked.pop(key) for key in ("cursor", "limit") if key in asked}

        find = questions[kind].people
        assert find is not None, "only kinds with people have this route"
        parameters = inspect.signature(find).parameters
        wanted = [n for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY and n not in ("cursor", "limit")]
        for name in which:
            if name not in wanted:
                raise InvalidInput(f"which.{name}", f"names no number of {kind}", wanted)
        for name in wanted:
            if name not in which and parameters[name].default is inspect.Parameter.empty:
                raise InvalidInput(f"which.{name}", "is missing")
        return await context.compute(find, context.workspace.behavior, asked, **page, **which)

    who.__doc__ = f"The people behind a number of `{kind}`: its body, with `which` number, `cursor` and `limit`."
    who.__annotations__["return"] = PeopleBehind
    return post(f"/query/{kind}/people", opt={"role": "analyst"}, status_code=200)(_called(who, f"query_{kind}_people"))


def _called(function: Any, name: str) -> Any:
    """The handler under the name that the OpenAPI document gives the operation."""
    function.__name__ = function.__qualname__ = name
    return function


ROUTES = [
    *[_ask(kind) for kind in questions],
    *[_who(kind) for kind, about in questions.items() if about.people is not None],
]
