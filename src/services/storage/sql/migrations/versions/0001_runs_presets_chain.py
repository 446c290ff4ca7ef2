"""The first tables: runs with their details, results and events, presets, and the chain of manifests."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite assigns row numbers automatically only in a column of exactly this type.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "runs",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("run_hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("start_date", sa.Text, nullable=False),
        sa.Column("end_date", sa.Text, nullable=False),
        sa.Column("submitted_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("first_event", sa.BigInteger, nullable=False),
        sa.Column("last_event", sa.BigInteger, nullable=False),
        sa.Column("is_cancel_requested", sa.Boolean, nullable=False),
        sa.Column("has_result", sa.Boolean, nullable=False),
        sa.Column("lease_token", sa.Text),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("symbols", sa.Text, nullable=False),
        sa.Column("folded_name", sa.Text, nullable=False),
        sa.Column("progress", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("recomputed", sa.Text),
    )
    op.create_index("runs_by_key", "runs", ["owner", "run_hash"], unique=True)
    op.create_index("runs_newest", "runs", ["owner", "submitted_at", "id"])
    op.create_index("runs_in_line", "runs", ["status", "submitted_at", "id"])
    op.create_table(
        "run_details",
        of_run(),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("universe", sa.Text),
        sa.Column("ingredients", sa.Text, nullable=False),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.Column("error_trace", sa.Text),
    )
    op.create_table(
        "run_results",
        of_run(),
        sa.Column("json_sha256", sa.Text, nullable=False),
        sa.Column("json_length", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("metrics", sa.Text),
        sa.Column("gzip_bytes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "run_events",
        of_run(),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("key_hash", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("run_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "presets",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("preset_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("configuration", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "chain_links",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("run_hash", sa.Text, nullable=False),
        sa.Column("manifest_hash", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("sealed_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
    )
    op.create_index("chain_links_of_run", "chain_links", ["owner", "run_hash"])


def of_run() -> sa.Column[int]:
    """The key of a row that is deleted with its run."""
    return sa.Column(
        "run_id", NUMBER, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
