"""Moves the tickers of the older contract into the request, so that any client can post it again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move the column into the JSON object beside it; both are compact text."""
    details = sa.table("run_details", sa.column("request", sa.Text), sa.column("universe", sa.Text))
    without_end = sa.func.substr(details.c.request, 1, sa.func.length(details.c.request) - 1)
    with_universe = without_end.concat(',"universe":').concat(details.c.universe).concat("}")
    op.execute(details.update().where(details.c.universe.is_not(None)).values(request=with_universe))
    op.drop_column("run_details", "universe")
