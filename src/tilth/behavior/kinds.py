"""The kinds of question, for faces that only translate: `POST /api/v1/query/KIND`, `tilth query KIND`, tools.

kind = questions["funnel"]
answer = kind.ask(workspace.behavior, msgspec.json.decode(body))
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from tilth.behavior.attribution import AttributionAnswer, AttributionParameters
from tilth.behavior.distribution import DistributionAnswer, DistributionParameters
from tilth.behavior.funnel import FunnelAnswer, FunnelParameters
from tilth.behavior.lifecycle import LifecycleAnswer, LifecycleParameters
from tilth.behavior.ltv import LtvAnswer, LtvParameters
from tilth.behavior.parameters import PeopleBehind
from tilth.behavior.paths import PathsAnswer, PathsParameters
from tilth.behavior.retention import RetentionAnswer, RetentionParameters
from tilth.behavior.service import Behavior
from tilth.behavior.sessions import SessionsAnswer, SessionsParameters
from tilth.behavior.stickiness import StickinessAnswer, StickinessParameters
from tilth.behavior.timeline import TimelineAnswer, TimelineParameters
from tilth.behavior.trends import TrendsAnswer, TrendsParameters
from tilth.errors import InvalidInput

__all__ = ["QuestionKind", "named_number", "questions"]


class QuestionKind(NamedTuple):
    """parameters, answer: the structs (and JSON schemas). ask(behavior, parameters or mapping) -> answer.

    people(behavior, parameters or mapping, cursor=…, limit=…, **which) -> PeopleBehind, for kinds whose
    numbers have people behind them; `which` names the number, see the method of Behavior.
    """

    parameters: type[msgspec.Struct]
    ask: Callable[..., Any]
    answer: type[msgspec.Struct]
    people: Callable[..., PeopleBehind] | None


questions: dict[str, QuestionKind] = {
    "funnel": QuestionKind(FunnelParameters, Behavior.funnel, FunnelAnswer, Behavior.funnel_people),
    "retention": QuestionKind(RetentionParameters, Behavior.retention, RetentionAnswer, Behavior.retention_people),
    "lifecycle": QuestionKind(LifecycleParameters, Behavior.lifecycle, LifecycleAnswer, Behavior.lifecycle_people),
    "stickiness": QuestionKind(StickinessParameters, Behavior.stickiness, StickinessAnswer, Behavior.stickiness_people),
    "trends": QuestionKind(TrendsParameters, Behavior.trends, TrendsAnswer, Behavior.trends_people),
    "distribution": QuestionKind(
        DistributionParameters, Behavior.distribution, DistributionAnswer, Behavior.distribution_people
    ),
    "sessions": QuestionKind(SessionsParameters, Behavior.sessions, SessionsAnswer, Behavior.sessions_people),
    "paths": QuestionKind(PathsParameters, Behavior.paths, PathsAnswer, Behavior.paths_people),
    "attribution": QuestionKind(
        AttributionParameters, Behavior.attribution, AttributionAnswer, Behavior.attribution_people
    ),
    "ltv": QuestionKind(LtvParameters, Behavior.ltv, LtvAnswer, Behavior.ltv_people),
    "timeline": QuestionKind(TimelineParameters, Behavior.timeline, TimelineAnswer, None),
}

_TYPES: dict[str, type] = {"int": int, "str": str, "bool": bool}
_LARGEST = 2**31 - 1
_WORDS = {int: "a whole number", str: "a text", bool: "true or false"}


def named_number(kind: QuestionKind, given: Mapping[str, Any], path: str, *, from_text: bool = False) -> dict[str, Any]:
    """What names a number of a kind, checked, with what is left out as it usually is.

    path: put before the names in errors. from_text: values are given as text. Raises `InvalidInput`.
    """
    if kind.people is None:
        raise InvalidInput(path.rstrip(" ."), "there are no people behind the numbers of this kind")
    parameters = inspect.signature(kind.people).parameters
    wanted = {n: p for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY and n not in ("cursor", "limit")}
    which: dict[str, Any] = {}
    for name, value in given.items():
        if name not in wanted:
            raise InvalidInput(f"{path}{name}", "names no number of this kind", list(wanted))
        meant = _TYPES[str(wanted[name].annotation)]
        which[name] = _read(value, meant) if from_text else value
        if not isinstance(which[name], meant) or (meant is int and isinstance(which[name], bool)):
            raise InvalidInput(f"{path}{name}", f"must be {_WORDS[meant]}")
        if meant is int and abs(which[name]) > _LARGEST:
            raise InvalidInput(f"{path}{name}", f"must be between -{_LARGEST:,} and {_LARGEST:,}")
    for name, parameter in wanted.items():
        if name not in which:
            if parameter.default is inspect.Parameter.empty:
                raise InvalidInput(f"{path}{name}", "is missing")
            which[name] = parameter.default
    return which


def _read(text: str, meant: type) -> Any:
    """A value written as text; the text itself where it is no such value."""
    if meant is int and text.removeprefix("-").isdecimal() and len(text) <= 20:
        return int(text)
    if meant is bool and text in ("true", "false"):
        return text == "true"
    return text
