"""Segments: saved layerings, uses of their layers, static segments and their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "layering",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("as_of", sa.Text, nullable=False),
        sa.Column("computed_at", sa.BigInteger, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.Column("quality_score", sa.Integer, nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("model", sa.LargeBinary, nullable=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_layering"),
    )
    op.create_index("ix_layering_kind_id", "layering", ["kind", "id"])
    op.create_table(
        "layer_use",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("layer", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_layer_use"),
    )
    op.create_index("ix_layer_use_kind_layer", "layer_use", ["kind", "layer"])
    op.create_table(
        "segment",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_segment"),
    )
    op.create_table(
        "segment_version",
        sa.Column("segment_key", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_key"], ["segment.key"], name="fk_segment_version_segment_key_segment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_key", "version", name="pk_segment_version"),
    )
