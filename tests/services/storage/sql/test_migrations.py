"""Migrations create the tables of tables.py once and preserve existing data."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from src.services.storage.errors import StorageUnavailable
from src.services.storage.sql.database import Database
from src.services.storage.sql.migrating import MIGRATIONS, migrate
from src.services.storage.sql.opening import open_engine, open_storage
from src.services.storage.sql.tables import metadata
from tests.services.storage.samples import key, new_run


@pytest.fixture
def connection(bare_url: str) -> Iterator[Connection]:
    """A connection to a database that was migrated."""
    engine = open_engine(bare_url)
    migrate(Database(engine, busy_seconds=10))
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(connection: Connection) -> None:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, metadata) == []


def test_a_table_that_no_migration_makes_would_be_found(connection: Connection) -> None:
    connection.exec_driver_sql("DROP INDEX runs_in_line")
    connection.exec_driver_sql("ALTER TABLE presets DROP COLUMN created_at")
    context = MigrationContext.configure(connection)
    assert {step[0] for step in compare_metadata(context, metadata)} == {"add_index", "add_column"}


def test_details_results_and_events_go_with_their_run(connection: Connection) -> None:
    inspector = inspect(connection)
    for table in ("run_details", "run_results", "run_columns", "run_events"):
        (reference,) = inspector.get_foreign_keys(table)
        assert (reference["referred_table"], reference["options"]["ondelete"]) == ("runs", "CASCADE")


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


def test_migrations_form_one_sequence_and_are_numbered_in_order() -> None:
    names = [Path(script.path).name for script in _scripts().walk_revisions()]
    assert len(names) == len(list((MIGRATIONS / "versions").glob("*.py")))
    assert [name[:4] for name in reversed(names)] == [f"{number:04}" for number in range(1, len(names) + 1)]


def test_migrating_twice_changes_nothing(storage_url: str) -> None:
    engine = open_engine(storage_url)
    migrate(Database(engine, busy_seconds=10))
    migrate(Database(engine, busy_seconds=10))
    engine.dispose()


def test_tickers_stored_beside_the_request_are_moved_into_it(bare_url: str) -> None:
    plain, with_tickers = {"seed": 1}, {"strategy_code": 'x = "}"'}
    with closing(open_storage(bare_url)) as storage:
        storage.runs.submit(new_run(1, request=plain))
        storage.runs.submit(new_run(2, request=with_tickers))
    engine = open_engine(bare_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE run_details ADD COLUMN universe TEXT")
        connection.execute(
            text("UPDATE run_details SET universe = :universe WHERE request = :request"),
            {"universe": '["TLT","GLD"]', "request": '{"strategy_code":"x = \\"}\\""}'},
        )
        with Operations.context(MigrationContext.configure(connection)):
            _scripts().get_revision("0003").module.upgrade()
    engine.dispose()
    with closing(open_storage(bare_url)) as storage:
        details = [storage.runs.details(key(number)) for number in (1, 2)]
    assert [of and of.request for of in details] == [plain, with_tickers | {"universe": ["TLT", "GLD"]}]


def test_a_run_accepted_before_datasets_had_names_has_none(bare_url: str) -> None:
    with closing(open_storage(bare_url)) as storage:
        storage.runs.submit(new_run())
    engine = open_engine(bare_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE run_details DROP COLUMN dataset")
        with Operations.context(MigrationContext.configure(connection)):
            _scripts().get_revision("0005").module.upgrade()
    engine.dispose()
    with closing(open_storage(bare_url)) as storage:
        details = storage.runs.details(key())
        assert details.dataset is None
        assert details.request == new_run().request
        assert storage.runs.datasets_in_use() == frozenset()


OPEN = "import sys; from src.services.storage.sql.opening import open_storage; open_storage(sys.argv[1]).close()"


@pytest.mark.slow
def test_processes_that_start_at_the_same_time_migrate_once(bare_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", OPEN, bare_url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said


def test_a_migration_that_fails_halfway_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE presets (x)")
    other.close()
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(StorageUnavailable):
        migrate(Database(engine, busy_seconds=10))
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["presets"]
    engine.dispose()


def test_an_installed_service_finds_the_migrations() -> None:
    assert (MIGRATIONS / "env.py").is_file()
    # The service's image imports every module of every package, and these only work inside Alembic.
    assert not list(MIGRATIONS.rglob("__init__.py"))


def test_concurrent_creations_of_one_file_all_succeed(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def open_at_once(folder: Path) -> None:
        start.wait(30)
        open_storage(f"sqlite:///{folder}/runs.db").close()

    with ThreadPoolExecutor(8) as threads:
        for attempt in range(12):
            list(threads.map(open_at_once, [tmp_path / str(attempt)] * 8))
