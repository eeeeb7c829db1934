"""Survey definitions and answers: what is taken, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.collect.surveys.made import TEA, tea
from tilth.collect.surveys import check_survey, read_answers, survey_of_text
from tilth.collect.surveys.form import form_page
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.workspace import Workspace

YAML = """
key: visit
title: How was your visit?
language: en
questions:
  - {key: nps, kind: nps, title: "Would you recommend us?", required: true}
  - key: why
    kind: single
    title: Why?
    options: [{key: tea, label: The tea}, {key: people, label: The people}]
"""


def changed(position: int, **values: Any) -> Any:
    questions = list(TEA.questions)
    questions[position] = msgspec.structs.replace(questions[position], **values)
    return tea(questions=questions)


def test_a_survey_is_written_in_yaml_or_json() -> None:
    survey = survey_of_text(YAML)
    assert [q.kind for q in survey.questions] == ["nps", "single"]
    assert survey_of_text(msgspec.json.encode(survey).decode()) == survey


@pytest.mark.parametrize(
    ("survey", "field"),
    [
        (tea(key="Tea 2026"), "key"),
        (tea(title=" "), "title"),
        (tea(answers_event="survey_answered"), "answers_event"),
        (tea(questions=[]), "questions"),
        (tea(questions=[TEA.questions[0]] * 2), "questions[1].key"),
        (changed(0, key="re commend"), "questions[0].key"),
        (changed(0, title=""), "questions[0].title"),
        (changed(0, feedback=True), "questions[0].feedback"),
        (changed(0, options=TEA.questions[1].options), "questions[0].options"),
        (changed(1, options=TEA.questions[1].options[:1]), "questions[1].options"),
        (changed(1, options=TEA.questions[1].options * 2), "questions[1].options[2].key"),
        (changed(2, min_choices=3), "questions[2].max_choices"),
        (changed(2, max_choices=9), "questions[2].max_choices"),
        (changed(3, low=5, high=5), "questions[3].high"),
        (changed(3, low=0, high=50), "questions[3].high"),
    ],
)
def test_what_does_not_fit_together_is_named(survey: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_survey(survey)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[]", "survey"),
        ("key: [", "survey"),
        (YAML.replace("kind: nps", "kind: stars"), "questions[0].kind"),
        (YAML.replace("language: en", "language: fr"), "language"),
        (YAML.replace("language: en", "colour: red"), ""),
    ],
)
def test_a_file_that_is_no_survey_is_refused(text: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        survey_of_text(text)
    assert caught.value.field == field


def test_a_question_keeps_its_kind_once_the_survey_was_open(any_workspace: Workspace) -> None:
    surveys = any_workspace.collect.surveys
    surveys.create(TEA)
    with pytest.raises(Conflict):
        surveys.create(TEA)
    surveys.save(changed(0, kind="text"))
    surveys.save(TEA)
    surveys.open("tea-2026")
    surveys.close("tea-2026")
    surveys.save(changed(0, title="Another wording"))
    with pytest.raises(InvalidInput, match="cannot change from nps"):
        surveys.save(changed(0, kind="text"))
    with pytest.raises(InvalidInput, match="a scale keeps its ends"):
        surveys.save(changed(3, high=7))
    with pytest.raises(Conflict, match="close it instead"):
        surveys.delete("tea-2026")
    with pytest.raises(NotFound):
        surveys.save(tea(key="other"))


def test_a_draft_can_be_deleted_but_not_closed(any_workspace: Workspace) -> None:
    surveys = any_workspace.collect.surveys
    surveys.create(TEA)
    with pytest.raises(Conflict):
        surveys.close("tea-2026")
    surveys.delete("tea-2026")
    assert surveys.all() == []


def test_answers_are_read_by_the_kind_of_the_question() -> None:
    sent = {
        "q_recommend": ["9"], "q_favourite": ["green"], "q_when": ["noon", "morning"], "q_taste": ["4"],
        "q_more": [" 很好\r\n喝 \0"], "other": ["x"],
    }  # fmt: skip
    answers, errors = read_answers(TEA, sent)
    assert errors == []
    assert answers == {
        "recommend": 9, "favourite": "green", "when": ["morning", "noon"], "taste": 4, "more": "很好\n喝",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "values", "wrong"),
    [
        ("q_recommend", [], "required"),
        ("q_recommend", ["11"], "choice"),
        ("q_recommend", ["nine"], "choice"),
        ("q_favourite", ["white"], "choice"),
        ("q_favourite", ["green", "black"], "choice"),
        ("q_when", ["morning", "noon", "evening"], "too_many"),
        ("q_taste", ["0"], "choice"),
        ("q_more", ["长" * 201], "too_long"),
    ],
)
def test_each_mistake_names_its_question(field: str, values: list[str], wrong: str) -> None:
    _, errors = read_answers(TEA, {"q_recommend": ["9"], field: values})
    assert [(f"q_{e.question}", e.wrong) for e in errors] == [(field, wrong)]
    page = form_page(TEA, given={field: values}, errors=errors)
    assert 'role="alert"' in page
    assert f'href="#q-{errors[0].question}"' in page


@given(
    st.dictionaries(
        st.sampled_from([f"q_{q.key}" for q in TEA.questions] + ["once", "q_"]), st.lists(st.text(max_size=12))
    )
)
def test_whatever_is_sent_gives_answers_or_errors(sent: dict[str, list[str]]) -> None:
    answers, errors = read_answers(TEA, sent)
    assert {e.question for e in errors}.isdisjoint(answers)
    msgspec.json.encode(answers)
    form_page(TEA, given=sent, errors=errors).encode("utf-8", "replace")


def test_words_of_people_cannot_become_markup() -> None:
    page = form_page(tea(title="<script>x</script>", intro="&"), given={"q_more": ["</textarea><script>y"]})
    assert "<script" not in page
