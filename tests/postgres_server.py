"""A throw-away PostgreSQL server of this machine's own programs, for tests and benchmarks."""

import contextlib
import functools
import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.prerequisites import missing

START_SECONDS = 120.0
USER = "backtester"
# Half the programs live outside PATH where several versions may be installed side by side.
USUAL_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine; the message says what was missing."""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class PostgresServer:
    """A server on 127.0.0.1 that can be stopped and started again.

    Attributes:
        port: where it listens.
        password: of the user `backtester`, who may do everything.
    """

    programs: Path
    folder: Path
    is_durable: bool
    port: int = field(default_factory=_free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    _process: "subprocess.Popen[bytes] | None" = None
    _names: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str = "postgres") -> str:
        """The address of one of its databases, as DATABASE_URL takes it."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def new_database(self, encoding: str = "UTF8") -> str:
        """The name of an empty database made just now."""
        name = f"test_{next(self._names)}_{secrets.token_hex(3)}"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'").format(
            sql.Identifier(name), sql.Literal(encoding)
        )
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(made)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start it and wait until it answers."""
        careless = () if self.is_durable else ("-c", "fsync=off", "-c", "full_page_writes=off")
        command = [
            *(str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)),
            *("-h", "127.0.0.1", "-p", str(self.port), *careless),
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_until_we_die(), *command], stdout=log, stderr=log, cwd=self.folder, **_as_nobody_special()
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, as a restart by an operator does: connections are cut."""
        if self._process is not None:
            # Its "fast" shutdown.
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)
            self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=2):
            return True
        return False


@contextlib.contextmanager
def postgres_server(*, is_durable: bool = False) -> Iterator[PostgresServer]:
    """A running server, gone afterwards.

    Args:
        is_durable: it waits for the disk as a real one does; tests need not.

    Raises:
        NoPostgres
    """
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="postgres-") as made:
        folder = Path(made)
        server = PostgresServer(programs, folder, is_durable)
        password_file = folder / "password"
        password_file.write_text(server.password)
        if os.geteuid() == 0:
            for path in (folder, password_file):
                shutil.chown(path, "postgres", "postgres")
        _initialise(programs, folder, password_file)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def postgres_url(*, is_durable: bool = False) -> Iterator[str]:
    """The URL of an empty database on a server of its own."""
    with postgres_server(is_durable=is_durable) as server:
        yield server.url(server.new_database())


@contextlib.contextmanager
def postgres_or_skip() -> Iterator[PostgresServer]:
    """A running server; skips the test, or fails it where PostgreSQL is required, when there is none."""
    try:
        _programs()
    except NoPostgres as reason:
        missing("POSTGRES", f"NO POSTGRESQL: {reason}")
    with postgres_server() as server:
        yield server


def _initialise(programs: Path, folder: Path, password_file: Path) -> None:
    command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "-A", "scram-sha-256", "-N"]
    settings = ["--pwfile", str(password_file), "-E", "UTF8", "--locale", "C"]
    done = subprocess.run([*command, *settings], capture_output=True, cwd=folder, check=False, **_as_nobody_special())
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.decode()}")


@functools.cache
def _programs() -> Path:
    """The folder of the newest server programs that can be used here."""
    on_path = shutil.which("postgres")
    usual = [found for pattern in USUAL_FOLDERS for found in Path("/").glob(pattern[1:])]
    folders = [*sorted(usual, reverse=True), *([Path(on_path).resolve().parent] if on_path else [])]
    for folder in folders:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            if os.geteuid() == 0 and not _has_postgres_user():
                raise NoPostgres("it does not run as root and there is no user postgres")
            return folder
    raise NoPostgres("neither PATH nor /usr/lib/postgresql has its programs postgres and initdb")


def _has_postgres_user() -> bool:
    return any(user.pw_name == "postgres" for user in pwd.getpwall())


def _until_we_die() -> list[str]:
    """Lets the server stop when the tests are killed before they can stop it, where there is a program for that."""
    return ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []


def _as_nobody_special() -> dict[str, Any]:
    """The server refuses to run as root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
