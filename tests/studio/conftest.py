"""A real browser on a real service."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from scripts.chromium import find_chromium
from src.api.pages.studio import STUDIO_FOLDER, is_built
from tests.conftest import open_sandbox
from tests.prerequisites import missing
from tests.servers import servers

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


@contextlib.contextmanager
def running_service(folder: Path, **environment: str) -> Iterator[str]:
    """A service while the block lasts; gives its address."""
    open_sandbox("bubblewrap").close()
    with servers(1, folder, **environment) as [server]:
        yield f"{server.url}/"


@pytest.fixture(scope="session")
def service(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one service that all tests of the story share."""
    with running_service(tmp_path_factory.mktemp("service")) as address:
        yield address


@contextlib.contextmanager
def opened_pages(browser: Browser) -> Iterator[OpenPage]:
    """open_page(address, **options of the context): a page in a context of its own.

    When the block ends, an error that a page has written to the console fails the test. What a test expects there it
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


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """The pages of one test: see `opened_pages`."""
    with opened_pages(browser) as open_it:
        yield open_it


def watch(page: Page, messages: list[str]) -> None:
    """Collect what a page complains about."""
    page.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
