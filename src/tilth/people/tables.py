"""The tables of people."""

import sqlalchemy as sa

from tilth.state.database import metadata

__all__ = ["person_counter", "person_id", "trait"]

# value first: an exact or prefix search for "any id" uses the primary key itself.
person_id = sa.Table(
    "person_id",
    metadata,
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("uid", sa.BigInteger, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("value", "kind", name="pk_person_id"),
    sa.Index("ix_person_id_uid", "uid"),
    sqlite_with_rowid=False,
)

person_counter = sa.Table(
    "person_counter",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next_uid", sa.BigInteger, nullable=False),
)

trait = sa.Table(
    "trait",
    metadata,
    sa.Column("uid", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("uid", "name", name="pk_trait"),
    sa.Index("ix_trait_name_value", "name", "value"),
    sqlite_with_rowid=False,
)
