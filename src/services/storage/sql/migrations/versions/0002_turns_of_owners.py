"""Lets the queue quickly find when each owner's last run was started."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("runs_last_start", "runs", ["owner", "started_at"])
