"""A real browser on a real service."""

import contextlib
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from scripts.chromium import find_chromium
from src.api.pages.studio import STUDIO_FOLDER, is_built
from src.config.settings import PROJECT_FOLDER
from tests.conftest import SANDBOX_PYTHON, open_sandbox
from tests.fakes.application import wait_until
from tests.prerequisites import missing

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
CHROMIUM = find_chromium() or ""
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
]
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}

OpenPage = Callable[..., Page]

# What a test waits for comes when the machine gets to it: this is how long a page that hangs is believed to be slow.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    if not CHROMIUM:
        missing("STUDIO", "NO BROWSER: there is no Chromium (set CHROMIUM to its path)")
    if not is_built(STUDIO_FOLDER) or not AXE.is_file():
        missing("STUDIO", "NO STUDIO: its assets are not there: make assets")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield opened
        opened.close()


def free_port() -> int:
    """A free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def start_service(folder: Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """`python -m src.api` on made-up prices and a real sandbox, once it answers.

    Args:
        folder: has its database, artifacts and log.
    """
    settings = {
        "API_PORT": str(port),
        "DATA_PROVIDER": "mock",
        "SANDBOX": "bubblewrap",
        "SANDBOX_PYTHON": str(SANDBOX_PYTHON),
        "DATABASE_URL": f"sqlite:///{folder}/runs.db",
        "ARTIFACT_DIR": str(folder / "artifacts"),
        "BLOB_DIR": str(folder / "blobs"),
        "LOG_LEVEL": "WARNING",
        "RATE_LIMIT_PER_MINUTE": "100000",
        "RATE_LIMIT_PER_HOUR": "1000000",
        "RATE_LIMIT_READS_PER_MINUTE": "100000",
        "RATE_LIMIT_READS_PER_HOUR": "1000000",
    }
    log = folder / "service.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "src.api"],
            cwd=PROJECT_FOLDER,
            env={**os.environ, **settings, **environment},
            stdout=output,
            stderr=output,
        )
    wait_until(lambda: is_ready(port) or process.poll() is not None, seconds=60)
    assert process.poll() is None, log.read_text()[-4000:]
    return process


@contextlib.contextmanager
def running_service(folder: Path, **environment: str) -> Iterator[str]:
    """A service while the block lasts; gives its address."""
    need_sandbox()
    port = free_port()
    process = start_service(folder, port, **environment)
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(30)


def need_sandbox() -> None:
    """Skip, or fail where it is required, when no box can be opened."""
    open_sandbox("bubblewrap").close()


def is_ready(port: int) -> bool:
    """Whether the service answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def service(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one service that all tests of the story share."""
    with running_service(tmp_path_factory.mktemp("service")) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """open_page(address, **options of the context): a page in a context of its own.

    When the test ends, whatever a page has written to the console as an error fails it. What a test expects there it
    names as `allowed`, a list of parts of such messages.
    """
    contexts: list[BrowserContext] = []
    messages: list[str] = []
    expected: list[str] = []

    def open_it(address: str, *, allowed: list[str] | None = None, **options: object) -> Page:
        context = browser.new_context(**({"viewport": WIDE} | options))
        contexts.append(context)
        expected.extend(allowed or [])
        page = context.new_page()
        watch(page, messages)
        page.goto(address)
        return page

    yield open_it
    for context in contexts:
        context.close()
    surprising = [message for message in messages if not any(part in message for part in expected)]
    assert surprising == []


def watch(page: Page, messages: list[str]) -> None:
    """Collect what a page complains about."""
    page.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
