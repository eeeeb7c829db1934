"""Questions asked of behaviour: funnel, retention, lifecycle, stickiness, trends, distribution, sessions, paths.

One file a question, with its parameters, its answer and its function; `kernels/` has the compiled
single passes over each person's events. May import errors, settings, state, lake, people and collect.
"""

from tilth.behavior.kinds import QuestionKind, named_number, questions
from tilth.behavior.leaving import stop_when
from tilth.behavior.service import Behavior, Names

__all__ = ["Behavior", "Names", "QuestionKind", "named_number", "questions", "stop_when"]
