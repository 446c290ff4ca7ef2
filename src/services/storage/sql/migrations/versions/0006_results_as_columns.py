"""Stores results as columns. Those stored before stay in run_results as they are: copying could fill the disk."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "run_columns",
        sa.Column(
            "run_id", NUMBER, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("json_length", sa.BigInteger, nullable=False),
        sa.Column("metrics", sa.Text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("daily", sa.LargeBinary, nullable=False),
        sa.Column("orders", sa.LargeBinary, nullable=False),
    )
