"""Databases for tests: SQLite files and databases of a real PostgreSQL server, with nothing but our tables.

tests/conftest.py makes its fixtures known to all tests.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from src.services.storage.sql.opening import open_storage
from src.services.storage.sql.tables import metadata
from tests.postgres_server import PostgresServer, postgres_or_skip


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests."""
    with postgres_or_skip() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """The URL of a database with our tables, which tests empty before they use it."""
    url = postgres.url(postgres.new_database())
    open_storage(url).close()
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables, of which copies are made."""
    path = tmp_path_factory.mktemp("sqlite") / "runs.db"
    open_storage(f"sqlite:///{path}").close()
    return path


def database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a database with nothing but our tables."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "runs.db")
        return f"sqlite:///{folder}/runs.db"
    url: str = request.getfixturevalue("migrated_postgres")
    empty(url)
    return url


def empty(url: str) -> None:
    """Take everything out of the tables. Making a database anew would take twenty times as long."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        connection.execute(others, [connection.info.dbname])
        names = sql.SQL(", ").join(sql.Identifier(table.name) for table in metadata.sorted_tables)
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
