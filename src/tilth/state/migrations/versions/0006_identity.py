"""Identity: links between ids, conflicts, merges, what of the intake log has been applied."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
