"""Questions asked of behaviour: one route a kind, and the people behind its numbers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from tilth.behavior import Names, named_number, questions, stop_when
from tilth.behavior.parameters import PeopleBehind
from tilth.errors import InvalidInput
from tilth.segments import Segment
from tilth.segments.static import AskedFrom
from tilth.server.auth import Who
from tilth.server.context import Context, Ctx
from tilth.server.instants import instant, now

__all__ = ["ROUTES"]

# The question that only asks about one person; everyone who may see a person may ask it.
_VIEWERS = frozenset({"timeline"})
P = ParamSpec("P")
R = TypeVar("R")


async def _question(request: Request[Any, Any, Any]) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(await request.body() or b"{}")
    except msgspec.DecodeError as error:
        raise InvalidInput("body", f"is not JSON: {error}") from None
    if not isinstance(asked, dict):
        raise InvalidInput("body", "must be an object, the question's parameters")
    return asked


async def _unless_left(
    request: Request[Any, Any, Any], context: Context, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Work an answer out, and give it up when the client leaves."""
    gone = threading.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watcher = asyncio.create_task(watch())
    try:
        with stop_when(gone.is_set):
            return await context.compute(function, *args, **kwargs)
    finally:
        watcher.cancel()


def _ask(kind: str) -> HTTPRouteHandler:
    async def ask(request: Request[Any, Any, Any], context: Ctx) -> Any:
        asked = await _question(request)
        return await _unless_left(request, context, questions[kind].ask, context.workspace.behavior, asked)

    ask.__doc__ = f"Ask `{kind}`; the body is the question's parameters."
    # The struct each kind answers with is what describes it in the OpenAPI document.
    ask.__annotations__["return"] = questions[kind].answer
    role = "viewer" if kind in _VIEWERS else "analyst"
    return post(f"/query/{kind}", opt={"role": role}, status_code=200)(_called(ask, f"query_{kind}"))


def _which(kind: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Takes out of the body what names the number, checked."""
    which = asked.pop("which", None)
    if not isinstance(which, dict):
        raise InvalidInput("which", "must be an object that names the number, such as a step and its outcome")
    return named_number(questions[kind], which, "which.")


def _who(kind: str) -> HTTPRouteHandler:
    async def who(request: Request[Any, Any, Any], context: Ctx) -> Any:
        asked = await _question(request)
        which = _which(kind, asked)
        page = {key: asked.pop(key) for key in ("cursor", "limit") if key in asked}
        if not isinstance(page.get("cursor", ""), str):
            raise InvalidInput("cursor", "must be the next of a page before")
        if not isinstance(page.get("limit", 1), int) or isinstance(page.get("limit"), bool):
            raise InvalidInput("limit", "must be a whole number")
        find = questions[kind].people
        return await _unless_left(request, context, find, context.workspace.behavior, asked, **page, **which)  # type: ignore[arg-type]

    who.__doc__ = f"The people behind a number of `{kind}`: its body, with `which` number, `cursor` and `limit`."
    who.__annotations__["return"] = PeopleBehind
    return post(f"/query/{kind}/people", opt={"role": "analyst"}, status_code=200)(_called(who, f"query_{kind}_people"))


def _keep(kind: str) -> HTTPRouteHandler:
    async def keep(request: Request[Any, Any, Any], principal: Who, context: Ctx) -> Segment:
        asked = await _question(request)
        # `segment` is a parameter of the question itself: the people it is asked of.
        saved = asked.pop("save", None)
        if not isinstance(saved, dict):
            raise InvalidInput("save", 'must be {"key": …, "name": …} of the segment to make')
        for field in ("key", "name"):
            if not isinstance(saved.get(field), str):
                raise InvalidInput(f"save.{field}", "must be a text")
        which = _which(kind, asked)
        workspace = context.workspace

        def save() -> Segment:
            uids = workspace.behavior.uids_behind(kind, asked, which=which)
            origin = AskedFrom(kind=kind, question=asked, which=which, at=instant(now()))
            made = workspace.segments.save_people(saved["key"], saved["name"], uids, principal.name, origin)
            context.record(principal, "segment.create", made.key, people=made.people, question=kind)
            return made

        return await _unless_left(request, context, save)

    keep.__doc__ = (
        f"Save the people behind a number of `{kind}` as a segment: its body, with `which` and `save`: key and name."
    )
    route = post(f"/query/{kind}/segment", opt={"role": "analyst"}, status_code=201)
    return route(_called(keep, f"query_{kind}_segment"))


@get("/query/names", opt={"role": "viewer"})
async def read_names(context: Ctx) -> Names:
    """The events, properties and traits there are, to choose from."""
    return await context.compute(context.workspace.behavior.names)


def _called(function: Any, name: str) -> Any:
    """The handler under the name that the OpenAPI document gives the operation."""
    function.__name__ = function.__qualname__ = name
    return function


ROUTES = [
    *[_ask(kind) for kind in questions],
    *[_who(kind) for kind, about in questions.items() if about.people is not None],
    *[_keep(kind) for kind, about in questions.items() if about.people is not None],
    read_names,
]
