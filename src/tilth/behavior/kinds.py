"""The kinds of question, for faces that only translate: `POST /api/v1/query/KIND`, `tilth query KIND`, tools.

kind = questions["funnel"]
answer = kind.ask(workspace.behavior, msgspec.json.decode(body))
"""

from __future__ import annotations

from collections.abc import Callable
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

__all__ = ["QuestionKind", "questions"]


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
