"""Transactions on one database: locking, time and error translation."""

import functools
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from src.services.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)

CONFLICTS = ("40001", "40P01")
"""PostgreSQL's serialization failure and deadlock: the transaction was rolled back and can be retried."""
ATTEMPTS = 4


class TransactionConflict(StorageUnavailable):
    """Two transactions conflicted and this one was rolled back."""


@dataclass(frozen=True)
class Transaction:
    """An open transaction.

    Attributes:
        now: the time by the database's clock, which all service processes share.
    """

    connection: Connection
    now: datetime

    def lock(self, *names: str) -> None:
        """Wait for this lock and hold it until the transaction ends.

        SQLite has only one writer at a time anyway.
        """
        if self.connection.dialect.name == "postgresql":
            digest = hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).digest()
            number = int.from_bytes(digest[:8], "big", signed=True)
            self.connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


class Database:
    """Opens transactions.

    Args:
        engine: from `opening.open_engine`.
        busy_seconds: maximum wait of a thread for its turn to write.
    """

    def __init__(self, engine: Engine, busy_seconds: float) -> None:
        self._engine = engine
        self._reading = _for_reading(engine)
        self._busy_seconds = busy_seconds
        self._one_writer = Lock() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for read-only statements, each of which sees one state of the database."""
        with errors_translated(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that is committed when the block ends, and rolled back if it raises."""
        with errors_translated(), self._turn(), self._engine.begin() as connection:
            yield Transaction(connection, now(connection))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite's turn to write: threads wake at once, where SQLite itself would poll every few milliseconds."""
        if self._one_writer is None:
            yield
            return
        if not self._one_writer.acquire(timeout=self._busy_seconds):
            raise StorageUnavailable("the database is busy: try again in a few seconds")
        try:
            yield
        finally:
            self._one_writer.release()


def _for_reading(engine: Engine) -> Engine:
    """The same connections in autocommit mode on PostgreSQL: a transaction around each statement would cost two useless
    round trips, because every statement sees its own snapshot anyway."""
    level = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
    return engine.execution_options(is_reading=True, **level)


def now(connection: Connection) -> datetime:
    """The database's clock. For SQLite it is this machine's, on which all its processes run."""
    if connection.dialect.name == "sqlite":
        return datetime.fromtimestamp(time.time(), UTC)
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)


@contextmanager
def errors_translated() -> Iterator[None]:
    """Translate failures of the database to StorageUnavailable; our own mistakes pass unchanged."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as error:
        raise _unavailable(error) from error
    except DatabaseError as error:
        # Of its subclasses only those above concern the database; a damaged file raises this class itself.
        if type(error) is not DatabaseError:
            raise
        raise _unavailable(error) from error
    except (PoolTimeout, DisconnectionError) as error:
        raise StorageUnavailable("all connections to the database are busy: try again in a few seconds") from error


def _unavailable(error: DBAPIError) -> StorageUnavailable:
    if getattr(error.orig, "sqlstate", None) in CONFLICTS:
        return TransactionConflict("the database is busy: try again in a few seconds")
    reason = _reason(str(error.orig).lower())
    logger.error("database error: %s", error.orig)
    return StorageUnavailable(f"{reason}: nothing was changed; try again later")


def _reason(message: str) -> str:
    if "locked" in message or "timeout" in message:
        return "the database is busy"
    if "full" in message or "no space" in message:
        return "the database's disk is full"
    if "readonly" in message or "read-only" in message:
        return "the database is read-only"
    if "malformed" in message or "not a database" in message:
        return "the database is damaged"
    return "the database does not respond"


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def repeated_on_conflict(method: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Wrap a method that is one transaction so that it is retried after a conflict."""

    @functools.wraps(method)
    def repeated(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        for attempt in range(1, ATTEMPTS):
            try:
                return method(*arguments, **named)
            except TransactionConflict:
                time.sleep(0.01 * attempt)
        return method(*arguments, **named)

    return repeated
