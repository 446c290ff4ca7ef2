"""Opening a database: what works without preparation, and the errors if it fails."""

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from src.services.storage.base import Storage
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.chain import Link
from src.services.storage.records.runs import RunFilter, RunStatus
from src.services.storage.sql.opening import open_engine, open_storage, stores
from tests.postgres_server import PostgresServer, postgres_or_skip
from tests.services.storage.samples import finished, key, link_builder, new_run, started, success

SECRET = "correct-horse-battery"  # noqa: S105 - made up, to look for it in messages


def test_a_sqlite_file_is_made_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "data" / "of the service" / "runs.db"
    with contextlib.closing(open_storage(f"sqlite:///{path}")) as storage:
        assert storage.runs.submit(new_run()).is_new
    assert path.is_file()


def test_a_relative_path_is_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_storage("sqlite:///data/runs.db").close()
    assert (tmp_path / "data" / "runs.db").is_file()


def test_stored_data_survives_reopening(open_again: Callable[[], Storage]) -> None:
    first = open_again()
    finished(first.runs, 1)
    first.runs.submit(new_run(2))
    first.close()
    second = open_again()
    run = second.runs.get(key(1))
    assert run.status == RunStatus.SUCCEEDED
    assert second.runs.counts().n_queued == 1


def test_two_processes_see_each_others_changes(open_again: Callable[[], Storage]) -> None:
    one, other = open_again(), open_again()
    one.runs.submit(new_run())
    lease = other.runs.claim(60)
    assert one.runs.heartbeat([lease], 60).lost == frozenset()
    other.runs.finish(lease, success())
    assert one.runs.result(key()) is not None


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StorageUnavailable, match="must name a file"):
        open_storage(url)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{SECRET}@host/runs",
        f"postgresql+asyncpg://me:{SECRET}@host/runs",
        f"me:{SECRET}@host",
        f"postgresql://me:{SECRET}@host:port/runs",
        f"postgresql://me:{SECRET}@127.0.0.1:1/runs",
        f"postgresql://me:{SECRET}@no-such-host.invalid/runs",
        f"postgresql://me:{SECRET}@127.0.0.1:1/runs?sslmode=nonsense",
        f"postgresql://127.0.0.1:1/runs?user=me&password={SECRET}",
    ],
)
def test_a_url_that_cannot_be_opened_is_explained_without_its_password(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StorageUnavailable, match="DATABASE_URL") as caught:
        open_storage(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text


def test_a_wrong_password_is_explained_without_showing_it(postgres: PostgresServer) -> None:
    url = postgres.url().replace(postgres.password, SECRET)
    with pytest.raises(StorageUnavailable, match="password") as caught:
        open_storage(url)
    assert SECRET not in str(caught.value)


def test_a_database_that_does_not_exist_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(StorageUnavailable, match="nowhere"):
        open_storage(postgres.url("nowhere"))


def test_a_postgresql_database_that_cannot_store_all_text_is_refused(postgres: PostgresServer) -> None:
    name = postgres.new_database(encoding="LATIN1")
    with pytest.raises(StorageUnavailable, match="UTF8"):
        open_storage(postgres.url(name))


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"this is a letter to my aunt" * 1000)
    with pytest.raises(StorageUnavailable, match="not a database"):
        open_storage(f"sqlite:///{tmp_path}/runs.db")


def test_a_folder_in_place_of_the_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "runs.db").mkdir()
    with pytest.raises(StorageUnavailable, match="must be able to write"):
        open_storage(f"sqlite:///{tmp_path}/runs.db")


def test_a_file_in_place_of_the_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageUnavailable, match="folder"):
        open_storage(f"sqlite:///{tmp_path}/data/runs.db")


