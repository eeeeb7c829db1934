"""People: their ids and traits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_id",
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("uid", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("value", "kind", name="pk_person_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_person_id_uid", "person_id", ["uid"])
    op.create_table(
        "person_counter",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("next_uid", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO person_counter (name, next_uid) VALUES ('uid', 1)")
    op.create_table(
        "trait",
        sa.Column("uid", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("uid", "name", name="pk_trait"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_trait_name_value", "trait", ["name", "value"])
