"""The real application on fake services, in memory or behind a real uvicorn."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

from src.api.dependencies import Services
from src.api.server import create_app
from src.config.settings import Settings
from src.services.run_gate import RunGate
from tests.fakes.backtests import FakeBacktests

BACKTEST = "/api/v1/backtest"
REQUEST = {"strategy_code": "class S: pass", "start_date": "2015-01-01", "end_date": "2015-12-31"}


class FakeSandbox:
    """Says that it works, or why not; no test of the API opens a box."""

    memory_bytes = 512 * 1024 * 1024

    def __init__(self, name: str = "docker", reason: str | None = None) -> None:
        self.name, self.reason = name, reason

    def unavailable_reason(self) -> str | None:
        """See Sandbox.unavailable_reason."""
        return self.reason


def make_app(backtests: FakeBacktests, sandbox: FakeSandbox | None = None, **settings: Any) -> FastAPI:
    """The real application with these services and settings, nothing read from the environment's .env."""

    @contextlib.asynccontextmanager
    async def open_services(settings: Settings) -> AsyncIterator[Services]:
        gate = RunGate(max_running=settings.max_concurrent_runs, max_waiting=settings.max_queued_runs)
        yield Services(backtests=backtests, run_gate=gate, sandbox=sandbox or FakeSandbox())
        await gate.close()

    # Tests ask more in a minute than a person does; those of the limits set their own.
    unlimited = {"rate_limit_per_minute": 1_000_000, "rate_limit_per_hour": 1_000_000}
    return create_app(Settings(_env_file=None, **(unlimited | settings)), open_services)


@contextlib.contextmanager
def served(app: FastAPI, grace_seconds: int = 5) -> Iterator[int]:
    """A real uvicorn on 127.0.0.1 with that application; gives its port.

    Args:
        grace_seconds: how long requests under way may go on when the block is left.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=grace_seconds,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        assert not thread.is_alive(), "the server did not stop"


def wait_until(is_true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread does; fails when it does not happen in time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
