"""The files of a run over HTTP, written by the real artifacts: listed, downloaded, bundled, never shown as a page."""

import csv
import hashlib
import io
import json
import zipfile

import pytest

from src.api.responses.file_response import REPORT_POLICY
from src.models.artifacts import Manifest
from tests.fakes.application import BACKTEST, REQUEST, RUNS
from tests.fakes.backtests import FakeBacktests

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
NAMES = ["request.json", "strategy.py", "document.json", "daily.arrow", "orders.arrow", "trades.arrow"]
RENDERED = [
    "result.json",
    "orders.csv",
    "orders.parquet",
    "trades.csv",
    "trades.parquet",
    "equity.csv",
    "equity.parquet",
]
RENDERED += ["report.html"]


@pytest.fixture
def client(connect, storage):
    return connect(FakeBacktests(), storage=storage)


@pytest.fixture
def run(client) -> str:
    """The path of a finished run whose text is hostile."""
    request = REQUEST | {"strategy_code": f"class S: '{HOSTILE}'", "name": HOSTILE}
    return f"{RUNS}/{client.post(BACKTEST, json=request).headers['X-Run-Hash']}"


def test_the_manifest_lists_every_file_and_each_can_be_fetched(client, run):
    manifest = client.get(f"{run}/artifacts").json()
    Manifest.model_validate(manifest)
    assert [file["name"] for file in manifest["files"]] == NAMES
    for file in manifest["files"]:
        answer = client.get(f"{run}/artifacts/{file['name']}")
        assert (answer.status_code, len(answer.content)) == (200, file["size"])
        assert int(answer.headers["Content-Length"]) == file["size"]
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert answer.headers["ETag"] == f'"{file["sha256"]}"'
    assert client.get(f"{run}/artifacts/manifest.json").json() == manifest


@pytest.mark.parametrize("name", [*NAMES, *RENDERED, "manifest.json"])
def test_a_browser_saves_every_file_but_the_report(client, run, name):
    answer = client.get(f"{run}/artifacts/{name}")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    if name == "report.html":
        assert answer.headers["Content-Security-Policy"] == REPORT_POLICY
        assert answer.headers["Content-Disposition"] == "inline"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "sandbox" in REPORT_POLICY
        assert "script" not in REPORT_POLICY
        assert HOSTILE not in answer.text
    else:
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert "html" not in answer.headers["Content-Type"]
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_file_that_the_client_has_is_not_sent_again(client, run):
    path = f"{run}/artifacts/report.html"
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    asked = client.head(path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["Content-Length"] == first.headers["Content-Length"]


NO_FILES = [
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2fmanifest.json",
    "....//manifest.json",
    "/etc/passwd",
    "%2Fetc%2Fpasswd",
    "report.html%00",
    "REPORT.HTML",
    "report.html/",
    "removed.json",
    "x" * 101,
    "%F0%9F%98%80",
]


def test_a_name_that_is_neither_sealed_nor_rendered_is_no_file(client, run):
    for name in NO_FILES:
        answer = client.get(f"{run}/artifacts/{name}", follow_redirects=False)
        assert answer.status_code in (404, 422, 307), name
        assert list(answer.json()) == ["detail"] if answer.content else "location" in answer.headers


def test_equity_as_csv_holds_the_numbers_of_the_result_and_is_in_no_manifest(client, run):
    answer = client.get(f"{run}/equity.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="equity.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    result = client.get(f"{run}/result").json()
    assert [row["date"] for row in rows] == ["2015-01-02", "2015-01-05"]
    for row, candle, point in zip(rows, result["candles"], result["benchmark"], strict=True):
        assert {name: float(row[name]) for name in ("open", "high", "low", "close")} == {
            name: candle[name] for name in ("open", "high", "low", "close")
        }
        assert float(row["benchmark"]) == point["value"]
        assert float(row["drawdown"]) == 0.0
    assert answer.text.startswith("date,open,high,low,close,benchmark,drawdown\r\n")
    assert [file["name"] for file in client.get(f"{run}/artifacts").json()["files"]] == NAMES


def test_the_bundle_holds_what_is_sealed(client, run):
    answer = client.get(f"{run}/bundle.zip")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="run-')
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    folder = run.rsplit("/", 1)[1]
    assert sorted(archive.namelist()) == sorted(f"{folder}/{name}" for name in (*NAMES, "manifest.json"))
    assert json.loads(archive.read(f"{folder}/manifest.json")) == client.get(f"{run}/artifacts").json()


@pytest.mark.parametrize("part", ["artifacts", "artifacts/report.html", "bundle.zip", "equity.csv"])
def test_a_run_without_a_result_has_no_files(connect, storage, part):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, storage=storage)
    run = client.post(RUNS, json=REQUEST).headers["Location"]
    answer = client.get(f"{run}/{part}")
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])
    backtests.release.set()
