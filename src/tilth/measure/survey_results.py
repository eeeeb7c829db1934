"""What people answered: shares with Wilson intervals, means and the NPS with 95 % intervals, texts by the page.

Read from the events that carry the answers, so answers imported from another tool are results beside our own. A
person counts once, with the newest answer of theirs, under who they are now.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.behavior.wilson import wilson
from tilth.collect.surveys import ANSWERED, Funnel, Survey, SurveyQuestion
from tilth.errors import InvalidInput
from tilth.lake import Lake
from tilth.lake.sql import SqlDoor

__all__ = [
    "NPS",
    "AnswerText",
    "AnswerTexts",
    "Average",
    "ChoiceShare",
    "QuestionResult",
    "SurveyResults",
    "average",
    "nps",
    "survey_results",
    "survey_texts",
]

_Z = 1.959963984540054
_MOST_VALUES = 100_000


class ChoiceShare(msgspec.Struct, frozen=True, kw_only=True):
    """How many of those who answered the question chose this; share and its 95 % Wilson interval in 0..1."""

    key: str
    label: str
    people: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class Average(msgspec.Struct, frozen=True, kw_only=True):
    """Mean of a scale with its 95 % interval (Student's t); no interval below two answers."""

    mean: float
    low: float | None
    high: float | None
    people: int


class NPS(msgspec.Struct, frozen=True, kw_only=True):
    """Net promoter score, -100..100: the share of 9 and 10 less the share of 0 to 6, with its 95 % interval."""

    score: float
    low: float | None
    high: float | None
    promoters: int
    passives: int
    detractors: int
    people: int


class QuestionResult(msgspec.Struct, frozen=True, kw_only=True):
    """Results of one question. answered: people who answered it, of `of` who answered the survey. unknown: answers
    that are none of the question's choices any more."""

    key: str
    kind: str
    title: str
    answered: int
    of: int
    unknown: int
    choices: list[ChoiceShare] = msgspec.field(default_factory=list)
    nps: NPS | None = None
    average: Average | None = None


class SurveyResults(msgspec.Struct, frozen=True, kw_only=True):
    """Results of a survey. people: who answered, by their newest answer; answers: all answers, also the older ones.

    funnel: of personal links; None where only a segment was asked for. as_of: the intake number included.
    """

    survey: str
    segment: str | None
    people: int
    answers: int
    first_at: str | None
    last_at: str | None
    funnel: Funnel | None
    questions: list[QuestionResult]
    as_of: int


class AnswerText(msgspec.Struct, frozen=True, kw_only=True):
    """A text somebody wrote. at: ISO 8601, UTC."""

    uid: int
    at: str
    text: str


class AnswerTexts(msgspec.Struct, frozen=True, kw_only=True):
    """Texts, newest first. total: of people who wrote one; next: the cursor of the following page."""

    texts: list[AnswerText]
    total: int
    next: str | None


def nps(promoters: int, passives: int, detractors: int) -> NPS | None:
    """The score; None of nobody. `nps(50, 30, 20)` is 30 (14.7 to 45.3).

    An answer is +100, 0 or -100, and the score their mean; the interval is the normal one with the
    variance of that mean, which is undefined below two answers.
    """
    people = promoters + passives + detractors
    if not people:
        return None
    up, down = promoters / people, detractors / people
    score = up - down
    half = None if people < 2 else _Z * math.sqrt((up + down - score * score) / (people - 1))
    return NPS(
        score=100 * score,
        low=None if half is None else 100 * max(-1.0, score - half),
        high=None if half is None else 100 * min(1.0, score + half),
        promoters=promoters,
        passives=passives,
        detractors=detractors,
        people=people,
    )


def average(counts: Sequence[tuple[int, int]]) -> Average | None:
    """Mean of (value, how many) pairs; None of nobody. `average([(1, 1), (2, 1), (3, 1), (4, 1)])` is
    2.5 (0.446 to 4.554)."""
    people = sum(count for _, count in counts)
    if not people:
        return None
    mean = sum(value * count for value, count in counts) / people
    if people < 2:
        return Average(mean=mean, low=None, high=None, people=people)
    from scipy.stats import t

    spread = sum(count * (value - mean) ** 2 for value, count in counts) / (people - 1)
    half = float(t.ppf(0.975, people - 1)) * math.sqrt(spread / people)
    return Average(mean=mean, low=mean - half, high=mean + half, people=people)


def survey_results(
    lake: Lake,
    survey: Survey,
    *,
    funnel: Funnel | None,
    as_of: int,
    segment: str | None = None,
    uids: npt.NDArray[np.int64] | None = None,
    memory_mb: int = 1024,
) -> SurveyResults:
    """Results over all answers, or those of the people `uids` (of `segment`)."""
    door = SqlDoor(lake, memory_mb)
    frames = _frames(uids)
    given, parameters = _given(survey, frames)
    totals = door.run(
        f"{given} SELECT count(*) FILTER (n = 1), count(*), min(ts), max(ts) FROM given",
        frames=frames,
        parameters=parameters,
    ).rows[0]
    counted: dict[str, dict[str, int]] = {}
    closed = [one for one in survey.questions if one.kind != "text"]
    texts = [one for one in survey.questions if one.kind == "text"]
    parts = [f"SELECT '{one.key}', {_value(one)}, count(*) FROM latest GROUP BY 2" for one in closed]
    parts += [f"SELECT '{one.key}', '', count(*) FILTER ({_text(one)} <> '') FROM latest" for one in texts]
    for key, value, count in door.run(
        f"{given} {' UNION ALL '.join(parts)}", frames=frames, parameters=parameters, limit=_MOST_VALUES
    ).rows:
        if value is not None and count:
            counted.setdefault(str(key), {})[str(value)] = int(count)
    people = int(totals[0])
    return SurveyResults(
        survey=survey.key,
        segment=segment,
        people=people,
        answers=int(totals[1]),
        first_at=totals[2],
        last_at=totals[3],
        funnel=funnel,
        questions=[_result(one, counted.get(one.key, {}), people) for one in survey.questions],
        as_of=as_of,
    )


def survey_texts(
    lake: Lake,
    survey: Survey,
    question: str,
    *,
    cursor: str | None = None,
    limit: int = 50,
    uids: npt.NDArray[np.int64] | None = None,
    memory_mb: int = 1024,
) -> AnswerTexts:
    """What people wrote to a text question, newest first. Raises `InvalidInput`."""
    asked = survey.question(question)
    if asked is None or asked.kind != "text":
        raise InvalidInput("question", "is no text question of this survey", [q.key for q in survey.questions])
    start = 0
    if cursor is not None:
        if not cursor.isdecimal() or len(cursor) > 9:
            raise InvalidInput("cursor", "is not one this list gave out")
        start = int(cursor)
    frames = _frames(uids)
    given, parameters = _given(survey, frames)
    text = _text(asked)
    rows = (
        SqlDoor(lake, memory_mb)
        .run(
            f"{given} SELECT uid, ts, {text}, count(*) OVER () FROM latest WHERE {text} <> '' "
            f"ORDER BY ts DESC, uid LIMIT {limit + 1} OFFSET {start}",
            frames=frames,
            parameters=parameters,
        )
        .rows
    )
    return AnswerTexts(
        texts=[AnswerText(uid=int(uid), at=_iso(at), text=str(said)) for uid, at, said, _ in rows[:limit]],
        total=int(rows[0][3]) if rows else 0,
        next=str(start + limit) if len(rows) > limit else None,
    )


def _frames(uids: npt.NDArray[np.int64] | None) -> dict[str, pa.Table]:
    return {} if uids is None else {"asked": pa.table({"uid": pa.array(uids, pa.int64())})}


def _given(survey: Survey, frames: dict[str, pa.Table]) -> tuple[str, list[Any]]:
    """The answers of the survey (`given`, n = 1 for a person's newest) and the newest alone (`latest`)."""
    among = " AND uid IN (SELECT uid FROM asked)" if frames else ""
    theirs = " OR event = $3" if survey.answers_event else ""
    query = (
        "WITH given AS (SELECT uid, ts, "
        "CASE WHEN event = $1 THEN json_extract(props, '/answers') ELSE props END AS said, "
        "row_number() OVER (PARTITION BY uid ORDER BY ts DESC, event_id DESC) AS n FROM events "
        f"WHERE ((event = $1 AND json_extract_string(props, '/survey') = $2){theirs}){among}), "
        "latest AS (SELECT * FROM given WHERE n = 1)"
    )
    return query, [ANSWERED, survey.key, *([survey.answers_event] if survey.answers_event else [])]


# Keys of questions are letters, digits and _, so they can stand in a pointer as they are.
def _text(question: SurveyQuestion) -> str:
    return f"json_extract_string(said, '/{question.key}')"


def _value(question: SurveyQuestion) -> str:
    """As text: a number, an option's key, or the JSON list of several."""
    return f"json_extract(said, '/{question.key}')::VARCHAR" if question.kind == "multiple" else _text(question)


def _result(question: SurveyQuestion, counted: dict[str, int], of: int) -> QuestionResult:
    answered = sum(counted.values())
    labels = {str(n): str(n) for n in question.numbers} | {one.key: one.label for one in question.options}
    chosen: dict[str, int] = dict.fromkeys(labels, 0)
    unknown = 0
    if question.kind != "text":
        for value, count in counted.items():
            keys = [_key(question, one) for one in (_list(value) if question.kind == "multiple" else [value])]
            known = [key for key in dict.fromkeys(keys) if key in chosen]
            if not known:
                unknown += count
            for key in known:
                chosen[key] += count
    valid = answered - unknown
    return QuestionResult(
        key=question.key,
        kind=question.kind,
        title=question.title,
        answered=valid,
        of=of,
        unknown=unknown,
        choices=[_share(key, label, chosen[key], valid) for key, label in labels.items()],
        nps=_nps(chosen) if question.kind == "nps" else None,
        average=_average(question, chosen) if question.kind == "scale" else None,
    )


def _key(question: SurveyQuestion, value: str) -> str:
    """Other tools write numbers as `4.0`; those are the whole number."""
    if question.numbers:
        try:
            number = float(value)
        except ValueError:
            return value
        return str(int(number)) if number.is_integer() else value
    return value


def _nps(chosen: dict[str, int]) -> NPS | None:
    return nps(chosen["9"] + chosen["10"], chosen["7"] + chosen["8"], sum(chosen[str(score)] for score in range(7)))


def _average(question: SurveyQuestion, chosen: dict[str, int]) -> Average | None:
    """The mean; its interval ends where the scale does."""
    found = average([(int(value), people) for value, people in chosen.items()])
    if found is None or found.low is None or found.high is None:
        return found
    return msgspec.structs.replace(found, low=max(question.low, found.low), high=min(question.high, found.high))


def _share(key: str, label: str, people: int, of: int) -> ChoiceShare:
    interval = wilson(people, of)
    return ChoiceShare(
        key=key,
        label=label,
        people=people,
        of=of,
        share=people / of if of else None,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
    )


def _list(value: str) -> list[str]:
    """The keys of a multiple choice; another tool may send one text instead of a list."""
    found = msgspec.json.decode(value)
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