READ_ONLY = """
import os, sys
from src.services.storage.errors import (StorageUnavailable)
from src.services.storage.sql.opening import open_storage
open_storage(sys.argv[1]).close()  # imports everything while it may
os.setuid(65534)
try:
    open_storage(sys.argv[1])
except StorageUnavailable as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without write access")
def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = Path("/dev/shm") / f"unwritable-{os.getpid()}"  # noqa: S108 - pytest's own folders cannot be entered
    folder.mkdir(mode=0o755)
    try:
        (folder / "runs.db").write_bytes(migrated_sqlite.read_bytes())
        command = [sys.executable, "-c", READ_ONLY, f"sqlite:///{folder}/runs.db"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        (folder / "runs.db").unlink()
        folder.rmdir()
    assert "must be able to write" in done.stdout


def test_a_database_of_a_newer_version_is_not_changed(bare_url: str) -> None:
    open_storage(bare_url).close()
    engine = open_engine(bare_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageUnavailable, match="another version of this service"):
        open_storage(bare_url)


def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/runs.db")
    with engine.connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "foreign_keys")]
    engine.dispose()
    assert settings == [2, 1]


def test_sqlite_allows_reads_during_a_write(tmp_path: Path) -> None:
    with contextlib.closing(open_storage(f"sqlite:///{tmp_path}/runs.db")) as storage:
        finished(storage.runs)
        with contextlib.closing(sqlite3.connect(tmp_path / "runs.db")) as other:
            assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            other.execute("BEGIN IMMEDIATE")
            assert storage.runs.get(key()) is not None
            assert len(storage.runs.page("local", RunFilter(), limit=9).runs) == 1
            other.rollback()


def open_files(folder: Path) -> list[Path]:
    """What this process has open there."""
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            targets.append(descriptor.readlink())
    return [target for target in targets if target.is_relative_to(folder)]


def test_connections_opened_while_the_disk_was_read_only_do_not_prevent_later_writes(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/runs.db")
    with contextlib.closing(stores(engine)) as storage:
        readers = engine.execution_options(is_reading=True)
        with readers.connect() as one, readers.connect() as other:
            for connection in (one, other):
                connection.exec_driver_sql("PRAGMA query_only = ON")  # as long as the connection lasts
        with pytest.raises(StorageUnavailable, match="is read-only"):
            storage.runs.submit(new_run())
        assert open_files(tmp_path) == [], "SQLite keeps its initial state as long as one connection exists"
        assert storage.runs.submit(new_run()).is_new


def test_a_writer_waits_for_another_process(tmp_path: Path) -> None:
    with (
        contextlib.closing(open_storage(f"sqlite:///{tmp_path}/runs.db")) as storage,
        contextlib.closing(sqlite3.connect(tmp_path / "runs.db", check_same_thread=False)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        is_free = threading.Event()

        def free() -> None:
            is_free.set()
            other.rollback()

        timer = threading.Timer(0.3, free)
        timer.start()
        assert storage.runs.submit(new_run()).is_new
        assert is_free.is_set()
        timer.join()


def test_a_writer_that_waits_too_long_gets_an_error(tmp_path: Path) -> None:
    with contextlib.closing(stores(open_engine(f"sqlite:///{tmp_path}/runs.db", busy_seconds=0.2))) as storage:
        with contextlib.closing(sqlite3.connect(tmp_path / "runs.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match="busy") as caught:
                storage.runs.submit(new_run())
        assert caught.value.retry_after_seconds > 0
        assert storage.runs.submit(new_run()).is_new


def test_a_full_disk_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/runs.db")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 60"))
    with contextlib.closing(stores(engine)) as storage:
        lease = started(storage.runs, 1)
        with pytest.raises(StorageUnavailable, match="full"):
            storage.runs.submit(new_run(2, request={"strategy_code": "x" * 1_000_000}))
        assert storage.runs.get(key(2)) is None
        assert storage.runs.finish(lease, success())


def test_a_damaged_file_is_reported_while_serving(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with contextlib.closing(open_storage(f"sqlite:///{path}")) as storage:
        for number in range(50):
            finished(storage.runs, number)
    damaged = bytearray(path.read_bytes())
    damaged[8192:] = os.urandom(len(damaged) - 8192)
    path.write_bytes(damaged)
    with (
        pytest.raises(StorageUnavailable, match="damaged"),
        contextlib.closing(open_storage(f"sqlite:///{path}")) as it,
    ):
        for number in range(50):
            it.runs.details(key(number))


@pytest.mark.integration
def test_a_restarted_postgresql_is_used_again() -> None:
    with postgres_or_skip() as server, contextlib.closing(open_storage(server.url())) as storage:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda number: storage.runs.submit(new_run(number)), range(8)))
        server.stop()
        with pytest.raises(StorageUnavailable, match="does not respond"):
            storage.runs.get(key(1))
        with pytest.raises(StorageUnavailable, match="does not respond"):
            storage.runs.claim(60)
        server.start()
        assert storage.runs.claim(60) is not None
        assert storage.runs.counts().n_queued == 7


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_connection_cut_mid_transaction_rolls_it_back(storage_url: str, postgres: PostgresServer) -> None:
    with contextlib.closing(open_storage(storage_url)) as storage:
        run = finished(storage.runs)

        def cut(number: int, previous_hash: str) -> Link:
            engine = create_engine(postgres.url().replace("postgresql:", "postgresql+psycopg:"))
            with engine.begin() as connection:
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                connection.execute(text(others), {"name": storage_url.rsplit("/", 1)[1]})
            engine.dispose()
            return link_builder(run)(number, previous_hash)

        with pytest.raises(StorageUnavailable):
            storage.chain.append(run, cut)
        assert storage.chain.links("local") == []


def test_other_users_cannot_read_the_file(tmp_path: Path) -> None:
    open_storage(f"sqlite:///{tmp_path}/runs.db").close()
    assert stat.S_IMODE((tmp_path / "runs.db").stat().st_mode) == 0o600
