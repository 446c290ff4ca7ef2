"""`make picture`: runs an example in the studio on synthetic prices and saves a screenshot as docs/studio.png."""

import os
import socket
import sys
import tempfile
from io import BytesIO

from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from scripts.chromium import find_chromium
from scripts.run import ROOT, CannotRun, sandbox_for, service, wait_until_healthy
from src.config.settings import load_settings

PICTURE = ROOT / "docs" / "studio.png"
MOST_BYTES = 350_000
COLOURS = 192
EXAMPLE = "Momentum: monthly, with a parameter and cost models"
SIZE = ViewportSize(width=1440, height=1000)
SWITCHES = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]


def main() -> int:
    """Make the picture; returns the exit status."""
    chromium = find_chromium()
    if not chromium:
        print(
            "Chromium not found. Install it, or run CHROMIUM=/path/to/chromium make picture",
            file=sys.stderr,
        )
        return 1
    os.chdir(ROOT)
    try:
        with tempfile.TemporaryDirectory() as folder:
            PICTURE.write_bytes(fewer_colours(picture_of_service(chromium, folder)))
    except CannotRun as problem:
        print(problem, file=sys.stderr)
        return 1
    size_bytes = PICTURE.stat().st_size
    print(f"{PICTURE.relative_to(ROOT)}: {size_bytes:,} bytes of at most {MOST_BYTES:,}")
    return 0 if size_bytes <= MOST_BYTES else 1


def picture_of_service(chromium: str, folder: str) -> bytes:
    """Serve synthetic prices with a temporary database and take a screenshot of the page as PNG.

    Raises:
        CannotRun: there is no box, or the service does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ |= {
        "API_HOST": "127.0.0.1",
        "API_PORT": str(port),
        "DATA_PROVIDER": "mock",
        "DATABASE_URL": f"sqlite:///{folder}/runs.db",
        "ARTIFACT_DIR": f"{folder}/artifacts",
        "BLOB_DIR": f"{folder}/blobs",
        "LOG_LEVEL": "WARNING",
    }
    settings = load_settings()
    with service({"SANDBOX": sandbox_for(settings)}) as process, sync_playwright() as playwright:
        wait_until_healthy(process, settings)
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        page = browser.new_page(viewport=SIZE, color_scheme="light", timezone_id="UTC", locale="en-US")
        page.goto(f"http://127.0.0.1:{port}/")
        picture = picture_of_example(page)
        browser.close()
        return picture


def picture_of_example(page: Page) -> bytes:
    """Run the example; returns the page as PNG once its orders are shown."""
    expect(page.locator("#reading")).to_contain_text("Ready")
    page.get_by_label("Start from").select_option(label=EXAMPLE)
    expect(page.locator("#reading")).to_contain_text("called monthly")
    page.locator("#terms button[type=submit]").click()
    expect(page.locator(".headlines")).to_be_visible(timeout=60_000)
    page.get_by_role("tab", name="Months").click()
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    return page.screenshot()


def fewer_colours(png: bytes) -> bytes:
    """The same picture with a palette: a third of the bytes, without a visible difference."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    small = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    written = BytesIO()
    small.save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main())
