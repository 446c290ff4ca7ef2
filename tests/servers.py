"""Real service processes on one database, which tests kill at any moment, and their client."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api.real_service import HANGING, stores_in
from tests.conftest import PROJECT, SANDBOX_IMAGE, SANDBOX_PYTHON

LEASE_SECONDS = 60
"""No machine pauses a process for as long, so none loses a run by chance."""

HANG_SECONDS = 120.0
"""What has not happened by then never will: starting takes 2 s of a processor, of which others may want their part."""

FINISHED = {"succeeded", "failed", "cancelled", "timed_out"}

STRATEGY = """
from hqg_algorithms import Cadence, BarSize, Strategy, TargetWeights
import config

class Small(Strategy):
    universe = ["SPY", "BND"]
    cadence = Cadence(bar_size=BarSize.MONTHLY)

    def on_data(self, data, portfolio):
        print("month")
        return TargetWeights({"SPY": config.share, "BND": 1 - config.share})
"""


def free_port() -> int:
    """A port of 127.0.0.1 on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    """Whether a process listens on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def small_run(number: int) -> dict[str, Any]:
    """A request for a run of its own.

    Args:
        number: below a million.
    """
    window = {"start_date": "2015-01-01", "end_date": "2016-12-31"}
    return {"strategy_code": STRATEGY, "parameters": {"share": number / 1_000_000}, "name": f"run {number}", **window}


def hanging_run() -> dict[str, Any]:
    """A request for a run that never ends by itself."""
    return {"strategy_code": HANGING, "start_date": "2015-01-01", "end_date": "2015-12-31"}


@dataclass
class Server:
    """One service process; starting it again keeps its port.

    Attributes:
        folder: shared with other processes: files, and the database if that is SQLite.
        database_url: the database.
        settings: further environment variables.
    """

    folder: Path
    database_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; it listens some seconds later."""
        environment = os.environ | {
            "API_PORT": str(self.port),
            **stores_in(self.folder),
            "DATABASE_URL": self.database_url,
            "DATA_PROVIDER": "mock",
            "SANDBOX": "bubblewrap",
            "SANDBOX_IMAGE": SANDBOX_IMAGE,
            "SANDBOX_PYTHON": str(SANDBOX_PYTHON),
            "SANDBOX_POOL_SIZE": "1",
            "MAX_CONCURRENT_RUNS": "2",
            "RUN_LEASE_SECONDS": str(LEASE_SECONDS),
            "RUN_RETENTION": "1000",
            "RUN_MAX_ATTEMPTS": "50",
            "LOG_FORMAT": "json",
            **{f"RATE_LIMIT_{name}": "1000000" for name in ("PER_MINUTE", "PER_HOUR")},
            **{f"RATE_LIMIT_READS_{name}": "1000000" for name in ("PER_MINUTE", "PER_HOUR")},
            **self.settings,
        }
        with (self.folder / f"log-{self.port}").open("ab") as log:
            command = [sys.executable, "-m", "src.api"]
            self.process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)

    @property
    def url(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def wait_until_it_answers(self) -> None:
        """Wait until it serves."""
        until = time.monotonic() + HANG_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                if self.get("/health")["status"] == "healthy":
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log()[-3000:]}")

    def kill(self) -> None:
        """Kill it, as a lost machine would, without a chance to clean up."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Pause it, as on a machine that swaps or is migrated."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int | None:
        """Stop it cleanly; returns its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int | None:
        if self.process is None:
            return None
        self.process.send_signal(how)
        status = self.process.wait(HANG_SECONDS)
        self.process = None
        return status

    def log(self) -> str:
        """Everything it has written."""
        return (self.folder / f"log-{self.port}").read_text()

    def executed(self) -> list[str]:
        """The hashes of the runs that it executed, from its log."""
        return [json.loads(line)["run_hash"] for line in self.log().splitlines() if '"run executed"' in line]

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one answer."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own server
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()
        except http.client.HTTPException as error:
            # The server died in the middle of its answer: for a client that is a lost connection like any other.
            raise ConnectionError(f"the answer ended too early: {error!r}") from error

    def get(self, path: str) -> Any:
        """The JSON at that path; anything but 200 is an error."""
        status, _, body = self.request("GET", path)
        if status != 200:
            raise OSError(f"{status}: {body[:500]!r}")
        return json.loads(body)

    def submit(self, body: Mapping[str, Any]) -> str:
        """The hash of an accepted run, retrying while the server is killed and restarted."""
        until = time.monotonic() + HANG_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                status, _, answer = self.request("POST", "/api/v1/runs", body)
                assert status in (200, 201, 503), (status, answer)
                if status != 503:
                    return str(json.loads(answer)["run_hash"])
            time.sleep(0.05)
        raise AssertionError("the run was never accepted")

    def runs(self) -> list[dict[str, Any]]:
        """The summaries of all runs."""
        found, cursor = [], ""
        while True:
            page = self.get(f"/api/v1/runs?limit=100{cursor}")
            found += page["runs"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def events(self, run_hash: str) -> list[tuple[int, str, Any]]:
        """Id, kind and data of all events of a run, once it has ended."""
        status, _, body = self.request("GET", f"/api/v1/runs/{run_hash}/events")
        assert status == 200
        told = []
        for block in body.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith((":", "retry")))
            if fields:
                told.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        return told

    def result(self, run_hash: str) -> dict[str, Any]:
        """The whole answer without what may differ between equal runs."""
        answer: dict[str, Any] = self.get(f"/api/v1/runs/{run_hash}/result")
        for name in ("timings_ms", "sandbox"):
            del answer["provenance"][name]
        return answer


@contextlib.contextmanager
def servers(count: int, folder: Path, database_url: str | None = None, **settings: str) -> Iterator[list[Server]]:
    """That many service processes on one database, all answering, killed on leaving the block."""
    url = database_url or f"sqlite:///{folder}/runs.db"
    started = [Server(folder, url, settings) for _ in range(count)]
    try:
        for server in started:
            server.start()
        for server in started:
            server.wait_until_it_answers()
        yield started
    finally:
        for server in started:
            server.kill()


def wait_until_all_have_ended(server: Server, hashes: Collection[str]) -> list[dict[str, Any]]:
    """These runs, newest first, once all of them have ended."""
    n_ended, until = 0, time.monotonic() + HANG_SECONDS
    runs: list[dict[str, Any]] = []
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            runs = [run for run in server.runs() if run["run_hash"] in hashes]
            if sum(run["status"] in FINISHED for run in runs) == len(hashes):
                return runs
        if (n_now := sum(run["status"] in FINISHED for run in runs)) > n_ended:
            n_ended, until = n_now, time.monotonic() + HANG_SECONDS
        time.sleep(0.2)
    raise AssertionError(f"no run ends any more: {[(run['status'], run['attempt']) for run in runs]}")


def events_of_all(server: Server, hashes: Sequence[str]) -> dict[str, list[tuple[int, str, Any]]]:
    """The events of each run."""
    with ThreadPoolExecutor(4) as threads:
        return dict(zip(hashes, threads.map(server.events, hashes), strict=True))
