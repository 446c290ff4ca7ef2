"""Stores the round trips of results, beside their orders."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; results stored before have none."""
    op.add_column("run_columns", sa.Column("trades", sa.LargeBinary))
