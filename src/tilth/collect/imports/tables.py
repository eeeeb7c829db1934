"""The tables of imports and quarantine. JSON is msgspec's, instants are UTC µs."""

import sqlalchemy as sa

from tilth.state.database import BigId, metadata

__all__ = ["import_chunk", "import_job", "import_part", "quarantine"]

import_job = sa.Table(
    "import_job",
    metadata,
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
    # Which process runs it: dead processes leave `running` behind.
    sa.Column("owner", sa.Text),
    sa.Column("plan", sa.Text),
    # The first file's columns, so that quarantined rows can be read again without it.
    sa.Column("columns", sa.Text),
    sa.Column("proposal", sa.Text),
    sa.Column("progress", sa.Text),
    sa.Column("summary", sa.Text),
    sa.Column("error", sa.Text),
    # Seconds worked in earlier runs; the first uid given out after it began; how many parts it is written in.
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("first_uid", sa.BigInteger),
    sa.Column("parts", sa.Integer),
)

# One row a staged chunk: reading resumes after the last.
import_chunk = sa.Table(
    "import_chunk",
    metadata,
    sa.Column("import_id", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("file", sa.Integer, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("next_line", sa.BigInteger, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_chunk"),
)

# One row a part being written: its counts are stored before its commit, so that they survive a crash after it.
import_part = sa.Table(
    "import_part",
    metadata,
    sa.Column("import_id", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_part"),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
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
    # A hash of line and text: the same row of a file that is imported again is not kept twice.
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Index("ix_quarantine_import_id", "import_id", "state", "id"),
    sa.Index("ix_quarantine_state", "state", "reason", "id"),
)
