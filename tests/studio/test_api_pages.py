"""The pages of the API as a person uses them: the largest button works, and the way back is there."""

import re

import pytest
from playwright.sync_api import Page, expect

from src.api.pages.documentation import DOCS_FOLDER
from tests.prerequisites import missing
from tests.studio.conftest import OpenPage

SCHEMES = ("light", "dark")
LOGO = "cdn.redoc.ly"
"""ReDoc asks for its maker's logo, which the policy of the page refuses."""


@pytest.fixture(autouse=True)
def _built() -> None:
    if not (DOCS_FOLDER / "vendor" / "swagger-ui-bundle.js").is_file():
        missing("STUDIO", "NO STUDIO: its assets are not there: make assets")


def executed(page: Page, operation: str) -> str:
    """Open an operation of Swagger, press Execute, and tell the status of the answer."""
    block = page.locator(f"#operations-{operation}")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Execute").click()
    status = block.locator(".live-responses-table tbody .response-col_status").first
    expect(status).to_contain_text(re.compile(r"\d{3}"))
    return str(status.inner_text())[:3]


def test_execute_works_as_the_page_comes(service: str, open_page: OpenPage) -> None:
    page = open_page(f"{service}docs")
    assert executed(page, "health-health") == "200"
    assert executed(page, "backtests-validate_strategy") == "200"
    # Tests that share this service may have submitted the same example.
    assert executed(page, "runs-submit_run") in {"200", "201"}
    assert executed(page, "runs-list_runs") == "200"
    # Last, for its long answer makes the page slow.
    assert executed(page, "backtests-run_backtest") == "200"


def test_a_field_that_is_filled_in_beside_a_source_is_sent(service: str, open_page: OpenPage) -> None:
    page = open_page(f"{service}docs", allowed=["400 (Bad Request)"])
    block = page.locator("#operations-backtests-run_backtest")
    block.locator(".opblock-summary-control").click()
    block.locator(".opblock-section-request-body select").first.select_option("text/x-python")
    block.locator(".opblock-section-request-body textarea").fill("import os")
    for name, text in (("start_date", "2015-01-01"), ("end_date", "2015-12-31")):
        block.locator(f'tr[data-param-name="{name}"] input').fill(text)
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table")).to_contain_text("Import of 'os' is not allowed")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("path", "content"), [("docs", ".swagger-ui .opblock"), ("redoc", "#redoc h1")])
def test_a_page_is_as_dark_as_the_system(
    service: str, open_page: OpenPage, path: str, content: str, scheme: str
) -> None:
    page = open_page(f"{service}{path}", color_scheme=scheme, allowed=[LOGO])
    expect(page.locator(content).first).to_be_visible()
    for shown in (scheme, *(other for other in SCHEMES if other != scheme)):
        page.emulate_media(color_scheme=shown)  # type: ignore[arg-type] # one of SCHEMES
        expect(page.locator("html")).to_have_class(re.compile("dark-mode" if shown == "dark" else r"^(?!.*dark-mode)"))
        letters = page.locator("h1" if path == "redoc" else ".info .title").first
        brightness = letters.evaluate(
            "e => Math.max(...getComputedStyle(e).color.match(/\\d+/g).slice(0, 3).map(Number))"
        )
        assert (brightness > 128) == (shown == "dark")


def test_every_page_leads_back_to_the_studio(service: str, open_page: OpenPage) -> None:
    page = open_page(f"{service}docs", allowed=[LOGO])
    for name, address in (("ReDoc", "redoc"), ("Swagger", "docs"), ("Studio", "")):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        page.wait_for_url(f"{service}{address}")


def test_groups_and_the_page_are_introduced(service: str, open_page: OpenPage) -> None:
    page = open_page(f"{service}docs")
    expect(page.locator(".info")).to_contain_text("press Execute")
    expect(page.locator("#operations-tag-runs")).to_contain_text("Stored backtests")
