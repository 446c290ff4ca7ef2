"""The first page as served: its files, policy and examples, and the form without scripts."""

import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from src.api.pages import studio_texts as studio
from src.api.pages.plain_form import plain_form
from src.api.pages.studio import NEEDED, STUDIO_FOLDER, STUDIO_POLICY, add_studio
from src.errors import NoPrices, StrategyFailed, StrategyRejected
from src.models.metrics import MetricsAnswer
from src.models.request import BacktestRequest
from tests.fakes.application import wait_until
from tests.fakes.backtests import FakeBacktests

FORM = {"strategy_code": "class S: pass", "start_date": "2015-01-01", "end_date": "2015-12-31", "benchmark": "SPY"}
HOST = {"Host": "testserver"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The page's folder as `make assets` leaves it, with stand-ins for the large files."""
    folder = tmp_path / "studio"
    shutil.copytree(STUDIO_FOLDER, folder, ignore=shutil.ignore_patterns("vendor"))
    for name in NEEDED:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("// stand-in")
    return folder


def client_of(folder: Path) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(studio.router)
    add_studio(app, folder)
    return TestClient(app)


def sources_and_links(folder: Path) -> list[str]:
    html = (folder / "index.html").read_text("utf-8")
    return re.findall(r"(?:src|href)=\"([^\"]+)\"", html)


def test_everything_that_the_page_loads_is_served_by_us(built):
    client = client_of(built)
    loaded = [name for name in sources_and_links(built) if name.startswith("studio/") and "LICENSE" not in name]
    assert "studio/start.js" in loaded
    for name in loaded:
        assert client.get("/" + name).status_code == 200, name
    others = [name for name in sources_and_links(built) if name.startswith(("http:", "https:", "//"))]
    assert others == ["https://www.tradingview.com/"], "a link that the licence asks for, and nothing to load"


def test_every_module_that_a_module_imports_is_there(built):
    for module in built.rglob("*.js"):
        if module.parent.name == "vendor":
            continue
        for name in re.findall(r"from \"(\.[^\"]+)\"", module.read_text("utf-8")):
            assert (module.parent / name).resolve().is_file(), f"{module.name} imports {name}"


def test_the_policy_forbids_other_origins_and_inline_code(built):
    client = client_of(built)
    for path in ("/", "/studio/start.js", "/studio/service/result-worker.js", "/studio/style/base.css"):
        assert client.get(path).headers["Content-Security-Policy"] == STUDIO_POLICY
    assert "unsafe" not in STUDIO_POLICY
    assert "http" not in STUDIO_POLICY
    assert "default-src 'none'; script-src 'self';" in STUDIO_POLICY
    html = client.get("/").text
    assert re.findall(r"<script>|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=|<style", html) == []


def test_no_module_writes_html_or_evaluates_text(built):
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"style\""
    )
    for module in built.rglob("*.js"):
        if module.parent.name != "vendor":
            assert forbidden.findall(module.read_text("utf-8")) == [], module.name


def test_our_modules_stay_small(built):
    modules = [module for module in built.rglob("*.js") if module.parent.name != "vendor"]
    # Without JSDoc: types are not what makes a module long.
    lengths = {
        m.name: len(re.findall(r"^(?!\s*(?:/\*\*|\*)).*\n", m.read_text("utf-8"), re.MULTILINE)) for m in modules
    }
    assert len(lengths) > 30
    assert {name: length for name, length in lengths.items() if length > 225} == {}


def test_without_the_built_files_the_first_page_is_the_plain_one(tmp_path):
    shutil.copytree(STUDIO_FOLDER, tmp_path / "studio", ignore=shutil.ignore_patterns("vendor"))
    answer = client_of(tmp_path / "studio").get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/plain")


def test_no_file_outside_the_folder_is_served(built):
    client = client_of(built)
    for path in (
        "/studio/../package.json",
        "/studio/%2e%2e/package.json",
        "/studio/..%2fpackage.json",
        "/studio/vendor",
    ):
        assert client.get(path).status_code == 404


def test_the_examples_are_requests_that_the_service_takes(connect):
    examples = connect(FakeBacktests()).get("/studio/examples.json").json()
    assert len(examples) == 3
    for example in examples:
        assert example["title"]
        BacktestRequest.model_validate(example["request"])


