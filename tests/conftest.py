"""What many tests share: where real prices are, and real sandboxes where this machine has them."""

import functools
import gc
import os
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from src.execution.sandbox.base import BoxLimits, Sandbox
from src.execution.sandbox.selection import select_sandbox
from tests.databases import migrated_postgres, migrated_sqlite, postgres
from tests.fakes.price_files import write_made_up_prices
from tests.prerequisites import (
    MARKET_DATA,
    PROJECT,
    market,
    missing,
    pytest_collection_modifyitems,
    pytest_terminal_summary,
)

__all__ = [
    "PROJECT",
    "migrated_postgres",
    "migrated_sqlite",
    "postgres",
    "pytest_collection_modifyitems",
    "pytest_terminal_summary",
]

# The speed of a machine is no property of the code, and the same code gets the same verdict twice.
# `pytest --hypothesis-profile=searching` looks for new examples.
settings.register_profile(
    "repeatable", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=50
)
settings.register_profile(
    "searching", settings.get_profile("repeatable"), derandomize=False, print_blob=True, max_examples=500
)
settings.load_profile("repeatable")

# Compiling vectorbt takes Numba a quarter of a minute; uncompiled, our cases take it two seconds.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so would all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep modules and collected tests out of garbage collections, each of which would take most of a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests that are coroutines run as the service does."""
    return "asyncio"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name long text by its beginning: a worker sends the name of a test with each of its reports."""
    return f"{val[:60]!a}..." if isinstance(val, str | bytes) and len(val) > 200 else None


SANDBOX_IMAGE = os.environ.get("SANDBOX_IMAGE", "hqg-backtester-sandbox")
SANDBOX_PYTHON = Path(os.environ.get("SANDBOX_PYTHON", PROJECT / ".venv-sandbox" / "bin" / "python"))


@pytest.fixture(scope="session")
def market_folder() -> Path:
    """The folder with real daily prices, adjusted; tests that need it are skipped where it is absent."""
    return market("daily")


@pytest.fixture(scope="session")
def price_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of daily prices for the strategies below: real ones, or made-up ones where there are none."""
    if (MARKET_DATA / "daily").is_dir():
        return MARKET_DATA / "daily"
    folder = tmp_path_factory.mktemp("made-up-prices")
    write_made_up_prices(folder, date(2009, 1, 1), date(2021, 12, 31))
    return folder


@pytest.fixture(scope="session")
def strategies_folder() -> Path:
    """The folder with one strategy in each dialect."""
    return PROJECT / "tests" / "strategies"


def open_sandbox(choice: str) -> Sandbox:
    """A sandbox of that kind; skips, or fails where it is required, when there is none.

    Args:
        choice: "docker", "docker+runsc" for gVisor, or "bubblewrap": a sandbox's name.
    """
    reason = sandbox_complaint(choice)
    if reason is not None:
        backend, _, runtime = choice.partition("+")
        missing("GVISOR" if runtime else backend.upper(), f"NO {choice.upper()} SANDBOX: {reason}")
    return _select(choice)


@functools.cache
def sandbox_complaint(choice: str) -> str | None:
    """None where that sandbox works, else why it does not; asked once a session."""
    sandbox = _select(choice)
    try:
        return sandbox.unavailable_reason()
    finally:
        sandbox.close()


def _select(choice: str) -> Sandbox:
    backend, _, runtime = choice.partition("+")
    return select_sandbox(
        backend,
        runtime=runtime,
        image=SANDBOX_IMAGE,
        python=SANDBOX_PYTHON,
        source_folder=PROJECT,
        limits=BoxLimits(),
    )


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("docker+runsc", marks=[pytest.mark.docker, pytest.mark.gvisor]),
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    ],
)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Each real sandbox in turn."""
    opened = open_sandbox(request.param)
    yield opened
    opened.close()
