"""Pulls: rows and files fetched every so often, their runs and the files they took."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pull",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("every_minutes", sa.Integer()),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text()),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("last_at", sa.BigInteger()),
        sa.Column("holder", sa.Text()),
        sa.Column("held_until", sa.BigInteger()),
    )
    op.create_table(
        "pull_run",
        sa.Column("id", BigId, primary_key=True, autoincrement=True),
        sa.Column("pull", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("rows", "accepted", "duplicate", "quarantined", "dropped", "skipped", "files")
        ),
        sa.Column("mark_before", sa.Text()),
        sa.Column("mark_after", sa.Text()),
        sa.Column("error", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pull_run_pull", "pull_run", ["pull"])
    op.create_table(
        "pull_file",
        sa.Column("pull", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pull", "name", name="pk_pull_file"),
    )
