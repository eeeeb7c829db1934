"""Identity: links between ids, conflicts, merges, what of the intake log has been applied."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("person_id", sa.Column("home", sa.BigInteger()))
    op.add_column("person_id", sa.Column("signs", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("person_id", sa.Column("changed", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_person_id_changed", "person_id", ["changed"])
    # `identity` counts changes, `squash` rewritings of the lake, `applied` is the last intake number whose
    # identities and traits are in the tables.
    op.execute("INSERT INTO person_counter (name, next_uid) VALUES ('identity', 0), ('squash', 0), ('applied', 0)")
    op.create_table(
        "id_link",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("a_kind", sa.Text(), nullable=False),
        sa.Column("a_value", sa.Text(), nullable=False),
        sa.Column("b_kind", sa.Text()),
        sa.Column("b_value", sa.Text()),
        sa.Column("a_signs", sa.Boolean(), nullable=False),
        sa.Column("b_signs", sa.Boolean(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
    )
    op.create_index("ix_id_link_a", "id_link", ["a_value", "last_at"])
    op.create_index("ix_id_link_b", "id_link", ["b_value", "last_at"])
    op.create_index("ix_id_link_refused", "id_link", ["refused", "recorded_at"])
    op.create_table(
        "id_apart",
        sa.Column("a_kind", sa.Text(), nullable=False),
        sa.Column("a_value", sa.Text(), nullable=False),
        sa.Column("b_kind", sa.Text(), nullable=False),
        sa.Column("b_value", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("a_value", "a_kind", "b_value", "b_kind", name="pk_id_apart"),
    )
    op.create_table(
        "person_merge",
        sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("from_uid", sa.BigInteger(), nullable=False),
        sa.Column("into_uid", sa.BigInteger(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("split_at", sa.BigInteger()),
    )
    op.create_index("ix_person_merge_from_uid", "person_merge", ["from_uid"])
    op.create_index("ix_person_merge_into_uid", "person_merge", ["into_uid"])
    op.create_table(
        "uid_override",
        sa.Column("old_uid", sa.BigInteger(), nullable=False),
        sa.Column("distinct_id", sa.Text(), nullable=False),
        sa.Column("new_uid", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("old_uid", "distinct_id", name="pk_uid_override"),
    )
    op.create_index("ix_uid_override_new_uid", "uid_override", ["new_uid"])
    op.create_table(
        "thing_trait",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "name", name="pk_thing_trait"),
        sqlite_with_rowid=False,
    )
