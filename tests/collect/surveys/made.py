"""A survey of a tea shop, with a question of every kind."""

from __future__ import annotations

from typing import Any

import msgspec

from tilth.collect.surveys import Survey, SurveyOption, SurveyQuestion
from tilth.lake.sql import SqlDoor
from tilth.workspace import Workspace

__all__ = ["TEA", "events", "known", "tea"]

TEA = Survey(
    key="tea-2026",
    title="你喜欢喝什么茶？",
    intro="只要一分钟。",
    questions=[
        SurveyQuestion(key="recommend", kind="nps", title="您愿意把我们推荐给朋友吗？", required=True),
        SurveyQuestion(
            key="favourite",
            kind="single",
            title="最喜欢的茶",
            options=[SurveyOption(key="green", label="绿茶"), SurveyOption(key="black", label="红茶")],
            trait="favourite_tea",
        ),
        SurveyQuestion(
            key="when",
            kind="multiple",
            title="什么时候喝",
            options=[SurveyOption(key=k, label=k) for k in ("morning", "noon", "evening")],
            max_choices=2,
        ),
        SurveyQuestion(key="taste", kind="scale", title="口味", low=1, high=5, low_label="差", high_label="好"),
        SurveyQuestion(key="more", kind="text", title="还想说什么？", max_length=200, feedback=True),
    ],
)


def tea(**changes: Any) -> Survey:
    return msgspec.structs.replace(TEA, **changes)


def known(workspace: Workspace, *ids: str) -> list[int]:
    """Persons with these ids."""
    return [int(uid) for uid in workspace.people.resolve("id", list(ids), "observed")]


def events(workspace: Workspace, event: str) -> list[Any]:
    """(uid, distinct id, event id, properties) of the events of this name."""
    found = SqlDoor(workspace.lake).run(
        f"SELECT uid, distinct_id, event_id, props FROM events WHERE event = '{event}' ORDER BY ts, event_id"
    )
    return [(row[0], row[1], row[2], msgspec.json.decode(row[3])) for row in found.rows]
