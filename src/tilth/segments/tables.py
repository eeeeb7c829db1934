"""The tables of segments: saved layerings, what was done with their layers, static segments."""

import sqlalchemy as sa

from tilth.state.database import BigId, metadata

__all__ = ["layer_use", "layering", "segment", "segment_version"]

# body: the answer as JSON; model: the fitted rule as JSON; members: everyone's layer, see `members.pack`;
# all three compressed. Instants are UTC µs.
layering = sa.Table(
    "layering",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("as_of", sa.Text, nullable=False),
    sa.Column("computed_at", sa.BigInteger, nullable=False),
    sa.Column("people", sa.BigInteger, nullable=False),
    sa.Column("quality_score", sa.Integer, nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("model", sa.LargeBinary, nullable=False),
    sa.Column("members", sa.LargeBinary, nullable=False),
    sa.Index("ix_layering_kind_id", "kind", "id"),
)

# One row each time a layer was put to use (exported, saved as a segment): tells layers nobody acts on.
layer_use = sa.Table(
    "layer_use",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("layer", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("ix_layer_use_kind_layer", "kind", "layer"),
)

segment = sa.Table(
    "segment",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("people", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
)

# members: a 64-bit roaring bitmap of uids. Versions are never changed, only added.
segment_version = sa.Table(
    "segment_version",
    metadata,
    sa.Column("segment_key", sa.Text, sa.ForeignKey("segment.key", ondelete="CASCADE"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("people", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("members", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("segment_key", "version", name="pk_segment_version"),
)
