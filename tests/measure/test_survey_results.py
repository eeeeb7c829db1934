"""Results against values worked out by hand and from printed tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.collect.surveys.made import TEA, known, tea
from tilth.collect import Event
from tilth.collect.surveys import Funnel, Survey, SurveyOption, SurveyQuestion
from tilth.errors import InvalidInput
from tilth.measure.survey_results import average, nps, survey_results, survey_texts
from tilth.workspace import Workspace

NONE = Funnel(invited=0, opened=0, answered=0)


def test_the_nps_of_100_answers_by_hand() -> None:
    # p = 0.5, d = 0.2: variance 0.7 - 0.09 = 0.61, over 99: s.e. 0.078496, times 1.95996 = 0.15385.
    score = nps(50, 30, 20)
    assert score is not None
    assert score.score == pytest.approx(30)
    assert (score.low, score.high) == (pytest.approx(14.615, abs=0.01), pytest.approx(45.385, abs=0.01))
    assert nps(0, 0, 0) is None
    one = nps(1, 0, 0)
    assert one is not None
    assert (one.score, one.low) == (100, None)


def test_the_mean_has_students_interval() -> None:
    # 1, 2, 3, 4: s = 1.290994, t(3; 0.975) = 3.1824 from any table, half = 3.1824 * 1.290994 / 2 = 2.0543.
    found = average([(1, 1), (2, 1), (3, 1), (4, 1)])
    assert found is not None
    assert (found.mean, found.low, found.high) == (
        2.5,
        pytest.approx(0.4457, abs=1e-4),
        pytest.approx(4.5543, abs=1e-4),
    )
    assert average([]) is None


def answered(workspace: Workspace, answers: list[dict[str, Any]]) -> None:
    surveys = workspace.collect.surveys
    surveys.create(TEA)
    surveys.open("tea-2026")
    uids = known(workspace, *[f"p{n}" for n in range(len(answers))])
    for link, given in zip(surveys.links("tea-2026", uids), answers, strict=True):
        surveys.submit(surveys.stand("tea-2026", link.path.split("?t=")[1]), given)


def test_results_count_each_person_once_and_name_their_denominators(any_workspace: Workspace) -> None:
    answers = [
        {"recommend": 10, "favourite": "green", "when": ["morning", "noon"], "taste": 5, "more": "好"},
        {"recommend": 9, "favourite": "green", "when": ["noon"]},
        {"recommend": 7, "taste": 4, "more": "贵 <b>"},
        {"recommend": 2, "favourite": "black", "taste": 3},
    ]
    answered(any_workspace, answers)
    surveys = any_workspace.collect.surveys
    found = survey_results(any_workspace.lake, TEA, funnel=surveys.funnel("tea-2026"), as_of=1)
    assert (found.people, found.answers) == (4, 4)
    assert found.funnel is not None
    assert (found.funnel.invited, found.funnel.answered) == (4, 4)
    recommend, favourite, when, taste, more = found.questions
    assert recommend.nps is not None
    assert (recommend.nps.promoters, recommend.nps.passives, recommend.nps.detractors) == (2, 1, 1)
    assert recommend.nps.score == pytest.approx(25)
    green = favourite.choices[0]
    assert (green.label, green.people, green.of) == ("绿茶", 2, 3)
    # Wilson of 2 of 3: 0.2077 to 0.9385.
    assert (green.low, green.high) == (pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))
    assert [(c.key, c.people, c.of) for c in when.choices] == [("morning", 1, 2), ("noon", 2, 2), ("evening", 0, 2)]
    assert taste.average is not None
    assert (taste.average.mean, taste.average.people, taste.of) == (4.0, 3, 4)
    assert (more.answered, more.of) == (2, 4)
    texts = survey_texts(any_workspace.lake, TEA, "more", limit=1)
    assert (texts.total, texts.texts[0].text) == (2, "贵 <b>")
    assert [t.text for t in survey_texts(any_workspace.lake, TEA, "more", cursor=texts.next).texts] == ["好"]
    with pytest.raises(InvalidInput):
        survey_texts(any_workspace.lake, TEA, "taste")
    among = survey_results(
        any_workspace.lake, TEA, funnel=None, as_of=1, segment="s", uids=np.array([found_uid(any_workspace)])
    )
    assert (among.people, among.questions[0].answered) == (1, 1)


def found_uid(workspace: Workspace) -> int:
    return workspace.people.find("p0")


def test_the_newest_answer_of_a_person_counts(any_workspace: Workspace) -> None:
    surveys = any_workspace.collect.surveys
    surveys.create(tea(again_after_days=1))
    surveys.open("tea-2026")
    (lin,) = known(any_workspace, "lin")
    token = surveys.links("tea-2026", [lin])[0].path.split("?t=")[1]
    day = 86_400_000_000
    base = surveys.get("tea-2026").created_at
    for number, score in enumerate((2, 10)):
        now = base + 2 * number * day
        surveys.submit(surveys.stand("tea-2026", token, now), {"recommend": score}, now=now)
    found = survey_results(any_workspace.lake, TEA, funnel=NONE, as_of=1)
    assert (found.people, found.answers) == (1, 2)
    assert found.questions[0].nps is not None
    assert found.questions[0].nps.promoters == 1


def test_answers_of_another_tool_are_results_too(any_workspace: Workspace) -> None:
    imported = Survey(
        key="old",
        title="Old survey",
        answers_event="survey",
        questions=[
            SurveyQuestion(key="nps", kind="nps", title="Recommend?"),
            SurveyQuestion(
                key="where",
                kind="multiple",
                title="Where?",
                options=[SurveyOption(key=k, label=k) for k in ("app", "shop")],
            ),
        ],
    )
    any_workspace.collect.append(
        [
            Event(distinct_id="a", event="survey", ts=1, event_id="1", properties={"nps": 9, "where": ["app", "shop"]}),
            Event(distinct_id="b", event="survey", ts=2, event_id="2", properties={"nps": "3", "where": "shop"}),
            Event(distinct_id="c", event="survey", ts=3, event_id="3", properties={"nps": 12.0}),
        ],
        "import",
    )
    # Their own event and that of our form count together; who answered both counts with the newer.
    surveys = any_workspace.collect.surveys
    surveys.create(imported)
    surveys.open("old")
    found = survey_results(any_workspace.lake, imported, funnel=NONE, as_of=1)
    score, where = found.questions
    assert (score.answered, score.unknown, score.of) == (2, 1, 3)
    assert [(c.key, c.people) for c in where.choices] == [("app", 1), ("shop", 2)]
    (link,) = surveys.links("old", [any_workspace.people.find("b")])
    surveys.submit(surveys.stand("old", link.path.split("?t=")[1]), {"nps": 10})
    again = survey_results(any_workspace.lake, imported, funnel=NONE, as_of=1)
    assert (again.people, again.answers) == (3, 4)
    assert again.questions[0].nps is not None
    assert (again.questions[0].nps.promoters, again.questions[0].nps.detractors) == (2, 0)


def test_a_survey_without_answers_has_empty_results(any_workspace: Workspace) -> None:
    found = survey_results(any_workspace.lake, TEA, funnel=NONE, as_of=0)
    assert (found.people, found.first_at) == (0, None)
    assert all(c.share is None for q in found.questions for c in q.choices)
