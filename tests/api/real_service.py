"""A service on real boxes, and the number of its boxes."""

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from src.api.server import create_app
from src.config.settings import Settings
from src.execution.sandbox.docker_sandbox import OWNER_LABEL
from tests.conftest import SANDBOX_IMAGE, SANDBOX_PYTHON
from tests.fakes.application import served, wait_until

WINDOW = {"start_date": "2015-01-01", "end_date": "2016-12-31"}
HANGING = """
from hqg_algorithms import Strategy

class Hanging(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        while True:
            pass
"""


@dataclass(frozen=True)
class Service:
    """A service on real boxes, in this process unless `pid` says otherwise."""

    port: int
    backend: str
    pid: int

    def post(self, path: str, body: Any, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, sent, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def ask(self, method: str, path: str) -> tuple[int, bytes]:
        """Status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def has_begun(self) -> bool:
        """Whether any run is running: a box may exist before that."""
        return bool(json.loads(self.ask("GET", "/api/v1/runs?status=running")[1])["runs"])

    def n_boxes(self) -> int:
        """Current number of boxes."""
        if self.backend == "bubblewrap":
            # Their launcher is our child.
            launched = [pid for child in _children(self.pid) for pid in _children(child)]
            return sum("bwrap" in _name(pid) for pid in launched)
        client = docker.from_env()
        with contextlib.closing(client):
            found = client.containers.list(all=True, filters={"label": OWNER_LABEL}, ignore_removed=True)
            return sum(f"/{self.pid}/" in container.labels[OWNER_LABEL] for container in found)

    @contextlib.contextmanager
    def hanging_run(self) -> Iterator[socket.socket]:
        """A client that waits for a run that never ends, once its box exists."""
        body = json.dumps({"strategy_code": HANGING, **WINDOW}).encode()
        head = "POST /api/v1/backtest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", self.port)) as stream:
            stream.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            wait_until(lambda: self.n_boxes() > 0)
            yield stream


def _children(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in file.read_text().split()]
    return found


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


def stores_in(folder: Path) -> dict[str, str]:
    """Environment variables of a service with its own stores."""
    folders = {"ARTIFACT_DIR": f"{folder}/artifacts", "BLOB_DIR": f"{folder}/blobs"}
    return {"DATABASE_URL": f"sqlite:///{folder}/runs.db", **folders}


@contextlib.contextmanager
def service_on(backend: str, folder: Path, **changes: Any) -> Iterator[Service]:
    """The service in this process, with its stores in that folder.

    Args:
        changes: settings of its own.
    """
    settings = {
        "data_provider": "mock",
        "sandbox": backend,
        "sandbox_image": SANDBOX_IMAGE,
        "sandbox_python": SANDBOX_PYTHON,
    }
    settings |= {name.lower(): value for name, value in stores_in(folder).items()}
    # No warm boxes: after each run no box may be left.
    with served(create_app(Settings(_env_file=None, sandbox_pool_size=0, **settings, **changes))) as port:
        yield Service(port, backend, os.getpid())
