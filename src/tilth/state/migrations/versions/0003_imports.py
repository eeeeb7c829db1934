"""Imports: jobs, staged chunks, written parts, quarantine."""

import sqlalchemy as sa
from alembic import op

from tilth.state.database import BigId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_job",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("uploaded", sa.Boolean, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("owner", sa.Text),
        sa.Column("plan", sa.Text),
        sa.Column("columns", sa.Text),
        sa.Column("proposal", sa.Text),
        sa.Column("progress", sa.Text),
        sa.Column("summary", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("first_uid", sa.BigInteger),
        sa.Column("parts", sa.Integer),
    )
    op.create_table(
        "import_chunk",
        sa.Column("import_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("file", sa.Integer, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("next_line", sa.BigInteger, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_chunk"),
    )
    op.create_table(
        "import_part",
        sa.Column("import_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_part"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", BigId, primary_key=True, autoincrement=True),
        sa.Column("import_id", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("column", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("cells", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.UniqueConstraint("key", name="uq_quarantine_key"),
    )
    op.create_index("ix_quarantine_import_id", "quarantine", ["import_id", "state", "id"])
    op.create_index("ix_quarantine_state", "quarantine", ["state", "reason", "id"])
