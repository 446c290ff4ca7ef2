"""What many tests share: where real prices are, and real sandboxes where this machine has them.

REQUIRE_DOCKER=1, REQUIRE_GVISOR=1 and REQUIRE_BUBBLEWRAP=1 turn "skipped, there is none" into a failure: CI sets them.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from src.execution.sandbox.base import BoxLimits, Sandbox
from src.execution.sandbox.selection import select_sandbox
from tests.databases import migrated_postgres, migrated_sqlite, postgres

__all__ = ["migrated_postgres", "migrated_sqlite", "postgres"]

PROJECT = Path(__file__).resolve().parent.parent
# How fast a machine is, is no property of the code, and the same code gets the same verdict twice.
# Fresh examples are looked for with `pytest --hypothesis-profile=searching`.
settings.register_profile("repeatable", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("searching", settings.get_profile("repeatable"), derandomize=False, print_blob=True)
settings.load_profile("repeatable")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so would all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SANDBOX_IMAGE = os.environ.get("SANDBOX_IMAGE", "hqg-backtester-sandbox")
SANDBOX_PYTHON = Path(os.environ.get("SANDBOX_PYTHON", PROJECT / ".venv-sandbox" / "bin" / "python"))


@pytest.fixture(scope="session")
def market_folder() -> Path:
    """The folder with real daily prices, adjusted; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("MARKET_DATA_DIR", PROJECT.parent / "shared" / "market"))
    if not (folder / "daily" / "SPY.parquet").is_file():
        pytest.skip(f"no real prices: {folder} has no daily/SPY.parquet (set MARKET_DATA_DIR)")
    return folder / "daily"


@pytest.fixture(scope="session")
def strategies_folder() -> Path:
    """The folder with one strategy in each dialect, skipped where it is absent."""
    folder = PROJECT.parent / "shared" / "strategies"
    if not folder.is_dir():
        pytest.skip(f"no strategies in {folder}")
    return folder


def open_sandbox(choice: str, limits: BoxLimits | None = None) -> Sandbox:
    """A sandbox of that kind; skips, or fails where it is required, when there is none.

    Args:
        choice: "docker", "docker+runsc" for gVisor, or "bubblewrap": a sandbox's name.
    """
    backend, _, runtime = choice.partition("+")
    sandbox = select_sandbox(
        backend,
        runtime=runtime,
        image=SANDBOX_IMAGE,
        python=SANDBOX_PYTHON,
        source_folder=PROJECT / "src",
        limits=limits or BoxLimits(),
    )
    reason = sandbox.unavailable_reason()
    if reason is not None:
        sandbox.close()
        if os.environ.get(f"REQUIRE_{'GVISOR' if runtime else backend.upper()}") == "1":
            pytest.fail(f"{choice} is required here, but {reason}")
        pytest.skip(f"NO {choice.upper()} SANDBOX: {reason}")
    return sandbox


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
