"""Lets the queue find each owner's oldest run, and count those behind it, without reading the runs."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the column order of the index."""
    op.drop_index("runs_in_line", "runs")
    op.create_index("runs_in_line", "runs", ["status", "owner", "submitted_at", "id"])
