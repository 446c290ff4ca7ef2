import re
import shutil
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from scripts.web_assets import FILES
from src.api.pages.documentation import DOCS_FOLDER, PAGE_POLICY, add_documentation_pages
from src.api.pages.plain_page import plain_page
from tests.fakes.application import make_app
from tests.fakes.backtests import FakeBacktests

PAGES = ("/docs", "/redoc")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as `make assets` leaves it, with stand-ins for the large files."""
    shutil.copytree(DOCS_FOLDER, tmp_path / "docs", ignore=shutil.ignore_patterns("vendor"))
    (tmp_path / "docs" / "vendor").mkdir()
    for name in FILES.values():
        if name.startswith("docs/"):
            (tmp_path / name).write_text("/* stand-in */")
    return tmp_path / "docs"


def thing() -> None:
    """A route to show."""


def client_of(folder: Path) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, title="Pages")
    app.add_api_route("/thing", thing, operation_id="thing")
    add_documentation_pages(app, folder)
    return TestClient(app)


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_a_page_loads_is_served_by_us(built, page):
    client = client_of(built)
    html = client.get(page).text
    loaded = re.findall(r"<(?:link|script)[^>]* (?:src|href)=[\"']([^\"']+)", html)
    assert any("vendor" in address for address in loaded)
    for address in loaded:
        assert not address.startswith(("http:", "https:", "//")), "a page must work without internet"
        if not address.startswith("data:"):
            answer = client.get("/" + address)
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_inline_script_and_a_policy_that_forbids_it(built, page):
    answer = client_of(built).get(page)
    assert re.findall(r"<script>|<script(?! src=)|\son\w+=", answer.text) == []
    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
    assert "script-src 'self';" in PAGE_POLICY


@pytest.mark.parametrize("page", PAGES)
def test_without_built_files_the_page_is_plain_and_complete(tmp_path, page):
    shutil.copytree(DOCS_FOLDER, tmp_path / "docs", ignore=shutil.ignore_patterns("vendor"))
    html = client_of(tmp_path / "docs").get(page).text
    assert "GET /thing" in html
    assert "make assets" in html
    assert "<script" not in html


def test_the_plain_page_shows_every_operation_field_and_example():
    app = make_app(FakeBacktests())
    html = plain_page(app.openapi())
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in html
    assert "risk_free_rate" in html
    assert html.count("<pre>curl -s http://127.0.0.1:8005/api/v1/backtest ") == 3
    assert "<script" not in html


def test_no_file_outside_the_folder_is_served(built):
    client = client_of(built)
    for path in ("/docs/../package.json", "/docs/%2e%2e/package.json", "/docs/..%2fpackage.json", "/docs/vendor"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_each_page_links_to_the_studio_and_to_the_others(built, page):
    html = client_of(built).get(page).text
    assert re.findall(r'<a href="([^"]+)"', html) == [".", "docs/strategies", "docs", "redoc", "openapi.json"]
    assert f'<a href="{page[1:]}" aria-current="page">' in html


def test_the_reference_of_strategies_is_a_page_with_its_tables_code_and_anchors(built):
    client = client_of(built)
    answer = client.get("/docs/strategies")
    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
    assert "<td><code>data.history(symbol, n, field=&quot;close&quot;)</code></td>" in answer.text
    assert "class TurnOfTheMonth(Strategy):" in answer.text
    assert "<script" not in answer.text
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= set(re.findall(r'<h\d id="([^"]+)"', answer.text))
    for address in re.findall(r'href="([^"#:]+)"', answer.text):
        assert address in {"..", "../docs"} or client.get(f"/docs/{address}").status_code == 200, address


def test_every_group_of_operations_is_described_and_no_other():
    document = make_app(FakeBacktests()).openapi()
    used = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert {tag["name"] for tag in document["tags"]} == used
    assert all(len(tag["description"]) > 20 for tag in document["tags"])
    assert "/api/v1/runs" in document["info"]["description"]


@pytest.mark.parametrize("path", ["/api/v1/backtest", "/api/v1/runs"])
def test_fields_in_the_query_have_no_default_that_a_page_would_send(path):
    operation = make_app(FakeBacktests()).openapi()["paths"][path]["post"]
    fields = [parameter for parameter in operation["parameters"] if "text/x-python" in parameter.get("description", "")]
    assert len(fields) > 10
    assert [field["name"] for field in fields if "default" in field["schema"] or "content" in field] == []
    told = {field["name"]: field["description"] for field in fields}
    assert told["initial_capital"].endswith("Default: 10000.0.")
