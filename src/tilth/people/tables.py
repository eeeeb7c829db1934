"""The tables of people."""

import sqlalchemy as sa

from tilth.state.database import BigId, metadata

__all__ = ["id_apart", "id_link", "person_counter", "person_id", "person_merge", "thing_trait", "trait", "uid_override"]

# value first: an exact or prefix search for "any id" uses the primary key itself.
person_id = sa.Table(
    "person_id",
    metadata,
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("uid", sa.BigInteger, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    # The person the id was made for; where it returns to when what joined it to another is undone.
    sa.Column("home", sa.BigInteger),
    # A sign-in id: proof of a person. And the version of identity that last gave the id to another person.
    sa.Column("signs", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("changed", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("value", "kind", name="pk_person_id"),
    sa.Index("ix_person_id_uid", "uid"),
    sa.Index("ix_person_id_changed", "changed"),
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

# What sources said of two ids, once a pair and verb; `tilth.people.graph` folds these into persons.
id_link = sa.Table(
    "id_link",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("a_kind", sa.Text, nullable=False),
    sa.Column("a_value", sa.Text, nullable=False),
    sa.Column("b_kind", sa.Text),
    sa.Column("b_value", sa.Text),
    sa.Column("a_signs", sa.Boolean, nullable=False),
    sa.Column("b_signs", sa.Boolean, nullable=False),
    sa.Column("forced", sa.Boolean, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("recorded_at", sa.BigInteger, nullable=False),
    # Empty where it was applied.
    sa.Column("refused", sa.Text, nullable=False),
    sa.Index("ix_id_link_a", "a_value", "last_at"),
    sa.Index("ix_id_link_b", "b_value", "last_at"),
    sa.Index("ix_id_link_refused", "refused", "recorded_at"),
)

# Two ids that somebody said are not one person: no link between just these two counts any more.
id_apart = sa.Table(
    "id_apart",
    metadata,
    sa.Column("a_kind", sa.Text, nullable=False),
    sa.Column("a_value", sa.Text, nullable=False),
    sa.Column("b_kind", sa.Text, nullable=False),
    sa.Column("b_value", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("a_value", "a_kind", "b_value", "b_kind", name="pk_id_apart"),
)

# The log of persons that became one; `split_at` is set when they were taken apart again.
person_merge = sa.Table(
    "person_merge",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("from_uid", sa.BigInteger, nullable=False),
    sa.Column("into_uid", sa.BigInteger, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("split_at", sa.BigInteger),
    sa.Index("ix_person_merge_from_uid", "from_uid"),
    sa.Index("ix_person_merge_into_uid", "into_uid"),
)

# Rows of the lake that belong to somebody else than they say; distinct_id "" stands for all others.
uid_override = sa.Table(
    "uid_override",
    metadata,
    sa.Column("old_uid", sa.BigInteger, nullable=False),
    sa.Column("distinct_id", sa.Text, nullable=False),
    sa.Column("new_uid", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("old_uid", "distinct_id", name="pk_uid_override"),
    sa.Index("ix_uid_override_new_uid", "new_uid"),
)

# What is known of groups (companies, households) and things (products, articles): one row a trait.
thing_trait = sa.Table(
    "thing_trait",
    metadata,
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("kind", "id", "name", name="pk_thing_trait"),
    sqlite_with_rowid=False,
)

# The fields a portrait should have, in order; without any row the ones we think of (`people/portraits.py`).
portrait_field = sa.Table(
    "portrait_field",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("weight", sa.Float, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)
