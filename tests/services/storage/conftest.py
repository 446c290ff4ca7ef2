"""Databases for tests: SQLite files, databases of a real PostgreSQL server, and the fake beside them."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from src.services.storage.base import Storage
from src.services.storage.sql.opening import open_storage
from tests.databases import database
from tests.fakes.run_store import fake_storage
from tests.postgres_server import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind, as DATABASE_URL names it."""
    return database(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind without tables, for tests that create or change tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.new_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def open_again(storage_url: str) -> Iterator[Callable[[], Storage]]:
    """Opens that database once more, as another process would; everything is closed afterwards."""
    with contextlib.ExitStack() as stack:

        def open_it() -> Storage:
            storage = open_storage(storage_url)
            stack.callback(storage.close)
            return storage

        yield open_it


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """The stores of each kind, empty: what `base.py` promises is tested on all of them."""
    if request.param == "fake":
        yield fake_storage()
        return
    with contextlib.closing(open_storage(database(request.param, request, tmp_path))) as opened:
        yield opened
