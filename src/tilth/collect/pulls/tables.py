"""The tables of pulls."""

import sqlalchemy as sa

from tilth.state.database import BigId, metadata

__all__ = ["pull", "pull_file", "pull_run"]

# secret: password or secret key; it leaves this table only for the connection. mark: how far it came, as JSON.
# holder, held_until: the process that runs it, which must say every few seconds that it still does.
pull = sa.Table(
    "pull",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("every_minutes", sa.Integer),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("mark", sa.Text),
    sa.Column("next_at", sa.BigInteger),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("last_at", sa.BigInteger),
    sa.Column("holder", sa.Text),
    sa.Column("held_until", sa.BigInteger),
)

pull_run = sa.Table(
    "pull_run",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("pull", sa.Text, nullable=False, index=True),
    sa.Column("trigger", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("duplicate", sa.BigInteger, nullable=False),
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Column("dropped", sa.BigInteger, nullable=False),
    sa.Column("skipped", sa.BigInteger, nullable=False),
    sa.Column("files", sa.BigInteger, nullable=False),
    sa.Column("mark_before", sa.Text),
    sa.Column("mark_after", sa.Text),
    sa.Column("error", sa.Text),
    sqlite_autoincrement=True,
)

# Files a pull has taken, as they were then; modified: UTC µs.
pull_file = sa.Table(
    "pull_file",
    metadata,
    sa.Column("pull", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("taken_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("pull", "name", name="pk_pull_file"),
)
