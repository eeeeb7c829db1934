"""Feedback: what people tell us that somebody here should answer.

It comes in as the event `feedback`, from wherever; each is one line of work with a status. May import errors, state
and `tilth.collect`'s model.
"""

from tilth.collect.feedback.incoming import FEEDBACK, feedback_row
from tilth.collect.feedback.service import (
    Entry,
    Feedback,
    FeedbackItem,
    FeedbackPage,
    FeedbackStats,
    Filters,
    Moved,
    Status,
)

__all__ = [
    "FEEDBACK",
    "Entry",
    "Feedback",
    "FeedbackItem",
    "FeedbackPage",
    "FeedbackStats",
    "Filters",
    "Moved",
    "Status",
    "feedback_row",
]
