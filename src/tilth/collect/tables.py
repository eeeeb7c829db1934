"""The tables of collection."""

import sqlalchemy as sa

from tilth.state.database import BigId, metadata

__all__ = ["intake", "source"]

source = sa.Table(
    "source",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("write_key", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
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
