"""Feedback as work: one line each, and what was done with it."""

import sqlalchemy as sa
from alembic import op

revision = "0009b"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("distinct_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("rating", sa.Float()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("first_answer_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.UniqueConstraint("source", "event_id", name="uq_feedback_source_event_id"),
    )
    op.create_index("ix_feedback_status_at", "feedback", ["status", "at"])
    op.create_index("ix_feedback_kind_distinct_id", "feedback", ["kind", "distinct_id"])
    op.create_table(
        "feedback_entry",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_feedback_entry_feedback_id", "feedback_entry", ["feedback_id"])
