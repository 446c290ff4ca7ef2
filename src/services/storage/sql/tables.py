"""The tables as of the newest migration.

A run is split by access pattern: `runs` has narrow rows for lists and the queue; the other tables hold data that is
read for one run at a time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from src.services.storage.sql.columns import EscapedText, JsonText, Moment

metadata = MetaData()

# SQLite assigns row numbers automatically only in a column of exactly this type.
Number = BigInteger().with_variant(Integer(), "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("id", Number, primary_key=True),
    Column("owner", EscapedText, nullable=False),
    Column("run_hash", EscapedText, nullable=False),
    Column("name", EscapedText),
    Column("status", Text, nullable=False),
    Column("start_date", Text, nullable=False),
    Column("end_date", Text, nullable=False),
    Column("submitted_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("attempt", Integer, nullable=False),
    Column("first_event", BigInteger, nullable=False),
    Column("last_event", BigInteger, nullable=False),
    Column("is_cancel_requested", Boolean, nullable=False),
    Column("has_result", Boolean, nullable=False),
    Column("lease_token", Text),
    Column("leased_until", Moment),
    # ",SPY,BND,": a list's filter searches for ",SPY,".
    Column("symbols", EscapedText, nullable=False),
    # The case-folded name, also for the filter.
    Column("folded_name", EscapedText, nullable=False),
    Column("progress", JsonText),
    Column("error", JsonText),
    Column("recomputed", JsonText),
    Index("runs_by_key", "owner", "run_hash", unique=True),
    Index("runs_newest", "owner", "submitted_at", "id"),
    # Each owner's queue, and whose turn it is.
    Index("runs_in_line", "status", "owner", "submitted_at", "id"),
    Index("runs_last_start", "owner", "started_at"),
)

run_details = Table(
    "run_details",
    metadata,
    Column("run_id", Number, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("request", JsonText, nullable=False),
    Column("ingredients", JsonText, nullable=False),
    Column("warnings", JsonText, nullable=False),
    # Traceback and logs of the run's error.
    Column("error_trace", JsonText),
    # Name of the blob with its prices.
    Column("dataset", Text),
)

# Results stored before they were columns; nothing is added.
run_results = Table(
    "run_results",
    metadata,
    Column("run_id", Number, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("json_sha256", Text, nullable=False),
    Column("json_length", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("metrics", JsonText),
    Column("gzip_bytes", LargeBinary, nullable=False),
)

run_columns = Table(
    "run_columns",
    metadata,
    Column("run_id", Number, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("json_length", BigInteger, nullable=False),
    Column("metrics", JsonText, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("daily", LargeBinary, nullable=False),
    Column("orders", LargeBinary, nullable=False),
    # None in results stored before there were round trips.
    Column("trades", LargeBinary),
)

run_events = Table(
    "run_events",
    metadata,
    Column("run_id", Number, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("data", JsonText, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", EscapedText, primary_key=True),
    Column("key_hash", Text, primary_key=True),
    Column("fingerprint", EscapedText, nullable=False),
    Column("run_hash", EscapedText, nullable=False),
    Column("created_at", Moment, nullable=False),
)

presets = Table(
    "presets",
    metadata,
    Column("owner", EscapedText, primary_key=True),
    Column("preset_id", EscapedText, primary_key=True),
    Column("name", EscapedText, nullable=False),
    Column("configuration", JsonText, nullable=False),
    Column("created_at", Moment, nullable=False),
)

chain_links = Table(
    "chain_links",
    metadata,
    Column("owner", EscapedText, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("run_hash", EscapedText, nullable=False),
    Column("manifest_hash", EscapedText, nullable=False),
    Column("previous_hash", EscapedText, nullable=False),
    Column("sealed_at", Moment, nullable=False),
    Column("removed_at", Moment),
    Index("chain_links_of_run", "owner", "run_hash"),
)
