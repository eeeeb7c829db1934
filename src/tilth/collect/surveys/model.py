"""What a survey is: its words, its questions, and the rules that hold them together."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from tilth.collect.plan_yaml import load_yaml, read_as
from tilth.errors import InvalidInput

__all__ = ["ANSWERED", "KINDS", "Kind", "Survey", "SurveyOption", "SurveyQuestion", "check_survey", "survey_of_text"]

# The event that carries the answers of our own form.
ANSWERED = "survey_answered"
Kind = Literal["nps", "single", "multiple", "scale", "text"]
KINDS: tuple[Kind, ...] = ("nps", "single", "multiple", "scale", "text")
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}")
MOST_QUESTIONS, MOST_OPTIONS, MOST_STEPS = 50, 50, 11

Title = Annotated[str, msgspec.Meta(max_length=300)]
Words = Annotated[str, msgspec.Meta(max_length=2000)]


class SurveyOption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One choice. key: what is stored; label: what the person reads."""

    key: str
    label: Title


class SurveyQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question.

    kind: nps (0..10), single (one of `options`), multiple (`min_choices` to `max_choices` of them; 0 for no
    upper bound), scale (whole numbers `low`..`high` with words at the ends), text (at most `max_length`
    characters). trait: the answer also becomes this trait, in the person's own word. feedback: a text that
    somebody here should read and answer.
    """

    key: str
    kind: Kind
    title: Title
    about: Title = ""
    required: bool = False
    options: list[SurveyOption] = []
    min_choices: Annotated[int, msgspec.Meta(ge=0, le=MOST_OPTIONS)] = 0
    max_choices: Annotated[int, msgspec.Meta(ge=0, le=MOST_OPTIONS)] = 0
    low: Annotated[int, msgspec.Meta(ge=-100, le=100)] = 1
    high: Annotated[int, msgspec.Meta(ge=-100, le=100)] = 5
    low_label: Title = ""
    high_label: Title = ""
    max_length: Annotated[int, msgspec.Meta(ge=1, le=4000)] = 1000
    trait: Annotated[str, msgspec.Meta(max_length=100)] = ""
    feedback: bool = False

    @property
    def numbers(self) -> range:
        """The numbers that may be answered; none for choices and texts."""
        if self.kind == "nps":
            return range(11)
        return range(self.low, self.high + 1) if self.kind == "scale" else range(0)


class Survey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A questionnaire.

    public: whoever has the address may answer, without a personal link. again_after_days: how long after an
    answer the same person may answer again; null: once. answers_event: another tool's event that carries
    answers as properties named like the questions; they count beside those of our own form. Empty for none.
    """

    key: str
    title: Title
    intro: Words = ""
    thanks: Words = ""
    language: Literal["zh-CN", "en"] = "zh-CN"
    public: bool = False
    again_after_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    answers_event: Annotated[str, msgspec.Meta(max_length=200)] = ""
    questions: list[SurveyQuestion] = []

    def question(self, key: str) -> SurveyQuestion | None:
        return next((one for one in self.questions if one.key == key), None)


def check_survey(survey: Survey) -> None:
    """Raises `InvalidInput` naming the field where the parts do not fit together."""
    if _KEY.fullmatch(survey.key) is None:
        raise InvalidInput("key", "must be 1 to 60 small letters, digits, - and _")
    if not survey.title.strip():
        raise InvalidInput("title", "is empty")
    if survey.answers_event == ANSWERED:
        raise InvalidInput("answers_event", "is the event of our own form, whose answers count anyway")
    if not 1 <= len(survey.questions) <= MOST_QUESTIONS:
        raise InvalidInput("questions", f"must be 1 to {MOST_QUESTIONS}, not {len(survey.questions)}")
    seen: set[str] = set()
    for position, question in enumerate(survey.questions):
        field = f"questions[{position}]"
        if _NAME.fullmatch(question.key) is None:
            raise InvalidInput(f"{field}.key", "must be 1 to 40 letters, digits and _, not beginning with _")
        if question.key in seen:
            raise InvalidInput(f"{field}.key", f"{question.key!r} is used twice")
        seen.add(question.key)
        if not question.title.strip():
            raise InvalidInput(f"{field}.title", "is empty")
        _check_kind(question, field)


def _check_kind(question: SurveyQuestion, field: str) -> None:
    if question.kind in ("single", "multiple"):
        if not 2 <= len(question.options) <= MOST_OPTIONS:
            raise InvalidInput(f"{field}.options", f"must be 2 to {MOST_OPTIONS}, not {len(question.options)}")
        keys: set[str] = set()
        for number, option in enumerate(question.options):
            if _NAME.fullmatch(option.key) is None:
                raise InvalidInput(
                    f"{field}.options[{number}].key", "must be 1 to 40 letters, digits and _, not beginning with _"
                )
            if option.key in keys:
                raise InvalidInput(f"{field}.options[{number}].key", f"{option.key!r} is used twice")
            keys.add(option.key)
            if not option.label.strip():
                raise InvalidInput(f"{field}.options[{number}].label", "is empty")
    elif question.options:
        raise InvalidInput(f"{field}.options", f"a {question.kind} question has none")
    most = question.max_choices or len(question.options)
    if question.kind == "multiple" and not question.min_choices <= most <= len(question.options):
        raise InvalidInput(f"{field}.max_choices", "must lie between min_choices and the number of options")
    if question.kind == "scale" and not 2 <= question.high - question.low + 1 <= MOST_STEPS:
        raise InvalidInput(f"{field}.high", f"must make 2 to {MOST_STEPS} steps from low")
    if question.feedback and question.kind != "text":
        raise InvalidInput(f"{field}.feedback", "only a text question can be feedback")


def check_change(before: Survey, after: Survey) -> None:
    """Raises `InvalidInput` where a survey that was open would make its earlier answers mean something else."""
    if before.answers_event != after.answers_event:
        raise InvalidInput("answers_event", "cannot change once the survey was open")
    for position, question in enumerate(after.questions):
        old = before.question(question.key)
        if old is None:
            continue
        if old.kind != question.kind:
            raise InvalidInput(
                f"questions[{position}].kind", f"cannot change from {old.kind} once the survey was open; add a question"
            )
        if old.kind == "scale" and (old.low, old.high) != (question.low, question.high):
            raise InvalidInput(f"questions[{position}].high", "a scale keeps its ends once the survey was open")


def survey_of_text(text: str, field: str = "survey") -> Survey:
    """A survey written as YAML or JSON (which YAML includes). Raises `InvalidInput`."""
    document: Any = load_yaml(text, field)
    if not isinstance(document, dict):
        raise InvalidInput(field, "must be a mapping with key, title and questions")
    survey = read_as(document, Survey, "")
    check_survey(survey)
    return survey
