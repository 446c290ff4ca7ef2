"""From a database's URL to stores that are ready to use."""

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from src.services.storage.base import Storage
from src.services.storage.database import Database
from src.services.storage.errors import StorageUnavailable
from src.services.storage.migrating import migrate
from src.services.storage.presence import Presence
from src.services.storage.sql_chain import SqlChain
from src.services.storage.sql_presets import SqlPresets
from src.services.storage.sql_runs import SqlRuns

BUSY_SECONDS = 10.0
"""How long a transaction waits for another, and a thread for a connection, before the caller is told to come back."""
CONNECTIONS_KEPT, CONNECTIONS_MORE = 5, 15
BUILDING_SECONDS = 60.0
"""How long a transaction may do something else than talk to PostgreSQL: longer, and its process has stopped."""


def open_storage(url: str) -> Storage:
    """The stores of a database, with its tables up to date.

    Args:
        url: sqlite:///path/of/a/file (four slashes for an absolute path), made when it is not there, or
            postgresql://user:password@host:5432/name.

    Raises:
        StorageUnavailable: it cannot be opened; the message says what to do and shows no password.
    """
    parsed = _parsed(url)
    engine = open_engine(parsed)
    try:
        return stores(engine)
    except StorageUnavailable as error:
        engine.dispose()
        # What the database itself said is for the operator, who reads this; callers get the short sentence.
        said = " ".join(str(getattr(error.__cause__, "orig", error)).split())
        raise StorageUnavailable(f"cannot open DATABASE_URL, {_place(parsed)}: {said}. {_advice(parsed)}") from error


def stores(engine: Engine) -> Storage:
    """The stores on a database whose tables are brought up to date first.

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
    # PostgreSQL's processes are on any machine, and what it knows of them are connections, which come and go.
    return Presence(Path(f"{url.database}-present")) if url.drivername == "sqlite" else None


def open_engine(url: str | URL, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Connections to the database as our transactions need them; nothing is connected yet.

    Raises:
        StorageUnavailable: it is a database of another kind, or the file's folder cannot be made.
    """
    url = make_url(url)
    pool = {"pool_size": CONNECTIONS_KEPT, "max_overflow": CONNECTIONS_MORE, "pool_timeout": busy_seconds}
    # Errors in the log do not show the users' code.
    common: dict[str, Any] = {**pool, "hide_parameters": True}
    if url.drivername == "sqlite":
        return _sqlite(url, common, busy_seconds)
    if url.drivername in ("postgresql", "postgres"):
        return _postgresql(url.set(drivername="postgresql+psycopg"), common, busy_seconds)
    raise StorageUnavailable(f"DATABASE_URL begins with {url.drivername}: only sqlite and postgresql work")


def _sqlite(url: URL, common: dict[str, Any], busy_seconds: float) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise StorageUnavailable(
            "DATABASE_URL names no file, and runs outlive the process: like sqlite:///data/runs.db"
        )
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot make the folder of DATABASE_URL: {error}") from error
    # It holds people's code: nobody else on this machine reads it. Why it cannot be made, the first connection tells.
    with suppress(OSError):
        Path(str(url.database)).touch(mode=0o600)
    engine = create_engine(url, **common, connect_args={"timeout": busy_seconds})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _part_from_those_that_cannot_write)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # We begin transactions ourselves: the module would begin them late, and none for reading or for DDL.
    connection.isolation_level = None
    # FULL: what a caller was told is stored survives a power cut.
    for setting in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")
    _switch_to_wal(connection)


def _switch_to_wal(connection: Any) -> None:
    """Readers and a writer at the same time, for good. Processes that start at once are in each other's way here."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite waits for a lock everywhere but here.
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # One that reads first and writes later could not wait for its turn.
    is_reading = connection.get_execution_options().get("is_reading")
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def _part_from_those_that_cannot_write(failure: ExceptionContext) -> None:
    """Close connections that were made while the disk could only be read.

    They never write, nor does any that is made beside them: SQLite keeps what they share as it was opened, for as long
    as one of them is there.
    """
    if "readonly" in str(failure.original_exception) and failure.engine is not None:
        failure.is_disconnect = True
        if failure.execution_context is not None:
            # With a statement that is not over a connection stays, though it was closed.
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
    # As text each byte of a result would take two, and be read one by one: a millisecond for 300 kB.
    if context is not None and context.execution_options.get("is_binary"):
        from psycopg.pq import Format  # noqa: PLC0415 - SQLite shall not need it

        cursor.format = Format.BINARY


def _lost_connections(busy_seconds: float) -> dict[str, int]:
    """Notices a server whose machine or network is gone; the kernel's own patience is a quarter of an hour."""
    seconds = max(2, int(busy_seconds))
    probes = {"keepalives_idle": seconds, "keepalives_interval": max(1, seconds // 5), "keepalives_count": 3}
    return {**probes, "tcp_user_timeout": 2 * seconds * 1000}


def _check_encoding(database: Database) -> None:
    with database.reading() as connection:
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StorageUnavailable(f"its encoding {encoding} cannot hold every text: make it with ENCODING 'UTF8'")


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Without its cause, which may show the password.
        raise StorageUnavailable("DATABASE_URL is no URL: .env.example shows the two kinds") from None


def _place(url: URL) -> str:
    """Where it points to, without user, password and options."""
    if url.drivername == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"


def _advice(url: URL) -> str:
    if url.drivername == "sqlite":
        return "The file and its folder must be writable for this process, on a disk with room"
    return "PostgreSQL must run there, with that database, user and password: try the same URL with psql"
