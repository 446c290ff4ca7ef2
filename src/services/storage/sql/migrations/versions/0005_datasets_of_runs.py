"""Adds the name of the blob with a run's prices; runs accepted before have none and fetch theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("run_details", sa.Column("dataset", sa.Text))
