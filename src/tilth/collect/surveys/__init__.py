"""Surveys: what we ask people, the signed link each of them gets, and the hosted form they answer in.

An answer is an event like any other (`survey_answered`), so its results are folds over the lake; the
tables only hold the definitions and who was invited. May import errors, state, people and `tilth.collect`'s model.
"""

from tilth.collect.surveys.answers import Answers, FieldError, read_answers
from tilth.collect.surveys.links import LinkRefused
from tilth.collect.surveys.model import ANSWERED, Survey, SurveyOption, SurveyQuestion, check_survey, survey_of_text
from tilth.collect.surveys.service import Funnel, Link, Standing, SurveyRecord, Surveys

__all__ = [
    "ANSWERED",
    "Answers",
    "FieldError",
    "Funnel",
    "Link",
    "LinkRefused",
    "Standing",
    "Survey",
    "SurveyOption",
    "SurveyQuestion",
    "SurveyRecord",
    "Surveys",
    "check_survey",
    "read_answers",
    "survey_of_text",
]
