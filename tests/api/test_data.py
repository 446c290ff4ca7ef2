"""GET /api/v1/data and /api/v1/data/{symbol}: the prices held, without querying the source."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from src.services.data_provider.base import DataProvider
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.calendar import sessions
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.services.data_provider.queries import MarketData
from tests.fakes.application import make_app
from tests.fakes.backtests import FakeBacktests
from tests.fakes.histories import FakeSource, history
from tests.fakes.yahoo import Clock

CLOCK = Clock(datetime(2021, 2, 27, 12, tzinfo=UTC))


def client(provider: DataProvider) -> TestClient:
    """The real application with that provider."""
    market_data = MarketData(provider)
    return TestClient(make_app(FakeBacktests(), market_data=market_data, data_source=provider.name))


@pytest.fixture
def source() -> FakeSource:
    source = FakeSource(CLOCK)
    for symbol in ("SPY", "^IRX", "BTC-USD"):
        source.histories[symbol] = history(symbol, sessions(date(2015, 6, 1), date(2022, 1, 1)))
    return source


@pytest.fixture
def provider(source: FakeSource, tmp_path: Path) -> CachedProvider:
    return CachedProvider(source, tmp_path, CLOCK)


@pytest.mark.parametrize(("symbol", "path"), [("SPY", "SPY"), ("^IRX", "%5EIRX"), ("BTC-USD", "BTC-USD")])
def test_the_answer_has_range_rows_age_and_source(provider, source, symbol, path):
    provider.fetch((symbol,), date(2020, 1, 2), date(2021, 2, 26))
    with client(provider) as http:
        answer = http.get(f"/api/v1/data/{path}")
    assert answer.status_code == 200
    assert answer.json() == {
        "symbol": symbol,
        "source": "fake",
        "first_day": "2015-06-01",
        "last_day": "2021-02-26",
        "rows": sessions(date(2015, 6, 1), date(2021, 2, 26)).size,
        "fetched_at": "2021-02-27T12:00:00Z",
        "covered_to": "2021-02-26",
        "suspect_rows": 0,
        "warnings": [],
    }
    assert len(source.asked) == 1


def test_an_uncached_symbol_is_404_and_not_fetched(provider, source):
    with client(provider) as http:
        answer = http.get("/api/v1/data/SPY")
    assert (answer.status_code, source.asked) == (404, [])
    assert answer.json() == {"detail": "No prices for 'SPY' are cached from the source fake."}


def test_a_source_without_a_cache_says_404():
    with client(MockProvider(CLOCK)) as http:
        assert http.get("/api/v1/data/SPY").status_code == 404


@pytest.mark.parametrize("path", ["spy", "..%2FSPY", "%2Fetc%2Fpasswd", "SPY%0A", "SPY%00", "A" * 30, ".SPY"])
def test_an_invalid_ticker_is_refused_before_any_file_is_read(provider, path):
    with client(provider) as http:
        assert http.get(f"/api/v1/data/{path}").status_code in {404, 422}
    assert provider.held("SPY") is None


def test_a_damaged_cache_file_counts_as_missing(provider, tmp_path):
    provider.fetch(("SPY",), date(2020, 1, 2), date(2021, 2, 26))
    (tmp_path / "SPY.parquet").write_bytes(b"damaged")
    with client(provider) as http:
        assert http.get("/api/v1/data/SPY").status_code == 404


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of price files: two good ones, one with an odd row, a broken one, and a file that is not one."""
    folder = tmp_path / "files"
    folder.mkdir()
    header = "Date,Open,High,Low,Close\n"
    for symbol, rows in {
        "AAA": "2020-01-02,1,1,1,1\n2020-01-03,1,1,1,1\n",
        "^BBB": "2020-01-02,1,1,1,1\n",
        "CCC": "2020-01-02,1,1,1,1\n2020-01-03,1,0.5,1,1\n2020-01-06,-1,1,1,1\n",
        "DDD": "2020-01-02,1,1,1,ten\n",
        "EEE": "",
        "not a symbol": "",
    }.items():
        (folder / f"{symbol}.csv").write_text(header + rows)
    (folder / "README.md").write_text("no prices")
    (folder / "FFF.csv").mkdir()
    return folder


