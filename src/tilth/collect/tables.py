"""The tables of collection."""

import sqlalchemy as sa

from tilth.state.database import BigId, metadata

__all__ = [
    "connector",
    "drift_notice",
    "feedback",
    "feedback_entry",
    "intake",
    "plan",
    "plan_issue",
    "secret",
    "source",
    "source_count",
    "survey",
    "survey_link",
]

source = sa.Table(
    "source",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("write_key", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
    # The key before the last rotation, and until when it also works.
    sa.Column("previous_key", sa.Text),
    sa.Column("previous_until", sa.BigInteger),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
)

# What came of what a source sent, by hour (UTC µs); received is the sum of the rest.
source_count = sa.Table(
    "source_count",
    metadata,
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("hour", sa.BigInteger, nullable=False),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("duplicate", sa.BigInteger, nullable=False),
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Column("dropped", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("source", "hour", name="pk_source_count"),
    sqlite_with_rowid=False,
)

# Every version of the tracking plan, as JSON; the highest is in force.
plan = sa.Table(
    "plan",
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

# Where events differ from the plan: one row an event, field and reason.
plan_issue = sa.Table(
    "plan_issue",
    metadata,
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("events", sa.BigInteger, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("event", "field", "reason", "source", name="pk_plan_issue"),
    sqlite_with_rowid=False,
)

# What changed in the data, from when to when, and who has looked at it. property: empty where it is the event itself.
drift_notice = sa.Table(
    "drift_notice",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("property", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("now", sa.Text, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("acknowledged_at", sa.BigInteger),
    sa.Column("acknowledged_by", sa.Text),
    sa.UniqueConstraint("kind", "event", "property", name="uq_drift_notice_kind"),
)

# Webhooks of shop systems: who signs how, and the rules that read them, as JSON.
connector = sa.Table(
    "connector",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger),
)

# Questionnaires, as JSON. opened_at: when it was first open, after which its questions keep their kinds.
survey = sa.Table(
    "survey",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("opened_at", sa.BigInteger),
    sa.Column("closed_at", sa.BigInteger),
)

# Who has a personal link of a survey, and what became of it; UTC µs.
survey_link = sa.Table(
    "survey_link",
    metadata,
    sa.Column("survey", sa.Text, nullable=False),
    sa.Column("uid", sa.BigInteger, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("opened_at", sa.BigInteger),
    sa.Column("answered_at", sa.BigInteger),
    sa.PrimaryKeyConstraint("survey", "uid", name="pk_survey_link"),
    sa.Index("ix_survey_link_uid", "uid"),
    sqlite_with_rowid=False,
)

# What people told us that somebody should answer: one row an event `feedback`. rating is whatever scale it came in.
feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("distinct_id", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("rating", sa.Float),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("assignee", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("first_answer_at", sa.BigInteger),
    sa.Column("closed_at", sa.BigInteger),
    sa.UniqueConstraint("source", "event_id", name="uq_feedback_source_event_id"),
    sa.Index("ix_feedback_status_at", "status", "at"),
    sa.Index("ix_feedback_kind_distinct_id", "kind", "distinct_id"),
)

# What was done with it. told: the answer's event is in the intake log.
feedback_entry = sa.Table(
    "feedback_entry",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("feedback_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Index("ix_feedback_entry_feedback_id", "feedback_id"),
)

# Random secrets of the workspace, each made when it is first needed.
secret = sa.Table(
    "secret",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# One row is one acknowledged request. AUTOINCREMENT, so that a number is never used again after its
# row was flushed and deleted: the lake remembers the highest.
intake = sa.Table(
    "intake",
    metadata,
    sa.Column("seq", BigId, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("events", sa.Integer, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
