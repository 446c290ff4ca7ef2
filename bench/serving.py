"""A real server in its own process, on a temporary database and folders, and a client that times it."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PLENTY = "1000000"
START_SECONDS = 60.0
KEPT_SECONDS = 3.0
"""uvicorn closes a connection that is idle for five."""
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """Its address and process."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        """As a URL without a path."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_milliseconds(self) -> float:
        """Processor time of its process so far, all threads together, without boxes and helpers."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICKS_A_SECOND

    def memory_mb(self, name: str = "VmRSS") -> int:
        """Resident memory of its process; VmHWM is its peak."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return int(status[name].split()[0]) // 1024


@contextlib.contextmanager
def serving(
    settings: Mapping[str, str], *, checkout: Path = PROJECT, app: str = "src.api.server:app"
) -> Iterator[Server]:
    """A server that answers.

    Args:
        settings: environment variables in place of this process's. Without DATABASE_URL among them it gets an SQLite
            separate file: a benchmark never writes to the database in DATABASE_URL.
        checkout: the project's folder; another one measures another version beside this one.
        app: what uvicorn serves.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = {
            "DATABASE_URL": f"sqlite:///{folder}/runs.db",
            "ARTIFACT_DIR": f"{folder}/artifacts",
            "BLOB_DIR": f"{folder}/blobs",
            "RATE_LIMIT_PER_MINUTE": PLENTY,
            "RATE_LIMIT_PER_HOUR": PLENTY,
            "RATE_LIMIT_READS_PER_MINUTE": PLENTY,
            "RATE_LIMIT_READS_PER_HOUR": PLENTY,
            "LOG_LEVEL": "ERROR",
        }
        port = _free_port()
        command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "error", "--no-access-log"]
        process = subprocess.Popen(command, cwd=checkout, env={**os.environ, **own, **settings})
        try:
            yield _once_up(Server(port, process.pid), process)
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _once_up(server: Server, process: "subprocess.Popen[bytes]") -> Server:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), contextlib.closing(Client(server)) as client:
            if client.ask("GET", "/health").status == 200:
                return server
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


@dataclass(frozen=True)
class Answer:
    """An answer, and the milliseconds until all of it had arrived."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float


class Client:
    """One connection, kept open as by a browser."""

    def __init__(self, server: Server, timeout_seconds: float = 300.0) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout_seconds)
        self._used_at = 0.0

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request; the body is JSON."""
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        self._be_connected()
        began = time.perf_counter()
        self._connection.request(method, path, body, sent)
        answer = self._connection.getresponse()
        said = answer.read()
        spent = (time.perf_counter() - began) * 1e3
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, said, spent)

    def _be_connected(self) -> None:
        if time.monotonic() - self._used_at > KEPT_SECONDS:
            self._connection.close()
            self._connection.connect()
        self._used_at = time.monotonic()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