def test_the_files_of_a_folder_are_listed_with_what_they_cover(files):
    with client(FilesProvider(files)) as http:
        answer = http.get("/api/v1/data")
    assert answer.status_code == 200
    listed = answer.json()
    assert (listed["source"], listed["next_cursor"]) == ("files", None)
    problems = {entry["symbol"]: entry.pop("problem") for entry in listed["symbols"]}
    assert listed["symbols"] == [
        {"symbol": "AAA", "first_day": "2020-01-02", "last_day": "2020-01-03", "rows": 2, "suspect_rows": 0},
        {"symbol": "CCC", "first_day": "2020-01-02", "last_day": "2020-01-03", "rows": 2, "suspect_rows": 2},
        {"symbol": "DDD", "first_day": None, "last_day": None, "rows": 0, "suspect_rows": 0},
        {"symbol": "EEE", "first_day": None, "last_day": None, "rows": 0, "suspect_rows": 0},
        {"symbol": "^BBB", "first_day": "2020-01-02", "last_day": "2020-01-02", "rows": 1, "suspect_rows": 0},
    ]
    assert {symbol for symbol, problem in problems.items() if problem} == {"DDD", "EEE"}
    assert "DDD.csv, row 2, column 'Close': 'ten' is not a number" in problems["DDD"]


def test_the_list_comes_in_pages(files):
    symbols, cursor = [], None
    with client(FilesProvider(files)) as http:
        for _ in range(10):
            page = http.get("/api/v1/data", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
            symbols += [entry["symbol"] for entry in page["symbols"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert symbols == ["AAA", "CCC", "DDD", "EEE", "^BBB"]


def test_a_files_answer_names_its_suspect_rows(files):
    with client(FilesProvider(files)) as http:
        answer = http.get("/api/v1/data/CCC")
    assert answer.json() == {
        "symbol": "CCC",
        "source": "files",
        "first_day": "2020-01-02",
        "last_day": "2020-01-03",
        "rows": 2,
        "fetched_at": None,
        "covered_to": None,
        "suspect_rows": 2,
        "warnings": [
            "CCC on 2020-01-03: open 1, high 0.5, low 1, close 1 are out of order; kept as they are.",
            "CCC on 2020-01-06: open -1: not a price; the day is left out.",
        ],
    }


def test_a_file_that_cannot_be_used_gives_400(files):
    with client(FilesProvider(files)) as http:
        assert http.get("/api/v1/data/ZZZ").status_code == 404
        answer = http.get("/api/v1/data/DDD")
    assert answer.status_code == 400
    (sentence,) = answer.json()["detail"]["data_errors"]
    assert "DDD.csv, row 2, column 'Close'" in sentence
    assert str(files) not in sentence


def test_a_missing_folder_gives_502(files, tmp_path):
    files.rename(tmp_path / "elsewhere")
    with client(FilesProvider(files)) as http:
        assert http.get("/api/v1/data").status_code == 502
        assert http.get("/api/v1/data/AAA").status_code == 502


def test_a_cache_is_listed_too_and_its_damaged_files_are_named(provider, source, tmp_path):
    provider.fetch(("SPY", "BTC-USD"), date(2020, 1, 2), date(2021, 2, 26))
    (tmp_path / "BTC-USD.parquet").write_bytes(b"damaged")
    with client(provider) as http:
        listed = http.get("/api/v1/data").json()["symbols"]
    assert [(entry["symbol"], entry["last_day"], bool(entry["problem"])) for entry in listed] == [
        ("BTC-USD", None, True),
        ("SPY", "2021-02-26", False),
    ]
    assert len(source.asked) == 2


def test_a_source_without_a_cache_lists_no_symbols():
    with client(MockProvider(CLOCK)) as http:
        assert http.get("/api/v1/data").json() == {"source": "mock", "symbols": [], "next_cursor": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=" + "A" * 50])
def test_an_invalid_page_is_refused(files, query):
    with client(FilesProvider(files)) as http:
        assert http.get(f"/api/v1/data?{query}").status_code == 422
