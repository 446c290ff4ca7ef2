"""Transactions: error translation and retries."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from src.services.storage.errors import StorageUnavailable
from src.services.storage.sql.database import ATTEMPTS, Database, TransactionConflict, repeated_on_conflict
from src.services.storage.sql.opening import open_engine


@pytest.fixture
def database(bare_url: str) -> Iterator[Database]:
    engine = open_engine(bare_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (id INTEGER PRIMARY KEY, value INTEGER)"))
        connection.execute(text("INSERT INTO numbers VALUES (1, 0), (2, 0)"))
    yield Database(engine, busy_seconds=10)
    engine.dispose()


def value(database: Database, number: int) -> int:
    with database.reading() as connection:
        return int(connection.execute(text("SELECT value FROM numbers WHERE id = :id"), {"id": number}).scalar_one())


def test_a_transaction_that_raises_is_rolled_back(database: Database) -> None:
    with pytest.raises(KeyError), database.writing() as transaction:
        transaction.connection.execute(text("UPDATE numbers SET value = 5"))
        raise KeyError
    assert value(database, 1) == 0


def test_our_own_mistakes_are_not_reported_as_outages(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as transaction:
        transaction.connection.execute(text("INSERT INTO numbers VALUES (1, 1)"))


def test_errors_never_show_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.writing() as transaction:
        transaction.connection.execute(text("INSERT INTO numbers VALUES (1, :v)"), {"v": 987654321})
    assert "987654321" not in str(caught.value)


def test_the_databases_clock_is_the_time(database: Database) -> None:
    # Of one machine, but rounded in two ways.
    before = datetime.now(UTC) - timedelta(milliseconds=5)
    with database.writing() as transaction:
        assert before <= transaction.now <= datetime.now(UTC) + timedelta(milliseconds=5)
        assert transaction.now.tzinfo is UTC


def test_nothing_is_lost_when_many_change_the_same_number(database: Database) -> None:
    def add(_: int) -> None:
        with database.writing() as transaction:
            transaction.lock("numbers")
            before = transaction.connection.execute(text("SELECT value FROM numbers WHERE id = 1")).scalar_one()
            transaction.connection.execute(text("UPDATE numbers SET value = :v WHERE id = 1"), {"v": before + 1})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(40)))
    assert value(database, 1) == 40


@pytest.mark.parametrize("bare_url", ["postgresql"], indirect=True)
def test_a_deadlock_is_resolved_and_both_transactions_complete(database: Database) -> None:
    both_hold_one = threading.Barrier(2)
    n_calls = 0

    @repeated_on_conflict
    def change(first: int, second: int) -> None:
        nonlocal n_calls
        n_calls += 1
        with database.writing() as transaction:
            for number in (first, second):
                increase = text("UPDATE numbers SET value = value + 1 WHERE id = :id")
                transaction.connection.execute(increase, {"id": number})
                if number == first and n_calls <= 2:
                    both_hold_one.wait(60)

    with ThreadPoolExecutor(2) as threads:
        for done in (threads.submit(change, 1, 2), threads.submit(change, 2, 1)):
            done.result(30)
    assert (value(database, 1), value(database, 2)) == (2, 2)
    assert n_calls == 3


def test_a_permanent_conflict_is_finally_reported() -> None:
    n_calls = 0

    @repeated_on_conflict
    def never() -> None:
        nonlocal n_calls
        n_calls += 1
        raise TransactionConflict("busy")

    with pytest.raises(StorageUnavailable):
        never()
    assert n_calls == ATTEMPTS


def test_an_outage_is_not_retried() -> None:
    n_calls = 0

    @repeated_on_conflict
    def fails() -> None:
        nonlocal n_calls
        n_calls += 1
        raise StorageUnavailable("gone")

    with pytest.raises(StorageUnavailable):
        fails()
    assert n_calls == 1


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_a_thread_waits_for_its_turn_only_up_to_the_limit(storage_url: str) -> None:
    engine = open_engine(storage_url)
    database = Database(engine, busy_seconds=0.1)
    may_end = threading.Event()

    def hold(is_held: Callable[[], None]) -> None:
        with database.writing():
            is_held()
            may_end.wait(60)

    held = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        holder = threads.submit(hold, held.set)
        assert held.wait(60)
        with pytest.raises(StorageUnavailable, match="busy"), database.writing():
            pass
        assert not holder.done(), "it waited for the other's end"
        may_end.set()
        holder.result()
    engine.dispose()
