"""Opens the stores of a database URL."""

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from src.services.storage.base import Storage
from src.services.storage.errors import StorageUnavailable
from src.services.storage.sql.chain import SqlChain
from src.services.storage.sql.database import Database
from src.services.storage.sql.migrating import migrate
from src.services.storage.sql.presence import Presence
from src.services.storage.sql.presets import SqlPresets
from src.services.storage.sql.runs import SqlRuns

BUSY_SECONDS = 10.0
"""How long a transaction waits for another, and a thread for a connection, before StorageUnavailable is raised."""
CONNECTIONS_KEPT, CONNECTIONS_MORE = 5, 15
BUILDING_SECONDS = 60.0
"""How long a transaction may be idle on PostgreSQL; after that its process counts as stopped."""


def open_storage(url: str) -> Storage:
    """Open the stores of a database and bring its tables up to date.

    Args:
        url: sqlite:///path/to/file (four slashes for an absolute path), created if missing, or
            postgresql://user:password@host:5432/name.

    Raises:
        StorageUnavailable: it cannot be opened; the message says what to do and hides the password.
    """
    parsed = _parsed(url)
    engine = open_engine(parsed)
    try:
        return stores(engine)
    except StorageUnavailable as error:
        engine.dispose()
        # The operator reads this message, so it includes the database's own error; callers get only the short sentence.
        reason = " ".join(str(getattr(error.__cause__, "orig", error)).split())
        raise StorageUnavailable(f"cannot open DATABASE_URL, {_place(parsed)}: {reason}. {_advice(parsed)}") from error


def stores(engine: Engine) -> Storage:
    """Bring the database's tables up to date and return its stores.

    Raises:
        StorageUnavailable
    """
    database = Database(engine, BUSY_SECONDS)
    if engine.dialect.name == "postgresql":
        _check_encoding(database)
    migrate(database)
    presence = _presence(engine.url)
    closers = (engine.dispose, *([] if presence is None else [presence.leave]))
    return Storage(SqlRuns(database, presence), SqlPresets(database), SqlChain(database), closers)


def _presence(url: URL) -> Presence | None:
    # PostgreSQL's clients may be on other machines, and it only knows their connections, which come and go.
    return Presence(Path(f"{url.database}-present")) if url.drivername == "sqlite" else None


def open_engine(url: str | URL, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Create the engine with the settings our transactions need; nothing is connected yet.

    Raises:
        StorageUnavailable: the kind of database is unsupported, or the file's folder cannot be created.
    """
    url = make_url(url)
    pool = {"pool_size": CONNECTIONS_KEPT, "max_overflow": CONNECTIONS_MORE, "pool_timeout": busy_seconds}
    # Errors in the log must not show users' code.
    common: dict[str, Any] = {**pool, "hide_parameters": True}
    if url.drivername == "sqlite":
        return _sqlite(url, common, busy_seconds)
    if url.drivername in ("postgresql", "postgres"):
        return _postgresql(url.set(drivername="postgresql+psycopg"), common, busy_seconds)
    raise StorageUnavailable(f"DATABASE_URL begins with {url.drivername}: only sqlite and postgresql are supported")


def _sqlite(url: URL, common: dict[str, Any], busy_seconds: float) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise StorageUnavailable(
            "DATABASE_URL must name a file, because runs outlive the process: such as sqlite:///data/runs.db"
        )
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot create the folder of DATABASE_URL: {error}") from error
    # It holds users' code: only this account may read it. If this fails, the first connection reports why.
    with suppress(OSError):
        Path(str(url.database)).touch(mode=0o600)
    engine = create_engine(url, **common, connect_args={"timeout": busy_seconds})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _drop_read_only_connections)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # We begin transactions ourselves: the module would begin them late, and none for reads or DDL.
    connection.isolation_level = None
    # FULL: data reported as stored survives a power cut.
    for setting in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")
    _switch_to_wal(connection)


def _switch_to_wal(connection: Any) -> None:
    """Permanently allow readers beside a writer. Processes that start at the same time conflict here."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite waits for locks everywhere except here.
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could not wait for the write lock.
    if not connection.get_execution_options().get("is_reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _drop_read_only_connections(failure: ExceptionContext) -> None:
    """Close connections opened while the disk was read-only.

    They can never write, nor can connections opened beside them: SQLite keeps their shared state as it was opened for
    as long as one of them exists.
    """
    if "readonly" in str(failure.original_exception) and failure.engine is not None:
        failure.is_disconnect = True
        if failure.execution_context is not None:
            # An unfinished statement would keep the closed connection alive.
            failure.execution_context.cursor.close()
        failure.engine.dispose()


def _postgresql(url: URL, common: dict[str, Any], busy_seconds: float) -> Engine:
    seconds = {"lock_timeout": busy_seconds, "idle_in_transaction_session_timeout": BUILDING_SECONDS}
    options = " ".join(f"-c {name}={int(value * 1000)}" for name, value in seconds.items())
    connecting = {"connect_timeout": max(2, int(busy_seconds)), "options": options, **_lost_connections(busy_seconds)}
    connecting["application_name"] = "hqg-backtester"
    engine = create_engine(url, **common, pool_pre_ping=True, connect_args=connecting)
    event.listen(engine, "before_cursor_execute", _answer_in_binary)
    return engine


def _answer_in_binary(_connection: Any, cursor: Any, _text: str, _values: Any, context: Any, _is_many: bool) -> None:
    # In text format each byte of a result takes two and is parsed one by one: a millisecond for 300 kB.
    if context is not None and context.execution_options.get("is_binary"):
        from psycopg.pq import Format  # noqa: PLC0415 - not needed for SQLite

        cursor.format = Format.BINARY


def _lost_connections(busy_seconds: float) -> dict[str, int]:
    """Detects a server whose machine or network is gone; the kernel's default takes a quarter of an hour."""
    seconds = max(2, int(busy_seconds))
    probes = {"keepalives_idle": seconds, "keepalives_interval": max(1, seconds // 5), "keepalives_count": 3}
    return {**probes, "tcp_user_timeout": 2 * seconds * 1000}


def _check_encoding(database: Database) -> None:
    with database.reading() as connection:
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StorageUnavailable(f"its encoding {encoding} cannot store all text: create it with ENCODING 'UTF8'")


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Without its cause, which may contain the password.
        raise StorageUnavailable("DATABASE_URL is not a valid URL: .env.example shows both forms") from None


def _place(url: URL) -> str:
    """Where it points, without user, password and options."""
    if url.drivername == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"


def _advice(url: URL) -> str:
    if url.drivername == "sqlite":
        return "This process must be able to write the file and its folder, on a disk with free space"
    return "PostgreSQL must run there with that database, user and password: try the same URL with psql"
