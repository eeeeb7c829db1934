"""What a person sent in the form, as answers; or what is wrong with which question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from tilth.collect.surveys.model import Survey, SurveyQuestion

__all__ = ["Answers", "FieldError", "Wrong", "body_limit", "read_answers"]

Answers = dict[str, Any]
Wrong = Literal["required", "choice", "too_few", "too_many", "too_long"]


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the answer to a question. bound: the number that was not kept to, where there is one."""

    question: str
    wrong: Wrong
    bound: int = 0


def body_limit(survey: Survey) -> int:
    """Bytes that a full form can have, each character of its texts percent-encoded."""
    return 32 * 1024 + sum(one.max_length * 12 for one in survey.questions if one.kind == "text")


def read_answers(survey: Survey, sent: Mapping[str, Sequence[str]]) -> tuple[Answers, list[FieldError]]:
    """Answers by question, and the errors in the order of the questions. sent: the form's fields, `q_` before each
    question's key; other fields are not looked at."""
    answers: Answers = {}
    errors: list[FieldError] = []
    for question in survey.questions:
        values = [clean(one) for one in sent.get(f"q_{question.key}", ())]
        values = [one for one in values if one]
        found = _error(question, values)
        if found is not None:
            errors.append(found)
        elif values:
            answers[question.key] = _value(question, values)
    return answers, errors


def clean(text: str) -> str:
    """Without blanks around it and what no database keeps (NUL, halves of characters)."""
    return text.replace("\r\n", "\n").replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()


def _error(question: SurveyQuestion, values: list[str]) -> FieldError | None:
    def wrong(what: Wrong, bound: int = 0) -> FieldError:
        return FieldError(question=question.key, wrong=what, bound=bound)

    if not values:
        return wrong("required") if question.required else None
    if question.kind == "text":
        return wrong("too_long", question.max_length) if len(values[0]) > question.max_length else None
    allowed = {str(n) for n in question.numbers} or {option.key for option in question.options}
    if any(one not in allowed for one in values) or (question.kind != "multiple" and len(set(values)) > 1):
        return wrong("choice")
    if question.kind == "multiple":
        chosen = len(set(values))
        if chosen < question.min_choices:
            return wrong("too_few", question.min_choices)
        if question.max_choices and chosen > question.max_choices:
            return wrong("too_many", question.max_choices)
    return None


def _value(question: SurveyQuestion, values: list[str]) -> Any:
    if question.kind in ("nps", "scale"):
        return int(values[0])
    if question.kind == "multiple":
        chosen = set(values)
        return [option.key for option in question.options if option.key in chosen]
    return values[0]
