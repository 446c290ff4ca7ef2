"""One database behind transactions: who waits for whom, what time it is, and which errors come out."""

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
"""PostgreSQL's serialization failure and deadlock: the transaction was undone and may simply be done again."""
ATTEMPTS = 4


class TransactionConflict(StorageUnavailable):
    """Two transactions were in each other's way and this one was undone."""


@dataclass(frozen=True)
class Transaction:
    """A transaction under way.

    Attributes:
        now: the time by the database's clock, which all service processes share.
    """

    connection: Connection
    now: datetime

    def lock(self, *names: str) -> None:
        """Wait until no other transaction has this lock; it is free again when this one ends.

        SQLite has one writer at a time anyway.
        """
        if self.connection.dialect.name == "postgresql":
            digest = hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).digest()
            number = int.from_bytes(digest[:8], "big", signed=True)
            self.connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


class Database:
    """Gives out transactions.

    Args:
        engine: as `opening.open_engine` makes it.
        busy_seconds: how long a thread waits for its turn to write.
    """

    def __init__(self, engine: Engine, busy_seconds: float) -> None:
        self._engine = engine
        self._reading = _for_reading(engine)
        self._busy_seconds = busy_seconds
        self._one_writer = Lock() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For statements that only read, each of which sees one state of the database."""
        with errors_translated(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that is kept when the block ends well, and undone when it raises."""
        with errors_translated(), self._turn(), self._engine.begin() as connection:
            yield Transaction(connection, now(connection))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite's turn to write: threads wake at once, where SQLite would look again every few milliseconds."""
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
    """The same connections. PostgreSQL would begin and end a transaction around each statement: two trips for nothing,
    because there every statement sees a state of its own anyway."""
    level = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
    return engine.execution_options(is_reading=True, **level)


def now(connection: Connection) -> datetime:
    """The database's own time. SQLite's is this machine's: all its processes are here."""
    if connection.dialect.name == "sqlite":
        return datetime.fromtimestamp(time.time(), UTC)
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)


@contextmanager
def errors_translated() -> Iterator[None]:
    """What the database cannot do at present is said as StorageUnavailable; mistakes of ours stay what they are."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as error:
        raise _unavailable(error) from error
    except DatabaseError as error:
        # Of its subclasses only those above are about the database; a damaged file comes as this class itself.
        if type(error) is not DatabaseError:
            raise
        raise _unavailable(error) from error
    except (PoolTimeout, DisconnectionError) as error:
        raise StorageUnavailable("all connections to the database are busy: try again in a few seconds") from error


def _unavailable(error: DBAPIError) -> StorageUnavailable:
    if getattr(error.orig, "sqlstate", None) in CONFLICTS:
        return TransactionConflict("the database is busy: try again in a few seconds")
    reason = _reason(str(error.orig).lower())
    logger.error("the database fails: %s", error.orig)
    return StorageUnavailable(f"{reason}: nothing was changed; try again later")


def _reason(said: str) -> str:
    if "locked" in said or "timeout" in said:
        return "the database is busy"
    if "full" in said or "no space" in said:
        return "the database's disk is full"
    if "readonly" in said or "read-only" in said:
        return "the database refuses to be written"
    if "malformed" in said or "not a database" in said:
        return "the database is damaged"
    return "the database does not answer"


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def repeated_on_conflict(method: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """A method that is one transaction, done again when another one was in its way."""

    @functools.wraps(method)
    def repeated(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        for attempt in range(1, ATTEMPTS):
            try:
                return method(*arguments, **named)
            except TransactionConflict:
                time.sleep(0.01 * attempt)
        return method(*arguments, **named)

    return repeated