def test_the_catalogue_explains_every_metric_of_an_answer(connect):
    catalogue = connect(FakeBacktests()).get("/studio/catalogue.json").json()
    names = [entry["name"] for entry in catalogue]
    assert sorted(names) == sorted(set(MetricsAnswer.model_fields) - {"undefined"})
    assert all(entry["group"] and entry["label"] and entry["explanation"] and entry["unit"] for entry in catalogue)


def test_the_page_needs_no_token_but_its_requests_do(connect):
    client = connect(FakeBacktests(), supabase_jwt_secret="secret")  # noqa: S106 - of this test only
    for path in ("/studio/examples.json", "/studio/catalogue.json", "/studio/start.js"):
        assert client.get(path).status_code == 200
    for path in ("/plain", "/api/v1/runs"):
        assert client.get(path).status_code == 401
    assert client.post("/plain", data=FORM).status_code == 401


def test_the_form_redirects_to_the_report_of_its_run(connect):
    backtests = FakeBacktests()
    client = connect(backtests)
    answer = client.post(
        "/plain", data=FORM | {"commission": '{"model": "rate", "rate": 0.001}'}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert re.fullmatch(r"/api/v1/runs/[0-9a-f]{64}/artifacts/report\.html", answer.headers["location"])
    wait_until(lambda: len(backtests.requests) == 1)
    assert backtests.requests[0].commission.rate == 0.001
    assert "artifacts/report.html" in client.get("/plain").text


def test_the_form_sends_lines_as_they_were_written(connect):
    backtests = FakeBacktests()
    connect(backtests).post("/plain", data=FORM | {"strategy_code": "a = 1\r\nb = 'ä'\r\n"}, follow_redirects=False)
    assert backtests.requests[0].strategy_code == "a = 1\nb = 'ä'\n"


def test_an_empty_benchmark_is_none_and_other_empty_fields_take_their_defaults(connect):
    backtests = FakeBacktests()
    values = FORM | {"benchmark": "", "seed": "", "initial_capital": " "}
    connect(backtests).post("/plain", data=values, follow_redirects=False)
    request = backtests.requests[0]
    assert (request.benchmark, request.seed, request.initial_capital) == (None, 0, 10_000.0)


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (
            StrategyRejected([{"rule": "x", "message": "<b> is not allowed", "line": 2}]),
            400,
            "<b> is not allowed (line 2)",
        ),
        (StrategyFailed(["ZeroDivisionError: <i> (line 3)"]), 400, "ZeroDivisionError: <i> (line 3)"),
        (NoPrices(["No prices for 'X'"]), 400, "No prices for 'X'"),
    ],
)
def test_a_runs_error_is_shown_above_the_form_as_text(connect, error, status, sentence):
    answer = connect(FakeBacktests(error=error)).post("/plain", data=FORM | {"name": '"><script>'})
    assert answer.status_code == status
    assert sentence in unescape(answer.text)
    assert not re.search("<b>|<i>|<script", answer.text)
    assert "class S: pass" in answer.text


def test_a_wrong_field_is_named(connect):
    answer = connect(FakeBacktests()).post("/plain", data=FORM | {"initial_capital": "much", "end_date": "2014-01-01"})
    assert answer.status_code == 422
    assert "initial_capital: " in answer.text
    assert "end_date: " in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_form_of_another_site_is_refused(connect, headers, status):
    backtests = FakeBacktests()
    answer = connect(backtests).post("/plain", data=FORM, headers=HOST | headers, follow_redirects=False)
    assert answer.status_code == status
    assert len(backtests.requests) == (1 if status == 303 else 0)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"strategy_code=%ff%fe", b"&" * 10 + b"a=1&" * 200])
def test_a_body_that_is_not_our_form_is_refused(connect, body):
    answer = connect(FakeBacktests()).post(
        "/plain", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 422


def test_the_plain_form_runs_no_script_and_loads_nothing_from_elsewhere():
    html = plain_form({"strategy_code": "</textarea><script>alert(1)</script>"}, [])
    assert "<script" not in html
    assert re.findall(r"(?:src|href|action)=\"(?:https?:|//)", html) == []
