"""The real application on fake services, in memory or behind a real uvicorn."""

import asyncio
import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from src.api.server import create_app
from src.app.durable_runs import durable_runs
from src.app.services import Services
from src.config.settings import Settings
from src.execution.reading.reading import Reading
from src.execution.reading.strategy_source import StrategyDescription
from src.execution.sandbox.base import Enforcement
from src.services.admission.reading_slots import ReadingSlots
from src.services.backtests.reading_cache import ReadingCache
from src.services.data_provider.queries import MarketData
from src.services.library.presets import Presets
from src.services.results.artifacts import Artifacts
from src.services.runs.queries import RunQueries
from src.services.runs.retention import RunFiles
from src.services.storage.base import Storage
from src.services.storage.records.runs import RunKey
from tests.fakes.backtests import FakeBacktests
from tests.fakes.run_store import fake_storage

BACKTEST = "/api/v1/backtest"
RUNS = "/api/v1/runs"
REQUEST = {"strategy_code": "class S: pass", "start_date": "2015-01-01", "end_date": "2015-12-31"}


def another(number: int) -> dict[str, Any]:
    """A request for another run with each number."""
    return REQUEST | {"seed": number}


class FakeSandbox:
    """Reports that it works, or why not; no test of the API opens a box."""

    memory_bytes = 512 * 1024 * 1024
    enforcement = Enforcement(memory="container", processes="container")

    def __init__(self, name: str = "docker", reason: str | None = None) -> None:
        self.name, self.reason = name, reason

    def unavailable_reason(self) -> str | None:
        """See Sandbox.unavailable_reason."""
        return self.reason


class FakeFiles:
    """Seals nothing and records its calls; src.services.artifacts has the real one."""

    def __init__(self) -> None:
        self.sealed: list[RunKey] = []
        self.removed: list[RunKey] = []

    def seal(self, key: RunKey) -> None:
        """See RunFiles."""
        self.sealed.append(key)

    def remove(self, key: RunKey) -> None:
        """See RunFiles."""
        if key not in self.removed:
            self.removed.append(key)

    def clean_up(self) -> None:
        """See RunFiles."""


class FakeHelper:
    """Reads in this process."""

    def __init__(self, read: Callable[[str], Reading]) -> None:
        self._read = read

    def __call__(self, source: str) -> Reading:
        """See ReadsSources."""
        return self._read(source)

    def warm_up(self) -> None:
        """See ReadsSources."""

    def close(self) -> None:
        """See ReadsSources."""


def read_anything(_source: str) -> Reading:
    """Accepts any source: FakeBacktests runs none."""
    return Reading(StrategyDescription("S", 1, ("SPY",), None, needs_prelude=False), ())


class GivenSettings(Settings):
    """Settings from arguments alone; looking for each in the environment takes longer than making the application."""

    @classmethod
    def settings_customise_sources(
        cls, _: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_others: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """See BaseSettings."""
        return (init_settings,)


def make_app(
    backtests: FakeBacktests,
    sandbox: FakeSandbox | None = None,
    storage: Storage | None = None,
    files: RunFiles | None = None,
    market_data: MarketData | None = None,
    data_source: str = "unknown",
    artifact_folder: Path | None = None,
    read: Callable[[str], Reading] = read_anything,
    **settings: Any,
) -> FastAPI:
    """The real application with these services and settings, nothing read from the environment.

    Args:
        storage: by default one in memory, new with each start of the application.
        files: called for finished runs in the background; by default does nothing. Services.artifacts is real.
        market_data, data_source: see Services.
        artifact_folder: by default one that is removed in the end.
        read: reads a source.
    """

    @contextlib.asynccontextmanager
    async def open_services(settings: Settings) -> AsyncIterator[Services]:
        kept = storage or fake_storage()
        slots = ReadingSlots([FakeHelper(read)])
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(slots):
            async with durable_runs(backtests, kept.runs, files or FakeFiles(), settings) as durable:
                yield Services(
                    runs=durable.runs,
                    run_queries=RunQueries(kept.runs),
                    run_events=durable.run_events,
                    run_slots=durable.run_slots,
                    preparation_slots=durable.preparation_slots,
                    artifacts=Artifacts(artifact_folder or Path(folder), kept),
                    presets=Presets(kept.presets),
                    sandbox=sandbox or FakeSandbox(),
                    readings=ReadingCache(slots),
                    market_data=market_data,
                    data_source=data_source,
                )

    # Tests send more requests per minute than a person; tests of the limits set their own.
    limits = (
        "rate_limit_per_minute",
        "rate_limit_per_hour",
        "rate_limit_reads_per_minute",
        "rate_limit_reads_per_hour",
    )
    unlimited = dict.fromkeys(limits, 1_000_000) | {"allowed_hosts": ("testserver",)}
    return create_app(GivenSettings(**(unlimited | settings)), open_services)


@contextlib.contextmanager
def served(
    app: FastAPI, grace_seconds: int = 5, http: type[asyncio.Protocol] | Literal["auto"] = "auto"
) -> Iterator[int]:
    """A real uvicorn on 127.0.0.1 with that application; gives its port.

    Args:
        grace_seconds: how long requests under way may go on when the block is left.
        http: see uvicorn.Config.
    """
    # With its protocol named, like a server's own socket: otherwise asyncio sends small answers 40 ms late.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(100)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,
        http=http,
        timeout_graceful_shutdown=grace_seconds,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started, "the server did not start: see its log"
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)
        listening.close()
        assert not thread.is_alive(), "the server did not stop"


def wait_until(is_true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for another thread's action; fails if it does not happen in time.

    Args:
        seconds: longer than the slowest machine takes.
    """
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
